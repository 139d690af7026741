//! UpdateFeatures (API key 57): raises or lowers the levels of features.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2. Schema `UpdateFeaturesRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = UpdateFeatures, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest<'a> {
    #[wire(default = 60000)]
    pub timeout_ms: i32,
    pub feature_updates: Array<'a, FeatureUpdateKey<'a>>,
    #[wire(versions = "1+")]
    pub validate_only: bool,
}

/// An element of [`UpdateFeaturesRequest::feature_updates`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FeatureUpdateKey<'a> {
    pub feature: &'a str,
    pub max_version_level: i16,
    #[wire(versions = "0")]
    pub allow_downgrade: bool,
    #[wire(versions = "1+", default = 1)]
    pub upgrade_type: i8,
}

/// The response, versions 0 to 2. Schema `UpdateFeaturesResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = UpdateFeatures, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "0-1", ignorable)]
    pub results: Array<'a, UpdatableFeatureResult<'a>>,
}

/// An element of [`UpdateFeaturesResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct UpdatableFeatureResult<'a> {
    pub feature: &'a str,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
