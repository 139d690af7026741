//! AddOffsetsToTxn (API key 25): makes a group's offsets part of a transaction.

use logmill_wire_derive::Message;

/// The request, versions 0 to 4, flexible from 3. Schema `AddOffsetsToTxnRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AddOffsetsToTxn, versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnRequest<'a> {
    pub transactional_id: &'a str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub group_id: &'a str,
}

/// The response, versions 0 to 4, flexible from 3. Schema `AddOffsetsToTxnResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = AddOffsetsToTxn, versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
}
