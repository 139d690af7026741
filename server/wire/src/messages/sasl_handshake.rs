//! SaslHandshake (API key 17): picks the SASL mechanism of a connection.

use logmill_wire_derive::Message;

use crate::Array;

/// The request, versions 0 to 1. Schema `SaslHandshakeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = SaslHandshake, versions = "0-1")]
pub struct SaslHandshakeRequest<'a> {
    pub mechanism: &'a str,
}

/// The response, versions 0 to 1. Schema `SaslHandshakeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = SaslHandshake, versions = "0-1")]
pub struct SaslHandshakeResponse<'a> {
    pub error_code: i16,
    pub mechanisms: Array<'a, &'a str>,
}
