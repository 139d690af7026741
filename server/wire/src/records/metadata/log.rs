//! What the metadata log says of itself: transactions (KIP-868), padding, migration.

use logmill_wire_derive::Message;

/// Moves the end of the log and means nothing (KIP-835).
///
/// Record type 20, version 0. Schema `NoOpRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 20, versions = "0", flexible = "0+")]
pub struct NoOpRecord {}

/// Record type 21, version 0. Schema `ZkMigrationStateRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 21, versions = "0", flexible = "0+")]
pub struct ZkMigrationStateRecord {
    pub zk_migration_state: i8,
}

/// The records that follow take effect together (KIP-868).
///
/// Record type 23, version 0. Schema `BeginTransactionRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 23, versions = "0", flexible = "0+")]
pub struct BeginTransactionRecord<'a> {
    #[wire(nullable, tag = 0, default = None)]
    pub name: Option<&'a str>,
}

/// The records since the begin take effect.
///
/// Record type 24, version 0. Schema `EndTransactionRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 24, versions = "0", flexible = "0+")]
pub struct EndTransactionRecord {}

/// The records since the begin are void.
///
/// Record type 25, version 0. Schema `AbortTransactionRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 25, versions = "0", flexible = "0+")]
pub struct AbortTransactionRecord<'a> {
    #[wire(nullable, tag = 0, default = None)]
    pub reason: Option<&'a str>,
}
