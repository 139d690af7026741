//! ControllerRegistration (API key 70): a controller presents itself to the active one.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `ControllerRegistrationRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ControllerRegistration, versions = "0", flexible = "0+")]
pub struct ControllerRegistrationRequest<'a> {
    pub controller_id: i32,
    pub incarnation_id: Uuid,
    pub zk_migration_ready: bool,
    pub listeners: Array<'a, Listener<'a>>,
    pub features: Array<'a, Feature<'a>>,
}

/// An element of [`ControllerRegistrationRequest::listeners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Listener<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub security_protocol: i16,
}

/// An element of [`ControllerRegistrationRequest::features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Feature<'a> {
    pub name: &'a str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

/// The response, version 0. Schema `ControllerRegistrationResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ControllerRegistration, versions = "0", flexible = "0+")]
pub struct ControllerRegistrationResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
