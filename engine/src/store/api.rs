//! The words of the store: what a shard asks of it, and what it answers.

use thiserror::Error;

use crate::{
    base::{
        DirectoryIndex, LeaderEpoch, Micros, Offset, PartitionIndex, ShardId, SlabKey, TopicId,
        Watermarks,
    },
    disk::{DirectoryPath, FileRange},
    format::batch::BatchHeader,
    journal::JournalOptions,
    log::{AppendError, LogConfig, Origin, ReadError},
    sys::region::Slices,
};
use std::sync::Arc;

/// Names an open partition of one store. A key of a dropped partition names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey(pub SlabKey);

/// Which partition to open, where, as what.
#[derive(Clone, Debug)]
pub struct PartitionSpec {
    /// The topic's id.
    pub topic_id: TopicId,
    /// The topic's name: the folder is `<topic>-<index>`.
    pub topic: String,
    /// The partition within the topic.
    pub index: PartitionIndex,
    /// The log directory for a new partition; one that is there stays where it is.
    pub directory: DirectoryIndex,
    /// Its topic's settings.
    pub config: Arc<LogConfig>,
    /// What this broker is to it.
    pub role: Role,
    /// Acknowledge and show nothing before it is synced, whatever the topic says: metadata,
    /// coordinators' state.
    pub always_synced: bool,
}

/// What this broker is to a partition; set by metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes appends in this term.
    Leader(LeaderEpoch),
    /// Follows a leader of this term.
    Follower(LeaderEpoch),
    /// Neither.
    Offline,
}

/// A batch for a leader: validated, with its head parsed.
#[derive(Clone, Copy, Debug)]
pub struct LeaderBatch<'a> {
    /// The head.
    pub header: BatchHeader,
    /// The whole batch, head included.
    pub bytes: &'a [u8],
    /// The term the caller believes in; refused if the partition's is another.
    pub expected_epoch: Option<LeaderEpoch>,
    /// A client, or this broker's own coordinators and metadata.
    pub origin: Origin,
}

/// How durable a record must be before its ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckLevel {
    /// No ack at all.
    None,
    /// Survives SIGKILL of the broker.
    Written,
    /// Survives power loss.
    Synced,
}

/// Which ack an append wants.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// How durable; the topic's settings may raise `Written` and lower `Synced`.
    pub level: AckLevel,
    /// Comes back in [`StoreEvent::Acked`].
    pub token: u64,
}

/// An append that stands in the log; its ack is still to come, unless the level is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendAnswer {
    /// The first record's offset.
    pub base_offset: Offset,
    /// The last record's offset.
    pub last_offset: Offset,
    /// The broker's clock at the append where the topic stamps by it, else -1.
    pub append_time: i64,
    /// First offset of the log.
    pub log_start: Offset,
    /// The producer had sent it before; nothing was appended.
    pub duplicate: bool,
}

/// How far a read may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Up to the high watermark.
    ReadUncommitted,
    /// Up to the last stable offset.
    ReadCommitted,
    /// Up to the log end: replicas and this broker itself.
    LogEnd,
}

/// A read of one partition.
#[derive(Clone, Copy, Debug)]
pub struct FetchRead {
    /// The first offset wanted.
    pub offset: Offset,
    /// Bytes wanted at most.
    pub max_bytes: usize,
    /// Give the first batch even if it alone is above `max_bytes`.
    pub whole_first_batch: bool,
    /// How far it may see.
    pub isolation: Isolation,
    /// Comes back in [`StoreEvent::Loaded`] if something must be read from disk first.
    pub token: u64,
}

/// The answer to a read.
#[derive(Debug)]
pub struct Read {
    /// The partition's marks at this moment.
    pub watermarks: Watermarks,
    /// The leader's term.
    pub leader_epoch: LeaderEpoch,
    /// The bytes.
    pub data: ReadData,
}

/// Where a read's bytes are.
#[derive(Debug)]
pub enum ReadData {
    /// Nothing to give.
    Empty,
    /// Whole batches, in memory.
    Memory(Slices),
    /// A range of a segment, beginning at a batch; may end within one.
    File(FileRange),
    /// Something is being read from disk: ask again at [`StoreEvent::Loaded`].
    Loading,
}

