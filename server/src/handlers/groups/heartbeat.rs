//! Heartbeat.

use logmill_wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use logmill_wire::{EncodeError, Message, Writer};

use super::owned;
use crate::groups::{Answer, Ask, Heartbeat};

pub(super) fn ask(request: &HeartbeatRequest<'_>) -> Ask {
    Ask::Heartbeat(Heartbeat {
        group_id: request.group_id.to_owned(),
        generation: request.generation_id,
        member_id: request.member_id.to_owned(),
        group_instance_id: owned(request.group_instance_id),
    })
}

pub(super) fn reply(
    answer: Option<Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let Some(Answer::Heartbeat(error)) = answer else {
        panic!("{answer:?} answers no heartbeat")
    };
    let response = HeartbeatResponse {
        error_code: error.0,
        ..HeartbeatResponse::default()
    };
    response.encode(out, version)
}
