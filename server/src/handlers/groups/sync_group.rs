//! SyncGroup.

use logmill_wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use logmill_wire::{EncodeError, Message, Writer};

use super::owned;
use crate::groups::{Answer, Ask, SyncGroup};

pub(super) fn ask(request: &SyncGroupRequest<'_>) -> Ask {
    let assignments = request
        .assignments
        .iter()
        .map(|one| (one.member_id.to_owned(), one.assignment.into()));
    Ask::Sync(Box::new(SyncGroup {
        group_id: request.group_id.to_owned(),
        generation: request.generation_id,
        member_id: request.member_id.to_owned(),
        group_instance_id: owned(request.group_instance_id),
        protocol_type: owned(request.protocol_type),
        protocol_name: owned(request.protocol_name),
        assignments: assignments.collect(),
    }))
}

pub(super) fn reply(
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let Some(Answer::Sync(answer)) = answer else {
        panic!("{answer:?} answers no sync")
    };
    let response = SyncGroupResponse {
        error_code: answer.error.0,
        protocol_type: answer.protocol_type.as_deref(),
        protocol_name: answer.protocol_name.as_deref(),
        assignment: &answer.assignment,
        ..SyncGroupResponse::default()
    };
    response.encode(out, version)
}
