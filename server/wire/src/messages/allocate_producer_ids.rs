//! AllocateProducerIds (API key 67): a block of producer ids from the controller.

use logmill_wire_derive::Message;

/// The request, version 0. Schema `AllocateProducerIdsRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(request = AllocateProducerIds, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
}

/// The response, version 0. Schema `AllocateProducerIdsResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = AllocateProducerIds, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id_start: i64,
    pub producer_id_len: i32,
}
