//! Streams groups (KIP-1071) in `__consumer_offsets`.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// Key of record type 17, version 0. Schema `StreamsGroupMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 17, versions = "0")]
pub struct StreamsGroupMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 17, version 0. Schema `StreamsGroupMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 17, versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue<'a> {
    pub epoch: i32,
    pub metadata_hash: i64,
    #[wire(tag = 0, default = -1)]
    pub validated_topology_epoch: i32,
    #[wire(nullable, tag = 1)]
    pub last_assignment_configs: Option<Array<'a, LastAssignmentConfig<'a>>>,
}

/// An element of [`StreamsGroupMetadataValue::last_assignment_configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct LastAssignmentConfig<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// Key of record type 19, version 0. Schema `StreamsGroupMemberMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 19, versions = "0")]
pub struct StreamsGroupMemberMetadataKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 19, version 0. Schema `StreamsGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 19, versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue<'a> {
    #[wire(nullable)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable)]
    pub rack_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    #[wire(default = -1)]
    pub rebalance_timeout_ms: i32,
    pub topology_epoch: i32,
    pub process_id: &'a str,
    #[wire(nullable, default = None)]
    pub user_endpoint: Option<Endpoint<'a>>,
    pub client_tags: Array<'a, KeyValue<'a>>,
}

/// The struct in [`StreamsGroupMemberMetadataValue::user_endpoint`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Endpoint<'a> {
    pub host: &'a str,
    pub port: u16,
}

/// An element of [`StreamsGroupMemberMetadataValue::client_tags`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct KeyValue<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// Key of record type 20, version 0. Schema `StreamsGroupTargetAssignmentMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 20, versions = "0")]
pub struct StreamsGroupTargetAssignmentMetadataKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 20, version 0. Schema `StreamsGroupTargetAssignmentMetadataValue`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(record = 20, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
}

/// Key of record type 21, version 0. Schema `StreamsGroupTargetAssignmentMemberKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 21, versions = "0")]
pub struct StreamsGroupTargetAssignmentMemberKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 21, version 0. Schema `StreamsGroupTargetAssignmentMemberValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 21, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMemberValue<'a> {
    pub active_tasks: Array<'a, TargetTaskIds<'a>>,
    pub standby_tasks: Array<'a, TargetTaskIds<'a>>,
    pub warmup_tasks: Array<'a, TargetTaskIds<'a>>,
}

/// An element of [`StreamsGroupTargetAssignmentMemberValue::active_tasks`],
/// [`StreamsGroupTargetAssignmentMemberValue::standby_tasks`] and
/// [`StreamsGroupTargetAssignmentMemberValue::warmup_tasks`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TargetTaskIds<'a> {
    pub subtopology_id: &'a str,
    pub partitions: Array<'a, i32>,
}

/// Key of record type 22, version 0. Schema `StreamsGroupCurrentMemberAssignmentKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 22, versions = "0")]
pub struct StreamsGroupCurrentMemberAssignmentKey<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
}

/// Value of record type 22, version 0. Schema `StreamsGroupCurrentMemberAssignmentValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 22, versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue<'a> {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    pub state: i8,
    pub active_tasks: Array<'a, TaskIds<'a>>,
    pub standby_tasks: Array<'a, TaskIds<'a>>,
    pub warmup_tasks: Array<'a, TaskIds<'a>>,
    pub active_tasks_pending_revocation: Array<'a, TaskIds<'a>>,
    pub standby_tasks_pending_revocation: Array<'a, TaskIds<'a>>,
    pub warmup_tasks_pending_revocation: Array<'a, TaskIds<'a>>,
}

/// An element of [`StreamsGroupCurrentMemberAssignmentValue::active_tasks`],
/// [`StreamsGroupCurrentMemberAssignmentValue::standby_tasks`],
/// [`StreamsGroupCurrentMemberAssignmentValue::warmup_tasks`],
/// [`StreamsGroupCurrentMemberAssignmentValue::active_tasks_pending_revocation`],
/// [`StreamsGroupCurrentMemberAssignmentValue::standby_tasks_pending_revocation`] and
/// [`StreamsGroupCurrentMemberAssignmentValue::warmup_tasks_pending_revocation`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TaskIds<'a> {
    pub subtopology_id: &'a str,
    pub partitions: Array<'a, i32>,
    #[wire(nullable, tag = 0)]
    pub assignment_epochs: Option<Array<'a, i32>>,
}

/// Key of record type 23, version 0. Schema `StreamsGroupTopologyKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 23, versions = "0")]
pub struct StreamsGroupTopologyKey<'a> {
    pub group_id: &'a str,
}

/// Value of record type 23, version 0. Schema `StreamsGroupTopologyValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 23, versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue<'a> {
    pub epoch: i32,
    pub subtopologies: Array<'a, Subtopology<'a>>,
}

/// An element of [`StreamsGroupTopologyValue::subtopologies`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Subtopology<'a> {
    pub subtopology_id: &'a str,
    pub source_topics: Array<'a, &'a str>,
    pub source_topic_regex: Array<'a, &'a str>,
    pub state_changelog_topics: Array<'a, TopicInfo<'a>>,
    pub repartition_sink_topics: Array<'a, &'a str>,
    pub repartition_source_topics: Array<'a, TopicInfo<'a>>,
    pub copartition_groups: Array<'a, CopartitionGroup<'a>>,
}

/// An element of [`Subtopology::state_changelog_topics`] and
/// [`Subtopology::repartition_source_topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicInfo<'a> {
    pub name: &'a str,
    pub partitions: i32,
    pub replication_factor: i16,
    pub topic_configs: Array<'a, TopicConfig<'a>>,
}

/// An element of [`TopicInfo::topic_configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicConfig<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// An element of [`Subtopology::copartition_groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CopartitionGroup<'a> {
    pub source_topics: Array<'a, i16>,
    pub source_topic_regex: Array<'a, i16>,
    pub repartition_source_topics: Array<'a, i16>,
}
