//! The produce response.

use std::array;

use logmill_engine::base::PartitionIndex;
use logmill_wire::messages::produce::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use logmill_wire::{Array, EncodeError, ErrorCode, Message, Uuid, Writer};

use super::{Part, Produce, Refusal, TopicPart};
use crate::partitions::core::Core;

impl Produce {
    /// Encodes the response's body.
    pub fn encode(&self, core: &Core, version: i16, out: &mut Writer) -> Result<(), EncodeError> {
        // The common request, one topic with few partitions, is answered without allocating.
        if let [topic] = self.topics.as_slice()
            && topic.part_count <= FEW
        {
            let parts: [_; FEW] = array::from_fn(|at| self.part(core, version, topic, at));
            let topic = self.topic_response(topic, 0, Array::Slice(&parts[..topic.part_count]));
            return response(Array::Slice(&[topic])).encode(out, version);
        }
        let mut topics = Vec::with_capacity(self.topics.len());
        let (mut first, mut name_start) = (0, 0);
        for topic in &self.topics {
            let parts: Vec<_> = (first..first + topic.part_count)
                .map(|at| self.part(core, version, topic, at))
                .collect();
            topics.push(self.topic_response(topic, name_start, Array::Owned(parts)));
            first += topic.part_count;
            name_start = topic.name_end;
        }
        response(Array::Owned(topics)).encode(out, version)
    }

    fn topic_response<'a>(
        &'a self,
        topic: &TopicPart,
        name_start: usize,
        partition_responses: Array<'a, PartitionProduceResponse<'a>>,
    ) -> TopicProduceResponse<'a> {
        TopicProduceResponse {
            name: &self.names[name_start..topic.name_end],
            topic_id: Uuid(topic.id.0),
            partition_responses,
        }
    }

    fn part<'a>(
        &'a self,
        core: &Core,
        version: i16,
        topic: &TopicPart,
        at: usize,
    ) -> PartitionProduceResponse<'a> {
        let Some(part) = self.parts.get(at) else {
            return PartitionProduceResponse::default();
        };
        PartitionProduceResponse {
            index: part.index,
            error_code: part.code.0,
            base_offset: part.base_offset,
            log_append_time_ms: part.append_time,
            log_start_offset: part.log_start,
            record_errors: self.record_errors(at),
            error_message: self.refusal(at).and_then(|refusal| refusal.text.as_deref()),
            current_leader: match version {
                FIRST_VERSION_WITH_LEADERS.. => self.leader(core, topic, part),
                _ => LeaderIdAndEpoch::default(),
            },
        }
    }

    /// KIP-951: who leads, told with the one error that says "not I".
    fn leader(&self, core: &Core, topic: &TopicPart, part: &Part) -> LeaderIdAndEpoch {
        if part.code != ErrorCode::NOT_LEADER_OR_FOLLOWER {
            return LeaderIdAndEpoch::default();
        }
        let index = PartitionIndex(part.index);
        let topic = topic.known.and_then(|id| core.catalog.by_id(id));
        let known = topic.and_then(|topic| topic.partition(index));
        known.map_or_else(LeaderIdAndEpoch::default, |known| LeaderIdAndEpoch {
            leader_id: known.leader,
            leader_epoch: known.epoch.0,
        })
    }

    fn record_errors(&self, at: usize) -> Array<'_, BatchIndexAndErrorMessage<'_>> {
        let Some(refusal) = self.refusal(at) else {
            return Array::empty();
        };
        let errors = refusal
            .faults
            .iter()
            .map(|fault| BatchIndexAndErrorMessage {
                batch_index: fault.index,
                batch_index_error_message: refusal.text.as_deref(),
            });
        errors.collect()
    }

    fn refusal(&self, at: usize) -> Option<&Refusal> {
        self.refusals
            .iter()
            .find(|(part, _)| *part == at)
            .map(|(_, refusal)| refusal)
    }
}

fn response<'a>(responses: Array<'a, TopicProduceResponse<'a>>) -> ProduceResponse<'a> {
    ProduceResponse {
        responses,
        ..ProduceResponse::default()
    }
}

const FEW: usize = 8;
const FIRST_VERSION_WITH_LEADERS: i16 = 10;
