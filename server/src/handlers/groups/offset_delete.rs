//! OffsetDelete: offsets of partitions that exist; others are refused here.

use logmill_wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{Refused, known_parts, merge};
use crate::groups::{Answer, Ask, FetchTopic, OffsetDelete};
use crate::handlers::context::RequestContext;

pub(super) fn ask(
    ctx: &RequestContext<'_>,
    request: &OffsetDeleteRequest<'_>,
) -> (Refused, Option<Ask>) {
    let mut refused = Vec::new();
    let mut topics = Vec::new();
    for topic in request.topics.iter() {
        let indexes = topic.partitions.iter().map(|one| one.partition_index);
        let known = known_parts(ctx, &mut refused, topic.name, indexes, |index| *index);
        if !known.is_empty() {
            topics.push(FetchTopic {
                topic: topic.name.to_owned(),
                partitions: known,
            });
        }
    }
    let ask = (!topics.is_empty()).then(|| {
        Ask::DeleteOffsets(OffsetDelete {
            group_id: request.group_id.to_owned(),
            topics,
        })
    });
    (refused, ask)
}

pub(super) fn reply(
    refused: Refused,
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let (error, results) = match answer {
        None => (ErrorCode::NONE, refused),
        Some(Answer::DeleteOffsets(answer)) if answer.error != ErrorCode::NONE => {
            (answer.error, Vec::new())
        }
        Some(Answer::DeleteOffsets(answer)) => (ErrorCode::NONE, merge(refused, answer.topics)),
        Some(other) => panic!("{other:?} answers no deletion of offsets"),
    };
    let topics: Vec<_> = results
        .iter()
        .map(|topic| OffsetDeleteResponseTopic {
            name: &topic.topic,
            partitions: topic
                .partitions
                .iter()
                .map(|&(partition_index, error)| OffsetDeleteResponsePartition {
                    partition_index,
                    error_code: error.0,
                })
                .collect::<Vec<_>>()
                .into(),
        })
        .collect();
    let response = OffsetDeleteResponse {
        error_code: error.0,
        topics: topics.into(),
        ..OffsetDeleteResponse::default()
    };
    response.encode(out, version)
}
