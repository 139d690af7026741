//! The broker's keys that a coordinator heeds, and the bounds that keep its memory small.

/// What the broker's configuration says about groups, in Kafka's units, and the coordinator's
/// bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `group.min.session.timeout.ms`: a shorter one is error 26.
    pub session_timeout_ms_min: i32,
    /// `group.max.session.timeout.ms`: a longer one is error 26.
    pub session_timeout_ms_max: i32,
    /// `group.max.size`: one member more is error 81.
    pub group_size_max: usize,
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members.
    pub initial_rebalance_delay_ms: i32,
    /// `offset.metadata.max.bytes`: longer words with an offset are error 12.
    pub offset_metadata_bytes_max: usize,
    /// `offsets.retention.minutes`, in milliseconds: how long offsets outlive their group's use.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`: how often that is looked after.
    pub offsets_retention_check_interval_ms: i64,
    /// What one ask may add to the log, below `max.message.bytes` of `__consumer_offsets`: a
    /// commit above it is error -1 and changes nothing, a group that cannot be stored in it is
    /// told -1 and rebalances, a member that could never be stored is error 42. Deletions and
    /// expiry may take several batches of it.
    pub batch_bytes_max: usize,
    /// What the state may take of memory. Above it new members are error 81 and offsets of
    /// partitions without any are error 28; what is there already goes on.
    pub memory_bytes_max: usize,
}

impl Options {
    /// What the members of one group may take of memory: one more is error 81. A group is stored
    /// in one record of one protocol, so members that speak many protocols reach the record's
    /// bound first.
    pub fn group_bytes_max(&self) -> usize {
        self.batch_bytes_max.saturating_mul(GROUP_BATCHES_MAX)
    }
}

impl Default for Options {
    /// Kafka's defaults; a quarter of a gigabyte of memory.
    fn default() -> Self {
        Self {
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            group_size_max: i32::MAX as usize,
            initial_rebalance_delay_ms: 3_000,
            offset_metadata_bytes_max: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            offsets_retention_check_interval_ms: 600_000,
            batch_bytes_max: 1_048_588 - BATCH_OVERHEAD_BYTES,
            memory_bytes_max: 256 << 20,
        }
    }
}

/// A batch's header.
const BATCH_OVERHEAD_BYTES: usize = 61;
/// Members' ids, hosts and protocols in memory, against one protocol's record in the log.
const GROUP_BATCHES_MAX: usize = 16;
