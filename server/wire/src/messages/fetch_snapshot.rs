//! FetchSnapshot (API key 59): a piece of a snapshot of the metadata log (KIP-630).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Records, Uuid};

/// The request, versions 0 to 1. Schema `FetchSnapshotRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = FetchSnapshot, versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotRequest<'a> {
    #[wire(nullable, tag = 0, default = None)]
    pub cluster_id: Option<&'a str>,
    #[wire(default = -1)]
    pub replica_id: i32,
    #[wire(default = i32::MAX)]
    pub max_bytes: i32,
    pub topics: Array<'a, RequestTopicSnapshot<'a>>,
}

/// An element of [`FetchSnapshotRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicSnapshot<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, RequestPartitionSnapshot>,
}

/// An element of [`RequestTopicSnapshot::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct RequestPartitionSnapshot {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub snapshot_id: SnapshotId,
    pub position: i64,
    #[wire(versions = "1+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
}

/// The struct in [`RequestPartitionSnapshot::snapshot_id`] and
/// [`ResponsePartitionSnapshot::snapshot_id`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

/// The response, versions 0 to 1. Schema `FetchSnapshotResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = FetchSnapshot, versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub topics: Array<'a, ResponseTopicSnapshot<'a>>,
    #[wire(versions = "1+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`FetchSnapshotResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseTopicSnapshot<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, ResponsePartitionSnapshot<'a>>,
}

/// An element of [`ResponseTopicSnapshot::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponsePartitionSnapshot<'a> {
    pub index: i32,
    pub error_code: i16,
    pub snapshot_id: SnapshotId,
    #[wire(tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    pub size: i64,
    pub position: i64,
    pub unaligned_records: Records<'a>,
}

/// The struct in [`ResponsePartitionSnapshot::current_leader`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// An element of [`FetchSnapshotResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: u16,
}
