//! OffsetDelete (API key 47): forgets a group's progress in partitions.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `OffsetDeleteRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = OffsetDelete, versions = "0")]
pub struct OffsetDeleteRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, OffsetDeleteRequestTopic<'a>>,
}

/// An element of [`OffsetDeleteRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetDeleteRequestTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, OffsetDeleteRequestPartition>,
}

/// An element of [`OffsetDeleteRequestTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

/// The response, version 0. Schema `OffsetDeleteResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = OffsetDelete, versions = "0")]
pub struct OffsetDeleteResponse<'a> {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Array<'a, OffsetDeleteResponseTopic<'a>>,
}

/// An element of [`OffsetDeleteResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OffsetDeleteResponseTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, OffsetDeleteResponsePartition>,
}

/// An element of [`OffsetDeleteResponseTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}
