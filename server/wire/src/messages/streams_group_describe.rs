//! StreamsGroupDescribe (API key 89): members, tasks and topology of streams groups.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, version 0. Schema `StreamsGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = StreamsGroupDescribe, versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeRequest<'a> {
    pub group_ids: Array<'a, &'a str>,
    pub include_authorized_operations: bool,
}

/// The response, version 0. Schema `StreamsGroupDescribeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = StreamsGroupDescribe, versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeResponse<'a> {
    pub throttle_time_ms: i32,
    pub groups: Array<'a, DescribedGroup<'a>>,
}

/// An element of [`StreamsGroupDescribeResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedGroup<'a> {
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub group_id: &'a str,
    pub group_state: &'a str,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    #[wire(nullable, default = None)]
    pub topology: Option<Topology<'a>>,
    pub members: Array<'a, Member<'a>>,
    #[wire(default = i32::MIN)]
    pub authorized_operations: i32,
}

/// The struct in [`DescribedGroup::topology`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Topology<'a> {
    pub epoch: i32,
    #[wire(nullable, default = None)]
    pub subtopologies: Option<Array<'a, Subtopology<'a>>>,
}

/// An element of [`Topology::subtopologies`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Subtopology<'a> {
    pub subtopology_id: &'a str,
    pub source_topics: Array<'a, &'a str>,
    pub repartition_sink_topics: Array<'a, &'a str>,
    pub state_changelog_topics: Array<'a, TopicInfo<'a>>,
    pub repartition_source_topics: Array<'a, TopicInfo<'a>>,
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

/// An element of [`TopicInfo::topic_configs`] and [`Member::client_tags`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct KeyValue<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// An element of [`DescribedGroup::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Member<'a> {
    pub member_id: &'a str,
    pub member_epoch: i32,
    #[wire(nullable, default = None)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub rack_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub topology_epoch: i32,
    pub process_id: &'a str,
    #[wire(nullable, default = None)]
    pub user_endpoint: Option<Endpoint<'a>>,
    pub client_tags: Array<'a, KeyValue<'a>>,
    pub task_offsets: Array<'a, TaskOffset<'a>>,
    pub task_end_offsets: Array<'a, TaskOffset<'a>>,
    pub assignment: Assignment<'a>,
    pub target_assignment: Assignment<'a>,
    pub is_classic: bool,
}

/// The struct in [`Member::user_endpoint`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Endpoint<'a> {
    pub host: &'a str,
    pub port: u16,
}

/// An element of [`Member::task_offsets`] and [`Member::task_end_offsets`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TaskOffset<'a> {
    pub subtopology_id: &'a str,
    pub partition: i32,
    pub offset: i64,
}

/// The struct in [`Member::assignment`] and [`Member::target_assignment`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Assignment<'a> {
    pub active_tasks: Array<'a, TaskIds<'a>>,
    pub standby_tasks: Array<'a, TaskIds<'a>>,
    pub warmup_tasks: Array<'a, TaskIds<'a>>,
}

/// An element of [`Assignment::active_tasks`], [`Assignment::standby_tasks`] and
/// [`Assignment::warmup_tasks`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TaskIds<'a> {
    pub subtopology_id: &'a str,
    pub partitions: Array<'a, i32>,
}
