//! AlterShareGroupOffsets (API key 91): sets where share groups start.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `AlterShareGroupOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterShareGroupOffsets, versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, AlterShareGroupOffsetsRequestTopic<'a>>,
}

/// An element of [`AlterShareGroupOffsetsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterShareGroupOffsetsRequestTopic<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, AlterShareGroupOffsetsRequestPartition>,
}

/// An element of [`AlterShareGroupOffsetsRequestTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct AlterShareGroupOffsetsRequestPartition {
    pub partition_index: i32,
    pub start_offset: i64,
}

/// The response, version 0. Schema `AlterShareGroupOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterShareGroupOffsets, versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub responses: Array<'a, AlterShareGroupOffsetsResponseTopic<'a>>,
}

/// An element of [`AlterShareGroupOffsetsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterShareGroupOffsetsResponseTopic<'a> {
    pub topic_name: &'a str,
    pub topic_id: Uuid,
    pub partitions: Array<'a, AlterShareGroupOffsetsResponsePartition<'a>>,
}

/// An element of [`AlterShareGroupOffsetsResponseTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterShareGroupOffsetsResponsePartition<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
