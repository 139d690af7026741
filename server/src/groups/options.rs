//! The broker's keys that a coordinator heeds, and the bounds that keep its memory small.

/// What the broker's configuration says about groups. Kafka's keys, in Kafka's units.
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
}

impl Default for Options {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            group_size_max: i32::MAX as usize,
            initial_rebalance_delay_ms: 3_000,
            offset_metadata_bytes_max: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            offsets_retention_check_interval_ms: 600_000,
        }
    }
}
