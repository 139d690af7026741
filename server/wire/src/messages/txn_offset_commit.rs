//! TxnOffsetCommit (API key 28): stores a group's progress as part of a transaction.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 5, flexible from 3. Schema `TxnOffsetCommitRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = TxnOffsetCommit, versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitRequest<'a> {
    pub transactional_id: &'a str,
    pub group_id: &'a str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    #[wire(versions = "3+", default = -1)]
    pub generation_id: i32,
    #[wire(versions = "3+")]
    pub member_id: &'a str,
    #[wire(versions = "3+", nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
    pub topics: Array<'a, TxnOffsetCommitRequestTopic<'a>>,
}

/// An element of [`TxnOffsetCommitRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TxnOffsetCommitRequestTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, TxnOffsetCommitRequestPartition<'a>>,
}

/// An element of [`TxnOffsetCommitRequestTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TxnOffsetCommitRequestPartition<'a> {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[wire(versions = "2+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire(nullable)]
    pub committed_metadata: Option<&'a str>,
}

/// The response, versions 0 to 5, flexible from 3. Schema `TxnOffsetCommitResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = TxnOffsetCommit, versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, TxnOffsetCommitResponseTopic<'a>>,
}

/// An element of [`TxnOffsetCommitResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TxnOffsetCommitResponseTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, TxnOffsetCommitResponsePartition>,
}

/// An element of [`TxnOffsetCommitResponseTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct TxnOffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}
