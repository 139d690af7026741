//! EndQuorumEpoch (API key 54): a Raft leader steps down.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1, flexible from 1. Schema `EndQuorumEpochRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = EndQuorumEpoch, versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochRequest<'a> {
    #[wire(nullable, default = None)]
    pub cluster_id: Option<&'a str>,
    pub topics: Array<'a, RequestTopicData<'a>>,
    #[wire(versions = "1+", ignorable)]
    pub leader_endpoints: Array<'a, LeaderEndpoint<'a>>,
}

/// An element of [`EndQuorumEpochRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, RequestPartitionData<'a>>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestPartitionData<'a> {
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    #[wire(versions = "0", ignorable)]
    pub preferred_successors: Array<'a, i32>,
    #[wire(versions = "1+", ignorable)]
    pub preferred_candidates: Array<'a, ReplicaInfo>,
}

/// An element of [`RequestPartitionData::preferred_candidates`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ReplicaInfo {
    pub candidate_id: i32,
    pub candidate_directory_id: Uuid,
}

/// An element of [`EndQuorumEpochRequest::leader_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct LeaderEndpoint<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}

/// The response, versions 0 to 1, flexible from 1. Schema `EndQuorumEpochResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = EndQuorumEpoch, versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochResponse<'a> {
    pub error_code: i16,
    pub topics: Array<'a, ResponseTopicData<'a>>,
    #[wire(versions = "1+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`EndQuorumEpochResponse::topics`].
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

/// An element of [`EndQuorumEpochResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: u16,
}
