//! Control records of ordinary topics: the markers that end transactions.

use logmill_wire_derive::Message;

/// The value of a commit or abort marker.
///
/// Version 0. Schema `EndTxnMarker`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(versions = "0")]
pub struct EndTxnMarker {
    pub coordinator_epoch: i32,
}
