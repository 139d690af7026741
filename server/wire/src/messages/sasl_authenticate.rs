//! SaslAuthenticate (API key 36): carries the messages of a SASL mechanism (KIP-152).

use logmill_wire_derive::Message;

/// The request, versions 0 to 2, flexible from 2. Schema `SaslAuthenticateRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = SaslAuthenticate, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest<'a> {
    pub auth_bytes: &'a [u8],
}

/// The response, versions 0 to 2, flexible from 2. Schema `SaslAuthenticateResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = SaslAuthenticate, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub auth_bytes: &'a [u8],
    #[wire(versions = "1+", ignorable)]
    pub session_lifetime_ms: i64,
}
