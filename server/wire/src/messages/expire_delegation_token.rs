//! ExpireDelegationToken (API key 40): shortens the life of a delegation token, or ends it.

use logmill_wire_derive::Message;

/// The request, versions 1 to 2, flexible from 2. Schema `ExpireDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ExpireDelegationToken, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenRequest<'a> {
    pub hmac: &'a [u8],
    pub expiry_time_period_ms: i64,
}

/// The response, versions 1 to 2, flexible from 2. Schema `ExpireDelegationTokenResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = ExpireDelegationToken, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenResponse {
    pub error_code: i16,
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
}
