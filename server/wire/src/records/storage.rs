//! Files of a log directory: the producers' state beside a segment (`.snapshot`).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The producers of a partition at an offset.
///
/// Version 1. Schema `ProducerSnapshot`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "1")]
pub struct ProducerSnapshot<'a> {
    pub crc: u32,
    pub producer_entries: Array<'a, ProducerEntry>,
}

/// An element of [`ProducerSnapshot::producer_entries`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ProducerEntry {
    pub producer_id: i64,
    pub epoch: i16,
    pub last_sequence: i32,
    pub last_offset: i64,
    pub offset_delta: i32,
    pub timestamp: i64,
    pub coordinator_epoch: i32,
    pub current_txn_first_offset: i64,
}
