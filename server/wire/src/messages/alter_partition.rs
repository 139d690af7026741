//! AlterPartition (API key 56): a partition leader asks the controller to change the in-sync
//! replicas.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, versions 2 to 3. Schema `AlterPartitionRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterPartition, versions = "2-3", flexible = "0+")]
pub struct AlterPartitionRequest<'a> {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
    pub topics: Array<'a, RequestTopicData<'a>>,
}

/// An element of [`AlterPartitionRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, RequestPartitionData<'a>>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestPartitionData<'a> {
    pub partition_index: i32,
    pub leader_epoch: i32,
    #[wire(versions = "0-2")]
    pub new_isr: Array<'a, i32>,
    #[wire(versions = "3+")]
    pub new_isr_with_epochs: Array<'a, BrokerState>,
    pub leader_recovery_state: i8,
    pub partition_epoch: i32,
}

/// An element of [`RequestPartitionData::new_isr_with_epochs`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct BrokerState {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
}

/// The response, versions 2 to 3. Schema `AlterPartitionResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterPartition, versions = "2-3", flexible = "0+")]
pub struct AlterPartitionResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub topics: Array<'a, ResponseTopicData<'a>>,
}

/// An element of [`AlterPartitionResponse::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseTopicData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, ResponsePartitionData<'a>>,
}

/// An element of [`ResponseTopicData::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponsePartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub isr: Array<'a, i32>,
    pub leader_recovery_state: i8,
    pub partition_epoch: i32,
}
