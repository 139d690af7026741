//! What a shard is told at its start.

use logmill_engine::base::ShardId;

use crate::connection::ConnectionLimits;

/// Numbers and bounds of one shard, from the configuration.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// This shard.
    pub id: ShardId,
    /// How many shards there are.
    pub shards: u16,
    /// This broker's number (`node.id`).
    pub node_id: i32,
    /// Bounds for each connection.
    pub connection: ConnectionLimits,
    /// Memory that connections receive into.
    pub receive_bytes: usize,
    /// Bytes of requests under way, from their header until their reply has left.
    pub request_bytes: u64,
    /// Bytes of encoded replies that have not left; above it no requests are taken.
    pub reply_bytes: usize,
    /// Unanswered requests to one peer shard.
    pub mail_credits: usize,
    /// The most bytes of records in one fetch response (`fetch.max.bytes`).
    pub fetch_bytes_max: usize,
    /// Fetch sessions that are remembered (`max.incremental.fetch.session.cache.slots`).
    pub fetch_sessions_max: usize,
    /// Partitions of all fetch sessions together.
    pub fetch_session_parts_max: usize,
    /// Every record of every batch is read at produce (`logmill.validation=kafka`).
    pub validate_every_record: bool,
    /// Advertise and serve versions that Kafka calls unstable (`unstable.api.versions.enable`).
    pub unstable_versions: bool,
}

impl ShardOptions {
    /// Defaults for one shard of `shards`.
    pub fn new(id: ShardId, shards: u16) -> Self {
        Self {
            id,
            shards,
            node_id: 1,
            connection: ConnectionLimits::default(),
            receive_bytes: 64 << 20,
            request_bytes: 64 << 20,
            reply_bytes: 64 << 20,
            mail_credits: 4_096,
            fetch_bytes_max: 55 << 20,
            fetch_sessions_max: 1_000,
            fetch_session_parts_max: 1_000_000,
            validate_every_record: false,
            unstable_versions: false,
        }
    }
}
