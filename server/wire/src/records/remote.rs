//! Segments in tiered storage (KIP-405), in `__remote_log_metadata`.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// Record type 0, version 0. Schema `RemoteLogSegmentMetadataRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataRecord<'a> {
    pub remote_log_segment_id: RemoteLogSegmentIdEntry<'a>,
    pub start_offset: i64,
    pub end_offset: i64,
    pub broker_id: i32,
    pub max_timestamp_ms: i64,
    pub event_timestamp_ms: i64,
    pub segment_leader_epochs: Array<'a, SegmentLeaderEpochEntry>,
    pub segment_size_in_bytes: i32,
    #[wire(nullable, default = None)]
    pub custom_metadata: Option<&'a [u8]>,
    pub remote_log_segment_state: i8,
    #[wire(tag = 0)]
    pub txn_index_empty: bool,
}

/// The struct in [`RemoteLogSegmentMetadataRecord::remote_log_segment_id`] and
/// [`RemoteLogSegmentMetadataUpdateRecord::remote_log_segment_id`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RemoteLogSegmentIdEntry<'a> {
    pub topic_id_partition: TopicIdPartitionEntry<'a>,
    pub id: Uuid,
}

/// The struct in [`RemoteLogSegmentIdEntry::topic_id_partition`] and
/// [`RemotePartitionDeleteMetadataRecord::topic_id_partition`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicIdPartitionEntry<'a> {
    pub name: &'a str,
    pub id: Uuid,
    pub partition: i32,
}

/// An element of [`RemoteLogSegmentMetadataRecord::segment_leader_epochs`] and
/// [`RemoteLogSegmentMetadataSnapshotRecord::segment_leader_epochs`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct SegmentLeaderEpochEntry {
    pub leader_epoch: i32,
    pub offset: i64,
}

/// Record type 1, version 0. Schema `RemoteLogSegmentMetadataUpdateRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataUpdateRecord<'a> {
    pub remote_log_segment_id: RemoteLogSegmentIdEntry<'a>,
    pub broker_id: i32,
    pub event_timestamp_ms: i64,
    #[wire(nullable, default = None)]
    pub custom_metadata: Option<&'a [u8]>,
    pub remote_log_segment_state: i8,
}

/// Record type 2, version 0. Schema `RemotePartitionDeleteMetadataRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 2, versions = "0", flexible = "0+")]
pub struct RemotePartitionDeleteMetadataRecord<'a> {
    pub topic_id_partition: TopicIdPartitionEntry<'a>,
    pub broker_id: i32,
    pub event_timestamp_ms: i64,
    pub remote_partition_delete_state: i8,
}

/// Record type 3, version 0. Schema `RemoteLogSegmentMetadataSnapshotRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 3, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataSnapshotRecord<'a> {
    pub segment_id: Uuid,
    pub start_offset: i64,
    pub end_offset: i64,
    pub broker_id: i32,
    pub max_timestamp_ms: i64,
    pub event_timestamp_ms: i64,
    pub segment_leader_epochs: Array<'a, SegmentLeaderEpochEntry>,
    pub segment_size_in_bytes: i32,
    #[wire(nullable, default = None)]
    pub custom_metadata: Option<&'a [u8]>,
    pub remote_log_segment_state: i8,
    #[wire(tag = 0)]
    pub txn_index_empty: bool,
}
