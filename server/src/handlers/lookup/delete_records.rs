//! DeleteRecords: partitions begin later.
//!
//! KAFKA: `KafkaApis.handleDeleteRecordsRequest`, `ReplicaManager.deleteRecordsOnLocalLog`,
//! `Partition.deleteRecordsOnLeader`.

use std::collections::BTreeMap;

use logmill_wire::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{Lookup, Part, State, open};
use crate::metadata::is_internal;
use crate::partitions::core::Core;
use crate::partitions::question::{Question, Told};

impl Lookup {
    pub(super) fn take_delete_records(&mut self, core: &Core, request: &DeleteRecordsRequest<'_>) {
        // A partition that is named twice is asked for once, with the last offset.
        let mut topics: BTreeMap<&str, BTreeMap<i32, i64>> = BTreeMap::new();
        for topic in &request.topics {
            for partition in &topic.partitions {
                // Kafka answers by partition: a topic of which none is asked for is left out.
                let parts = topics.entry(topic.name).or_default();
                parts.insert(partition.partition_index, partition.offset);
            }
        }
        for (topic, parts) in topics {
            self.begin_topic(topic);
            for (index, offset) in parts {
                self.push(index, delete(core, topic, index, offset));
            }
        }
    }

    pub(super) fn encode_delete_records(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let topics: Vec<_> = self
            .by_topic()
            .map(|(name, parts)| {
                let partitions: Vec<_> = parts.iter().map(partition).collect();
                DeleteRecordsTopicResult {
                    name,
                    partitions: partitions.into(),
                }
            })
            .collect();
        let response = DeleteRecordsResponse {
            throttle_time_ms: 0,
            topics: topics.into(),
        };
        response.encode(out, self.caller.version)
    }
}

/// What to ask of a partition, unless its topic does not let records be deleted.
fn delete(core: &Core, topic: &str, index: i32, offset: i64) -> State {
    let state = open(core, topic, index, -1, Question::DeleteBefore(offset));
    let deletes = |topic| {
        core.catalog
            .by_name(topic)
            .is_some_and(|t| t.config.retention.delete)
    };
    match state {
        State::Open { .. } if is_internal(topic) => {
            State::Failed(ErrorCode::INVALID_TOPIC_EXCEPTION)
        }
        State::Open { .. } if !deletes(topic) => State::Failed(ErrorCode::POLICY_VIOLATION),
        state => state,
    }
}

fn partition(part: &Part) -> DeleteRecordsPartitionResult {
    let (low_watermark, error_code) = match part.state {
        State::Told(Told::LogStart(start)) => (start.0, ErrorCode::NONE),
        State::Failed(code) => (NO_LOW_WATERMARK, code),
        _ => (NO_LOW_WATERMARK, ErrorCode::UNKNOWN_SERVER_ERROR),
    };
    DeleteRecordsPartitionResult {
        partition_index: part.index,
        low_watermark,
        error_code: error_code.0,
    }
}

/// `DeleteRecordsResponse.INVALID_LOW_WATERMARK`.
const NO_LOW_WATERMARK: i64 = -1;
