//! DescribeGroups.

use logmill_wire::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::groups::{self, Answer, Ask, DescribeGroups};
use crate::handlers::authorized;

pub(super) fn ask(version: i16, request: &DescribeGroupsRequest<'_>) -> (bool, Vec<Ask>) {
    let asks = request.groups.iter().map(|name| {
        Ask::Describe(DescribeGroups {
            groups: vec![name.to_owned()],
            missing_is_error: version >= MISSING_SINCE,
        })
    });
    (request.include_authorized_operations, asks.collect())
}

pub(super) fn reply(
    operations: bool,
    answers: impl Iterator<Item = Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut described = Vec::new();
    for answer in answers {
        let Answer::Describe(groups) = answer else {
            panic!("{answer:?} answers no description")
        };
        described.extend(groups);
    }
    let groups: Vec<_> = described
        .iter()
        .map(|group| encoded(group, operations, version))
        .collect();
    let response = DescribeGroupsResponse {
        groups: groups.into(),
        ..DescribeGroupsResponse::default()
    };
    response.encode(out, version)
}

fn encoded(group: &groups::DescribedGroup, operations: bool, version: i16) -> DescribedGroup<'_> {
    let members: Vec<_> = group
        .members
        .iter()
        .map(|member| DescribedGroupMember {
            member_id: &member.member_id,
            group_instance_id: member.group_instance_id.as_deref(),
            client_id: &member.client_id,
            client_host: &member.client_host,
            member_metadata: &member.metadata,
            member_assignment: &member.assignment,
        })
        .collect();
    let error_message = group.error_message.as_deref();
    DescribedGroup {
        error_code: group.error.0,
        error_message: error_message.filter(|_| version >= MISSING_SINCE),
        group_id: &group.group_id,
        group_state: group.state,
        protocol_type: &group.protocol_type,
        protocol_data: &group.protocol_data,
        members: members.into(),
        authorized_operations: match operations && group.error == ErrorCode::NONE {
            true => authorized::GROUP,
            false => i32::MIN,
        },
    }
}

const MISSING_SINCE: i16 = 6;
