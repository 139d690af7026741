//! DeleteGroups (API key 42): deletes empty groups.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2, flexible from 2. Schema `DeleteGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteGroups, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsRequest<'a> {
    pub groups_names: Array<'a, &'a str>,
}

/// The response, versions 0 to 2, flexible from 2. Schema `DeleteGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteGroups, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, DeletableGroupResult<'a>>,
}

/// An element of [`DeleteGroupsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeletableGroupResult<'a> {
    pub group_id: &'a str,
    pub error_code: i16,
}
