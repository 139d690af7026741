//! Heartbeat (API key 12): keeps a member of a classic group alive and tells it of rebalances.

use logmill_wire_derive::Message;

/// The request, versions 0 to 4, flexible from 4. Schema `HeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Heartbeat, versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest<'a> {
    pub group_id: &'a str,
    pub generation_id: i32,
    pub member_id: &'a str,
    #[wire(versions = "3+", nullable, default = None)]
    pub group_instance_id: Option<&'a str>,
}

/// The response, versions 0 to 4, flexible from 4. Schema `HeartbeatResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = Heartbeat, versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
}
