//! StreamsGroupHeartbeat (API key 88): everything between a member and its group in the streams
//! protocol (KIP-1071).

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `StreamsGroupHeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = StreamsGroupHeartbeat, versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatRequest<'a> {
    pub group_id: &'a str,
    pub member_id: &'a str,
    pub member_epoch: i32,
    pub endpoint_information_epoch: i32,
    #[wire(nullable, default = None)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub rack_id: Option<&'a str>,
    #[wire(default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire(nullable, default = None)]
    pub topology: Option<Topology<'a>>,
    #[wire(nullable, default = None)]
    pub active_tasks: Option<Array<'a, TaskIds<'a>>>,
    #[wire(nullable, default = None)]
    pub standby_tasks: Option<Array<'a, TaskIds<'a>>>,
    #[wire(nullable, default = None)]
    pub warmup_tasks: Option<Array<'a, TaskIds<'a>>>,
    #[wire(nullable, default = None)]
    pub process_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub user_endpoint: Option<Endpoint<'a>>,
    #[wire(nullable, default = None)]
    pub client_tags: Option<Array<'a, KeyValue<'a>>>,
    #[wire(nullable, default = None)]
    pub task_offsets: Option<Array<'a, TaskOffset<'a>>>,
    #[wire(nullable, default = None)]
    pub task_end_offsets: Option<Array<'a, TaskOffset<'a>>>,
    pub shutdown_application: bool,
}

/// The struct in [`StreamsGroupHeartbeatRequest::topology`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Topology<'a> {
    pub epoch: i32,
    pub subtopologies: Array<'a, Subtopology<'a>>,
}

/// An element of [`Topology::subtopologies`].
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
    pub topic_configs: Array<'a, KeyValue<'a>>,
}

/// An element of [`Subtopology::copartition_groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct CopartitionGroup<'a> {
    pub source_topics: Array<'a, i16>,
    pub source_topic_regex: Array<'a, i16>,
    pub repartition_source_topics: Array<'a, i16>,
}

/// An element of [`StreamsGroupHeartbeatRequest::active_tasks`],
/// [`StreamsGroupHeartbeatRequest::standby_tasks`],
/// [`StreamsGroupHeartbeatRequest::warmup_tasks`],
/// [`StreamsGroupHeartbeatResponse::active_tasks`],
/// [`StreamsGroupHeartbeatResponse::standby_tasks`] and
/// [`StreamsGroupHeartbeatResponse::warmup_tasks`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TaskIds<'a> {
    pub subtopology_id: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The struct in [`StreamsGroupHeartbeatRequest::user_endpoint`] and
/// [`EndpointToPartitions::user_endpoint`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Endpoint<'a> {
    pub host: &'a str,
    pub port: u16,
}

/// An element of [`StreamsGroupHeartbeatRequest::client_tags`] and
/// [`TopicInfo::topic_configs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct KeyValue<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// An element of [`StreamsGroupHeartbeatRequest::task_offsets`] and
/// [`StreamsGroupHeartbeatRequest::task_end_offsets`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TaskOffset<'a> {
    pub subtopology_id: &'a str,
    pub partition: i32,
    pub offset: i64,
}

/// The response, version 0. Schema `StreamsGroupHeartbeatResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = StreamsGroupHeartbeat, versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub member_id: &'a str,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    pub acceptable_recovery_lag: i32,
    pub task_offset_interval_ms: i32,
    #[wire(nullable)]
    pub status: Option<Array<'a, Status<'a>>>,
    #[wire(nullable, default = None)]
    pub active_tasks: Option<Array<'a, TaskIds<'a>>>,
    #[wire(nullable, default = None)]
    pub standby_tasks: Option<Array<'a, TaskIds<'a>>>,
    #[wire(nullable, default = None)]
    pub warmup_tasks: Option<Array<'a, TaskIds<'a>>>,
    pub endpoint_information_epoch: i32,
    #[wire(nullable, default = None)]
    pub partitions_by_user_endpoint: Option<Array<'a, EndpointToPartitions<'a>>>,
}

/// An element of [`StreamsGroupHeartbeatResponse::status`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Status<'a> {
    pub status_code: i8,
    pub status_detail: &'a str,
}

/// An element of [`StreamsGroupHeartbeatResponse::partitions_by_user_endpoint`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct EndpointToPartitions<'a> {
    pub user_endpoint: Endpoint<'a>,
    pub active_partitions: Array<'a, TopicPartition<'a>>,
    pub standby_partitions: Array<'a, TopicPartition<'a>>,
}

/// An element of [`EndpointToPartitions::active_partitions`] and
/// [`EndpointToPartitions::standby_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartition<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, i32>,
}
