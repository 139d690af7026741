//! What is only looked at: committed offsets, descriptions, lists.

use std::sync::Arc;

use logmill_wire::ErrorCode;

use super::answer::{
    DescribedGroup, DescribedMember, FetchAnswer, FetchedPartition, FetchedTopic, ListedGroup,
};
use super::ask::{DescribeGroups, FetchTopic, ListGroups, OffsetFetch};
use super::group::{Group, State};
use super::offsets::Committed;

/// Committed offsets; a group that does not exist has none, and that is no error.
pub(super) fn fetch(group: Option<&Group>, ask: &OffsetFetch) -> FetchAnswer {
    let topics = match (&ask.topics, group) {
        (Some(topics), group) => topics
            .iter()
            .map(|topic| fetch_topic(group, topic))
            .collect(),
        (None, Some(group)) => fetch_all(group),
        (None, None) => Vec::new(),
    };
    FetchAnswer {
        group_id: ask.group_id.clone(),
        error: ErrorCode::NONE,
        topics,
    }
}

/// A group as administrators see it.
pub(super) fn describe(group: Option<&Group>, id: &str, ask: &DescribeGroups) -> DescribedGroup {
    let Some(group) = group else {
        let mut dead = DescribedGroup::failed(ErrorCode::NONE, id);
        dead.state = DEAD;
        if ask.missing_is_error {
            dead.error = ErrorCode::GROUP_ID_NOT_FOUND;
            dead.error_message = Some(format!("Group {id} not found."));
        }
        return dead;
    };
    let protocol = group
        .protocol
        .as_deref()
        .filter(|_| group.is(State::Stable));
    let members = group.members.iter().map(|member| DescribedMember {
        member_id: String::from(&*member.id),
        group_instance_id: member.instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: protocol.map_or_else(Arc::default, |protocol| member.metadata(protocol)),
        assignment: member.assignment.clone(),
    });
    DescribedGroup {
        error: ErrorCode::NONE,
        error_message: None,
        group_id: id.to_owned(),
        state: group.state.name(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol_data: protocol.unwrap_or_default().to_owned(),
        members: members.collect(),
    }
}

/// The group in a list, if the list is about such groups.
pub(super) fn list(group: &Group, ask: &ListGroups) -> Option<ListedGroup> {
    let is_named = |names: &[String], name: &str| {
        let mut names = names.iter();
        names.len() == 0 || names.any(|asked| asked.trim().eq_ignore_ascii_case(name))
    };
    let state = group.state.name();
    let listed = is_named(&ask.states, state) && is_named(&ask.types, CLASSIC);
    listed.then(|| ListedGroup {
        group_id: String::from(&*group.id),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        state,
        group_type: CLASSIC,
    })
}

fn fetch_topic(group: Option<&Group>, asked: &FetchTopic) -> FetchedTopic {
    let partitions = asked.partitions.iter().map(|partition| {
        let committed = group.and_then(|group| group.offsets.get(&asked.topic, *partition));
        fetched(*partition, committed)
    });
    FetchedTopic {
        topic: asked.topic.clone(),
        partitions: partitions.collect(),
    }
}

fn fetch_all(group: &Group) -> Vec<FetchedTopic> {
    let topics = group.offsets.topics();
    let topics = topics.map(|(topic, partitions)| {
        let partitions = partitions.iter();
        let partitions = partitions.map(|(number, committed)| fetched(*number, Some(committed)));
        FetchedTopic {
            topic: topic.to_owned(),
            partitions: partitions.collect(),
        }
    });
    topics.collect()
}

fn fetched(partition: i32, committed: Option<&Committed>) -> FetchedPartition {
    FetchedPartition {
        partition,
        offset: committed.map_or(-1, |committed| committed.offset),
        leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch),
        metadata: committed.map_or_else(Arc::default, |it| Arc::clone(&it.metadata)),
        error: ErrorCode::NONE,
    }
}

/// What a group that does not exist is called.
const DEAD: &str = "Dead";
const CLASSIC: &str = "classic";
