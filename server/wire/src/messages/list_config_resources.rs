//! ListConfigResources (API key 74): the resources that have settings.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 1. Schema `ListConfigResourcesRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ListConfigResources, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest<'a> {
    #[wire(versions = "1+")]
    pub resource_types: Array<'a, i8>,
}

/// The response, versions 0 to 1. Schema `ListConfigResourcesResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ListConfigResources, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub config_resources: Array<'a, ConfigResource<'a>>,
}

/// An element of [`ListConfigResourcesResponse::config_resources`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ConfigResource<'a> {
    pub resource_name: &'a str,
    #[wire(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
}
