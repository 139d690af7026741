//! LeaveGroup (API key 13): takes members out of a classic group.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 5, flexible from 4. Schema `LeaveGroupRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = LeaveGroup, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest<'a> {
    pub group_id: &'a str,
    #[wire(versions = "0-2")]
    pub member_id: &'a str,
    #[wire(versions = "3+")]
    pub members: Array<'a, MemberIdentity<'a>>,
}

/// An element of [`LeaveGroupRequest::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MemberIdentity<'a> {
    pub member_id: &'a str,
    #[wire(nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub reason: Option<&'a str>,
}

/// The response, versions 0 to 5, flexible from 4. Schema `LeaveGroupResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = LeaveGroup, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse<'a> {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(versions = "3+")]
    pub members: Array<'a, MemberResponse<'a>>,
}

/// An element of [`LeaveGroupResponse::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MemberResponse<'a> {
    pub member_id: &'a str,
    #[wire(nullable)]
    pub group_instance_id: Option<&'a str>,
    pub error_code: i16,
}
