//! ListGroups (API key 16): the groups that a broker coordinates.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 5, flexible from 3. Schema `ListGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ListGroups, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest<'a> {
    #[wire(versions = "4+")]
    pub states_filter: Array<'a, &'a str>,
    #[wire(versions = "5+")]
    pub types_filter: Array<'a, &'a str>,
}

/// The response, versions 0 to 5, flexible from 3. Schema `ListGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ListGroups, versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse<'a> {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Array<'a, ListedGroup<'a>>,
}

/// An element of [`ListGroupsResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ListedGroup<'a> {
    pub group_id: &'a str,
    pub protocol_type: &'a str,
    #[wire(versions = "4+", ignorable)]
    pub group_state: &'a str,
    #[wire(versions = "5+", ignorable)]
    pub group_type: &'a str,
}
