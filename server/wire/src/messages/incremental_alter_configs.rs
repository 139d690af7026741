//! IncrementalAlterConfigs (API key 44): sets, deletes, appends to and subtracts from single
//! settings (KIP-339).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 1, flexible from 1. Schema `IncrementalAlterConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = IncrementalAlterConfigs, versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsRequest<'a> {
    pub resources: Array<'a, AlterConfigsResource<'a>>,
    pub validate_only: bool,
}

/// An element of [`IncrementalAlterConfigsRequest::resources`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterConfigsResource<'a> {
    pub resource_type: i8,
    pub resource_name: &'a str,
    pub configs: Array<'a, AlterableConfig<'a>>,
}

/// An element of [`AlterConfigsResource::configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterableConfig<'a> {
    pub name: &'a str,
    pub config_operation: i8,
    #[wire(nullable)]
    pub value: Option<&'a str>,
}

/// The response, versions 0 to 1, flexible from 1. Schema `IncrementalAlterConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = IncrementalAlterConfigs, versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub responses: Array<'a, AlterConfigsResourceResponse<'a>>,
}

/// An element of [`IncrementalAlterConfigsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterConfigsResourceResponse<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub resource_type: i8,
    pub resource_name: &'a str,
}
