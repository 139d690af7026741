//! OffsetCommit: partitions that exist go to the coordinator, others are refused here.

use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{is_known, owned};
use crate::groups::{Answer, Ask, CommitPartition, CommitTopic, OffsetCommit, PartitionErrors};
use crate::handlers::context::RequestContext;

/// What was refused before the coordinator was asked.
pub(super) type Refused = Vec<PartitionErrors>;

pub(super) fn ask(
    ctx: &RequestContext<'_>,
    request: &OffsetCommitRequest<'_>,
) -> (Refused, Option<Ask>) {
    let mut refused = Vec::new();
    let mut topics = Vec::new();
    for topic in request.topics.iter() {
        let mut unknown = Vec::new();
        let mut partitions = Vec::new();
        for one in topic.partitions.iter() {
            if !is_known(ctx, topic.name, one.partition_index) {
                unknown.push((one.partition_index, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
                continue;
            }
            partitions.push(CommitPartition {
                partition: one.partition_index,
                offset: one.committed_offset,
                leader_epoch: one.committed_leader_epoch,
                metadata: one.committed_metadata.unwrap_or_default().to_owned(),
            });
        }
        if !unknown.is_empty() {
            refused.push(PartitionErrors {
                topic: topic.name.to_owned(),
                partitions: unknown,
            });
        }
        if !partitions.is_empty() {
            topics.push(CommitTopic {
                topic: topic.name.to_owned(),
                partitions,
            });
        }
    }
    if topics.is_empty() {
        return (refused, None);
    }
    let ask = Ask::Commit(OffsetCommit {
        group_id: request.group_id.to_owned(),
        generation: request.generation_id_or_member_epoch,
        member_id: request.member_id.to_owned(),
        group_instance_id: owned(request.group_instance_id),
        knows_group_not_found: ctx.version >= GROUP_NOT_FOUND_SINCE,
        retention_ms: (request.retention_time_ms >= 0).then_some(request.retention_time_ms),
        topics,
    });
    (refused, Some(ask))
}

pub(super) fn reply(
    refused: Refused,
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let results = match answer {
        None => refused,
        Some(Answer::Commit(answered)) => merge(refused, answered),
        Some(other) => panic!("{other:?} answers no commit"),
    };
    let topics: Vec<_> = results
        .iter()
        .map(|topic| OffsetCommitResponseTopic {
            name: &topic.topic,
            partitions: topic
                .partitions
                .iter()
                .map(|&(partition_index, error)| OffsetCommitResponsePartition {
                    partition_index,
                    error_code: error.0,
                })
                .collect::<Vec<_>>()
                .into(),
            ..OffsetCommitResponseTopic::default()
        })
        .collect();
    let response = OffsetCommitResponse {
        topics: topics.into(),
        ..OffsetCommitResponse::default()
    };
    response.encode(out, version)
}

const GROUP_NOT_FOUND_SINCE: i16 = 9;

/// Refused partitions stand before those that were asked, as Kafka answers.
pub(super) fn merge(
    mut refused: Vec<PartitionErrors>,
    answered: Vec<PartitionErrors>,
) -> Vec<PartitionErrors> {
    for topic in answered {
        match refused.iter_mut().find(|known| known.topic == topic.topic) {
            Some(known) => known.partitions.extend(topic.partitions),
            None => refused.push(topic),
        }
    }
    refused
}
