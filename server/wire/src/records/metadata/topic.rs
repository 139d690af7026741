//! Topics and their partitions in the metadata log.

use logmill_wire_derive::Message;

use crate::{Array, Uuid};

/// A topic is created.
///
/// Record type 2, version 0. Schema `TopicRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 2, versions = "0", flexible = "0+")]
pub struct TopicRecord<'a> {
    pub name: &'a str,
    pub topic_id: Uuid,
}

/// A partition is created, or stated anew in a snapshot.
///
/// Record type 3, versions 0 to 2. Schema `PartitionRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 3, versions = "0-2", flexible = "0+")]
pub struct PartitionRecord<'a> {
    #[wire(default = -1)]
    pub partition_id: i32,
    pub topic_id: Uuid,
    pub replicas: Array<'a, i32>,
    pub isr: Array<'a, i32>,
    pub removing_replicas: Array<'a, i32>,
    pub adding_replicas: Array<'a, i32>,
    #[wire(default = -1)]
    pub leader: i32,
    #[wire(tag = 0)]
    pub leader_recovery_state: i8,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    #[wire(default = -1)]
    pub partition_epoch: i32,
    #[wire(versions = "1+")]
    pub directories: Array<'a, Uuid>,
    #[wire(versions = "2+", nullable, tag = 1, default = None)]
    pub eligible_leader_replicas: Option<Array<'a, i32>>,
    #[wire(versions = "2+", nullable, tag = 2, default = None)]
    pub last_known_elr: Option<Array<'a, i32>>,
}

/// Some of a partition's state changes; what is left out stays.
///
/// Record type 5, versions 0 to 2. Schema `PartitionChangeRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 5, versions = "0-2", flexible = "0+")]
pub struct PartitionChangeRecord<'a> {
    #[wire(default = -1)]
    pub partition_id: i32,
    pub topic_id: Uuid,
    #[wire(nullable, tag = 0, default = None)]
    pub isr: Option<Array<'a, i32>>,
    #[wire(tag = 1, default = -2)]
    pub leader: i32,
    #[wire(nullable, tag = 2, default = None)]
    pub replicas: Option<Array<'a, i32>>,
    #[wire(nullable, tag = 3, default = None)]
    pub removing_replicas: Option<Array<'a, i32>>,
    #[wire(nullable, tag = 4, default = None)]
    pub adding_replicas: Option<Array<'a, i32>>,
    #[wire(tag = 5, default = -1)]
    pub leader_recovery_state: i8,
    #[wire(versions = "1+", nullable, tag = 8, default = None)]
    pub directories: Option<Array<'a, Uuid>>,
    #[wire(versions = "2+", nullable, tag = 6, default = None)]
    pub eligible_leader_replicas: Option<Array<'a, i32>>,
    #[wire(versions = "2+", nullable, tag = 7, default = None)]
    pub last_known_elr: Option<Array<'a, i32>>,
}

/// A topic is deleted, with its partitions.
///
/// Record type 9, version 0. Schema `RemoveTopicRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 9, versions = "0", flexible = "0+")]
pub struct RemoveTopicRecord {
    pub topic_id: Uuid,
}

/// The eligible leader replicas of one topic, or of all, are forgotten (KIP-966).
///
/// Record type 28, version 0. Schema `ClearElrRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 28, versions = "0", flexible = "0+")]
pub struct ClearElrRecord<'a> {
    pub topic_name: &'a str,
}
