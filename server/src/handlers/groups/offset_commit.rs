//! OffsetCommit: partitions that exist go to the coordinator, others are refused here.

use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use logmill_wire::{EncodeError, Message, Writer};

use super::{Refused, known_parts, merge, owned};
use crate::groups::{Answer, Ask, CommitPartition, CommitTopic, OffsetCommit};
use crate::handlers::context::RequestContext;

pub(super) fn ask(
    ctx: &RequestContext<'_>,
    request: &OffsetCommitRequest<'_>,
) -> (Refused, Option<Ask>) {
    let mut refused = Vec::new();
    let mut topics = Vec::new();
    for topic in request.topics.iter() {
        let parts = topic.partitions.iter();
        let known = known_parts(ctx, &mut refused, topic.name, parts, |it| {
            it.partition_index
        });
        if !known.is_empty() {
            topics.push(CommitTopic {
                topic: topic.name.to_owned(),
                partitions: known.iter().map(partition).collect(),
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

fn partition(asked: &OffsetCommitRequestPartition<'_>) -> CommitPartition {
    CommitPartition {
        partition: asked.partition_index,
        offset: asked.committed_offset,
        leader_epoch: asked.committed_leader_epoch,
        metadata: asked.committed_metadata.unwrap_or_default().to_owned(),
    }
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
