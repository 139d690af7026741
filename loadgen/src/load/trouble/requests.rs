//! The requests of clients that misbehave, and what is read of the answers.

use logmill_client::{Connection, CorrelationId, Reply, SendError, SendOptions};
use logmill_wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse,
};
use logmill_wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};
use logmill_wire::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use logmill_wire::{Array, DecodeError, ErrorCode, Message, Reader};

use super::rogue::{Answer, Ask, Habit, REBALANCE_TIMEOUT, Rogue, SESSION_TIMEOUT};
use crate::clock::nanos;
use crate::net::{NoPayload, no_payload};

/// What all of them talk about.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) topic: String,
    pub(super) partitions: u32,
    /// Metadata of commits, a byte longer than Kafka takes by default.
    words: String,
    /// What large subscriptions and assignments are cut from.
    bulk: Vec<u8>,
}

impl Subject {
    pub(super) fn new(topic: String, partitions: u32) -> Self {
        Self {
            topic,
            partitions,
            words: "w".repeat(METADATA_BYTES_MAX + 1),
            bulk: vec![0; 4 << 20],
        }
    }

    /// Sends what `rogue` asks.
    pub(super) fn send(
        &self,
        connection: &mut Connection<NoPayload>,
        now: u64,
        rogue: &Rogue,
        ask: Ask,
    ) -> Result<CorrelationId, SendError> {
        match ask {
            Ask::Join => self.join(connection, now, rogue),
            Ask::Sync => self.sync(connection, now, rogue),
            Ask::Commit => self.commit(connection, now, rogue),
            Ask::Offsets => {
                // Until version 7 a request is for one group, all of its offsets without topics.
                let options = SendOptions {
                    version_max: 7,
                    ..SendOptions::default()
                };
                let request = OffsetFetchRequest {
                    group_id: &rogue.group,
                    topics: None,
                    ..OffsetFetchRequest::default()
                };
                connection.send(now, &request, options, no_payload)
            }
        }
    }

    fn join(
        &self,
        connection: &mut Connection<NoPayload>,
        now: u64,
        rogue: &Rogue,
    ) -> Result<CorrelationId, SendError> {
        let metadata = match rogue.habit {
            Habit::Garbles => garbled(rogue.round),
            _ => &self.bulk[..rogue.subscription_bytes().min(self.bulk.len())],
        };
        let protocols = [JoinGroupRequestProtocol {
            name: "range",
            metadata,
        }];
        let request = JoinGroupRequest {
            group_id: &rogue.group,
            session_timeout_ms: SESSION_TIMEOUT.as_millis() as i32,
            rebalance_timeout_ms: REBALANCE_TIMEOUT.as_millis() as i32,
            member_id: &rogue.member_id,
            group_instance_id: None,
            protocol_type: PROTOCOL_TYPE,
            protocols: Array::from(&protocols[..]),
            reason: None,
        };
        connection.send(now, &request, waiting(), no_payload)
    }

    fn sync(
        &self,
        connection: &mut Connection<NoPayload>,
        now: u64,
        rogue: &Rogue,
    ) -> Result<CorrelationId, SendError> {
        let assignment = match rogue.habit {
            Habit::Garbles => garbled(rogue.round + 1),
            Habit::Bloats => &self.bulk[..rogue.assignment_bytes().min(self.bulk.len())],
            _ => &[],
        };
        // Whoever sends garbage gives some to members that there are not as well.
        let strangers = ["", "nobody"].into_iter();
        let strangers = strangers.take_while(|_| rogue.habit == Habit::Garbles);
        let members = rogue.members.iter().map(String::as_str).chain(strangers);
        let assignments = members.map(|member_id| SyncGroupRequestAssignment {
            member_id,
            assignment,
        });
        let leads = !rogue.members.is_empty();
        let request = SyncGroupRequest {
            group_id: &rogue.group,
            generation_id: rogue.generation,
            member_id: &rogue.member_id,
            group_instance_id: None,
            protocol_type: Some(PROTOCOL_TYPE),
            protocol_name: Some("range"),
            assignments: assignments.take_while(|_| leads).collect(),
        };
        connection.send(now, &request, waiting(), no_payload)
    }

