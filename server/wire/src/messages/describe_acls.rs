//! DescribeAcls (API key 29): the access rules that match a filter.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 3, flexible from 2. Schema `DescribeAclsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeAcls, versions = "1-3", flexible = "2+")]
pub struct DescribeAclsRequest<'a> {
    pub resource_type_filter: i8,
    #[wire(nullable)]
    pub resource_name_filter: Option<&'a str>,
    #[wire(default = 3)]
    pub pattern_type_filter: i8,
    #[wire(nullable)]
    pub principal_filter: Option<&'a str>,
    #[wire(nullable)]
    pub host_filter: Option<&'a str>,
    pub operation: i8,
    pub permission_type: i8,
}

/// The response, versions 1 to 3, flexible from 2. Schema `DescribeAclsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeAcls, versions = "1-3", flexible = "2+")]
pub struct DescribeAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub resources: Array<'a, DescribeAclsResource<'a>>,
}

/// An element of [`DescribeAclsResponse::resources`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeAclsResource<'a> {
    pub resource_type: i8,
    pub resource_name: &'a str,
    #[wire(default = 3)]
    pub pattern_type: i8,
    pub acls: Array<'a, AclDescription<'a>>,
}

/// An element of [`DescribeAclsResource::acls`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AclDescription<'a> {
    pub principal: &'a str,
    pub host: &'a str,
    pub operation: i8,
    pub permission_type: i8,
}
