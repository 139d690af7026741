//! ListOffsets (API key 2): the offset that belongs to a timestamp, or to the start or end of a
//! partition.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 11, flexible from 6. Schema `ListOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ListOffsets, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest<'a> {
    pub replica_id: i32,
    #[wire(versions = "2+")]
    pub isolation_level: i8,
    pub topics: Array<'a, ListOffsetsTopic<'a>>,
    #[wire(versions = "10+", ignorable)]
    pub timeout_ms: i32,
}

/// An element of [`ListOffsetsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ListOffsetsTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, ListOffsetsPartition>,
}

/// An element of [`ListOffsetsTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    #[wire(versions = "4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    pub timestamp: i64,
}

/// The response, versions 1 to 11, flexible from 6. Schema `ListOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ListOffsets, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse<'a> {
    #[wire(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Array<'a, ListOffsetsTopicResponse<'a>>,
}

/// An element of [`ListOffsetsResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ListOffsetsTopicResponse<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, ListOffsetsPartitionResponse>,
}

/// An element of [`ListOffsetsTopicResponse::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(default = -1)]
    pub timestamp: i64,
    #[wire(default = -1)]
    pub offset: i64,
    #[wire(versions = "4+", default = -1)]
    pub leader_epoch: i32,
}
