//! Configurations, quotas, feature levels and producer ids in the metadata log.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// One setting of a resource is set, or removed if the value is null.
///
/// Record type 4, version 0. Schema `ConfigRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 4, versions = "0", flexible = "0+")]
pub struct ConfigRecord<'a> {
    pub resource_type: i8,
    pub resource_name: &'a str,
    pub name: &'a str,
    #[wire(nullable)]
    pub value: Option<&'a str>,
}

/// One quota is set or removed.
///
/// Record type 14, version 0. Schema `ClientQuotaRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 14, versions = "0", flexible = "0+")]
pub struct ClientQuotaRecord<'a> {
    pub entity: Array<'a, EntityData<'a>>,
    pub key: &'a str,
    pub value: f64,
    pub remove: bool,
}

/// An element of [`ClientQuotaRecord::entity`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct EntityData<'a> {
    pub entity_type: &'a str,
    #[wire(nullable)]
    pub entity_name: Option<&'a str>,
}

/// A feature's finalized level.
///
/// Record type 12, version 0. Schema `FeatureLevelRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 12, versions = "0", flexible = "0+")]
pub struct FeatureLevelRecord<'a> {
    pub name: &'a str,
    pub feature_level: i16,
}

/// Where the next block of producer ids begins.
///
/// Record type 15, version 0. Schema `ProducerIdsRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 15, versions = "0", flexible = "0+")]
pub struct ProducerIdsRecord {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
    pub next_producer_id: i64,
}
