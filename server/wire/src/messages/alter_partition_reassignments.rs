//! AlterPartitionReassignments (API key 45): starts and cancels moves of replicas (KIP-455).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 1. Schema `AlterPartitionReassignmentsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterPartitionReassignments, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest<'a> {
    #[wire(default = 60000)]
    pub timeout_ms: i32,
    #[wire(versions = "1+", default = true)]
    pub allow_replication_factor_change: bool,
    pub topics: Array<'a, ReassignableTopic<'a>>,
}

/// An element of [`AlterPartitionReassignmentsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReassignableTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, ReassignablePartition<'a>>,
}

/// An element of [`ReassignableTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReassignablePartition<'a> {
    pub partition_index: i32,
    #[wire(nullable, default = None)]
    pub replicas: Option<Array<'a, i32>>,
}

/// The response, versions 0 to 1. Schema `AlterPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterPartitionReassignments, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse<'a> {
    pub throttle_time_ms: i32,
    #[wire(versions = "1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub responses: Array<'a, ReassignableTopicResponse<'a>>,
}

/// An element of [`AlterPartitionReassignmentsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReassignableTopicResponse<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, ReassignablePartitionResponse<'a>>,
}

/// An element of [`ReassignableTopicResponse::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReassignablePartitionResponse<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
