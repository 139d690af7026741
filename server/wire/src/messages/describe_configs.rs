//! DescribeConfigs (API key 32): settings of topics, brokers, groups, with where each comes from.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 4, flexible from 4. Schema `DescribeConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeConfigs, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest<'a> {
    pub resources: Array<'a, DescribeConfigsResource<'a>>,
    pub include_synonyms: bool,
    #[wire(versions = "3+")]
    pub include_documentation: bool,
}

/// An element of [`DescribeConfigsRequest::resources`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeConfigsResource<'a> {
    pub resource_type: i8,
    pub resource_name: &'a str,
    #[wire(nullable)]
    pub configuration_keys: Option<Array<'a, &'a str>>,
}

/// The response, versions 1 to 4, flexible from 4. Schema `DescribeConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeConfigs, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, DescribeConfigsResult<'a>>,
}

/// An element of [`DescribeConfigsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeConfigsResult<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub resource_type: i8,
    pub resource_name: &'a str,
    pub configs: Array<'a, DescribeConfigsResourceResult<'a>>,
}

/// An element of [`DescribeConfigsResult::configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeConfigsResourceResult<'a> {
    pub name: &'a str,
    #[wire(nullable)]
    pub value: Option<&'a str>,
    pub read_only: bool,
    #[wire(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Array<'a, DescribeConfigsSynonym<'a>>,
    #[wire(versions = "3+", ignorable)]
    pub config_type: i8,
    #[wire(versions = "3+", nullable, ignorable)]
    pub documentation: Option<&'a str>,
}

/// An element of [`DescribeConfigsResourceResult::synonyms`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeConfigsSynonym<'a> {
    pub name: &'a str,
    #[wire(nullable)]
    pub value: Option<&'a str>,
    pub source: i8,
}
