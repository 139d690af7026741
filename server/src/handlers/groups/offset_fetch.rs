//! OffsetFetch: one group, or from version 8 several (KIP-709).

use logmill_wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::owned;
use crate::groups::{
    Answer, Ask, FetchAnswer, FetchTopic, FetchedPartition, FetchedTopic, OffsetFetch,
};

/// What was asked of the one group, for the version that tells the group's error in each partition.
pub(super) type Form = Vec<FetchTopic>;

pub(super) fn ask(version: i16, request: &OffsetFetchRequest<'_>) -> (Form, Vec<Ask>) {
    let require_stable = request.require_stable;
    if version < SEVERAL_SINCE {
        let topics = request.topics.as_ref().map(|topics| {
            let topics = topics.iter().map(|topic| FetchTopic {
                topic: topic.name.to_owned(),
                partitions: topic.partition_indexes.iter().collect(),
            });
            topics.collect::<Vec<_>>()
        });
        let form = match version < GROUP_ERROR_SINCE {
            true => topics.clone().unwrap_or_default(),
            false => Vec::new(),
        };
        let ask = OffsetFetch {
            group_id: request.group_id.to_owned(),
            member_id: None,
            member_epoch: -1,
            topics,
            require_stable,
        };
        return (form, vec![Ask::FetchOffsets(ask)]);
    }
    let asks = request.groups.iter().map(|group| {
        let topics = group.topics.as_ref().map(|topics| {
            let topics = topics.iter().map(|topic| FetchTopic {
                topic: topic.name.to_owned(),
                partitions: topic.partition_indexes.iter().collect(),
            });
            topics.collect()
        });
        Ask::FetchOffsets(OffsetFetch {
            group_id: group.group_id.to_owned(),
            member_id: owned(group.member_id),
            member_epoch: group.member_epoch,
            topics,
            require_stable,
        })
    });
    (Vec::new(), asks.collect())
}

pub(super) fn reply(
    form: &Form,
    answers: impl Iterator<Item = Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut groups = Vec::new();
    for answer in answers {
        let Answer::FetchOffsets(group) = answer else {
            panic!("{answer:?} answers no fetch of offsets")
        };
        groups.push(group);
    }
    let response = if version < SEVERAL_SINCE {
        let mut group = groups.pop().expect("one group was asked");
        if version < GROUP_ERROR_SINCE && group.error != ErrorCode::NONE {
            group.topics = in_each_partition(form, group.error);
        }
        return one_group(&group).encode(out, version);
    } else {
        OffsetFetchResponse {
            groups: groups.iter().map(of_several).collect::<Vec<_>>().into(),
            ..OffsetFetchResponse::default()
        }
    };
    response.encode(out, version)
}

fn one_group(group: &FetchAnswer) -> OffsetFetchResponse<'_> {
    let topics = group.topics.iter().map(|topic| OffsetFetchResponseTopic {
        name: &topic.topic,
        partitions: topic
            .partitions
            .iter()
            .map(|one| OffsetFetchResponsePartition {
                partition_index: one.partition,
                committed_offset: one.offset,
                committed_leader_epoch: one.leader_epoch,
                metadata: Some(&one.metadata),
                error_code: one.error.0,
            })
            .collect::<Vec<_>>()
            .into(),
    });
    OffsetFetchResponse {
        topics: topics.collect::<Vec<_>>().into(),
        error_code: group.error.0,
        ..OffsetFetchResponse::default()
    }
}

fn of_several(group: &FetchAnswer) -> OffsetFetchResponseGroup<'_> {
    let topics = group.topics.iter().map(|topic| OffsetFetchResponseTopics {
        name: &topic.topic,
        partitions: topic
            .partitions
            .iter()
            .map(|one| OffsetFetchResponsePartitions {
                partition_index: one.partition,
                committed_offset: one.offset,
                committed_leader_epoch: one.leader_epoch,
                metadata: Some(&one.metadata),
                error_code: one.error.0,
            })
            .collect::<Vec<_>>()
            .into(),
        ..OffsetFetchResponseTopics::default()
    });
    OffsetFetchResponseGroup {
        group_id: &group.group_id,
        topics: topics.collect::<Vec<_>>().into(),
        error_code: group.error.0,
    }
}

fn in_each_partition(form: &Form, error: ErrorCode) -> Vec<FetchedTopic> {
    let refused = |partition: &i32| FetchedPartition {
        partition: *partition,
        offset: -1,
        leader_epoch: -1,
        metadata: "".into(),
        error,
    };
    form.iter()
        .map(|topic| FetchedTopic {
            topic: topic.topic.clone(),
            partitions: topic.partitions.iter().map(refused).collect(),
        })
        .collect()
}

const GROUP_ERROR_SINCE: i16 = 2;
const SEVERAL_SINCE: i16 = 8;
