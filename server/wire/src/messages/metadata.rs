//! Metadata (API key 3): brokers, topics, partitions and who leads them.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 0 to 13, flexible from 9. Schema `MetadataRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Metadata, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest<'a> {
    #[wire(nullable = "1+")]
    pub topics: Option<Array<'a, MetadataRequestTopic<'a>>>,
    #[wire(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    #[wire(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    #[wire(versions = "8+")]
    pub include_topic_authorized_operations: bool,
}

/// An element of [`MetadataRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MetadataRequestTopic<'a> {
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[wire(nullable = "10+")]
    pub name: Option<&'a str>,
}

/// The response, versions 0 to 13, flexible from 9. Schema `MetadataResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = Metadata, versions = "0-13", flexible = "9+")]
pub struct MetadataResponse<'a> {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub brokers: Array<'a, MetadataResponseBroker<'a>>,
    #[wire(versions = "2+", nullable, default = None, ignorable)]
    pub cluster_id: Option<&'a str>,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    pub topics: Array<'a, MetadataResponseTopic<'a>>,
    #[wire(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    #[wire(versions = "13+", ignorable)]
    pub error_code: i16,
}

/// An element of [`MetadataResponse::brokers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MetadataResponseBroker<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(versions = "1+", nullable, default = None, ignorable)]
    pub rack: Option<&'a str>,
}

/// An element of [`MetadataResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MetadataResponseTopic<'a> {
    pub error_code: i16,
    #[wire(nullable = "12+")]
    pub name: Option<&'a str>,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[wire(versions = "1+", ignorable)]
    pub is_internal: bool,
    pub partitions: Array<'a, MetadataResponsePartition<'a>>,
    #[wire(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// An element of [`MetadataResponseTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MetadataResponsePartition<'a> {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    #[wire(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub replica_nodes: Array<'a, i32>,
    pub isr_nodes: Array<'a, i32>,
    #[wire(versions = "5+", ignorable)]
    pub offline_replicas: Array<'a, i32>,
}
