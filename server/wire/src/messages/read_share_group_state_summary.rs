//! ReadShareGroupStateSummary (API key 87): reads the start offset of the stored progress of share
//! partitions.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `ReadShareGroupStateSummaryRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ReadShareGroupStateSummary, versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, ReadStateSummaryData<'a>>,
}

/// An element of [`ReadShareGroupStateSummaryRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReadStateSummaryData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData>,
}

/// An element of [`ReadStateSummaryData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct PartitionData {
    pub partition: i32,
    pub leader_epoch: i32,
}

/// The response, versions 0 to 1. Schema `ReadShareGroupStateSummaryResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ReadShareGroupStateSummary, versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryResponse<'a> {
    pub results: Array<'a, ReadStateSummaryResult<'a>>,
}

/// An element of [`ReadShareGroupStateSummaryResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ReadStateSummaryResult<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionResult<'a>>,
}

/// An element of [`ReadStateSummaryResult::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResult<'a> {
    pub partition: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub state_epoch: i32,
    pub leader_epoch: i32,
    pub start_offset: i64,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
}
