//! ListGroups: every coordinator's.

use logmill_wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use super::{Asked, Form, GroupCall, offsets_partitions};
use crate::groups::{Answer, Ask, ListGroups};
use crate::handlers::Caller;
use crate::handlers::context::RequestContext;

pub(super) fn begin(
    ctx: &RequestContext<'_>,
    caller: Caller,
    request: &ListGroupsRequest<'_>,
) -> (GroupCall, Vec<Asked>) {
    let texts = |filter: &logmill_wire::Array<'_, &str>| -> Vec<String> {
        filter.iter().map(|text| text.to_owned()).collect()
    };
    let ask = ListGroups {
        states: texts(&request.states_filter),
        types: texts(&request.types_filter),
    };
    let asks = (0..offsets_partitions(ctx)).map(|partition| Asked {
        partition: Some(partition),
        ask: Ask::List(ask.clone()),
    });
    GroupCall::new(caller, Form::List, asks.collect())
}

pub(super) fn reply(
    answers: impl Iterator<Item = Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut error = ErrorCode::NONE;
    let mut listed = Vec::new();
    for answer in answers {
        let Answer::List(answer) = answer else {
            panic!("{answer:?} answers no list")
        };
        if answer.error != ErrorCode::NONE {
            error = answer.error;
        }
        listed.extend(answer.groups);
    }
    let groups: Vec<_> = listed
        .iter()
        .map(|group| ListedGroup {
            group_id: &group.group_id,
            protocol_type: &group.protocol_type,
            group_state: group.state,
            group_type: group.group_type,
        })
        .collect();
    let response = ListGroupsResponse {
        error_code: error.0,
        groups: groups.into(),
        ..ListGroupsResponse::default()
    };
    response.encode(out, version)
}
