//! What a connection may cost, each bound with its reason.

use logmill_engine::base::Micros;

/// Bounds for every connection of a shard, from the configuration.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Longest frame, in bytes without its length field (`socket.request.max.bytes`).
    pub frame_bytes_max: u32,
    /// Requests whose replies have not been queued yet; reading stops above it.
    pub requests_in_flight_max: u32,
    /// Replies that the peer has not taken yet, in bytes; reading stops above it.
    pub queued_reply_bytes_max: u64,
    /// How long a new connection may stay without a good request.
    pub handshake_timeout: Micros,
    /// How long a begun frame may go without a byte.
    pub frame_timeout: Micros,
    /// How long a connection may do nothing (`connections.max.idle.ms`).
    pub idle_timeout: Micros,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 104_857_600,
            requests_in_flight_max: 5,
            queued_reply_bytes_max: 8 << 20,
            handshake_timeout: Micros::from_millis(10_000),
            frame_timeout: Micros::from_millis(30_000),
            idle_timeout: Micros::from_millis(600_000),
        }
    }
}
