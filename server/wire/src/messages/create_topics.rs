//! CreateTopics (API key 19): creates topics, or only checks that it could.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 2 to 7, flexible from 5. Schema `CreateTopicsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = CreateTopics, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest<'a> {
    pub topics: Array<'a, CreatableTopic<'a>>,
    #[wire(default = 60000)]
    pub timeout_ms: i32,
    pub validate_only: bool,
}

/// An element of [`CreateTopicsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableTopic<'a> {
    pub name: &'a str,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub assignments: Array<'a, CreatableReplicaAssignment<'a>>,
    pub configs: Array<'a, CreatableTopicConfig<'a>>,
}

/// An element of [`CreatableTopic::assignments`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableReplicaAssignment<'a> {
    pub partition_index: i32,
    pub broker_ids: Array<'a, i32>,
}

/// An element of [`CreatableTopic::configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableTopicConfig<'a> {
    pub name: &'a str,
    #[wire(nullable)]
    pub value: Option<&'a str>,
}

/// The response, versions 2 to 7, flexible from 5. Schema `CreateTopicsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = CreateTopics, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Array<'a, CreatableTopicResult<'a>>,
}

/// An element of [`CreateTopicsResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableTopicResult<'a> {
    pub name: &'a str,
    #[wire(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "5+", tag = 0, ignorable)]
    pub topic_config_error_code: i16,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub num_partitions: i32,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub replication_factor: i16,
    #[wire(versions = "5+", nullable, ignorable)]
    pub configs: Option<Array<'a, CreatableTopicConfigs<'a>>>,
}

/// An element of [`CreatableTopicResult::configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CreatableTopicConfigs<'a> {
    pub name: &'a str,
    #[wire(nullable)]
    pub value: Option<&'a str>,
    pub read_only: bool,
    #[wire(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
}
