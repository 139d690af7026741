//! Static members (KIP-345): restarts without rebalances, and fences.

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

/// A stable group of static members `a` and `b`, the leader first.
fn static_group(world: &mut World) -> Vec<JoinAnswer> {
    let tickets =
        ["a", "b"].map(|id| world.join(|ask| ask.group_instance_id = Some(id.to_owned())));
    world.pass(6_010);
    world.stabilize(&tickets)
}

fn instance(member: &JoinAnswer) -> &str {
    member.member_id.split('-').next().expect("an instance id")
}

#[test]
fn a_static_member_is_taken_in_at_once() {
    let mut world = World::new();
    let ticket = world.join(|ask| {
        ask.group_instance_id = Some("a".to_owned());
        ask.must_know_member_id = true;
    });
    world.pass(3_010);
    let member = world.joined(ticket);
    assert_eq!(member.error, ErrorCode::NONE);
    assert!(member.member_id.starts_with("a-"));
    assert_eq!(member.members[0].group_instance_id.as_deref(), Some("a"));
}

#[test]
fn a_static_follower_comes_back_without_a_rebalance() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let follower = instance(&members[1]).to_owned();
    let records = world.log.len();
    let ticket = world.join(|ask| ask.group_instance_id = Some(follower.clone()));
    let back = world.joined(ticket).clone();
    assert_eq!((back.error, back.generation), (ErrorCode::NONE, 1));
    assert_ne!(back.member_id, members[1].member_id);
    assert_eq!(back.leader, members[0].member_id);
    assert!(!back.skip_assignment && back.members.is_empty());
    assert_eq!(world.log.len(), records + 1, "the new id is stored");
    assert_eq!(world.when(ticket), When::Synced);
    assert_eq!(world.describe().state, "Stable");
    // The assignment is the former id's, and stays over a reload.
    let former = members[1].member_id.as_bytes().to_vec();
    let ticket = world.sync(&back, &[]);
    assert_eq!(&*world.synced(ticket).assignment, &*former);
    world.reload();
    let ticket = world.sync(&back, &[]);
    assert_eq!(&*world.synced(ticket).assignment, &*former);
}

#[test]
fn a_static_leader_that_comes_back_is_told_to_skip_the_assignment() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let leader = instance(&members[0]).to_owned();
    let ticket = world.join(|ask| ask.group_instance_id = Some(leader.clone()));
    let back = world.joined(ticket);
    assert!(back.skip_assignment);
    assert_eq!(back.leader, back.member_id);
    assert_eq!(back.members.len(), 2);
    assert_eq!(back.generation, 1);
}

#[test]
fn an_old_static_leader_that_comes_back_does_not_know_itself() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let leader = instance(&members[0]).to_owned();
    let ticket = world.join(|ask| {
        ask.group_instance_id = Some(leader.clone());
        ask.can_skip_assignment = false;
    });
    let back = world.joined(ticket);
    assert_eq!(back.leader, members[0].member_id, "its former id");
    assert!(!back.skip_assignment && back.members.is_empty());
}

