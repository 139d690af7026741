//! InitProducerId (API key 22): a producer id and epoch, for idempotence and transactions (KIP-98,
//! KIP-360).

use logmill_wire_derive::Message;

/// The request, versions 0 to 6, flexible from 2. Schema `InitProducerIdRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = InitProducerId, versions = "0-6", flexible = "2+")]
pub struct InitProducerIdRequest<'a> {
    #[wire(nullable)]
    pub transactional_id: Option<&'a str>,
    pub transaction_timeout_ms: i32,
    #[wire(versions = "3+", default = -1)]
    pub producer_id: i64,
    #[wire(versions = "3+", default = -1)]
    pub producer_epoch: i16,
    #[wire(versions = "6+")]
    pub enable_2pc: bool,
    #[wire(versions = "6+")]
    pub keep_prepared_txn: bool,
}

/// The response, versions 0 to 6, flexible from 2. Schema `InitProducerIdResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = InitProducerId, versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(default = -1)]
    pub producer_id: i64,
    pub producer_epoch: i16,
    #[wire(versions = "6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    #[wire(versions = "6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
}
