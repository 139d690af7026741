//! DescribeTransactions (API key 65): the state of transactions at their coordinator.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `DescribeTransactionsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeTransactions, versions = "0", flexible = "0+")]
pub struct DescribeTransactionsRequest<'a> {
    pub transactional_ids: Array<'a, &'a str>,
}

/// The response, version 0. Schema `DescribeTransactionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeTransactions, versions = "0", flexible = "0+")]
pub struct DescribeTransactionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub transaction_states: Array<'a, TransactionState<'a>>,
}

/// An element of [`DescribeTransactionsResponse::transaction_states`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TransactionState<'a> {
    pub error_code: i16,
    pub transactional_id: &'a str,
    pub transaction_state: &'a str,
    pub transaction_timeout_ms: i32,
    pub transaction_start_time_ms: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub topics: Array<'a, TopicData<'a>>,
}

/// An element of [`TransactionState::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicData<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, i32>,
}
