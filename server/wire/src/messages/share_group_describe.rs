//! ShareGroupDescribe (API key 77): members and assignments of share groups.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 1. Schema `ShareGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ShareGroupDescribe, versions = "1", flexible = "0+")]
pub struct ShareGroupDescribeRequest<'a> {
    pub group_ids: Array<'a, &'a str>,
    pub include_authorized_operations: bool,
}

/// The response, version 1. Schema `ShareGroupDescribeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ShareGroupDescribe, versions = "1", flexible = "0+")]
pub struct ShareGroupDescribeResponse<'a> {
    pub throttle_time_ms: i32,
    pub groups: Array<'a, DescribedGroup<'a>>,
}

/// An element of [`ShareGroupDescribeResponse::groups`].
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
    pub rack_id: Option<&'a str>,
    pub member_epoch: i32,
    pub client_id: &'a str,
    pub client_host: &'a str,
    pub subscribed_topic_names: Array<'a, &'a str>,
    pub assignment: Assignment<'a>,
}

/// The struct in [`Member::assignment`].
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
