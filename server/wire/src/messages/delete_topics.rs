//! DeleteTopics (API key 20): deletes topics by name or, from version 6 on, by id.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 1 to 6, flexible from 4. Schema `DeleteTopicsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteTopics, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest<'a> {
    #[wire(versions = "6+")]
    pub topics: Array<'a, DeleteTopicState<'a>>,
    #[wire(versions = "0-5", ignorable)]
    pub topic_names: Array<'a, &'a str>,
    pub timeout_ms: i32,
}

/// An element of [`DeleteTopicsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteTopicState<'a> {
    #[wire(nullable, default = None)]
    pub name: Option<&'a str>,
    pub topic_id: Uuid,
}

/// The response, versions 1 to 6, flexible from 4. Schema `DeleteTopicsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteTopics, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse<'a> {
    pub throttle_time_ms: i32,
    pub responses: Array<'a, DeletableTopicResult<'a>>,
}

/// An element of [`DeleteTopicsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeletableTopicResult<'a> {
    #[wire(nullable = "6+")]
    pub name: Option<&'a str>,
    #[wire(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: i16,
    #[wire(versions = "5+", nullable, default = None, ignorable)]
    pub error_message: Option<&'a str>,
}
