//! AssignReplicasToDirs (API key 73): a broker tells the controller which directories hold its
//! replicas (KIP-858).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The request, version 0. Schema `AssignReplicasToDirsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AssignReplicasToDirs, versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsRequest<'a> {
    pub broker_id: i32,
    #[wire(default = -1)]
    pub broker_epoch: i64,
    pub directories: Array<'a, RequestDirectoryData<'a>>,
}

/// An element of [`AssignReplicasToDirsRequest::directories`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestDirectoryData<'a> {
    pub id: Uuid,
    pub topics: Array<'a, RequestTopicData<'a>>,
}

/// An element of [`RequestDirectoryData::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RequestTopicData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, RequestPartitionData>,
}

/// An element of [`RequestTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct RequestPartitionData {
    pub partition_index: i32,
}

/// The response, version 0. Schema `AssignReplicasToDirsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AssignReplicasToDirs, versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub directories: Array<'a, ResponseDirectoryData<'a>>,
}

/// An element of [`AssignReplicasToDirsResponse::directories`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseDirectoryData<'a> {
    pub id: Uuid,
    pub topics: Array<'a, ResponseTopicData<'a>>,
}

/// An element of [`ResponseDirectoryData::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ResponseTopicData<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, ResponsePartitionData>,
}

/// An element of [`ResponseTopicData::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct ResponsePartitionData {
    pub partition_index: i32,
    pub error_code: i16,
}
