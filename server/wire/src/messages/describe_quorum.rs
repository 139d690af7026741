//! DescribeQuorum (API key 55): leader, voters and observers of the metadata quorum and how far
//! they are.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 2. Schema `DescribeQuorumRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeQuorum, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumRequest<'a> {
    pub topics: Array<'a, RequestTopicData<'a>>,
}

/// An element of [`DescribeQuorumRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, RequestPartitionData>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct RequestPartitionData {
    pub partition_index: i32,
}

/// The response, versions 0 to 2. Schema `DescribeQuorumResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeQuorum, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumResponse<'a> {
    pub error_code: i16,
    #[wire(versions = "2+", nullable, ignorable)]
    pub error_message: Option<&'a str>,
    pub topics: Array<'a, ResponseTopicData<'a>>,
    #[wire(versions = "2+")]
    pub nodes: Array<'a, Node<'a>>,
}

/// An element of [`DescribeQuorumResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseTopicData<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, ResponsePartitionData<'a>>,
}

/// An element of [`ResponseTopicData::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponsePartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(versions = "2+", nullable, ignorable)]
    pub error_message: Option<&'a str>,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub current_voters: Array<'a, ReplicaState>,
    pub observers: Array<'a, ReplicaState>,
}

/// An element of [`ResponsePartitionData::current_voters`] and
/// [`ResponsePartitionData::observers`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ReplicaState {
    pub replica_id: i32,
    #[wire(versions = "2+")]
    pub replica_directory_id: Uuid,
    pub log_end_offset: i64,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub last_fetch_timestamp: i64,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub last_caught_up_timestamp: i64,
}

/// An element of [`DescribeQuorumResponse::nodes`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Node<'a> {
    pub node_id: i32,
    pub listeners: Array<'a, Listener<'a>>,
}

/// An element of [`Node::listeners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Listener<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}
