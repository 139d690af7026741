//! PushTelemetry (API key 72): a client's metrics.

use logmill_wire_derive::Message;

use crate::Uuid;

/// The request, version 0. Schema `PushTelemetryRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = PushTelemetry, versions = "0", flexible = "0+")]
pub struct PushTelemetryRequest<'a> {
    pub client_instance_id: Uuid,
    pub subscription_id: i32,
    pub terminating: bool,
    pub compression_type: i8,
    pub metrics: &'a [u8],
}

/// The response, version 0. Schema `PushTelemetryResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = PushTelemetry, versions = "0", flexible = "0+")]
pub struct PushTelemetryResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
}
