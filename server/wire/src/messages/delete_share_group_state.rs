//! DeleteShareGroupState (API key 86): forgets the stored progress of share partitions.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `DeleteShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteShareGroupState, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, DeleteStateData<'a>>,
}

/// An element of [`DeleteShareGroupStateRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteStateData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData>,
}

/// An element of [`DeleteStateData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct PartitionData {
    pub partition: i32,
}

/// The response, version 0. Schema `DeleteShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteShareGroupState, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateResponse<'a> {
    pub results: Array<'a, DeleteStateResult<'a>>,
}

/// An element of [`DeleteShareGroupStateResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteStateResult<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionResult<'a>>,
}

/// An element of [`DeleteStateResult::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
