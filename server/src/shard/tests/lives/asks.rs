//! The requests of clients.

use std::collections::BTreeMap;

use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logmill_wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use logmill_wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use logmill_wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use logmill_wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use super::spots::by_topic;

/// Who asks: group, member id and static name.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    pub group: &'a str,
    pub id: &'a str,
    pub instance: Option<&'a str>,
}

/// How long a member may be silent, and how long others wait for it to join.
#[derive(Clone, Copy)]
pub struct Patience {
    pub session_ms: i32,
    pub rebalance_ms: i32,
}

/// Groups by number.
pub const GROUPS: [&str; 3] = ["one", "two", "three"];

pub fn join<'a>(
    who: Who<'a>,
    patience: Patience,
    protocols: &[&'static str],
    metadata: &'a [u8],
) -> JoinGroupRequest<'a> {
    let protocols = protocols
        .iter()
        .map(|name| JoinGroupRequestProtocol { name, metadata });
    JoinGroupRequest {
        group_id: who.group,
        session_timeout_ms: patience.session_ms,
        rebalance_timeout_ms: patience.rebalance_ms,
        member_id: who.id,
        group_instance_id: who.instance,
        protocol_type: "consumer",
        protocols: protocols.collect::<Vec<_>>().into(),
        ..JoinGroupRequest::default()
    }
}

pub fn sync<'a>(
    who: Who<'a>,
    generation_id: i32,
    assignments: &'a [(String, Vec<u8>)],
) -> SyncGroupRequest<'a> {
    let assignments = assignments
        .iter()
        .map(|(id, parts)| SyncGroupRequestAssignment {
            member_id: id,
            assignment: parts,
        });
    SyncGroupRequest {
        group_id: who.group,
        generation_id,
        member_id: who.id,
        group_instance_id: who.instance,
        assignments: assignments.collect::<Vec<_>>().into(),
        ..SyncGroupRequest::default()
    }
}

/// Offsets and what is to be said beside each.
pub fn commit<'a>(
    who: Who<'a>,
    generation: i32,
    offsets: &'a BTreeMap<i32, (i64, String)>,
) -> OffsetCommitRequest<'a> {
    let topics = by_topic(offsets.iter().map(|(&spot, said)| (spot, said)));
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions
            .into_iter()
            .map(
                |(partition_index, (offset, note))| OffsetCommitRequestPartition {
                    partition_index,
                    committed_offset: *offset,
                    committed_metadata: Some(note),
                    ..OffsetCommitRequestPartition::default()
                },
            );
        OffsetCommitRequestTopic {
            name,
            partitions: partitions.collect::<Vec<_>>().into(),
            ..OffsetCommitRequestTopic::default()
        }
    });
    OffsetCommitRequest {
        group_id: who.group,
        generation_id_or_member_epoch: generation,
        member_id: who.id,
        group_instance_id: who.instance,
        topics: topics.collect::<Vec<_>>().into(),
        ..OffsetCommitRequest::default()
    }
}

/// All that the group has committed.
pub fn offsets(group: &str) -> OffsetFetchRequest<'_> {
    let group = OffsetFetchRequestGroup {
        group_id: group,
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    OffsetFetchRequest {
        groups: vec![group].into(),
        ..OffsetFetchRequest::default()
    }
}

pub fn delete_offsets<'a>(group: &'a str, spots: &[i32]) -> OffsetDeleteRequest<'a> {
    let topics = by_topic(spots.iter().map(|&spot| (spot, ())));
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter();
        let partitions = partitions
            .map(|(partition_index, ())| OffsetDeleteRequestPartition { partition_index });
        OffsetDeleteRequestTopic {
            name,
            partitions: partitions.collect::<Vec<_>>().into(),
        }
    });
    OffsetDeleteRequest {
        group_id: group,
        topics: topics.collect::<Vec<_>>().into(),
    }
}

/// A fetch from these positions on, without a session.
pub fn fetch(positions: &BTreeMap<i32, i64>, max_wait_ms: i32) -> FetchRequest<'static> {
    let topics = by_topic(positions.iter().map(|(&spot, &at)| (spot, at)));
    let topics = topics.into_iter().map(|(topic, partitions)| {
        let partitions = partitions.into_iter();
        let partitions = partitions.map(|(partition, fetch_offset)| FetchPartition {
            partition,
            fetch_offset,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        });
        FetchTopic {
            topic,
            partitions: partitions.collect::<Vec<_>>().into(),
            ..FetchTopic::default()
        }
    });
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 10 << 20,
        topics: topics.collect::<Vec<_>>().into(),
        ..FetchRequest::default()
    }
}
