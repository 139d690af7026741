//! What a topic's configuration says to its logs.

use crate::base::{Offset, PartitionIndex, TopicId};
use crate::format::compression::Codec;

/// The settings of one topic that its logs act on; shared by its partitions. Names and defaults
/// are Kafka's (`TopicConfig.java`), those of our own begin with `logmill.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it grows beyond this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment whose first record is this much older than a new one is rolled.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: up to this is taken off `segment_ms`, other for every segment, so that
    /// the segments of many partitions do not end together.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: a segment whose index would grow beyond this is rolled.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: log bytes between two index entries.
    pub index_interval_bytes: u32,
    /// `max.message.bytes`: the largest batch that is accepted.
    pub max_message_bytes: u32,
    /// `compression.type`: `None` keeps the producer's codec.
    pub compression: Option<Codec>,
    /// `compression.*.level` of that codec; `None` is its default.
    pub compression_level: Option<i32>,
    /// `message.timestamp.*`.
    pub timestamps: TimestampConfig,
    /// `logmill.durability`: what acknowledges and shows a record.
    pub durability: Durability,
    /// `flush.messages`: records between two syncs; 1 makes every ack a synced one.
    pub flush_messages: i64,
    /// `flush.ms`: the largest age of an unsynced record.
    pub flush_ms: i64,
    /// `producer.id.expiration.ms`: an idle producer's state is dropped after this.
    pub producer_id_expiration_ms: i64,
    /// Producers remembered by one partition at most; beyond it the longest idle ones go first.
    pub producers_max: usize,
    /// `file.delete.delay.ms`: how long the files of deleted segments and partitions stay.
    pub file_delete_delay_ms: i64,
    /// `cleanup.policy` and what belongs to it.
    pub retention: RetentionConfig,
}

impl LogConfig {
    /// The age at which the segment that begins at `base` ends, in a partition of this topic. What
    /// Kafka draws at random is drawn from the names here, so that a log stays predictable.
    pub fn segment_age_max_ms(
        &self,
        topic_id: TopicId,
        partition: PartitionIndex,
        base: Offset,
    ) -> i64 {
        let range = self.segment_jitter_ms.min(self.segment_ms);
        if range <= 0 {
            return self.segment_ms;
        }
        let mut name = [0; 28];
        name[..16].copy_from_slice(&topic_id.0);
        name[16..20].copy_from_slice(&partition.0.to_le_bytes());
        name[20..].copy_from_slice(&base.0.to_le_bytes());
        let low = crc32c::crc32c(&name);
        let high = crc32c::crc32c_append(low, &name);
        let drawn = u64::from(high) << 32 | u64::from(low);
        self.segment_ms - (drawn % range.unsigned_abs()) as i64
    }

    /// Whether every acknowledgement must wait for a sync, whatever asks for less.
    pub fn always_synced(&self) -> bool {
        self.durability == Durability::Synced || self.flush_messages <= 1
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            max_message_bytes: 1_048_588,
            compression: None,
            compression_level: None,
            timestamps: TimestampConfig::default(),
            durability: Durability::Synced,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            producer_id_expiration_ms: DAY_MS,
            producers_max: 100_000,
            file_delete_delay_ms: 60_000,
            retention: RetentionConfig::default(),
        }
    }
}

/// `message.timestamp.type` and its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampConfig {
    /// Whose clock stamps the records.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far a record may lie behind the broker's clock.
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far it may lie ahead.
    pub after_max_ms: i64,
}

impl Default for TimestampConfig {
    fn default() -> Self {
        Self {
            timestamp_type: TimestampType::CreateTime,
            before_max_ms: i64::MAX,
            after_max_ms: HOUR_MS,
        }
    }
}

/// Whose clock stamps the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

/// What the leader's own term in the high watermark is, and what an ack of `all` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A completed sync: survives the loss of power.
    Synced,
    /// A completed write: survives the death of the process.
    Written,
}

/// What may be deleted from a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// `cleanup.policy` names `delete`.
    pub delete: bool,
    /// `cleanup.policy` names `compact`: keys must not be null.
    pub compact: bool,
    /// `retention.ms`; negative keeps for ever.
    pub retention_ms: i64,
    /// `retention.bytes`; negative keeps all.
    pub retention_bytes: i64,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            delete: true,
            compact: false,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
        }
    }
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
