//! ListOffsets: the offset that belongs to a timestamp, or an end of the log.
//!
//! KAFKA: `ReplicaManager.fetchOffset`, `Partition.fetchOffsetForTimestamp`.

use std::collections::HashSet;

use logmill_engine::store::{Isolation, OffsetSpec};
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{Lookup, Part, State, open};
use crate::partitions::core::Core;
use crate::partitions::question::{Question, Told};

impl Lookup {
    pub(super) fn take_list_offsets(&mut self, core: &Core, request: &ListOffsetsRequest<'_>) {
        let isolation = match request.isolation_level {
            0 => Isolation::ReadUncommitted,
            _ => Isolation::ReadCommitted,
        };
        let version = self.caller.version;
        let (mut seen, mut doubled) = (HashSet::new(), HashSet::new());
        for topic in &request.topics {
            for partition in &topic.partitions {
                if !seen.insert((topic.name, partition.partition_index)) {
                    doubled.insert((topic.name, partition.partition_index));
                }
            }
        }
        let mut refused = HashSet::new();
        for topic in &request.topics {
            self.begin_topic(topic.name);
            for partition in &topic.partitions {
                let index = partition.partition_index;
                let state = match spec(partition.timestamp, version, isolation) {
                    // One that was asked for twice is refused once.
                    _ if doubled.contains(&(topic.name, index)) => {
                        if !refused.insert((topic.name, index)) {
                            continue;
                        }
                        State::Failed(ErrorCode::INVALID_REQUEST)
                    }
                    None => State::Failed(ErrorCode::UNSUPPORTED_VERSION),
                    Some(spec) => {
                        let question = Question::Offset(spec, isolation);
                        let epoch = partition.current_leader_epoch;
                        open(core, topic.name, index, epoch, question)
                    }
                };
                self.push(index, state);
            }
        }
    }

    pub(super) fn encode_list_offsets(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let version = self.caller.version;
        let topics: Vec<_> = self
            .by_topic()
            .map(|(name, parts)| {
                let partitions: Vec<_> =
                    parts.iter().map(|part| partition(part, version)).collect();
                ListOffsetsTopicResponse {
                    name,
                    partitions: partitions.into(),
                }
            })
            .collect();
        let response = ListOffsetsResponse {
            topics: topics.into(),
            ..ListOffsetsResponse::default()
        };
        response.encode(out, version)
    }
}

/// What a timestamp asks for; `None` if the version does not have it.
fn spec(timestamp: i64, version: i16, isolation: Isolation) -> Option<OffsetSpec> {
    match timestamp {
        LATEST => Some(OffsetSpec::Latest(isolation)),
        EARLIEST => Some(OffsetSpec::Earliest),
        MAX_TIMESTAMP if version >= 7 => Some(OffsetSpec::MaxTimestamp),
        // Without tiered storage the local log is all there is.
        EARLIEST_LOCAL if version >= 8 => Some(OffsetSpec::Earliest),
        // Nothing is tiered: no timestamp is as late as this, so nothing is found.
        LATEST_TIERED if version >= 9 => Some(OffsetSpec::AtOrAfter(i64::MAX)),
        0.. => Some(OffsetSpec::AtOrAfter(timestamp)),
        _ => None,
    }
}

fn partition(part: &Part, version: i16) -> ListOffsetsPartitionResponse {
    let unanswered = ListOffsetsPartitionResponse {
        partition_index: part.index,
        ..ListOffsetsPartitionResponse::default()
    };
    match part.state {
        State::Told(Told::Offset(found)) => match found.offset {
            Some(offset) => ListOffsetsPartitionResponse {
                timestamp: found.timestamp,
                offset: offset.0,
                // Version 4 brought the field.
                leader_epoch: if version >= 4 {
                    found.leader_epoch.0
                } else {
                    -1
                },
                ..unanswered
            },
            None => unanswered,
        },
        State::Failed(code) => ListOffsetsPartitionResponse {
            error_code: code.0,
            ..unanswered
        },
        State::Told(Told::EpochEnd(_) | Told::LogStart(_)) | State::Open { .. } => {
            ListOffsetsPartitionResponse {
                error_code: ErrorCode::UNKNOWN_SERVER_ERROR.0,
                ..unanswered
            }
        }
    }
}

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_timestamps_come_with_their_versions() {
        let known =
            |timestamp, version| spec(timestamp, version, Isolation::ReadUncommitted).is_some();
        assert!(known(LATEST, 1) && known(EARLIEST, 1) && known(0, 1));
        assert!(!known(MAX_TIMESTAMP, 6) && known(MAX_TIMESTAMP, 7));
        assert!(!known(EARLIEST_LOCAL, 7) && known(EARLIEST_LOCAL, 8));
        assert!(!known(LATEST_TIERED, 8) && known(LATEST_TIERED, 9));
        assert!(!known(-6, 10));
    }
}
