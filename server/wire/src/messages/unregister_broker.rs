//! UnregisterBroker (API key 64): takes a broker out of the cluster.

use logmill_wire_derive::Message;

/// The request, version 0. Schema `UnregisterBrokerRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(request = UnregisterBroker, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    pub broker_id: i32,
}

/// The response, version 0. Schema `UnregisterBrokerResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = UnregisterBroker, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
