//! WriteShareGroupState (API key 85): adds to the stored progress of share partitions.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `WriteShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = WriteShareGroupState, versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, WriteStateData<'a>>,
}

/// An element of [`WriteShareGroupStateRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WriteStateData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData<'a>>,
}

/// An element of [`WriteStateData::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionData<'a> {
    pub partition: i32,
    pub state_epoch: i32,
    pub leader_epoch: i32,
    pub start_offset: i64,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
    pub state_batches: Array<'a, StateBatch>,
}

/// An element of [`PartitionData::state_batches`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct StateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_state: i8,
    pub delivery_count: i16,
}

/// The response, versions 0 to 1. Schema `WriteShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = WriteShareGroupState, versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateResponse<'a> {
    pub results: Array<'a, WriteStateResult<'a>>,
}

/// An element of [`WriteShareGroupStateResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WriteStateResult<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionResult<'a>>,
}

/// An element of [`WriteStateResult::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
