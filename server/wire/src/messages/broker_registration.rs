//! BrokerRegistration (API key 62): a broker presents itself to the controller.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 4. Schema `BrokerRegistrationRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = BrokerRegistration, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationRequest<'a> {
    pub broker_id: i32,
    pub cluster_id: &'a str,
    pub incarnation_id: Uuid,
    pub listeners: Array<'a, Listener<'a>>,
    pub features: Array<'a, Feature<'a>>,
    #[wire(nullable)]
    pub rack: Option<&'a str>,
    #[wire(versions = "1+")]
    pub is_migrating_zk_broker: bool,
    #[wire(versions = "2+", ignorable)]
    pub log_dirs: Array<'a, Uuid>,
    #[wire(versions = "3+", default = -1, ignorable)]
    pub previous_broker_epoch: i64,
}

/// An element of [`BrokerRegistrationRequest::listeners`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Listener<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub security_protocol: i16,
}

/// An element of [`BrokerRegistrationRequest::features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Feature<'a> {
    pub name: &'a str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

/// The response, versions 0 to 4. Schema `BrokerRegistrationResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(response = BrokerRegistration, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(default = -1)]
    pub broker_epoch: i64,
}
