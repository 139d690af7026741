//! FindCoordinator: this broker for every group, whose topic of offsets is made when it is first
//! asked for. There are no coordinators for transactions and share groups yet: clients are told so
//! by a code that they try again on, and time out cleanly.

use logmill_wire::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{MetadataCommand, MetadataError, OFFSETS_TOPIC};

/// A request as it waits for the topic of offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    key_type: i8,
    keys: Vec<String>,
}

/// Answers, or asks for the topic of offsets.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn plan(
    ctx: &RequestContext<'_>,
    request: &FindCoordinatorRequest<'_>,
    out: &mut Writer,
) -> Result<Planned, EncodeError> {
    let keys = match ctx.version < MANY_SINCE {
        true => vec![request.key.to_owned()],
        false => request
            .coordinator_keys
            .iter()
            .map(|key| (*key).to_owned())
            .collect(),
    };
    let query = Query {
        key_type: request.key_type,
        keys,
    };
    if query.key_type == GROUP && ctx.image.topic(OFFSETS_TOPIC).is_none() {
        return Ok(Planned::Command {
            command: MetadataCommand::AutoCreate(vec![OFFSETS_TOPIC.to_owned()]),
            suspended: Suspended::FindCoordinator(query),
        });
    }
    reply(ctx, &query, Ok(()), out)?;
    Ok(Planned::Answered)
}

/// Writes the answer; `made` says whether the topic of offsets is there.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    query: &Query,
    made: Result<(), &MetadataError>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let (code, message) = match (query.key_type, made) {
        (GROUP, Ok(())) => (ErrorCode::NONE, None),
        (GROUP, Err(error)) => (
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Some(error.to_string()),
        ),
        (TRANSACTION | SHARE, _) => (
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Some(NOT_BUILT.to_owned()),
        ),
        _ => (
            ErrorCode::INVALID_REQUEST,
            Some("a coordinator is for groups or for transactions".to_owned()),
        ),
    };
    let broker = ctx.broker;
    let (node_id, host, port) = match code {
        ErrorCode::NONE => (broker.node_id, broker.host.as_str(), i32::from(broker.port)),
        _ => (-1, "", -1),
    };
    if ctx.version < MANY_SINCE {
        let response = FindCoordinatorResponse {
            error_code: code.0,
            error_message: Some(message.as_deref().unwrap_or("NONE")),
            node_id,
            host,
            port,
            ..FindCoordinatorResponse::default()
        };
        return response.encode(out, ctx.version);
    }
    let coordinators: Vec<_> = query
        .keys
        .iter()
        .map(|key| Coordinator {
            key,
            node_id,
            host,
            port,
            error_code: code.0,
            error_message: Some(message.as_deref().unwrap_or("")),
        })
        .collect();
    let response = FindCoordinatorResponse {
        coordinators: coordinators.into(),
        ..FindCoordinatorResponse::default()
    };
    response.encode(out, ctx.version)
}

/// The version since which one request asks for many.
const MANY_SINCE: i16 = 4;
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;
const NOT_BUILT: &str = "transactions and share groups are not built yet";
