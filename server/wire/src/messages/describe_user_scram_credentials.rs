//! DescribeUserScramCredentials (API key 50): which SCRAM mechanisms users have (KIP-554).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `DescribeUserScramCredentialsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeUserScramCredentials, versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsRequest<'a> {
    #[wire(nullable)]
    pub users: Option<Array<'a, UserName<'a>>>,
}

/// An element of [`DescribeUserScramCredentialsRequest::users`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct UserName<'a> {
    pub name: &'a str,
}

/// The response, version 0. Schema `DescribeUserScramCredentialsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeUserScramCredentials, versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub results: Array<'a, DescribeUserScramCredentialsResult<'a>>,
}

/// An element of [`DescribeUserScramCredentialsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeUserScramCredentialsResult<'a> {
    pub user: &'a str,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub credential_infos: Array<'a, CredentialInfo>,
}

/// An element of [`DescribeUserScramCredentialsResult::credential_infos`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct CredentialInfo {
    pub mechanism: i8,
    pub iterations: i32,
}
