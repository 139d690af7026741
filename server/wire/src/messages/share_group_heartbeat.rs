//! ShareGroupHeartbeat (API key 76): keeps a member of a share group alive and carries its
//! assignment (KIP-932).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 1. Schema `ShareGroupHeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ShareGroupHeartbeat, versions = "1", flexible = "0+")]
pub struct ShareGroupHeartbeatRequest<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
    pub member_epoch: i32,
    #[wire(nullable, default = None)]
    pub rack_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub subscribed_topic_names: Option<Array<'a, &'a str>>,
}

/// The response, version 1. Schema `ShareGroupHeartbeatResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ShareGroupHeartbeat, versions = "1", flexible = "0+")]
pub struct ShareGroupHeartbeatResponse<'a> {
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

/// The struct in [`ShareGroupHeartbeatResponse::assignment`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Assignment<'a> {
    pub topic_partitions: Array<'a, TopicPartitions<'a>>,
}

/// An element of [`Assignment::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}
