//! OffsetForLeaderEpoch (API key 23): where a leader epoch ended, to find divergence (KIP-320).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 2 to 4, flexible from 4. Schema `OffsetForLeaderEpochRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = OffsetForLeaderEpoch, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest<'a> {
    #[wire(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    pub topics: Array<'a, OffsetForLeaderTopic<'a>>,
}

/// An element of [`OffsetForLeaderEpochRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetForLeaderTopic<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, OffsetForLeaderPartition>,
}

/// An element of [`OffsetForLeaderTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    #[wire(default = -1)]
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
}

/// The response, versions 2 to 4, flexible from 4. Schema `OffsetForLeaderEpochResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = OffsetForLeaderEpoch, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, OffsetForLeaderTopicResult<'a>>,
}

/// An element of [`OffsetForLeaderEpochResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetForLeaderTopicResult<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, EpochEndOffset>,
}

/// An element of [`OffsetForLeaderTopicResult::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct EpochEndOffset {
    pub error_code: i16,
    pub partition: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    #[wire(default = -1)]
    pub end_offset: i64,
}
