//! The consumer's settings, under Kafka's names.

use std::time::Duration;

/// Which records a consumer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Everything below the high watermark.
    ReadUncommitted,
    /// Nothing of open or aborted transactions.
    ReadCommitted,
}

/// Where to begin where there is no position, or none that the log still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record.
    Earliest,
    /// Behind the last.
    Latest,
}

/// A consumer's settings.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// `client.id`.
    pub client_id: String,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: Duration,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub partition_bytes_max: i32,
    /// `isolation.level`.
    pub isolation: Isolation,
    /// `auto.offset.reset`.
    pub start: Start,
    /// `check.crcs`.
    pub check_crcs: bool,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `receive.buffer.bytes`, 0 for the system's default.
    pub socket_buffer_bytes: usize,
    /// The most that the records of one batch may unpack to.
    pub unpacked_bytes_max: usize,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            client_id: "loadgen-consumer".to_owned(),
            fetch_min_bytes: 1,
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 52_428_800,
            partition_bytes_max: 1 << 20,
            isolation: Isolation::ReadUncommitted,
            start: Start::Earliest,
            check_crcs: true,
            request_timeout: Duration::from_secs(30),
            socket_buffer_bytes: 0,
            unpacked_bytes_max: 256 << 20,
            metadata_max_age: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(60),
        }
    }
}
