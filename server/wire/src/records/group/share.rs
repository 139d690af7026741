//! Share groups (KIP-932) in `__consumer_offsets`.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// Key of record type 10, version 0. Schema `ShareGroupMemberMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 10, versions = "0")]
pub struct ShareGroupMemberMetadataKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 10, version 0. Schema `ShareGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 10, versions = "0", flexible = "0+")]
pub struct ShareGroupMemberMetadataValue<'a> {
    #[wire(nullable)]
    pub rack_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub subscribed_topic_names: Array<'a, &'a str>,
}

/// Key of record type 11, version 0. Schema `ShareGroupMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 11, versions = "0")]
pub struct ShareGroupMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 11, version 0. Schema `ShareGroupMetadataValue`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 11, versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    pub epoch: i32,
    pub metadata_hash: i64,
}

/// Key of record type 12, version 0. Schema `ShareGroupTargetAssignmentMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 12, versions = "0")]
pub struct ShareGroupTargetAssignmentMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 12, version 0. Schema `ShareGroupTargetAssignmentMetadataValue`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 12, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
}

/// Key of record type 13, version 0. Schema `ShareGroupTargetAssignmentMemberKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 13, versions = "0")]
pub struct ShareGroupTargetAssignmentMemberKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 13, version 0. Schema `ShareGroupTargetAssignmentMemberValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 13, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue<'a> {
    pub topic_partitions: Array<'a, TopicPartition<'a>>,
}

/// An element of [`ShareGroupTargetAssignmentMemberValue::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartition<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// Key of record type 14, version 0. Schema `ShareGroupCurrentMemberAssignmentKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 14, versions = "0")]
pub struct ShareGroupCurrentMemberAssignmentKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 14, version 0. Schema `ShareGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 14, versions = "0", flexible = "0+")]
pub struct ShareGroupCurrentMemberAssignmentValue<'a> {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub assigned_partitions: Array<'a, TopicPartitions<'a>>,
}

/// An element of [`ShareGroupCurrentMemberAssignmentValue::assigned_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// Key of record type 15, version 0. Schema `ShareGroupStatePartitionMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 15, versions = "0")]
pub struct ShareGroupStatePartitionMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 15, version 0. Schema `ShareGroupStatePartitionMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 15, versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue<'a> {
    pub initializing_topics: Array<'a, TopicPartitionsInfo<'a>>,
    pub initialized_topics: Array<'a, TopicPartitionsInfo<'a>>,
    pub deleting_topics: Array<'a, TopicInfo<'a>>,
}

/// An element of [`ShareGroupStatePartitionMetadataValue::initializing_topics`] and
/// [`ShareGroupStatePartitionMetadataValue::initialized_topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitionsInfo<'a> {
    pub topic_id: Uuid,
    pub topic_name: &'a str,
    pub partitions: Array<'a, i32>,
}

/// An element of [`ShareGroupStatePartitionMetadataValue::deleting_topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicInfo<'a> {
    pub topic_id: Uuid,
    pub topic_name: &'a str,
}
