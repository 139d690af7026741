//! ConsumerGroupDescribe (API key 69): members and assignments of groups in the consumer protocol.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 1. Schema `ConsumerGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ConsumerGroupDescribe, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeRequest<'a> {
    pub group_ids: Array<'a, &'a str>,
    pub include_authorized_operations: bool,
}

/// The response, versions 0 to 1. Schema `ConsumerGroupDescribeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ConsumerGroupDescribe, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse<'a> {
    pub throttle_time_ms: i32,
    pub groups: Array<'a, DescribedGroup<'a>>,
}

/// An element of [`ConsumerGroupDescribeResponse::groups`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribedGroup<'a> {
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub group_id: &'a str,
    pub group_state: &'a str,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub assignor_name: &'a str,
    pub members: Array<'a, Member<'a>>,
    #[wire(default = i32::MIN)]
    pub authorized_operations: i32,
}

/// An element of [`DescribedGroup::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Member<'a> {
    pub member_id: &'a str,
    #[wire(nullable, default = None)]
    pub instance_id: Option<&'a str>,
    #[wire(nullable, default = None)]
    pub rack_id: Option<&'a str>,
    pub member_epoch: i32,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub subscribed_topic_names: Array<'a, &'a str>,
    #[wire(nullable, default = None)]
    pub subscribed_topic_regex: Option<&'a str>,
    pub assignment: Assignment<'a>,
    pub target_assignment: Assignment<'a>,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub member_type: i8,
}

/// The struct in [`Member::assignment`] and [`Member::target_assignment`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Assignment<'a> {
    pub topic_partitions: Array<'a, TopicPartitions<'a>>,
}

/// An element of [`Assignment::topic_partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub topic_name: &'a str,
    pub partitions: Array<'a, i32>,
}
