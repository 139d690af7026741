//! DescribeProducers (API key 61): the producers that a partition knows.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `DescribeProducersRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeProducers, versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest<'a> {
    pub topics: Array<'a, TopicRequest<'a>>,
}

/// An element of [`DescribeProducersRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicRequest<'a> {
    pub name: &'a str,
    pub partition_indexes: Array<'a, i32>,
}

/// The response, version 0. Schema `DescribeProducersResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeProducers, versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, TopicResponse<'a>>,
}

/// An element of [`DescribeProducersResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicResponse<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, PartitionResponse<'a>>,
}

/// An element of [`TopicResponse::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionResponse<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub active_producers: Array<'a, ProducerState>,
}

/// An element of [`PartitionResponse::active_producers`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i32,
    #[wire(default = -1)]
    pub last_sequence: i32,
    #[wire(default = -1)]
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    #[wire(default = -1)]
    pub current_txn_start_offset: i64,
}