/// Which offset is asked for (ListOffsets).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first offset there is.
    Earliest,
    /// The high watermark, last stable offset or log end.
    Latest(Isolation),
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// The first record whose timestamp is this or later.
    AtOrAfter(i64),
}

/// An offset that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset; `None` when no record qualifies.
    pub offset: Option<Offset>,
    /// Its record's timestamp, -1 where none belongs to the answer.
    pub timestamp: i64,
    /// The term of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// The answer to a question about an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetAnswer {
    /// Found, or there is none.
    Ready(FoundOffset),
    /// Something is being read from disk: ask again at [`StoreEvent::Loaded`].
    Loading,
}

/// Something happened that someone waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// An append is as durable as it asked, or never will be.
    Acked {
        /// The ack's token.
        token: u64,
        /// The offset of its last record, or why it failed.
        result: Result<Offset, AckError>,
    },
    /// A waited-for offset may be read now, or the partition is gone.
    Visible {
        /// The waiter's token.
        token: u64,
    },
    /// What a read or a question needed is in memory, or a log start is durable: ask again.
    Loaded {
        /// The asker's token.
        token: u64,
    },
    /// A cut is durable, or cannot be made.
    Truncated {
        /// The token it was asked with.
        token: u64,
        /// Where the log ends now.
        result: Result<Offset, StoreError>,
    },
    /// A partition stopped taking appends after an I/O error.
    Fenced {
        /// Which.
        key: PartitionKey,
        /// What happened.
        reason: String,
    },
    /// A log directory stopped taking appends on this shard after a journal error.
    DirectoryFailed {
        /// Which.
        directory: DirectoryIndex,
        /// What happened.
        reason: String,
    },
    /// Clients' records are refused from now on, for want of room.
    RoomRanOut {
        /// Where.
        directory: DirectoryIndex,
        /// Bytes that are free.
        free_bytes: u64,
        /// Bytes that are kept for what is not in segments yet.
        kept_bytes: u64,
    },
    /// Clients' records are taken again.
    RoomCame {
        /// Where.
        directory: DirectoryIndex,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// All is in segments, after [`super::Store::begin_stop`].
    Stopped,
}

/// Why an append's ack failed. Whether the records will be there after a restart is unknown.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AckError {
    /// The journal failed: KAFKA_STORAGE_ERROR.
    #[error("the journal of the log directory failed")]
    Storage,
    /// The partition was dropped: UNKNOWN_TOPIC_OR_PARTITION.
    #[error("the partition was deleted")]
    Dropped,
    /// The term ended before: NOT_LEADER_OR_FOLLOWER.
    #[error("the partition has another leader")]
    NotLeader,
}

