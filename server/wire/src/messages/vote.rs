//! Vote (API key 52): asks a voter of a Raft quorum for its vote, or its pre-vote.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 2. Schema `VoteRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Vote, versions = "0-2", flexible = "0+")]
pub struct VoteRequest<'a> {
    #[wire(nullable, default = None)]
    pub cluster_id: Option<&'a str>,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub voter_id: i32,
    pub topics: Array<'a, RequestTopicData<'a>>,
}

/// An element of [`VoteRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, RequestPartitionData>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct RequestPartitionData {
    pub partition_index: i32,
    pub replica_epoch: i32,
    pub replica_id: i32,
    #[wire(versions = "1+", ignorable)]
    pub replica_directory_id: Uuid,
    #[wire(versions = "1+", ignorable)]
    pub voter_directory_id: Uuid,
    pub last_offset_epoch: i32,
    pub last_offset: i64,
    #[wire(versions = "2+")]
    pub pre_vote: bool,
}

/// The response, versions 0 to 2. Schema `VoteResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = Vote, versions = "0-2", flexible = "0+")]
pub struct VoteResponse<'a> {
    pub error_code: i16,
    pub topics: Array<'a, ResponseTopicData<'a>>,
    #[wire(versions = "1+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`VoteResponse::topics`].
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
    pub vote_granted: bool,
}

/// An element of [`VoteResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: u16,
}
