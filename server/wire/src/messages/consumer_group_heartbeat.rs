//! ConsumerGroupHeartbeat (API key 68): everything between a member and its group in the consumer
//! protocol (KIP-848).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `ConsumerGroupHeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ConsumerGroupHeartbeat, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
    pub member_epoch: i32,
    #[wire(nullable, default = None)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub rack_id: Option<&'a str>,
    #[wire(default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire(nullable, default = None)]
    pub subscribed_topic_names: Option<Array<'a, &'a str>>,
    #[wire(versions = "1+", nullable, default = None)]
    pub subscribed_topic_regex: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub server_assignor: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub topic_partitions: Option<Array<'a, TopicPartitions<'a>>>,
}

/// An element of [`ConsumerGroupHeartbeatRequest::topic_partitions`] and
/// [`Assignment::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 0 to 1. Schema `ConsumerGroupHeartbeatResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ConsumerGroupHeartbeat, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub member_id: Option<&'a str>,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    #[wire(nullable, default = None)]
    pub assignment: Option<Assignment<'a>>,
}

/// The struct in [`ConsumerGroupHeartbeatResponse::assignment`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Assignment<'a> {
    pub topic_partitions: Array<'a, TopicPartitions<'a>>,
}
