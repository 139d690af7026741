//! SyncGroup (API key 14): hands in, or waits for, the assignment of a classic group's generation.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 5, flexible from 4. Schema `SyncGroupRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = SyncGroup, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest<'a> {
    pub group_id: &'a str,
    pub generation_id: i32,
    pub member_id: &'a str,
    #[wire(versions = "3+", nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub protocol_type: Option<&'a str>,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub protocol_name: Option<&'a str>,
    pub assignments: Array<'a, SyncGroupRequestAssignment<'a>>,
}

/// An element of [`SyncGroupRequest::assignments`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct SyncGroupRequestAssignment<'a> {
    pub member_id: &'a str,
    pub assignment: &'a [u8],
}

/// The response, versions 0 to 5, flexible from 4. Schema `SyncGroupResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = SyncGroup, versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse<'a> {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub protocol_type: Option<&'a str>,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub protocol_name: Option<&'a str>,
    pub assignment: &'a [u8],
}
