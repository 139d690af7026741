//! The consumers' part of the classic group protocol: what members tell each other through the
//! coordinator, which passes it on unread. Each is preceded by its version in 16 bits.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// What a member wants, for the member that assigns.
///
/// Versions 0 to 3. Schema `ConsumerProtocolSubscription`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0-3")]
pub struct ConsumerProtocolSubscription<'a> {
    pub topics: Array<'a, &'a str>,
    #[wire(nullable, default = None)]
    pub user_data: Option<&'a [u8]>,
    #[wire(versions = "1+", ignorable)]
    pub owned_partitions: Array<'a, TopicPartition<'a>>,
    #[wire(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    #[wire(versions = "3+", nullable, default = None, ignorable)]
    pub rack_id: Option<&'a str>,
}

/// An element of [`ConsumerProtocolSubscription::owned_partitions`] and
/// [`ConsumerProtocolAssignment::assigned_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartition<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, i32>,
}

/// What a member gets.
///
/// Versions 0 to 3. Schema `ConsumerProtocolAssignment`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0-3")]
pub struct ConsumerProtocolAssignment<'a> {
    pub assigned_partitions: Array<'a, TopicPartition<'a>>,
    #[wire(nullable, default = None)]
    pub user_data: Option<&'a [u8]>,
}
