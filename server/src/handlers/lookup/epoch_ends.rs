//! OffsetForLeaderEpoch: where a leader's term ended, so that clients and followers find where logs
//! part (KIP-320).

use logmill_engine::base::LeaderEpoch;
use logmill_wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{Lookup, Part, State, open};
use crate::partitions::core::Core;
use crate::partitions::question::{Question, Told};

impl Lookup {
    pub(super) fn take_epoch_ends(
        &mut self,
        core: &Core,
        request: &OffsetForLeaderEpochRequest<'_>,
    ) {
        for topic in &request.topics {
            self.begin_topic(topic.topic);
            for partition in &topic.partitions {
                let question = Question::EpochEnd(LeaderEpoch(partition.leader_epoch));
                let (index, epoch) = (partition.partition, partition.current_leader_epoch);
                let state = open(core, topic.topic, index, epoch, question);
                self.push(index, state);
            }
        }
    }

    pub(super) fn encode_epoch_ends(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let topics: Vec<_> = self
            .by_topic()
            .map(|(topic, parts)| {
                let partitions: Vec<_> = parts.iter().map(partition).collect();
                OffsetForLeaderTopicResult {
                    topic,
                    partitions: partitions.into(),
                }
            })
            .collect();
        let response = OffsetForLeaderEpochResponse {
            topics: topics.into(),
            ..OffsetForLeaderEpochResponse::default()
        };
        response.encode(out, self.caller.version)
    }
}

fn partition(part: &Part) -> EpochEndOffset {
    let unanswered = EpochEndOffset {
        partition: part.index,
        ..EpochEndOffset::default()
    };
    match part.state {
        State::Told(Told::EpochEnd(end)) => EpochEndOffset {
            leader_epoch: end.epoch.0,
            end_offset: end.end.0,
            ..unanswered
        },
        State::Failed(code) => EpochEndOffset {
            error_code: code.0,
            ..unanswered
        },
        State::Told(Told::Offset(_) | Told::LogStart(_)) | State::Open { .. } => EpochEndOffset {
            error_code: ErrorCode::UNKNOWN_SERVER_ERROR.0,
            ..unanswered
        },
    }
}
