//! A member's requests, and what their answers come to.

use logmill_client::{Connection, CorrelationId, Reply, SendError, SendOptions};
use logmill_wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use logmill_wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use logmill_wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse,
};
use logmill_wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse,
};
use logmill_wire::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use logmill_wire::{ApiKey, Array, DecodeError, ErrorCode, Message, Reader};

use super::assignor::Subscriber;
use super::membership::{Ask, Joined, Membership};
use super::protocol;
use crate::clock::nanos;
use crate::net::{NoPayload, no_payload};

/// Sends what `member` asks; `offsets` are what it commits.
pub(super) fn send(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    ask: Ask,
    offsets: &[(u32, i64)],
) -> Result<CorrelationId, SendError> {
    let options = options(member, ask);
    match ask {
        Ask::Join => join(connection, now, member, options),
        Ask::Sync => sync(connection, now, member, options),
        Ask::Offsets => fetch_offsets(connection, now, member, options),
        Ask::Heartbeat => {
            let request = HeartbeatRequest {
                group_id: &member.config().group,
                generation_id: member.generation(),
                member_id: member.member_id(),
                group_instance_id: member.config().instance.as_deref(),
            };
            connection.send(now, &request, options, no_payload)
        }
        Ask::Commit => commit(connection, now, member, offsets, options),
        Ask::Leave => leave(connection, now, member, options),
    }
}

/// Tells `member` what was answered; the error is the worst that the answer names. An answer that
/// cannot be read is an error of the connection.
pub(super) fn take(
    member: &mut Membership,
    now: u64,
    ask: Ask,
    reply: &Reply,
) -> Result<ErrorCode, DecodeError> {
    let mut body = Reader::new(reply.frame.bytes());
    match ask {
        Ask::Join => {
            let response = JoinGroupResponse::decode(&mut body, reply.version)?;
            let joined = read_join(&response, &member.config().topic)?;
            let error = joined.error;
            member.take_join(now, joined);
            Ok(error)
        }
        Ask::Sync => {
            let response = SyncGroupResponse::decode(&mut body, reply.version)?;
            let error = ErrorCode(response.error_code);
            let assigned = protocol::read_assignment(response.assignment, &member.config().topic)?;
            member.take_sync(now, error, &assigned);
            Ok(error)
        }
        Ask::Offsets => {
            let response = OffsetFetchResponse::decode(&mut body, reply.version)?;
            let (error, offsets) = read_offsets(&response);
            member.take_offsets(now, error, &offsets);
            Ok(error)
        }
        Ask::Heartbeat => {
            let response = HeartbeatResponse::decode(&mut body, reply.version)?;
            let error = ErrorCode(response.error_code);
            member.take_heartbeat(now, error);
            Ok(error)
        }
        Ask::Commit => {
            let response = OffsetCommitResponse::decode(&mut body, reply.version)?;
            let topics = response.topics.iter();
            let errors = topics.flat_map(|topic| topic.partitions.to_vec());
            let worst = errors.map(|part| ErrorCode(part.error_code));
            let error = worst.max_by_key(|error| *error != ErrorCode::NONE);
            let error = error.unwrap_or(ErrorCode::NONE);
            member.take_commit(now, error);
            Ok(error)
        }
        Ask::Leave => {
            let response = LeaveGroupResponse::decode(&mut body, reply.version)?;
            let error = ErrorCode(response.error_code);
            member.take_leave(now, error);
            Ok(error)
        }
    }
}

fn options(member: &Membership, ask: Ask) -> SendOptions {
    let mut options = SendOptions::default();
    match ask {
        // Both wait for the other members, as long as these may take.
        Ask::Join | Ask::Sync => {
            options.timeout_ns += nanos(member.config().rebalance_timeout);
        }
        // From version 10 on topics go by id, which is not needed here.
        Ask::Commit | Ask::Offsets => options.version_max = 9,
        Ask::Heartbeat | Ask::Leave => {}
    }
    options
}

fn join(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    options: SendOptions,
) -> Result<CorrelationId, SendError> {
    let config = member.config();
    let owned: Vec<u32> = member.owned().collect();
    let metadata = protocol::subscription(&config.topic, &owned, member.generation());
    let protocols = [JoinGroupRequestProtocol {
        name: config.assignor.name(),
        metadata: &metadata,
    }];
    let request = JoinGroupRequest {
        group_id: &config.group,
        session_timeout_ms: config.session_timeout.as_millis() as i32,
        rebalance_timeout_ms: config.rebalance_timeout.as_millis() as i32,
        member_id: member.member_id(),
        group_instance_id: config.instance.as_deref(),
        protocol_type: PROTOCOL_TYPE,
        protocols: Array::from(&protocols[..]),
        reason: None,
    };
    connection.send(now, &request, options, no_payload)
}

fn sync(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    options: SendOptions,
) -> Result<CorrelationId, SendError> {
    let config = member.config();
    let shares: Vec<(&str, Vec<u8>)> = member
        .shares()
        .iter()
        .map(|(name, mine)| (name.as_str(), protocol::assignment(&config.topic, mine)))
        .collect();
    let assignments: Vec<SyncGroupRequestAssignment<'_>> = shares
        .iter()
        .map(|(member_id, assignment)| SyncGroupRequestAssignment {
            member_id,
            assignment,
        })
        .collect();
    let request = SyncGroupRequest {
        group_id: &config.group,
        generation_id: member.generation(),
        member_id: member.member_id(),
        group_instance_id: config.instance.as_deref(),
        protocol_type: Some(PROTOCOL_TYPE),
        protocol_name: Some(config.assignor.name()),
        assignments: Array::from(assignments),
    };
    connection.send(now, &request, options, no_payload)
}

