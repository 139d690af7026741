//! DeleteAcls (API key 31): removes the access rules that match filters.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 3, flexible from 2. Schema `DeleteAclsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DeleteAcls, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsRequest<'a> {
    pub filters: Array<'a, DeleteAclsFilter<'a>>,
}

/// An element of [`DeleteAclsRequest::filters`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteAclsFilter<'a> {
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

/// The response, versions 1 to 3, flexible from 2. Schema `DeleteAclsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DeleteAcls, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub filter_results: Array<'a, DeleteAclsFilterResult<'a>>,
}

/// An element of [`DeleteAclsResponse::filter_results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteAclsFilterResult<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub matching_acls: Array<'a, DeleteAclsMatchingAcl<'a>>,
}

/// An element of [`DeleteAclsFilterResult::matching_acls`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DeleteAclsMatchingAcl<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub resource_type: i8,
    pub resource_name: &'a str,
    #[wire(default = 3)]
    pub pattern_type: i8,
    pub principal: &'a str,
    pub host: &'a str,
    pub operation: i8,
    pub permission_type: i8,
}
