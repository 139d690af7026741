//! ElectLeaders (API key 43): makes preferred, or any, replicas leaders.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2, flexible from 2. Schema `ElectLeadersRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ElectLeaders, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest<'a> {
    #[wire(versions = "1+")]
    pub election_type: i8,
    #[wire(nullable)]
    pub topic_partitions: Option<Array<'a, TopicPartitions<'a>>>,
    #[wire(default = 60000)]
    pub timeout_ms: i32,
}

/// An element of [`ElectLeadersRequest::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 0 to 2, flexible from 2. Schema `ElectLeadersResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ElectLeaders, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse<'a> {
    pub throttle_time_ms: i32,
    #[wire(versions = "1+")]
    pub error_code: i16,
    pub replica_election_results: Array<'a, ReplicaElectionResult<'a>>,
}

/// An element of [`ElectLeadersResponse::replica_election_results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReplicaElectionResult<'a> {
    pub topic: &'a str,
    pub partition_result: Array<'a, PartitionResult<'a>>,
}

/// An element of [`ReplicaElectionResult::partition_result`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition_id: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
