//! ShareAcknowledge (API key 79): what became of acquired records.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 1 to 2. Schema `ShareAcknowledgeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ShareAcknowledge, versions = "1-2", flexible = "0+")]
pub struct ShareAcknowledgeRequest<'a> {
    #[wire(nullable, default = None)]
    pub group_id: Option<&'a str>,
    #[wire(nullable)]
    pub member_id: Option<&'a str>,
    pub share_session_epoch: i32,
    #[wire(versions = "2+")]
    pub is_renew_ack: bool,
    pub topics: Array<'a, AcknowledgeTopic<'a>>,
}

/// An element of [`ShareAcknowledgeRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AcknowledgeTopic<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, AcknowledgePartition<'a>>,
}

/// An element of [`AcknowledgeTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AcknowledgePartition<'a> {
    pub partition_index: i32,
    pub acknowledgement_batches: Array<'a, AcknowledgementBatch<'a>>,
}

/// An element of [`AcknowledgePartition::acknowledgement_batches`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AcknowledgementBatch<'a> {
    pub first_offset: i64,
    pub last_offset: i64,
    pub acknowledge_types: Array<'a, i8>,
}

/// The response, versions 1 to 2. Schema `ShareAcknowledgeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ShareAcknowledge, versions = "1-2", flexible = "0+")]
pub struct ShareAcknowledgeResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "2+", ignorable)]
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Array<'a, ShareAcknowledgeTopicResponse<'a>>,
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`ShareAcknowledgeResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ShareAcknowledgeTopicResponse<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData<'a>>,
}

/// An element of [`ShareAcknowledgeTopicResponse::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub current_leader: LeaderIdAndEpoch,
}

/// The struct in [`PartitionData::current_leader`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// An element of [`ShareAcknowledgeResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(nullable, default = None)]
    pub rack: Option<&'a str>,
}
