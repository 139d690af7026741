//! OffsetCommit (API key 8): stores a group's progress.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 2 to 10, flexible from 8. Schema `OffsetCommitRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = OffsetCommit, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest<'a> {
    pub group_id: &'a str,
    #[wire(default = -1)]
    pub generation_id_or_member_epoch: i32,
    pub member_id: &'a str,
    #[wire(versions = "7+", nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
    #[wire(versions = "2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    pub topics: Array<'a, OffsetCommitRequestTopic<'a>>,
}

/// An element of [`OffsetCommitRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetCommitRequestTopic<'a> {
    #[wire(versions = "0-9", ignorable)]
    pub name: &'a str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, OffsetCommitRequestPartition<'a>>,
}

/// An element of [`OffsetCommitRequestTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetCommitRequestPartition<'a> {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[wire(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire(nullable)]
    pub committed_metadata: Option<&'a str>,
}

/// The response, versions 2 to 10, flexible from 8. Schema `OffsetCommitResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = OffsetCommit, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse<'a> {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Array<'a, OffsetCommitResponseTopic<'a>>,
}

/// An element of [`OffsetCommitResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetCommitResponseTopic<'a> {
    #[wire(versions = "0-9", ignorable)]
    pub name: &'a str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, OffsetCommitResponsePartition>,
}

/// An element of [`OffsetCommitResponseTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}
