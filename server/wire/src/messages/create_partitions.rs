//! CreatePartitions (API key 37): raises the number of a topic's partitions.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 3, flexible from 2. Schema `CreatePartitionsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = CreatePartitions, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest<'a> {
    pub topics: Array<'a, CreatePartitionsTopic<'a>>,
    pub timeout_ms: i32,
    pub validate_only: bool,
}

/// An element of [`CreatePartitionsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatePartitionsTopic<'a> {
    pub name: &'a str,
    pub count: i32,
    #[wire(nullable)]
    pub assignments: Option<Array<'a, CreatePartitionsAssignment<'a>>>,
}

/// An element of [`CreatePartitionsTopic::assignments`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatePartitionsAssignment<'a> {
    pub broker_ids: Array<'a, i32>,
}

/// The response, versions 0 to 3, flexible from 2. Schema `CreatePartitionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = CreatePartitions, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, CreatePartitionsTopicResult<'a>>,
}

/// An element of [`CreatePartitionsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatePartitionsTopicResult<'a> {
    pub name: &'a str,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
