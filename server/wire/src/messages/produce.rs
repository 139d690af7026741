//! Produce (API key 0): batches of records for partitions, acknowledged as `acks` asks.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Records, Uuid};

/// The request, versions 3 to 13, flexible from 9. Schema `ProduceRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Produce, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest<'a> {
    #[wire(nullable, default = None)]
    pub transactional_id: Option<&'a str>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Array<'a, TopicProduceData<'a>>,
}

/// An element of [`ProduceRequest::topic_data`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicProduceData<'a> {
    #[wire(versions = "0-12", ignorable)]
    pub name: &'a str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_data: Array<'a, PartitionProduceData<'a>>,
}

/// An element of [`TopicProduceData::partition_data`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionProduceData<'a> {
    pub index: i32,
    #[wire(nullable, default = None)]
    pub records: Option<Records<'a>>,
}

/// The response, versions 3 to 13, flexible from 9. Schema `ProduceResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = Produce, versions = "3-13", flexible = "9+")]
pub struct ProduceResponse<'a> {
    pub responses: Array<'a, TopicProduceResponse<'a>>,
    pub throttle_time_ms: i32,
    #[wire(versions = "10+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`ProduceResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicProduceResponse<'a> {
    #[wire(versions = "0-12", ignorable)]
    pub name: &'a str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_responses: Array<'a, PartitionProduceResponse<'a>>,
}

/// An element of [`TopicProduceResponse::partition_responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionProduceResponse<'a> {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    #[wire(default = -1)]
    pub log_append_time_ms: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire(versions = "8+", ignorable)]
    pub record_errors: Array<'a, BatchIndexAndErrorMessage<'a>>,
    #[wire(versions = "8+", nullable, default = None, ignorable)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
}

/// An element of [`PartitionProduceResponse::record_errors`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct BatchIndexAndErrorMessage<'a> {
    pub batch_index: i32,
    #[wire(nullable, default = None)]
    pub batch_index_error_message: Option<&'a str>,
}

/// The struct in [`PartitionProduceResponse::current_leader`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct LeaderIdAndEpoch {
    #[wire(default = -1)]
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
}

/// An element of [`ProduceResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(nullable, default = None)]
    pub rack: Option<&'a str>,
}
