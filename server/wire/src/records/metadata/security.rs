//! ACLs, SCRAM credentials and delegation tokens in the metadata log.

use logmill_wire_derive::Message;

use crate::{Array, Uuid};

/// A delegation token exists.
///
/// Record type 10, version 0. Schema `DelegationTokenRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 10, versions = "0", flexible = "0+")]
pub struct DelegationTokenRecord<'a> {
    pub owner: &'a str,
    pub requester: &'a str,
    pub renewers: Array<'a, &'a str>,
    pub issue_timestamp: i64,
    pub max_timestamp: i64,
    pub expiration_timestamp: i64,
    pub token_id: &'a str,
}

/// A user has a SCRAM credential.
///
/// Record type 11, version 0. Schema `UserScramCredentialRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 11, versions = "0", flexible = "0+")]
pub struct UserScramCredentialRecord<'a> {
    pub name: &'a str,
    pub mechanism: i8,
    pub salt: &'a [u8],
    pub stored_key: &'a [u8],
    pub server_key: &'a [u8],
    pub iterations: i32,
}

/// An access rule exists.
///
/// Record type 18, version 0. Schema `AccessControlEntryRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 18, versions = "0", flexible = "0+")]
pub struct AccessControlEntryRecord<'a> {
    pub id: Uuid,
    pub resource_type: i8,
    pub resource_name: &'a str,
    pub pattern_type: i8,
    pub principal: &'a str,
    pub host: &'a str,
    pub operation: i8,
    pub permission_type: i8,
}

/// An access rule is gone.
///
/// Record type 19, version 0. Schema `RemoveAccessControlEntryRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 19, versions = "0", flexible = "0+")]
pub struct RemoveAccessControlEntryRecord {
    pub id: Uuid,
}

/// A user's SCRAM credential is gone.
///
/// Record type 22, version 0. Schema `RemoveUserScramCredentialRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 22, versions = "0", flexible = "0+")]
pub struct RemoveUserScramCredentialRecord<'a> {
    pub name: &'a str,
    pub mechanism: i8,
}

/// A delegation token is gone.
///
/// Record type 26, version 0. Schema `RemoveDelegationTokenRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 26, versions = "0", flexible = "0+")]
pub struct RemoveDelegationTokenRecord<'a> {
    pub token_id: &'a str,
}
