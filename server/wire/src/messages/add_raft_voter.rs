//! AddRaftVoter (API key 80): makes a controller a voter (KIP-853).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `AddRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AddRaftVoter, versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterRequest<'a> {
    #[wire(nullable)]
    pub cluster_id: Option<&'a str>,
    pub timeout_ms: i32,
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
    pub listeners: Array<'a, Listener<'a>>,
    #[wire(versions = "1+", default = true)]
    pub ack_when_committed: bool,
}

/// An element of [`AddRaftVoterRequest::listeners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Listener<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}

/// The response, versions 0 to 1. Schema `AddRaftVoterResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AddRaftVoter, versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
