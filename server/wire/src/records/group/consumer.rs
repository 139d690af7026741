//! Groups of the consumer protocol (KIP-848) in `__consumer_offsets`.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// Key of record type 3, version 0. Schema `ConsumerGroupMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 3, versions = "0")]
pub struct ConsumerGroupMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 3, version 0. Schema `ConsumerGroupMetadataValue`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 3, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMetadataValue {
    pub epoch: i32,
    #[wire(tag = 0)]
    pub metadata_hash: i64,
}

/// Key of record type 4, version 0. Schema `ConsumerGroupPartitionMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 4, versions = "0")]
pub struct ConsumerGroupPartitionMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 4, version 0. Schema `ConsumerGroupPartitionMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 4, versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue<'a> {
    pub topics: Array<'a, TopicMetadata<'a>>,
}

/// An element of [`ConsumerGroupPartitionMetadataValue::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicMetadata<'a> {
    pub topic_id: Uuid,
    pub topic_name: &'a str,
    pub num_partitions: i32,
    pub partition_metadata: Array<'a, PartitionMetadata<'a>>,
}

/// An element of [`TopicMetadata::partition_metadata`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionMetadata<'a> {
    pub partition: i32,
    pub racks: Array<'a, &'a str>,
}

/// Key of record type 5, version 0. Schema `ConsumerGroupMemberMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 5, versions = "0")]
pub struct ConsumerGroupMemberMetadataKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 5, version 0. Schema `ConsumerGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 5, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue<'a> {
    #[wire(nullable)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable)]
    pub rack_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub subscribed_topic_names: Array<'a, &'a str>,
    #[wire(nullable)]
    pub subscribed_topic_regex: Option<&'a str>,
    #[wire(default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire(nullable)]
    pub server_assignor: Option<&'a str>,
    #[wire(nullable, tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata<'a>>,
}

/// The struct in [`ConsumerGroupMemberMetadataValue::classic_member_metadata`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ClassicMemberMetadata<'a> {
    pub session_timeout_ms: i32,
    pub supported_protocols: Array<'a, ClassicProtocol<'a>>,
}

/// An element of [`ClassicMemberMetadata::supported_protocols`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ClassicProtocol<'a> {
    pub name: &'a str,
    pub metadata: &'a [u8],
}

/// Key of record type 6, version 0. Schema `ConsumerGroupTargetAssignmentMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 6, versions = "0")]
pub struct ConsumerGroupTargetAssignmentMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 6, version 0. Schema `ConsumerGroupTargetAssignmentMetadataValue`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 6, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
}

/// Key of record type 7, version 0. Schema `ConsumerGroupTargetAssignmentMemberKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 7, versions = "0")]
pub struct ConsumerGroupTargetAssignmentMemberKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 7, version 0. Schema `ConsumerGroupTargetAssignmentMemberValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 7, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMemberValue<'a> {
    pub topic_partitions: Array<'a, TopicPartition<'a>>,
}

/// An element of [`ConsumerGroupTargetAssignmentMemberValue::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartition<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// Key of record type 8, version 0. Schema `ConsumerGroupCurrentMemberAssignmentKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 8, versions = "0")]
pub struct ConsumerGroupCurrentMemberAssignmentKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 8, version 0. Schema `ConsumerGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 8, versions = "0", flexible = "0+")]
pub struct ConsumerGroupCurrentMemberAssignmentValue<'a> {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub assigned_partitions: Array<'a, TopicPartitions<'a>>,
    pub partitions_pending_revocation: Array<'a, TopicPartitions<'a>>,
}

/// An element of [`ConsumerGroupCurrentMemberAssignmentValue::assigned_partitions`] and
/// [`ConsumerGroupCurrentMemberAssignmentValue::partitions_pending_revocation`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// Key of record type 16, version 0. Schema `ConsumerGroupRegularExpressionKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 16, versions = "0")]
pub struct ConsumerGroupRegularExpressionKey<'a> {
    pub group_id: &'a str,
    pub regular_expression: &'a str,
}

/// Value of record type 16, version 0. Schema `ConsumerGroupRegularExpressionValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 16, versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue<'a> {
    pub topics: Array<'a, &'a str>,
    pub version: i64,
    pub timestamp: i64,
}
