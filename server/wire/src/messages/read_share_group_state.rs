//! ReadShareGroupState (API key 84): reads the stored progress of share partitions.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `ReadShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ReadShareGroupState, versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, ReadStateData<'a>>,
}

/// An element of [`ReadShareGroupStateRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReadStateData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData>,
}

/// An element of [`ReadStateData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct PartitionData {
    pub partition: i32,
    pub leader_epoch: i32,
}

/// The response, version 0. Schema `ReadShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ReadShareGroupState, versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateResponse<'a> {
    pub results: Array<'a, ReadStateResult<'a>>,
}

/// An element of [`ReadShareGroupStateResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReadStateResult<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionResult<'a>>,
}

/// An element of [`ReadStateResult::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub state_epoch: i32,
    pub start_offset: i64,
    pub state_batches: Array<'a, StateBatch>,
}

/// An element of [`PartitionResult::state_batches`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct StateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_state: i8,
    pub delivery_count: i16,
}
