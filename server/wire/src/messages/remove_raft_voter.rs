//! RemoveRaftVoter (API key 81): makes a controller a voter no longer.

use logmill_wire_derive::Message;

use crate::Uuid;

/// The request, version 0. Schema `RemoveRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = RemoveRaftVoter, versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterRequest<'a> {
    #[wire(nullable)]
    pub cluster_id: Option<&'a str>,
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
}

/// The response, version 0. Schema `RemoveRaftVoterResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = RemoveRaftVoter, versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