#[test]
fn the_former_id_of_a_static_member_is_fenced() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let id = instance(&members[1]).to_owned();
    world.join(|ask| ask.group_instance_id = Some(id.clone()));
    let former = members[1].member_id.clone();
    let fenced = ErrorCode::FENCED_INSTANCE_ID;
    let ticket = world.join(|ask| {
        ask.group_instance_id = Some(id.clone());
        ask.member_id = former.clone();
    });
    assert_eq!(world.joined(ticket).error, fenced);
    let ticket = world.ask(Ask::Heartbeat(Heartbeat {
        group_id: GROUP.to_owned(),
        generation: 1,
        member_id: former.clone(),
        group_instance_id: Some(id.clone()),
    }));
    assert_eq!(world.answer(ticket), &Answer::Heartbeat(fenced));
    let error = world.commit("events", 1, |ask| {
        ask.generation = 1;
        ask.member_id = former.clone();
        ask.group_instance_id = Some(id.clone());
    });
    assert_eq!(error, fenced);
    assert_eq!(world.leave(&[(&former, Some(&id))]), [fenced]);
    // Without its instance id it is just unknown.
    assert_eq!(world.heartbeat(&former, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    let unknown = world.leave(&[(&former, Some("nobody"))]);
    assert_eq!(unknown, [ErrorCode::UNKNOWN_MEMBER_ID]);
}

#[test]
fn what_the_former_id_has_parked_is_fenced() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let id = instance(&members[1]).to_owned();
    // The leader joins: all must.
    world.join(|ask| {
        ask.member_id = members[0].member_id.clone();
        ask.protocols[0] = protocol("range", &["more"]);
    });
    world.join(|_| {});
    let first = world.join(|ask| ask.group_instance_id = Some(id.clone()));
    assert!(world.waits(first) || world.joined(first).generation == 2);
    let mut world = World::new();
    let first = world.join(|ask| ask.group_instance_id = Some(id.clone()));
    let second = world.join(|ask| ask.group_instance_id = Some(id.clone()));
    assert_eq!(world.joined(first).error, ErrorCode::FENCED_INSTANCE_ID);
    assert!(world.waits(second));
    world.pass(6_010);
    assert_eq!(world.joined(second).generation, 1);
    let parked = world.sync(
        &JoinAnswer {
            leader: String::new(),
            ..world.joined(second).clone()
        },
        &[],
    );
    assert_eq!(world.synced(parked).error, ErrorCode::NONE, "it leads");
}

#[test]
fn a_static_member_that_comes_back_during_completion_makes_all_join_again() {
    let mut world = World::new();
    let tickets =
        ["a", "b"].map(|id| world.join(|ask| ask.group_instance_id = Some(id.to_owned())));
    world.pass(6_010);
    let answers = tickets.map(|ticket| world.joined(ticket).clone());
    let follower = answers
        .iter()
        .find(|it| it.leader != it.member_id)
        .expect("one");
    let parked = world.sync(follower, &[]);
    let id = instance(follower).to_owned();
    world.join(|ask| ask.group_instance_id = Some(id));
    assert_eq!(world.synced(parked).error, ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(world.describe().state, "PreparingRebalance");
}

#[test]
fn a_static_member_with_another_protocol_makes_all_join_again() {
    let mut world = World::new();
    let both = || {
        vec![
            protocol("range", &["events"]),
            protocol("sticky", &["events"]),
        ]
    };
    let tickets = ["a", "b"].map(|id| {
        world.join(|ask| {
            ask.group_instance_id = Some(id.to_owned());
            ask.protocols = both();
        })
    });
    world.pass(6_010);
    let members = world.stabilize(&tickets);
    let id = instance(&members[1]).to_owned();
    let ticket = world.join(|ask| {
        ask.group_instance_id = Some(id);
        ask.protocols = vec![protocol("sticky", &["events"])];
    });
    assert!(world.waits(ticket));
    assert_eq!(world.describe().state, "PreparingRebalance");
}

#[test]
fn absent_static_members_stay_until_their_session_ends() {
    let mut world = World::new();
    let members = static_group(&mut world);
    let leader = members[0].clone();
    // The leader asks for a rebalance; the other static member does not join in time.
    let ticket = world.join(|ask| {
        ask.member_id = leader.member_id.clone();
        ask.rebalance_timeout_ms = 5_000;
        ask.session_timeout_ms = 100_000;
    });
    world.pass(4_000);
    let answer = world.joined_or_waits(ticket);
    assert!(answer.is_none(), "5 s for the leader, 60 s for the other");
    world.pass(7_000);
    // Its session of 10 s is over by now: the leader is alone.
    assert_eq!(world.joined(ticket).members.len(), 1);
}

#[test]
fn an_administrator_removes_static_members_by_instance_id() {
    let mut world = World::new();
    static_group(&mut world);
    assert_eq!(
        world.leave(&[("", Some("a")), ("", Some("b"))]),
        [ErrorCode::NONE; 2]
    );
    assert_eq!(world.describe().state, "Empty");
}
