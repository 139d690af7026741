//! DeleteRecords (API key 21): moves the start of partitions forward.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2, flexible from 2. Schema `DeleteRecordsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteRecords, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest<'a> {
    pub topics: Array<'a, DeleteRecordsTopic<'a>>,
    pub timeout_ms: i32,
}

/// An element of [`DeleteRecordsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteRecordsTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, DeleteRecordsPartition>,
}

/// An element of [`DeleteRecordsTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct DeleteRecordsPartition {
    pub partition_index: i32,
    pub offset: i64,
}

/// The response, versions 0 to 2, flexible from 2. Schema `DeleteRecordsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteRecords, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, DeleteRecordsTopicResult<'a>>,
}

/// An element of [`DeleteRecordsResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteRecordsTopicResult<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, DeleteRecordsPartitionResult>,
}

/// An element of [`DeleteRecordsTopicResult::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct DeleteRecordsPartitionResult {
    pub partition_index: i32,
    pub low_watermark: i64,
    pub error_code: i16,
}
