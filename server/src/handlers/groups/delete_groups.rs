//! DeleteGroups.

use std::collections::BTreeSet;

use logmill_wire::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use logmill_wire::{EncodeError, Message, Writer};

use crate::groups::{Answer, Ask, DeleteGroups};

pub(super) fn ask(request: &DeleteGroupsRequest<'_>) -> Vec<Ask> {
    let mut seen = BTreeSet::new();
    let names = request
        .groups_names
        .iter()
        .filter(|name| seen.insert(*name));
    names
        .map(|name| {
            Ask::Delete(DeleteGroups {
                groups: vec![name.to_owned()],
            })
        })
        .collect()
}

pub(super) fn reply(
    answers: impl Iterator<Item = Answer>,
    version: i16,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut results = Vec::new();
    for answer in answers {
        let Answer::Delete(groups) = answer else {
            panic!("{answer:?} answers no deletion")
        };
        results.extend(groups);
    }
    let results: Vec<_> = results
        .iter()
        .map(|(group_id, error)| DeletableGroupResult {
            group_id,
            error_code: error.0,
        })
        .collect();
    let response = DeleteGroupsResponse {
        results: results.into(),
        ..DeleteGroupsResponse::default()
    };
    response.encode(out, version)
}