    fn commit(
        &self,
        connection: &mut Connection<NoPayload>,
        now: u64,
        rogue: &Rogue,
    ) -> Result<CorrelationId, SendError> {
        let is_too_long =
            rogue.habit == Habit::Babbles && rogue.round.is_multiple_of(TOO_LONG_EVERY);
        let length = METADATA_BYTES_MAX + usize::from(is_too_long);
        let partitions = (0..self.partitions).map(|index| OffsetCommitRequestPartition {
            partition_index: index as i32,
            committed_offset: rogue.round as i64,
            committed_leader_epoch: -1,
            committed_metadata: Some(&self.words[..length]),
        });
        let topics = [OffsetCommitRequestTopic {
            name: &self.topic,
            partitions: partitions.collect(),
            ..OffsetCommitRequestTopic::default()
        }];
        let request = OffsetCommitRequest {
            group_id: &rogue.group,
            generation_id_or_member_epoch: -1,
            topics: Array::from(&topics[..]),
            ..OffsetCommitRequest::default()
        };
        // From version 10 on topics go by id, which is not needed here.
        let options = SendOptions {
            version_max: 9,
            ..SendOptions::default()
        };
        connection.send(now, &request, options, no_payload)
    }
}

/// What `reply` says, the worst code of several.
pub(super) fn read(ask: Ask, reply: &Reply) -> Result<Answer, DecodeError> {
    let mut body = Reader::new(reply.frame.bytes());
    let error = match ask {
        Ask::Join => {
            let response = JoinGroupResponse::decode(&mut body, reply.version)?;
            let members = response.members.iter();
            return Ok(Answer {
                error: ErrorCode(response.error_code),
                member_id: response.member_id.to_owned(),
                generation: response.generation_id,
                members: members.map(|member| member.member_id.to_owned()).collect(),
            });
        }
        Ask::Sync => SyncGroupResponse::decode(&mut body, reply.version)?.error_code,
        Ask::Commit => {
            let response = OffsetCommitResponse::decode(&mut body, reply.version)?;
            let topics = response.topics.iter();
            let mut errors = topics.flat_map(|topic| topic.partitions.to_vec());
            let worst = errors.find(|partition| partition.error_code != 0);
            worst.map_or(0, |partition| partition.error_code)
        }
        Ask::Offsets => OffsetFetchResponse::decode(&mut body, reply.version)?.error_code,
    };
    Ok(Answer {
        error: ErrorCode(error),
        ..Answer::default()
    })
}

/// Options of requests that wait for other members, and for the pause before a first rebalance.
fn waiting() -> SendOptions {
    let mut options = SendOptions::default();
    options.timeout_ns += nanos(REBALANCE_TIMEOUT);
    options
}

/// Bytes that are neither a subscription nor an assignment.
fn garbled(round: usize) -> &'static [u8] {
    GARBAGE[round % GARBAGE.len()]
}

/// Nothing; half a version; a version of the far future; version 3 with a list of 2^31 - 1 topics,
/// with a list of -2 topics, with a topic's name that is longer than what follows, with a name that
/// is no UTF-8, and with data of the user of -5 bytes; noise.
const GARBAGE: [&[u8]; 9] = [
    &[],
    &[0],
    &[0x7f, 0xff],
    &[0, 3, 0x7f, 0xff, 0xff, 0xff],
    &[0, 3, 0xff, 0xff, 0xff, 0xfe],
    &[0, 3, 0, 0, 0, 1, 0x7f, 0xff, b't'],
    &[0, 3, 0, 0, 0, 1, 0, 2, 0xc3, 0x28, 0, 0, 0, 0],
    &[0, 3, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfb, 0, 0],
    &[0xa5; 300],
];
const PROTOCOL_TYPE: &str = "consumer";
/// `offset.metadata.max.bytes`.
const METADATA_BYTES_MAX: usize = 4_096;
/// One of so many commits is longer than that.
const TOO_LONG_EVERY: usize = 16;
