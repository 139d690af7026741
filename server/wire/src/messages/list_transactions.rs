//! ListTransactions (API key 66): the transactions that a coordinator knows.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2. Schema `ListTransactionsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ListTransactions, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest<'a> {
    pub state_filters: Array<'a, &'a str>,
    pub producer_id_filters: Array<'a, i64>,
    #[wire(versions = "1+", default = -1)]
    pub duration_filter: i64,
    #[wire(versions = "2+", nullable, default = None)]
    pub transactional_id_pattern: Option<&'a str>,
}

/// The response, versions 0 to 2. Schema `ListTransactionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ListTransactions, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_state_filters: Array<'a, &'a str>,
    pub transaction_states: Array<'a, TransactionState<'a>>,
}

/// An element of [`ListTransactionsResponse::transaction_states`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TransactionState<'a> {
    pub transactional_id: &'a str,
    pub producer_id: i64,
    pub transaction_state: &'a str,
}
