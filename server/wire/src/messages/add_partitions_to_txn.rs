//! AddPartitionsToTxn (API key 24): makes partitions part of a transaction; brokers verify with it
//! too (KIP-890).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 5, flexible from 3. Schema `AddPartitionsToTxnRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AddPartitionsToTxn, versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnRequest<'a> {
    #[wire(versions = "4+")]
    pub transactions: Array<'a, AddPartitionsToTxnTransaction<'a>>,
    #[wire(versions = "0-3")]
    pub v3_and_below_transactional_id: &'a str,
    #[wire(versions = "0-3")]
    pub v3_and_below_producer_id: i64,
    #[wire(versions = "0-3")]
    pub v3_and_below_producer_epoch: i16,
    #[wire(versions = "0-3")]
    pub v3_and_below_topics: Array<'a, AddPartitionsToTxnTopic<'a>>,
}

/// An element of [`AddPartitionsToTxnRequest::transactions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AddPartitionsToTxnTransaction<'a> {
    pub transactional_id: &'a str,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Array<'a, AddPartitionsToTxnTopic<'a>>,
}

/// An element of [`AddPartitionsToTxnRequest::v3_and_below_topics`] and
/// [`AddPartitionsToTxnTransaction::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AddPartitionsToTxnTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 0 to 5, flexible from 3. Schema `AddPartitionsToTxnResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AddPartitionsToTxn, versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnResponse<'a> {
    pub throttle_time_ms: i32,
    #[wire(versions = "4+", ignorable)]
    pub error_code: i16,
    #[wire(versions = "4+")]
    pub results_by_transaction: Array<'a, AddPartitionsToTxnResult<'a>>,
    #[wire(versions = "0-3")]
    pub results_by_topic_v3_and_below: Array<'a, AddPartitionsToTxnTopicResult<'a>>,
}

/// An element of [`AddPartitionsToTxnResponse::results_by_transaction`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AddPartitionsToTxnResult<'a> {
    pub transactional_id: &'a str,
    pub topic_results: Array<'a, AddPartitionsToTxnTopicResult<'a>>,
}

/// An element of [`AddPartitionsToTxnResponse::results_by_topic_v3_and_below`] and
/// [`AddPartitionsToTxnResult::topic_results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AddPartitionsToTxnTopicResult<'a> {
    pub name: &'a str,
    pub results_by_partition: Array<'a, AddPartitionsToTxnPartitionResult>,
}

/// An element of [`AddPartitionsToTxnTopicResult::results_by_partition`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
}
