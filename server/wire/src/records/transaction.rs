//! Transactions in `__transaction_state`.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// Tells whose transaction the value is.
///
/// Key of record type 0, version 0. Schema `TransactionLogKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0")]
pub struct TransactionLogKey<'a> {
    pub transactional_id: &'a str,
}

/// A transaction's state.
///
/// Value of record type 0, versions 0 to 1, flexible from 1. Schema `TransactionLogValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue<'a> {
    pub producer_id: i64,
    #[wire(versions = "1+", tag = 0, default = -1)]
    pub previous_producer_id: i64,
    #[wire(versions = "1+", tag = 1, default = -1)]
    pub next_producer_id: i64,
    pub producer_epoch: i16,
    #[wire(versions = "1+", tag = 3, default = -1)]
    pub next_producer_epoch: i16,
    pub transaction_timeout_ms: i32,
    pub transaction_status: i8,
    #[wire(nullable)]
    pub transaction_partitions: Option<Array<'a, PartitionsSchema<'a>>>,
    pub transaction_last_update_timestamp_ms: i64,
    pub transaction_start_timestamp_ms: i64,
    #[wire(versions = "1+", tag = 2)]
    pub client_transaction_version: i16,
}

/// An element of [`TransactionLogValue::transaction_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionsSchema<'a> {
    pub topic: &'a str,
    pub partition_ids: Array<'a, i32>,
}