fn commit(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    offsets: &[(u32, i64)],
    options: SendOptions,
) -> Result<CorrelationId, SendError> {
    let config = member.config();
    let partitions: Vec<OffsetCommitRequestPartition<'_>> = offsets
        .iter()
        .map(|&(index, offset)| OffsetCommitRequestPartition {
            partition_index: index as i32,
            committed_offset: offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(""),
        })
        .collect();
    let topics = [OffsetCommitRequestTopic {
        name: &config.topic,
        partitions: Array::from(partitions),
        ..OffsetCommitRequestTopic::default()
    }];
    let request = OffsetCommitRequest {
        group_id: &config.group,
        generation_id_or_member_epoch: member.generation(),
        member_id: member.member_id(),
        group_instance_id: config.instance.as_deref(),
        topics: Array::from(&topics[..]),
        ..OffsetCommitRequest::default()
    };
    connection.send(now, &request, options, no_payload)
}

fn fetch_offsets(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    options: SendOptions,
) -> Result<CorrelationId, SendError> {
    let config = member.config();
    let indexes: Vec<i32> = member
        .arriving()
        .iter()
        .map(|&index| index as i32)
        .collect();
    let version = connection.version(ApiKey::OffsetFetch, options.version_max)?;
    let one = [OffsetFetchRequestTopic {
        name: &config.topic,
        partition_indexes: Array::from(&indexes[..]),
    }];
    let many = [OffsetFetchRequestTopics {
        name: &config.topic,
        partition_indexes: Array::from(&indexes[..]),
        ..OffsetFetchRequestTopics::default()
    }];
    let groups = [OffsetFetchRequestGroup {
        group_id: &config.group,
        topics: Some(Array::from(&many[..])),
        ..OffsetFetchRequestGroup::default()
    }];
    let require_stable = version >= 7;
    // Since version 8 a request is for several groups.
    let request = if version >= 8 {
        OffsetFetchRequest {
            groups: Array::from(&groups[..]),
            require_stable,
            ..OffsetFetchRequest::default()
        }
    } else {
        OffsetFetchRequest {
            group_id: &config.group,
            topics: Some(Array::from(&one[..])),
            require_stable,
            ..OffsetFetchRequest::default()
        }
    };
    connection.send(now, &request, options, no_payload)
}

fn leave(
    connection: &mut Connection<NoPayload>,
    now: u64,
    member: &Membership,
    options: SendOptions,
) -> Result<CorrelationId, SendError> {
    let config = member.config();
    let version = connection.version(ApiKey::LeaveGroup, options.version_max)?;
    let members = [MemberIdentity {
        member_id: member.member_id(),
        group_instance_id: config.instance.as_deref(),
        reason: None,
    }];
    // Since version 3 several members may go at once.
    let (member_id, members) = if version >= 3 {
        ("", Array::from(&members[..]))
    } else {
        (member.member_id(), Array::default())
    };
    let request = LeaveGroupRequest {
        group_id: &config.group,
        member_id,
        members,
    };
    connection.send(now, &request, options, no_payload)
}

fn read_join(response: &JoinGroupResponse<'_>, topic: &str) -> Result<Joined, DecodeError> {
    let mut members = Vec::with_capacity(response.members.len());
    for member in response.members.iter() {
        let (owned, generation) = protocol::read_subscription(member.metadata, topic)?;
        members.push(Subscriber {
            member_id: member.member_id.to_owned(),
            instance_id: member.group_instance_id.map(str::to_owned),
            owned,
            generation,
        });
    }
    Ok(Joined {
        error: ErrorCode(response.error_code),
        generation: response.generation_id,
        member_id: response.member_id.to_owned(),
        leader: response.leader.to_owned(),
        skip_assignment: response.skip_assignment,
        members,
    })
}

fn read_offsets(response: &OffsetFetchResponse<'_>) -> (ErrorCode, Vec<(u32, i64)>) {
    let mut found: Vec<(i32, i64, i16)> = Vec::new();
    for topic in response.topics.iter() {
        let parts = topic.partitions.iter();
        found.extend(parts.map(|p| (p.partition_index, p.committed_offset, p.error_code)));
    }
    let mut errors = vec![response.error_code];
    for group in response.groups.iter() {
        errors.push(group.error_code);
        for topic in group.topics.iter() {
            let parts = topic.partitions.iter();
            found.extend(parts.map(|p| (p.partition_index, p.committed_offset, p.error_code)));
        }
    }
    errors.extend(found.iter().map(|&(_, _, error)| error));
    let error = errors.into_iter().find(|&error| error != 0).unwrap_or(0);
    let offsets = found
        .into_iter()
        .filter_map(|(index, offset, _)| Some((u32::try_from(index).ok()?, offset)));
    (ErrorCode(error), offsets.collect())
}

const PROTOCOL_TYPE: &str = "consumer";
