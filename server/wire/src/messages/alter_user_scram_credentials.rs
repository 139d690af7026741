//! AlterUserScramCredentials (API key 51): sets and removes SCRAM credentials.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `AlterUserScramCredentialsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterUserScramCredentials, versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsRequest<'a> {
    pub deletions: Array<'a, ScramCredentialDeletion<'a>>,
    pub upsertions: Array<'a, ScramCredentialUpsertion<'a>>,
}

/// An element of [`AlterUserScramCredentialsRequest::deletions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ScramCredentialDeletion<'a> {
    pub name: &'a str,
    pub mechanism: i8,
}

/// An element of [`AlterUserScramCredentialsRequest::upsertions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ScramCredentialUpsertion<'a> {
    pub name: &'a str,
    pub mechanism: i8,
    pub iterations: i32,
    pub salt: &'a [u8],
    pub salted_password: &'a [u8],
}

/// The response, version 0. Schema `AlterUserScramCredentialsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterUserScramCredentials, versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, AlterUserScramCredentialsResult<'a>>,
}

/// An element of [`AlterUserScramCredentialsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterUserScramCredentialsResult<'a> {
    pub user: &'a str,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
