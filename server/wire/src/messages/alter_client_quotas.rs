//! AlterClientQuotas (API key 49): sets and removes quotas.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 1, flexible from 1. Schema `AlterClientQuotasRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterClientQuotas, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest<'a> {
    pub entries: Array<'a, RequestEntryData<'a>>,
    pub validate_only: bool,
}

/// An element of [`AlterClientQuotasRequest::entries`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestEntryData<'a> {
    pub entity: Array<'a, EntityData<'a>>,
    pub ops: Array<'a, OpData<'a>>,
}

/// An element of [`RequestEntryData::entity`] and [`ResponseEntryData::entity`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct EntityData<'a> {
    pub entity_type: &'a str,
    #[wire(nullable)]
    pub entity_name: Option<&'a str>,
}

/// An element of [`RequestEntryData::ops`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct OpData<'a> {
    pub key: &'a str,
    pub value: f64,
    pub remove: bool,
}

/// The response, versions 0 to 1, flexible from 1. Schema `AlterClientQuotasResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterClientQuotas, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub entries: Array<'a, ResponseEntryData<'a>>,
}

/// An element of [`AlterClientQuotasResponse::entries`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseEntryData<'a> {
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    pub entity: Array<'a, EntityData<'a>>,
}
