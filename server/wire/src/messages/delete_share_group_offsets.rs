//! DeleteShareGroupOffsets (API key 92): forgets share groups' progress in topics.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `DeleteShareGroupOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteShareGroupOffsets, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupOffsetsRequest<'a> {
    pub group_id: &'a str,
    pub topics: Array<'a, DeleteShareGroupOffsetsRequestTopic<'a>>,
}

/// An element of [`DeleteShareGroupOffsetsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteShareGroupOffsetsRequestTopic<'a> {
    pub topic_name: &'a str,
}

/// The response, version 0. Schema `DeleteShareGroupOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteShareGroupOffsets, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupOffsetsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub responses: Array<'a, DeleteShareGroupOffsetsResponseTopic<'a>>,
}

/// An element of [`DeleteShareGroupOffsetsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteShareGroupOffsetsResponseTopic<'a> {
    pub topic_name: &'a str,
    pub topic_id: Uuid,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
}
