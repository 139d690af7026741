//! DescribeGroups (API key 15): members and state of classic groups.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 6, flexible from 5. Schema `DescribeGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeGroups, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest<'a> {
    pub groups: Array<'a, &'a str>,
    #[wire(versions = "3+")]
    pub include_authorized_operations: bool,
}

/// The response, versions 0 to 6, flexible from 5. Schema `DescribeGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeGroups, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse<'a> {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub groups: Array<'a, DescribedGroup<'a>>,
}

/// An element of [`DescribeGroupsResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedGroup<'a> {
    pub error_code: i16,
    #[wire(versions = "6+", nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub group_id: &'a str,
    pub group_state: &'a str,
    pub protocol_type: &'a str,
    pub protocol_data: &'a str,
    pub members: Array<'a, DescribedGroupMember<'a>>,
    #[wire(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
}

/// An element of [`DescribedGroup::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedGroupMember<'a> {
    pub member_id: &'a str,
    #[wire(versions = "4+", nullable, default = None, ignorable)]
    pub group_instance_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub member_metadata: &'a [u8],
    pub member_assignment: &'a [u8],
}
