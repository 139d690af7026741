//! JoinGroup (API key 11): enters a rebalance of a classic group and waits for its members.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 9, flexible from 6. Schema `JoinGroupRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = JoinGroup, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest<'a> {
    pub group_id: &'a str,
    pub session_timeout_ms: i32,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    pub member_id: &'a str,
    #[wire(versions = "5+", nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
    pub protocol_type: &'a str,
    pub protocols: Array<'a, JoinGroupRequestProtocol<'a>>,
    #[wire(versions = "8+", nullable, default = None, ignorable)]
    pub reason: Option<&'a str>,
}

/// An element of [`JoinGroupRequest::protocols`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct JoinGroupRequestProtocol<'a> {
    pub name: &'a str,
    pub metadata: &'a [u8],
}

/// The response, versions 0 to 9, flexible from 6. Schema `JoinGroupResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = JoinGroup, versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse<'a> {
    #[wire(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(default = -1)]
    pub generation_id: i32,
    #[wire(versions = "7+", nullable, default = None, ignorable)]
    pub protocol_type: Option<&'a str>,
    #[wire(nullable = "7+")]
    pub protocol_name: Option<&'a str>,
    pub leader: &'a str,
    #[wire(versions = "9+")]
    pub skip_assignment: bool,
    pub member_id: &'a str,
    pub members: Array<'a, JoinGroupResponseMember<'a>>,
}

/// An element of [`JoinGroupResponse::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct JoinGroupResponseMember<'a> {
    pub member_id: &'a str,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub group_instance_id: Option<&'a str>,
    pub metadata: &'a [u8],
}
