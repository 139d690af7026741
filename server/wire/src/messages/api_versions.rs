//! ApiVersions (API key 18): which APIs in which versions the broker serves, and its features
//! (KIP-584).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 4, flexible from 3. Schema `ApiVersionsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ApiVersions, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsRequest<'a> {
    #[wire(versions = "3+", ignorable)]
    pub client_software_name: &'a str,
    #[wire(versions = "3+", ignorable)]
    pub client_software_version: &'a str,
}

/// The response, versions 0 to 4, flexible from 3. Schema `ApiVersionsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ApiVersions, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsResponse<'a> {
    pub error_code: i16,
    pub api_keys: Array<'a, ApiVersion>,
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(versions = "3+", tag = 0, ignorable)]
    pub supported_features: Array<'a, SupportedFeatureKey<'a>>,
    #[wire(versions = "3+", tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    #[wire(versions = "3+", tag = 2, ignorable)]
    pub finalized_features: Array<'a, FinalizedFeatureKey<'a>>,
    #[wire(versions = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
}

/// An element of [`ApiVersionsResponse::api_keys`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

/// An element of [`ApiVersionsResponse::supported_features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct SupportedFeatureKey<'a> {
    pub name: &'a str,
    pub min_version: i16,
    pub max_version: i16,
}

/// An element of [`ApiVersionsResponse::finalized_features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FinalizedFeatureKey<'a> {
    pub name: &'a str,
    pub max_version_level: i16,
    pub min_version_level: i16,
}
