//! CreateDelegationToken (API key 38): makes a delegation token (KIP-48).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 3, flexible from 2. Schema `CreateDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = CreateDelegationToken, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest<'a> {
    #[wire(versions = "3+", nullable)]
    pub owner_principal_type: Option<&'a str>,
    #[wire(versions = "3+", nullable)]
    pub owner_principal_name: Option<&'a str>,
    pub renewers: Array<'a, CreatableRenewers<'a>>,
    pub max_lifetime_ms: i64,
}

/// An element of [`CreateDelegationTokenRequest::renewers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableRenewers<'a> {
    pub principal_type: &'a str,
    pub principal_name: &'a str,
}

/// The response, versions 1 to 3, flexible from 2. Schema `CreateDelegationTokenResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = CreateDelegationToken, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse<'a> {
    pub error_code: i16,
    pub principal_type: &'a str,
    pub principal_name: &'a str,
    #[wire(versions = "3+")]
    pub token_requester_principal_type: &'a str,
    #[wire(versions = "3+")]
    pub token_requester_principal_name: &'a str,
    pub issue_timestamp_ms: i64,
    pub expiry_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    pub token_id: &'a str,
    pub hmac: &'a [u8],
    pub throttle_time_ms: i32,
}
