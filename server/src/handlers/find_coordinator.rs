//! FindCoordinator: there are no coordinators yet. Clients are told so by a code that they try
//! again on, and time out cleanly.

use logmill_wire::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::RequestContext;

/// Answers.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &FindCoordinatorRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    const MANY_SINCE: i16 = 4;
    let (code, message) = match request.key_type {
        GROUP | TRANSACTION | SHARE => (ErrorCode::COORDINATOR_NOT_AVAILABLE, NOT_BUILT),
        _ => (
            ErrorCode::INVALID_REQUEST,
            "a coordinator is for groups or for transactions",
        ),
    };
    if ctx.version < MANY_SINCE {
        let response = FindCoordinatorResponse {
            error_code: code.0,
            error_message: Some(message),
            node_id: -1,
            host: "",
            port: -1,
            ..FindCoordinatorResponse::default()
        };
        return response.encode(out, ctx.version);
    }
    let coordinators: Vec<_> = request
        .coordinator_keys
        .iter()
        .map(|key| Coordinator {
            key,
            node_id: -1,
            host: "",
            port: -1,
            error_code: code.0,
            error_message: Some(message),
        })
        .collect();
    let response = FindCoordinatorResponse {
        coordinators: coordinators.into(),
        ..FindCoordinatorResponse::default()
    };
    response.encode(out, ctx.version)
}

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;
const NOT_BUILT: &str = "groups and transactions are not built yet";
