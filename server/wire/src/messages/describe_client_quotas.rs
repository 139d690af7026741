//! DescribeClientQuotas (API key 48): quotas of users, clients and addresses that match a filter
//! (KIP-546).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 1, flexible from 1. Schema `DescribeClientQuotasRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeClientQuotas, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest<'a> {
    pub components: Array<'a, ComponentData<'a>>,
    pub strict: bool,
}

/// An element of [`DescribeClientQuotasRequest::components`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ComponentData<'a> {
    pub entity_type: &'a str,
    pub match_type: i8,
    #[wire(nullable)]
    pub r#match: Option<&'a str>,
}

/// The response, versions 0 to 1, flexible from 1. Schema `DescribeClientQuotasResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeClientQuotas, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
    #[wire(nullable)]
    pub entries: Option<Array<'a, EntryData<'a>>>,
}

/// An element of [`DescribeClientQuotasResponse::entries`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct EntryData<'a> {
    pub entity: Array<'a, EntityData<'a>>,
    pub values: Array<'a, ValueData<'a>>,
}

/// An element of [`EntryData::entity`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct EntityData<'a> {
    pub entity_type: &'a str,
    #[wire(nullable)]
    pub entity_name: Option<&'a str>,
}

/// An element of [`EntryData::values`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ValueData<'a> {
    pub key: &'a str,
    pub value: f64,
}
