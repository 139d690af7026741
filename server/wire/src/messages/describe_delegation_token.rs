//! DescribeDelegationToken (API key 41): the delegation tokens of owners.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 3, flexible from 2. Schema `DescribeDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeDelegationToken, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest<'a> {
    #[wire(nullable)]
    pub owners: Option<Array<'a, DescribeDelegationTokenOwner<'a>>>,
}

/// An element of [`DescribeDelegationTokenRequest::owners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeDelegationTokenOwner<'a> {
    pub principal_type: &'a str,
    pub principal_name: &'a str,
}

/// The response, versions 1 to 3, flexible from 2. Schema `DescribeDelegationTokenResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeDelegationToken, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse<'a> {
    pub error_code: i16,
    pub tokens: Array<'a, DescribedDelegationToken<'a>>,
    pub throttle_time_ms: i32,
}

/// An element of [`DescribeDelegationTokenResponse::tokens`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedDelegationToken<'a> {
    pub principal_type: &'a str,
    pub principal_name: &'a str,
    #[wire(versions = "3+")]
    pub token_requester_principal_type: &'a str,
    #[wire(versions = "3+")]
    pub token_requester_principal_name: &'a str,
    pub issue_timestamp: i64,
    pub expiry_timestamp: i64,
    pub max_timestamp: i64,
    pub token_id: &'a str,
    pub hmac: &'a [u8],
    pub renewers: Array<'a, DescribedDelegationTokenRenewer<'a>>,
}

/// An element of [`DescribedDelegationToken::renewers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedDelegationTokenRenewer<'a> {
    pub principal_type: &'a str,
    pub principal_name: &'a str,
}
