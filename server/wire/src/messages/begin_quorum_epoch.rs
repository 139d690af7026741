//! BeginQuorumEpoch (API key 53): a new Raft leader makes itself known.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1, flexible from 1. Schema `BeginQuorumEpochRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = BeginQuorumEpoch, versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochRequest<'a> {
    #[wire(nullable, default = None)]
    pub cluster_id: Option<&'a str>,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub voter_id: i32,
    pub topics: Array<'a, RequestTopicData<'a>>,
    #[wire(versions = "1+", ignorable)]
    pub leader_endpoints: Array<'a, LeaderEndpoint<'a>>,
}

/// An element of [`BeginQuorumEpochRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, RequestPartitionData>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct RequestPartitionData {
    pub partition_index: i32,
    #[wire(versions = "1+", ignorable)]
    pub voter_directory_id: Uuid,
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// An element of [`BeginQuorumEpochRequest::leader_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct LeaderEndpoint<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}

/// The response, versions 0 to 1, flexible from 1. Schema `BeginQuorumEpochResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = BeginQuorumEpoch, versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochResponse<'a> {
    pub error_code: i16,
    pub topics: Array<'a, ResponseTopicData<'a>>,
    #[wire(versions = "1+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`BeginQuorumEpochResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, ResponsePartitionData>,
}

/// An element of [`ResponseTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ResponsePartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// An element of [`BeginQuorumEpochResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: u16,
}
