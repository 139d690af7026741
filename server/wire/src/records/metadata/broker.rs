//! Brokers and controllers in the metadata log.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// A broker has registered, with a new epoch.
///
/// Record type 0, versions 0 to 3. Schema `RegisterBrokerRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0-3", flexible = "0+")]
pub struct RegisterBrokerRecord<'a> {
    pub broker_id: i32,
    #[wire(versions = "2+")]
    pub is_migrating_zk_broker: bool,
    pub incarnation_id: Uuid,
    pub broker_epoch: i64,
    pub end_points: Array<'a, BrokerEndpoint<'a>>,
    pub features: Array<'a, BrokerFeature<'a>>,
    #[wire(nullable)]
    pub rack: Option<&'a str>,
    #[wire(default = true)]
    pub fenced: bool,
    #[wire(versions = "1+")]
    pub in_controlled_shutdown: bool,
    #[wire(versions = "3+", tag = 0)]
    pub log_dirs: Array<'a, Uuid>,
}

/// An element of [`RegisterBrokerRecord::end_points`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct BrokerEndpoint<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub security_protocol: i16,
}

/// An element of [`RegisterBrokerRecord::features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct BrokerFeature<'a> {
    pub name: &'a str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}

/// A broker is gone for good.
///
/// Record type 1, version 0. Schema `UnregisterBrokerRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRecord {
    pub broker_id: i32,
    pub broker_epoch: i64,
}

/// A broker leads nothing from here on. Superseded by `BrokerRegistrationChangeRecord`.
///
/// Record type 7, version 0. Schema `FenceBrokerRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 7, versions = "0", flexible = "0+")]
pub struct FenceBrokerRecord {
    pub id: i32,
    pub epoch: i64,
}

/// A broker may lead. Superseded by `BrokerRegistrationChangeRecord`.
///
/// Record type 8, version 0. Schema `UnfenceBrokerRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 8, versions = "0", flexible = "0+")]
pub struct UnfenceBrokerRecord {
    pub id: i32,
    pub epoch: i64,
}

/// A registered broker changes its state.
///
/// Record type 17, versions 0 to 2. Schema `BrokerRegistrationChangeRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 17, versions = "0-2", flexible = "0+")]
pub struct BrokerRegistrationChangeRecord<'a> {
    pub broker_id: i32,
    pub broker_epoch: i64,
    #[wire(tag = 0)]
    pub fenced: i8,
    #[wire(versions = "1+", tag = 1)]
    pub in_controlled_shutdown: i8,
    #[wire(versions = "2+", tag = 2)]
    pub log_dirs: Array<'a, Uuid>,
}

/// A controller has registered.
///
/// Record type 27, version 0. Schema `RegisterControllerRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 27, versions = "0", flexible = "0+")]
pub struct RegisterControllerRecord<'a> {
    pub controller_id: i32,
    pub incarnation_id: Uuid,
    pub zk_migration_ready: bool,
    pub end_points: Array<'a, ControllerEndpoint<'a>>,
    pub features: Array<'a, ControllerFeature<'a>>,
}

/// An element of [`RegisterControllerRecord::end_points`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ControllerEndpoint<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub security_protocol: i16,
}

/// An element of [`RegisterControllerRecord::features`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ControllerFeature<'a> {
    pub name: &'a str,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}
