//! AlterReplicaLogDirs (API key 34): moves replicas between a broker's log directories.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 2, flexible from 2. Schema `AlterReplicaLogDirsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = AlterReplicaLogDirs, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest<'a> {
    pub dirs: Array<'a, AlterReplicaLogDir<'a>>,
}

/// An element of [`AlterReplicaLogDirsRequest::dirs`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterReplicaLogDir<'a> {
    pub path: &'a str,
    pub topics: Array<'a, AlterReplicaLogDirTopic<'a>>,
}

/// An element of [`AlterReplicaLogDir::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterReplicaLogDirTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 1 to 2, flexible from 2. Schema `AlterReplicaLogDirsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = AlterReplicaLogDirs, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Array<'a, AlterReplicaLogDirTopicResult<'a>>,
}

/// An element of [`AlterReplicaLogDirsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AlterReplicaLogDirTopicResult<'a> {
    pub topic_name: &'a str,
    pub partitions: Array<'a, AlterReplicaLogDirPartitionResult>,
}

/// An element of [`AlterReplicaLogDirTopicResult::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct AlterReplicaLogDirPartitionResult {
    pub partition_index: i32,
    pub error_code: i16,
}
