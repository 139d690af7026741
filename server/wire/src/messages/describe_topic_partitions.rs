//! DescribeTopicPartitions (API key 75): topics and their partitions, in pages (KIP-966).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `DescribeTopicPartitionsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeTopicPartitions, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest<'a> {
    pub topics: Array<'a, TopicRequest<'a>>,
    #[wire(default = 2000)]
    pub response_partition_limit: i32,
    #[wire(nullable, default = None)]
    pub cursor: Option<Cursor<'a>>,
}

/// An element of [`DescribeTopicPartitionsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicRequest<'a> {
    pub name: &'a str,
}

/// The struct in [`DescribeTopicPartitionsRequest::cursor`] and
/// [`DescribeTopicPartitionsResponse::next_cursor`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Cursor<'a> {
    pub topic_name: &'a str,
    pub partition_index: i32,
}

/// The response, version 0. Schema `DescribeTopicPartitionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeTopicPartitions, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, DescribeTopicPartitionsResponseTopic<'a>>,
    #[wire(nullable, default = None)]
    pub next_cursor: Option<Cursor<'a>>,
}

/// An element of [`DescribeTopicPartitionsResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeTopicPartitionsResponseTopic<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub name: Option<&'a str>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Array<'a, DescribeTopicPartitionsResponsePartition<'a>>,
    #[wire(default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// An element of [`DescribeTopicPartitionsResponseTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeTopicPartitionsResponsePartition<'a> {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    pub replica_nodes: Array<'a, i32>,
    pub isr_nodes: Array<'a, i32>,
    #[wire(nullable, default = None)]
    pub eligible_leader_replicas: Option<Array<'a, i32>>,
    #[wire(nullable, default = None)]
    pub last_known_elr: Option<Array<'a, i32>>,
    pub offline_replicas: Array<'a, i32>,
}
