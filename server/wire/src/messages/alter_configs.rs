//! AlterConfigs (API key 33): replaces all settings of a resource; superseded by
//! IncrementalAlterConfigs.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2, flexible from 2. Schema `AlterConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterConfigs, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest<'a> {
    pub resources: Array<'a, AlterConfigsResource<'a>>,
    pub validate_only: bool,
}

/// An element of [`AlterConfigsRequest::resources`].
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
    #[wire(nullable)]
    pub value: Option<&'a str>,
}

/// The response, versions 0 to 2, flexible from 2. Schema `AlterConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterConfigs, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub responses: Array<'a, AlterConfigsResourceResponse<'a>>,
}

/// An element of [`AlterConfigsResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterConfigsResourceResponse<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub resource_type: i8,
    pub resource_name: &'a str,
}
