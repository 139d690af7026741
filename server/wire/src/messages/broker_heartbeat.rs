//! BrokerHeartbeat (API key 63): a broker keeps its registration alive, and asks to be fenced or
//! to stop.

use logmill_wire_derive::Message;

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `BrokerHeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = BrokerHeartbeat, versions = "0-1", flexible = "0+")]
pub struct BrokerHeartbeatRequest<'a> {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
    pub current_metadata_offset: i64,
    pub want_fence: bool,
    pub want_shut_down: bool,
    #[wire(versions = "1+", tag = 0)]
    pub offline_log_dirs: Array<'a, Uuid>,
}

/// The response, versions 0 to 1. Schema `BrokerHeartbeatResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = BrokerHeartbeat, versions = "0-1", flexible = "0+")]
pub struct BrokerHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub is_caught_up: bool,
    #[wire(default = true)]
    pub is_fenced: bool,
    pub should_shut_down: bool,
}
