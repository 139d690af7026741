//! Fetch (API key 1): batches of records from partitions, for consumers and for followers;
//! sessions by KIP-227.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Records, Uuid};

/// The request, versions 4 to 18, flexible from 12. Schema `FetchRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Fetch, versions = "4-18", flexible = "12+")]
pub struct FetchRequest<'a> {
    #[wire(versions = "12+", nullable, tag = 0, default = None, ignorable)]
    pub cluster_id: Option<&'a str>,
    #[wire(versions = "0-14", default = -1)]
    pub replica_id: i32,
    #[wire(versions = "15+", tag = 1)]
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    #[wire(default = i32::MAX)]
    pub max_bytes: i32,
    pub isolation_level: i8,
    #[wire(versions = "7+", ignorable)]
    pub session_id: i32,
    #[wire(versions = "7+", default = -1, ignorable)]
    pub session_epoch: i32,
    pub topics: Array<'a, FetchTopic<'a>>,
    #[wire(versions = "7+")]
    pub forgotten_topics_data: Array<'a, ForgottenTopic<'a>>,
    #[wire(versions = "11+", ignorable)]
    pub rack_id: &'a str,
}

/// The struct in [`FetchRequest::replica_state`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ReplicaState {
    #[wire(default = -1)]
    pub replica_id: i32,
    #[wire(default = -1)]
    pub replica_epoch: i64,
}

/// An element of [`FetchRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FetchTopic<'a> {
    #[wire(versions = "0-12", ignorable)]
    pub topic: &'a str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, FetchPartition>,
}

/// An element of [`FetchTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct FetchPartition {
    pub partition: i32,
    #[wire(versions = "9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    #[wire(versions = "12+", default = -1)]
    pub last_fetched_epoch: i32,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    #[wire(versions = "17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    #[wire(versions = "18+", tag = 1, default = i64::MAX, ignorable)]
    pub high_watermark: i64,
}

/// An element of [`FetchRequest::forgotten_topics_data`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ForgottenTopic<'a> {
    #[wire(versions = "7-12", ignorable)]
    pub topic: &'a str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 4 to 18, flexible from 12. Schema `FetchResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = Fetch, versions = "4-18", flexible = "12+")]
pub struct FetchResponse<'a> {
    pub throttle_time_ms: i32,
    #[wire(versions = "7+", ignorable)]
    pub error_code: i16,
    #[wire(versions = "7+")]
    pub session_id: i32,
    pub responses: Array<'a, FetchableTopicResponse<'a>>,
    #[wire(versions = "16+", tag = 0)]
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`FetchResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FetchableTopicResponse<'a> {
    #[wire(versions = "0-12", ignorable)]
    pub topic: &'a str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData<'a>>,
}

/// An element of [`FetchableTopicResponse::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    #[wire(default = -1)]
    pub last_stable_offset: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire(versions = "12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    #[wire(versions = "12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    #[wire(versions = "12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    #[wire(nullable)]
    pub aborted_transactions: Option<Array<'a, AbortedTransaction>>,
    #[wire(versions = "11+", default = -1)]
    pub preferred_read_replica: i32,
    #[wire(nullable, default = None)]
    pub records: Option<Records<'a>>,
}

/// The struct in [`PartitionData::diverging_epoch`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct EpochEndOffset {
    #[wire(default = -1)]
    pub epoch: i32,
    #[wire(default = -1)]
    pub end_offset: i64,
}

/// The struct in [`PartitionData::current_leader`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct LeaderIdAndEpoch {
    #[wire(default = -1)]
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
}

/// The struct in [`PartitionData::snapshot_id`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct SnapshotId {
    #[wire(default = -1)]
    pub end_offset: i64,
    #[wire(default = -1)]
    pub epoch: i32,
}

/// An element of [`PartitionData::aborted_transactions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// An element of [`FetchResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(nullable, default = None)]
    pub rack: Option<&'a str>,
}
