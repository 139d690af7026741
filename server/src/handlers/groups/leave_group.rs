//! LeaveGroup: one member, or from version 3 several (KIP-345).

use logmill_wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::owned;
use crate::groups::{Answer, Ask, LeaveGroup, LeavingMember};

pub(super) fn ask(version: i16, request: &LeaveGroupRequest<'_>) -> Ask {
    let members = if version < SEVERAL_SINCE {
        vec![LeavingMember {
            member_id: request.member_id.to_owned(),
            group_instance_id: None,
        }]
    } else {
        let members = request.members.iter().map(|member| LeavingMember {
            member_id: member.member_id.to_owned(),
            group_instance_id: owned(member.group_instance_id),
        });
        members.collect()
    };
    Ask::Leave(LeaveGroup {
        group_id: request.group_id.to_owned(),
        members,
    })
}

pub(super) fn reply(
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let Some(Answer::Leave(answer)) = answer else {
        panic!("{answer:?} answers no leave")
    };
    if version < SEVERAL_SINCE {
        let of_member = answer.members.first().map(|member| member.error);
        let error = match answer.error {
            ErrorCode::NONE => of_member.unwrap_or(ErrorCode::NONE),
            error => error,
        };
        let response = LeaveGroupResponse {
            error_code: error.0,
            ..LeaveGroupResponse::default()
        };
        return response.encode(out, version);
    }
    let members: Vec<_> = answer
        .members
        .iter()
        .map(|member| MemberResponse {
            member_id: &member.member_id,
            group_instance_id: member.group_instance_id.as_deref(),
            error_code: member.error.0,
        })
        .collect();
    let response = LeaveGroupResponse {
        error_code: answer.error.0,
        members: members.into(),
        ..LeaveGroupResponse::default()
    };
    response.encode(out, version)
}

const SEVERAL_SINCE: i16 = 3;
