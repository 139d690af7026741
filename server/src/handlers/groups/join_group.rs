//! JoinGroup.

use logmill_wire::messages::join_group::{
    JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember,
};
use logmill_wire::{EncodeError, Message, Writer};

use super::{Client, owned};
use crate::groups::{Answer, Ask, JoinGroup, Protocol};

pub(super) fn ask(version: i16, client: Client<'_>, request: &JoinGroupRequest<'_>) -> Ask {
    let protocols = request.protocols.iter().map(|protocol| Protocol {
        name: protocol.name.to_owned(),
        metadata: protocol.metadata.into(),
    });
    let rebalance_timeout_ms = match version {
        0 => request.session_timeout_ms,
        _ => request.rebalance_timeout_ms,
    };
    Ask::Join(Box::new(JoinGroup {
        group_id: request.group_id.to_owned(),
        member_id: request.member_id.to_owned(),
        group_instance_id: owned(request.group_instance_id),
        client_id: client.id.to_owned(),
        client_host: client.host.to_owned(),
        protocol_type: request.protocol_type.to_owned(),
        protocols: protocols.collect(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms,
        must_know_member_id: version >= KNOWN_ID_SINCE,
        can_skip_assignment: version >= SKIP_SINCE,
    }))
}

pub(super) fn reply(
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let Some(Answer::Join(answer)) = answer else {
        panic!("{answer:?} answers no join")
    };
    let members: Vec<_> = answer
        .members
        .iter()
        .map(|member| JoinGroupResponseMember {
            member_id: &member.member_id,
            group_instance_id: member.group_instance_id.as_deref(),
            metadata: &member.metadata,
        })
        .collect();
    let protocol_name = match answer.protocol_name.as_deref() {
        None if version < NULL_PROTOCOL_SINCE => Some(""),
        name => name,
    };
    let response = JoinGroupResponse {
        error_code: answer.error.0,
        generation_id: answer.generation,
        protocol_type: answer.protocol_type.as_deref(),
        protocol_name,
        leader: &answer.leader,
        skip_assignment: answer.skip_assignment && version >= SKIP_SINCE,
        member_id: &answer.member_id,
        members: members.into(),
        ..JoinGroupResponse::default()
    };
    response.encode(out, version)
}

/// KIP-394.
const KNOWN_ID_SINCE: i16 = 4;
const NULL_PROTOCOL_SINCE: i16 = 7;
/// KIP-814.
const SKIP_SINCE: i16 = 9;