/// Why a request to the store failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// No such partition here: UNKNOWN_TOPIC_OR_PARTITION or NOT_LEADER_OR_FOLLOWER.
    #[error("no such partition on this shard")]
    UnknownPartition,
    /// NOT_LEADER_OR_FOLLOWER.
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// FENCED_LEADER_EPOCH: the caller's term is older.
    #[error("epoch {asked} is over, the partition is in {current}")]
    FencedEpoch {
        /// The caller's term.
        asked: LeaderEpoch,
        /// The partition's.
        current: LeaderEpoch,
    },
    /// UNKNOWN_LEADER_EPOCH: the caller's term is newer.
    #[error("epoch {asked} is not known yet, the partition is in {current}")]
    UnknownEpoch {
        /// The caller's term.
        asked: LeaderEpoch,
        /// The partition's.
        current: LeaderEpoch,
    },
    /// KAFKA_STORAGE_ERROR: the partition or its log directory failed.
    #[error("the partition's storage failed")]
    Fenced,
    /// The log is being cut; ask again when it is: NOT_LEADER_OR_FOLLOWER.
    #[error("the log is being cut")]
    Cutting,
    /// The store is stopping: NOT_LEADER_OR_FOLLOWER.
    #[error("the broker is stopping")]
    Stopping,
    /// The log directory does not exist.
    #[error("there is no log directory {0}")]
    NoDirectory(DirectoryIndex),
    /// The disk is full, or nearly: KAFKA_STORAGE_ERROR, which clients retry.
    #[error(
        "{free_bytes} bytes are free where the partition is, and {kept_bytes} are kept for what \
         is not in its segments yet; delete something or lower its retention"
    )]
    NoRoom {
        /// Bytes free in the log directory's file system.
        free_bytes: u64,
        /// Bytes that appends may not take.
        kept_bytes: u64,
    },
    /// The log refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log refused.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Sizes and facts that a store is opened with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The shard.
    pub shard: ShardId,
    /// Bytes of record memory: unwritten tails and the read cache.
    pub tail_bytes: usize,
    /// Bytes of memory for frames, headers and blocks read from disk.
    pub frame_bytes: usize,
    /// Bytes of index entries in memory. Those that stand in files leave it when there are more.
    pub index_bytes: usize,
    /// Idempotent producers that all partitions together remember. The longest idle ones are
    /// forgotten when there are more.
    pub producers_max: usize,
    /// Sizes and times of each journal.
    pub journal: JournalOptions,
    /// Appends from this size on go straight into their segments, and the journal holds only a
    /// fact about them; 0 sends everything through the journal.
    pub bypass_bytes: usize,
    /// Partitions whose appends bypass the journal at a time.
    pub bypasses_max: usize,
    /// Bytes of each log directory that recovery may have to read from segments, about: from here
    /// on partitions write checkpoints.
    pub rescan_bytes_max: u64,
    /// Segment writes and syncs of the sweep in flight at most.
    pub sweep_in_flight_max: usize,
    /// Bytes that sweeps which are not urgent write at once, beyond about twice what the journal
    /// takes meanwhile.
    pub sweep_ahead_bytes_max: usize,
    /// Bytes of one segment write at most.
    pub segment_write_bytes_max: usize,
    /// Space is taken for segments in steps of this, at most.
    pub allocation_bytes_max: u64,
    /// Kernel boot, from `/proc/sys/kernel/random/boot_id`.
    pub boot_id: [u8; 16],
    /// A random number, new at each start.
    pub seed: u64,
    /// The era that recovery ended with, by log directory.
    pub eras: Vec<u64>,
    /// Partitions that recovery fenced: they are not opened.
    pub fenced: Vec<(TopicId, PartitionIndex)>,
    /// Folders of deleted partitions that recovery found: they are removed, one after another.
    pub deleted_folders: Vec<DirectoryPath>,
    /// Log directories that cannot be used, by index: partitions in them are not opened.
    pub failed_directories: Vec<bool>,
    /// Every so often logs lose what their topics' retention lets go
    /// (`log.retention.check.interval.ms`); never if it is `None`.
    pub retention_check: Option<Micros>,
    /// The first time after this (`log.initial.task.delay.ms`).
    pub retention_delay: Micros,
    /// Free bytes below which produce is refused, per log directory.
    pub reserve_bytes: u64,
}

impl StoreOptions {
    /// Options of a shard with Logmill's defaults, for these eras.
    pub fn new(shard: ShardId, eras: Vec<u64>, boot_id: [u8; 16], seed: u64) -> Self {
        Self {
            shard,
            tail_bytes: 128 << 20,
            frame_bytes: 16 << 20,
            index_bytes: 64 << 20,
            producers_max: 1 << 20,
            journal: JournalOptions::default(),
            bypass_bytes: 64 << 10,
            bypasses_max: 32,
            rescan_bytes_max: 256 << 20,
            sweep_in_flight_max: 16,
            sweep_ahead_bytes_max: 512 << 10,
            segment_write_bytes_max: 1 << 20,
            allocation_bytes_max: 64 << 20,
            boot_id,
            seed,
            eras,
            fenced: Vec::new(),
            deleted_folders: Vec::new(),
            failed_directories: Vec::new(),
            retention_check: Some(Micros::from_millis(300_000)),
            retention_delay: Micros::from_millis(30_000),
            reserve_bytes: 64 << 20,
        }
    }

    /// Memory that a store of these options holds at most, without its partitions' state.
    pub fn memory_bytes_max(&self) -> usize {
        self.tail_bytes + self.frame_bytes
    }
}

/// How long an unsynced record may be, by default, when nobody waits.
pub const SYNC_AGE_DEFAULT: Micros = Micros::from_millis(100);
