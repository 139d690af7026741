//! RenewDelegationToken (API key 39): extends a delegation token.

use logmill_wire_derive::Message;

/// The request, versions 1 to 2, flexible from 2. Schema `RenewDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = RenewDelegationToken, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest<'a> {
    pub hmac: &'a [u8],
    pub renew_period_ms: i64,
}

/// The response, versions 1 to 2, flexible from 2. Schema `RenewDelegationTokenResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = RenewDelegationToken, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    pub error_code: i16,
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
}
