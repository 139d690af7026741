//! EndTxn (API key 26): commits or aborts a transaction.

use logmill_wire_derive::Message;

/// The request, versions 0 to 5, flexible from 3. Schema `EndTxnRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = EndTxn, versions = "0-5", flexible = "3+")]
pub struct EndTxnRequest<'a> {
    pub transactional_id: &'a str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub committed: bool,
}

/// The response, versions 0 to 5, flexible from 3. Schema `EndTxnResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = EndTxn, versions = "0-5", flexible = "3+")]
pub struct EndTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub producer_id: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub producer_epoch: i16,
}
