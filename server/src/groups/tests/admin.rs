//! Groups described, listed and deleted.

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

fn delete(world: &mut World, groups: &[&str]) -> Vec<ErrorCode> {
    let ticket = world.ask(Ask::Delete(DeleteGroups {
        groups: groups.iter().map(|id| (*id).to_owned()).collect(),
    }));
    match world.answer(ticket) {
        Answer::Delete(groups) => groups.iter().map(|(_, error)| *error).collect(),
        other => panic!("{other:?}"),
    }
}

fn list(world: &mut World, states: &[&str], types: &[&str]) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let ticket = world.ask(Ask::List(ListGroups {
        states: owned(states),
        types: owned(types),
    }));
    let Answer::List(answer) = world.answer(ticket) else {
        panic!("another answer");
    };
    let groups = answer.groups.iter();
    groups
        .map(|it| {
            format!(
                "{} {} {} {}",
                it.group_id, it.protocol_type, it.state, it.group_type
            )
        })
        .collect()
}

#[test]
fn a_group_that_does_not_exist_is_dead_or_an_error() {
    let mut world = World::new();
    let dead = world.describe();
    assert_eq!((dead.error, dead.state), (ErrorCode::NONE, "Dead"));
    let ticket = world.ask(Ask::Describe(DescribeGroups {
        groups: vec!["a".to_owned()],
        missing_is_error: true,
    }));
    let Answer::Describe(groups) = world.answer(ticket) else {
        panic!("another answer");
    };
    assert_eq!(groups[0].error, ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(
        groups[0].error_message.as_deref(),
        Some("Group a not found.")
    );
    assert_eq!(groups[0].state, "Dead");
}

#[test]
fn a_stable_group_tells_protocol_subscriptions_and_assignments() {
    let mut world = World::new();
    let members = world.stable_group(1);
    let group = world.describe();
    assert_eq!(group.protocol_data, "range");
    assert_eq!(group.protocol_type, "consumer");
    let member = &group.members[0];
    assert_eq!(&*member.assignment, members[0].member_id.as_bytes());
    assert_eq!(member.metadata, protocol("range", &["events"]).metadata);
    assert_eq!(
        (&*member.client_id, &*member.client_host),
        ("client", "/127.0.0.1")
    );
    world.join(|_| {});
    let group = world.describe();
    assert_eq!(
        (group.state, &*group.protocol_data),
        ("PreparingRebalance", "")
    );
    assert!(group.members[0].metadata.is_empty());
}

#[test]
fn lists_are_of_the_states_and_types_that_are_asked() {
    let mut world = World::new();
    world.stable_group(1);
    world.commit("events", 1, |ask| ask.group_id = "alone".to_owned());
    let (alone, readers) = ("alone  Empty classic", "readers consumer Stable classic");
    assert_eq!(list(&mut world, &[], &[]), [alone, readers]);
    assert_eq!(list(&mut world, &["stable"], &[]), [readers]);
    assert_eq!(
        list(&mut world, &["EMPTY", "Stable"], &["Classic"]),
        [alone, readers]
    );
    assert!(list(&mut world, &[], &["consumer"]).is_empty());
    assert!(list(&mut world, &["Dead"], &[]).is_empty());
}

#[test]
fn groups_without_members_are_deleted_with_their_offsets() {
    let mut world = World::new();
    world.commit("events", 1, |_| {});
    let ticket = world.join(|_| {});
    let errors = delete(&mut world, &[GROUP, "nobody"]);
    let expected = [ErrorCode::NON_EMPTY_GROUP, ErrorCode::GROUP_ID_NOT_FOUND];
    assert_eq!(errors, expected);
    world.pass(3_010);
    let id = world.joined(ticket).member_id.clone();
    world.leave(&[(&id, None)]);
    // An id that was given out goes with the group.
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    let id = world.joined(ticket).member_id.clone();
    assert_eq!(delete(&mut world, &[GROUP]), [ErrorCode::NONE]);
    assert_eq!(world.coordinator.counts(), Counts::default());
    assert_eq!(world.coordinator.memory_bytes(), 0);
    let ticket = world.join(|ask| ask.member_id = id.clone());
    assert_eq!(world.joined(ticket).error, ErrorCode::UNKNOWN_MEMBER_ID);
    world.reload();
    assert_eq!(world.coordinator.counts(), Counts::default());
}

#[test]
fn refusals_fit_their_asks() {
    let error = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    let ask = Ask::Commit(commit_ask("events", &[(0, 1), (4, 1)]));
    let Answer::Commit(topics) = ask.refused(error) else {
        panic!("another answer");
    };
    assert_eq!(topics[0].partitions, [(0, error), (4, error)]);
    let heartbeat = |code| {
        let ask = Ask::Heartbeat(Heartbeat {
            group_id: GROUP.to_owned(),
            generation: 1,
            member_id: "a".to_owned(),
            group_instance_id: None,
        });
        ask.refused(code)
    };
    assert_eq!(
        heartbeat(error),
        Answer::Heartbeat(ErrorCode::NONE),
        "as Kafka does"
    );
    let gone = ErrorCode::NOT_COORDINATOR;
    assert_eq!(heartbeat(gone), Answer::Heartbeat(gone));
}
