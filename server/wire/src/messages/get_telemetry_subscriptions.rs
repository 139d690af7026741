//! GetTelemetrySubscriptions (API key 71): which metrics a client is to push (KIP-714).

use logmill_wire_derive::Message;

use crate::{Array, Uuid};

/// The request, version 0. Schema `GetTelemetrySubscriptionsRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(request = GetTelemetrySubscriptions, versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsRequest {
    pub client_instance_id: Uuid,
}

/// The response, version 0. Schema `GetTelemetrySubscriptionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = GetTelemetrySubscriptions, versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub client_instance_id: Uuid,
    pub subscription_id: i32,
    pub accepted_compression_types: Array<'a, i8>,
    pub push_interval_ms: i32,
    pub telemetry_max_bytes: i32,
    pub delta_temporality: bool,
    pub requested_metrics: Array<'a, &'a str>,
}
