//! CreateAcls (API key 30): adds access rules.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 3, flexible from 2. Schema `CreateAclsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = CreateAcls, versions = "1-3", flexible = "2+")]
pub struct CreateAclsRequest<'a> {
    pub creations: Array<'a, AclCreation<'a>>,
}

/// An element of [`CreateAclsRequest::creations`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AclCreation<'a> {
    pub resource_type: i8,
    pub resource_name: &'a str,
    #[wire(default = 3)]
    pub resource_pattern_type: i8,
    pub principal: &'a str,
    pub host: &'a str,
    pub operation: i8,
    pub permission_type: i8,
}

/// The response, versions 1 to 3, flexible from 2. Schema `CreateAclsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = CreateAcls, versions = "1-3", flexible = "2+")]
pub struct CreateAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, AclCreationResult<'a>>,
}

/// An element of [`CreateAclsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AclCreationResult<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
