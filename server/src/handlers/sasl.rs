//! SaslHandshake and SaslAuthenticate on a listener without authentication: out of place.

use logmill_wire::messages::sasl_authenticate::SaslAuthenticateResponse;
use logmill_wire::messages::sasl_handshake::SaslHandshakeResponse;
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::RequestContext;

/// Answers a SaslHandshake.
///
/// # Errors
/// None in practice: the answer is small.
pub fn answer_handshake(ctx: &RequestContext<'_>, out: &mut Writer) -> Result<(), EncodeError> {
    let response = SaslHandshakeResponse {
        error_code: ErrorCode::ILLEGAL_SASL_STATE.0,
        ..SaslHandshakeResponse::default()
    };
    response.encode(out, ctx.version)
}

/// Answers a SaslAuthenticate.
///
/// # Errors
/// None in practice: the answer is small.
pub fn answer_authenticate(ctx: &RequestContext<'_>, out: &mut Writer) -> Result<(), EncodeError> {
    let response = SaslAuthenticateResponse {
        error_code: ErrorCode::ILLEGAL_SASL_STATE.0,
        error_message: Some("this listener asks for no authentication"),
        ..SaslAuthenticateResponse::default()
    };
    response.encode(out, ctx.version)
}
