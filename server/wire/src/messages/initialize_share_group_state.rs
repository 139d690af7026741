//! InitializeShareGroupState (API key 83): begins the stored progress of share partitions.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `InitializeShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = InitializeShareGroupState, versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, InitializeStateData<'a>>,
}

/// An element of [`InitializeShareGroupStateRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct InitializeStateData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData>,
}

/// An element of [`InitializeStateData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct PartitionData {
    pub partition: i32,
    pub state_epoch: i32,
    pub start_offset: i64,
}

/// The response, version 0. Schema `InitializeShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = InitializeShareGroupState, versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateResponse<'a> {
    pub results: Array<'a, InitializeStateResult<'a>>,
}

/// An element of [`InitializeShareGroupStateResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct InitializeStateResult<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionResult<'a>>,
}

/// An element of [`InitializeStateResult::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
