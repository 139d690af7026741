//! The requests of a member.

use std::collections::BTreeMap;

use logmill_wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use logmill_wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use logmill_wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

pub const GROUP: &str = "group";
pub const PARTITIONS: i32 = 5;

pub fn join<'a>(member_id: &'a str, instance: Option<&'a str>) -> JoinGroupRequest<'a> {
    let protocol = JoinGroupRequestProtocol {
        name: "by turns",
        metadata: b"t",
    };
    JoinGroupRequest {
        group_id: GROUP,
        session_timeout_ms: 6_000,
        rebalance_timeout_ms: 8_000,
        member_id,
        group_instance_id: instance,
        protocol_type: "consumer",
        protocols: vec![protocol].into(),
        ..JoinGroupRequest::default()
    }
}

pub fn sync<'a>(
    generation_id: i32,
    member_id: &'a str,
    group_instance_id: Option<&'a str>,
    assignments: &'a [(String, Vec<u8>)],
) -> SyncGroupRequest<'a> {
    let assignments = assignments
        .iter()
        .map(|(id, parts)| SyncGroupRequestAssignment {
            member_id: id,
            assignment: parts,
        });
    SyncGroupRequest {
        group_id: GROUP,
        generation_id,
        member_id,
        group_instance_id,
        assignments: assignments.collect::<Vec<_>>().into(),
        ..SyncGroupRequest::default()
    }
}

pub fn commit<'a>(
    generation: i32,
    member_id: &'a str,
    group_instance_id: Option<&'a str>,
    offsets: &BTreeMap<i32, i64>,
) -> OffsetCommitRequest<'a> {
    let partitions =
        offsets.iter().map(
            |(&partition_index, &committed_offset)| OffsetCommitRequestPartition {
                partition_index,
                committed_offset,
                ..OffsetCommitRequestPartition::default()
            },
        );
    let topic = OffsetCommitRequestTopic {
        name: "t",
        partitions: partitions.collect::<Vec<_>>().into(),
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: GROUP,
        generation_id_or_member_epoch: generation,
        member_id,
        group_instance_id,
        topics: vec![topic].into(),
        ..OffsetCommitRequest::default()
    }
}

/// All that the group has committed.
pub fn offsets() -> OffsetFetchRequest<'static> {
    let group = OffsetFetchRequestGroup {
        group_id: GROUP,
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    OffsetFetchRequest {
        groups: vec![group].into(),
        ..OffsetFetchRequest::default()
    }
}
