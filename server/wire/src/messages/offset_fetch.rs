//! OffsetFetch (API key 9): reads a group's progress; several groups at once from version 8 on.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 1 to 10, flexible from 6. Schema `OffsetFetchRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = OffsetFetch, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest<'a> {
    #[wire(versions = "0-7")]
    pub group_id: &'a str,
    #[wire(versions = "0-7", nullable = "2-7")]
    pub topics: Option<Array<'a, OffsetFetchRequestTopic<'a>>>,
    #[wire(versions = "8+")]
    pub groups: Array<'a, OffsetFetchRequestGroup<'a>>,
    #[wire(versions = "7+")]
    pub require_stable: bool,
}

/// An element of [`OffsetFetchRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchRequestTopic<'a> {
    pub name: &'a str,
    pub partition_indexes: Array<'a, i32>,
}

/// An element of [`OffsetFetchRequest::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchRequestGroup<'a> {
    pub group_id: &'a str,
    #[wire(versions = "9+", nullable, default = None, ignorable)]
    pub member_id: Option<&'a str>,
    #[wire(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    #[wire(nullable)]
    pub topics: Option<Array<'a, OffsetFetchRequestTopics<'a>>>,
}

/// An element of [`OffsetFetchRequestGroup::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchRequestTopics<'a> {
    #[wire(versions = "8-9", ignorable)]
    pub name: &'a str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partition_indexes: Array<'a, i32>,
}

/// The response, versions 1 to 10, flexible from 6. Schema `OffsetFetchResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = OffsetFetch, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse<'a> {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(versions = "0-7")]
    pub topics: Array<'a, OffsetFetchResponseTopic<'a>>,
    #[wire(versions = "2-7", ignorable)]
    pub error_code: i16,
    #[wire(versions = "8+")]
    pub groups: Array<'a, OffsetFetchResponseGroup<'a>>,
}

/// An element of [`OffsetFetchResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchResponseTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, OffsetFetchResponsePartition<'a>>,
}

/// An element of [`OffsetFetchResponseTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchResponsePartition<'a> {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire(nullable)]
    pub metadata: Option<&'a str>,
    pub error_code: i16,
}

/// An element of [`OffsetFetchResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchResponseGroup<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, OffsetFetchResponseTopics<'a>>,
    pub error_code: i16,
}

/// An element of [`OffsetFetchResponseGroup::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchResponseTopics<'a> {
    #[wire(versions = "8-9", ignorable)]
    pub name: &'a str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, OffsetFetchResponsePartitions<'a>>,
}

/// An element of [`OffsetFetchResponseTopics::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetFetchResponsePartitions<'a> {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[wire(default = -1)]
    pub committed_leader_epoch: i32,
    #[wire(nullable)]
    pub metadata: Option<&'a str>,
    pub error_code: i16,
}
