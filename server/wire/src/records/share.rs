//! The progress of share groups (KIP-932) in `__share_group_state`.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// Key of record type 0, version 0. Schema `ShareSnapshotKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0")]
pub struct ShareSnapshotKey<'a> {
    pub group_id: &'a str,
    pub topic_id: Uuid,
    pub partition: i32,
}

/// Value of record type 0, version 0. Schema `ShareSnapshotValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0", flexible = "0+")]
pub struct ShareSnapshotValue<'a> {
    pub snapshot_epoch: i32,
    pub state_epoch: i32,
    pub leader_epoch: i32,
    pub start_offset: i64,
    #[wire(tag = 0, default = -1)]
    pub delivery_complete_count: i32,
    pub create_timestamp: i64,
    pub write_timestamp: i64,
    pub state_batches: Array<'a, StateBatch>,
}

/// An element of [`ShareSnapshotValue::state_batches`] and [`ShareUpdateValue::state_batches`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct StateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_state: i8,
    pub delivery_count: i16,
}

/// Key of record type 1, version 0. Schema `ShareUpdateKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0")]
pub struct ShareUpdateKey<'a> {
    pub group_id: &'a str,
    pub topic_id: Uuid,
    pub partition: i32,
}

/// Value of record type 1, version 0. Schema `ShareUpdateValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0", flexible = "0+")]
pub struct ShareUpdateValue<'a> {
    pub snapshot_epoch: i32,
    pub leader_epoch: i32,
    pub start_offset: i64,
    #[wire(tag = 0, default = -1)]
    pub delivery_complete_count: i32,
    pub state_batches: Array<'a, StateBatch>,
}
