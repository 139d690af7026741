//! UpdateRaftVoter (API key 82): a voter tells its endpoints and the versions it supports.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `UpdateRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = UpdateRaftVoter, versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterRequest<'a> {
    #[wire(nullable)]
    pub cluster_id: Option<&'a str>,
    pub current_leader_epoch: i32,
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
    pub listeners: Array<'a, Listener<'a>>,
    pub k_raft_version_feature: KRaftVersionFeature,
}

/// An element of [`UpdateRaftVoterRequest::listeners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Listener<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}

/// The struct in [`UpdateRaftVoterRequest::k_raft_version_feature`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct KRaftVersionFeature {
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

/// The response, version 0. Schema `UpdateRaftVoterResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = UpdateRaftVoter, versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(tag = 0)]
    pub current_leader: CurrentLeader<'a>,
}

/// The struct in [`UpdateRaftVoterResponse::current_leader`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CurrentLeader<'a> {
    #[wire(default = -1)]
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    pub host: &'a str,
    pub port: i32,
}
