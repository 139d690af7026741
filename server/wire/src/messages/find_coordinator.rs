//! FindCoordinator (API key 10): which broker coordinates a group, a transaction or a share
//! partition.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 6, flexible from 3. Schema `FindCoordinatorRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = FindCoordinator, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest<'a> {
    #[wire(versions = "0-3")]
    pub key: &'a str,
    #[wire(versions = "1+")]
    pub key_type: i8,
    #[wire(versions = "4+")]
    pub coordinator_keys: Array<'a, &'a str>,
}

/// The response, versions 0 to 6, flexible from 3. Schema `FindCoordinatorResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = FindCoordinator, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse<'a> {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(versions = "0-3")]
    pub error_code: i16,
    #[wire(versions = "1-3", nullable, ignorable)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "0-3")]
    pub node_id: i32,
    #[wire(versions = "0-3")]
    pub host: &'a str,
    #[wire(versions = "0-3")]
    pub port: i32,
    #[wire(versions = "4+")]
    pub coordinators: Array<'a, Coordinator<'a>>,
}

/// An element of [`FindCoordinatorResponse::coordinators`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Coordinator<'a> {
    pub key: &'a str,
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    pub error_code: i16,
    #[wire(nullable)]
    pub error_message: Option<&'a str>,
}
