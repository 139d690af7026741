//! DescribeShareGroupOffsets (API key 90): where share groups start.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `DescribeShareGroupOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeShareGroupOffsets, versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsRequest<'a> {
    pub groups: Array<'a, DescribeShareGroupOffsetsRequestGroup<'a>>,
}

/// An element of [`DescribeShareGroupOffsetsRequest::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeShareGroupOffsetsRequestGroup<'a> {
    pub group_id: &'a str,
    #[wire(nullable)]
    pub topics: Option<Array<'a, DescribeShareGroupOffsetsRequestTopic<'a>>>,
}

/// An element of [`DescribeShareGroupOffsetsRequestGroup::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeShareGroupOffsetsRequestTopic<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 0 to 1. Schema `DescribeShareGroupOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeShareGroupOffsets, versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsResponse<'a> {
    pub throttle_time_ms: i32,
    pub groups: Array<'a, DescribeShareGroupOffsetsResponseGroup<'a>>,
}

/// An element of [`DescribeShareGroupOffsetsResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeShareGroupOffsetsResponseGroup<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, DescribeShareGroupOffsetsResponseTopic<'a>>,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}

/// An element of [`DescribeShareGroupOffsetsResponseGroup::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeShareGroupOffsetsResponseTopic<'a> {
    pub topic_name: &'a str,
    pub topic_id: Uuid,
    pub partitions: Array<'a, DescribeShareGroupOffsetsResponsePartition<'a>>,
}

/// An element of [`DescribeShareGroupOffsetsResponseTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeShareGroupOffsetsResponsePartition<'a> {
    pub partition_index: i32,
    pub start_offset: i64,
    pub leader_epoch: i32,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub lag: i64,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
