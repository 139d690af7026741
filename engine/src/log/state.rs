//! A partition's log as plain data: what a shard snapshot keeps and recovery produces.

use crate::base::{DirectoryIndex, Offset, PartitionIndex, TopicId};
use crate::partition::ProducerState;
use crate::replica::EpochState;

/// All that is needed to restore a log without reading any of its files: those are opened, and
/// indexes loaded, when first used. About 200 bytes for an idle partition of one segment.
///
/// The bytes of the log below `end` must stand in its segment files; what a journal still holds
/// is replayed into them first.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct PartitionState {
    /// The topic's id.
    pub topic_id: TopicId,
    /// The topic's name: the folder is `<topic>-<index>`.
    pub topic: String,
    /// The partition within the topic.
    pub index: PartitionIndex,
    /// The log directory that holds the folder.
    pub directory: DirectoryIndex,
    /// The first offset that may be read.
    pub log_start: Offset,
    /// The offset of the next record.
    pub end: Offset,
    /// Below it all bytes are in synced segment files.
    pub recovery_point: Offset,
    /// `leader-epoch-checkpoint`, oldest first.
    pub epochs: Vec<EpochState>,
    /// The segments, oldest first; empty before the first append.
    pub segments: Vec<SegmentState>,
    /// Idempotent producers by rising id.
    pub producers: Vec<ProducerState>,
}

/// One segment: what is known of `<base>.log`, `.index` and `.timeindex` without opening them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct SegmentState {
    /// The offset that names the files.
    pub base: Offset,
    /// The offset behind its last record; the base if it has none.
    pub end: Offset,
    /// Valid bytes of the log file; it may be longer, with zeros.
    pub size: u32,
    /// The timestamp that `segment.ms` counts from: the first batch's largest; -1 for none.
    pub first_timestamp: i64,
    /// The largest timestamp of any record; -1 for none.
    pub max_timestamp: i64,
    /// The last offset of the first batch that has that timestamp.
    pub max_timestamp_offset: Offset,
    /// Log bytes since the last index entry.
    pub bytes_since_index: u32,
    /// Entries of the offset index that stand in the file.
    pub index_entries: u32,
    /// Entries of the time index that stand in the file.
    pub time_index_entries: u32,
    /// The last entry of the offset index: offset, relative to the base.
    pub last_index_offset: u32,
    /// The last entry of the offset index: position.
    pub last_index_position: u32,
    /// The last entry of the time index: timestamp; -1 for none.
    pub last_time_index_timestamp: i64,
    /// The last entry of the time index: offset, relative to the base.
    pub last_time_index_offset: u32,
}
