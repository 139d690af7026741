//! WriteTxnMarkers (API key 27): the coordinator's order to write the markers that end
//! transactions.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 2. Schema `WriteTxnMarkersRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = WriteTxnMarkers, versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersRequest<'a> {
    pub markers: Array<'a, WritableTxnMarker<'a>>,
}

/// An element of [`WriteTxnMarkersRequest::markers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WritableTxnMarker<'a> {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub transaction_result: bool,
    pub topics: Array<'a, WritableTxnMarkerTopic<'a>>,
    pub coordinator_epoch: i32,
    #[wire(versions = "2+", ignorable)]
    pub transaction_version: i8,
}

/// An element of [`WritableTxnMarker::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WritableTxnMarkerTopic<'a> {
    pub name: &'a str,
    pub partition_indexes: Array<'a, i32>,
}

/// The response, versions 1 to 2. Schema `WriteTxnMarkersResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = WriteTxnMarkers, versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersResponse<'a> {
    pub markers: Array<'a, WritableTxnMarkerResult<'a>>,
}

/// An element of [`WriteTxnMarkersResponse::markers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WritableTxnMarkerResult<'a> {
    pub producer_id: i64,
    pub topics: Array<'a, WritableTxnMarkerTopicResult<'a>>,
}

/// An element of [`WritableTxnMarkerResult::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct WritableTxnMarkerTopicResult<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, WritableTxnMarkerPartitionResult>,
}

/// An element of [`WritableTxnMarkerTopicResult::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct WritableTxnMarkerPartitionResult {
    pub partition_index: i32,
    pub error_code: i16,
}
