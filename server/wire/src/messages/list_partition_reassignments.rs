//! ListPartitionReassignments (API key 46): moves of replicas that are under way.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `ListPartitionReassignmentsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ListPartitionReassignments, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest<'a> {
    #[wire(default = 60000)]
    pub timeout_ms: i32,
    #[wire(nullable, default = None)]
    pub topics: Option<Array<'a, ListPartitionReassignmentsTopics<'a>>>,
}

/// An element of [`ListPartitionReassignmentsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ListPartitionReassignmentsTopics<'a> {
    pub name: &'a str,
    pub partition_indexes: Array<'a, i32>,
}

/// The response, version 0. Schema `ListPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ListPartitionReassignments, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub topics: Array<'a, OngoingTopicReassignment<'a>>,
}

/// An element of [`ListPartitionReassignmentsResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OngoingTopicReassignment<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, OngoingPartitionReassignment<'a>>,
}

/// An element of [`OngoingTopicReassignment::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OngoingPartitionReassignment<'a> {
    pub partition_index: i32,
    pub replicas: Array<'a, i32>,
    pub adding_replicas: Array<'a, i32>,
    pub removing_replicas: Array<'a, i32>,
}
