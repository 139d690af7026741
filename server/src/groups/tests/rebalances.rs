//! From generation to generation.

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

#[test]
fn a_follower_s_sync_waits_for_the_leader_s() {
    let mut world = World::new();
    let tickets = [world.join(|_| {}), world.join(|_| {})];
    world.pass(6_010);
    let [first, second] = tickets.map(|ticket| world.joined(ticket).clone());
    let (leader, follower) = match first.leader == first.member_id {
        true => (first, second),
        false => (second, first),
    };
    let waiting = world.sync(&follower, &[]);
    assert!(world.waits(waiting));
    assert_eq!(world.describe().state, "CompletingRebalance");
    let records = world.log.len();
    let own = world.sync(&leader, &[(&follower.member_id, b"two"), ("nobody", b"x")]);
    assert_eq!(&*world.synced(waiting).assignment, b"two");
    assert_eq!(
        world.synced(waiting).protocol_name.as_deref(),
        Some("range")
    );
    assert_eq!(&*world.synced(own).assignment, b"", "given nothing");
    assert_eq!(world.when(waiting), When::Synced);
    assert_eq!(world.log.len(), records + 1);
    // Asked again, the same is told.
    let again = world.sync(&follower, &[]);
    assert_eq!(&*world.synced(again).assignment, b"two");
}

#[test]
fn syncs_of_other_members_generations_and_protocols_are_refused() {
    let mut world = World::new();
    let members = world.stable_group(1);
    let error = |world: &mut World, change: &dyn Fn(&mut JoinAnswer)| {
        let mut member = members[0].clone();
        change(&mut member);
        let ticket = world.sync(&member, &[]);
        world.synced(ticket).error
    };
    let cases: [(&Change<JoinAnswer>, ErrorCode); 4] = [
        (&|it| it.member_id.clear(), ErrorCode::UNKNOWN_MEMBER_ID),
        (&|it| it.generation = 0, ErrorCode::ILLEGAL_GENERATION),
        (
            &|it| it.protocol_type = Some("connect".to_owned()),
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            &|it| it.protocol_name = Some("sticky".to_owned()),
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        assert_eq!(error(&mut world, change), expected, "case {number}");
    }
    let leader = world.join(|ask| ask.member_id = members[0].member_id.clone());
    let mut member = members[0].clone();
    member.generation = 1;
    assert_eq!(world.joined(leader).generation, 2);
    let ticket = world.sync(&member, &[]);
    assert_eq!(world.synced(ticket).error, ErrorCode::ILLEGAL_GENERATION);
}

#[test]
fn a_new_member_makes_the_others_join_again() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let new = world.join(|_| {});
    let [leader, follower] = [&members[0], &members[1]];
    assert_eq!(
        world.heartbeat(&leader.member_id, 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let ticket = world.sync(follower, &[]);
    assert_eq!(world.synced(ticket).error, ErrorCode::REBALANCE_IN_PROGRESS);
    let first = world.join(|ask| ask.member_id = leader.member_id.clone());
    assert!(world.waits(first) && world.waits(new));
    let second = world.join(|ask| ask.member_id = follower.member_id.clone());
    for ticket in [first, second, new] {
        assert_eq!(world.joined(ticket).generation, 2);
        assert_eq!(world.joined(ticket).leader, leader.member_id);
    }
    assert_eq!(
        world.heartbeat(&leader.member_id, 1),
        ErrorCode::ILLEGAL_GENERATION
    );
    assert_eq!(world.heartbeat(&leader.member_id, 2), ErrorCode::NONE);
    world.stabilize(&[first, second, new]);
}

#[test]
fn who_does_not_join_in_time_is_out() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let ticket = world.join(|ask| ask.member_id = members[0].member_id.clone());
    // The other one lives, and does not join.
    for _ in 0..11 {
        world.pass(5_000);
        let error = world.heartbeat(&members[1].member_id, 1);
        assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS);
    }
    assert!(world.waits(ticket));
    world.pass(5_010);
    assert_eq!(world.joined(ticket).generation, 2);
    assert_eq!(world.joined(ticket).members.len(), 1);
    assert_eq!(
        world.heartbeat(&members[1].member_id, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
}

#[test]
fn a_leader_that_does_not_join_is_replaced() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let follower = members[1].member_id.clone();
    world.join(|_| {});
    let ticket = world.join(|ask| ask.member_id = follower.clone());
    world.pass(60_010);
    let answer = world.joined(ticket);
    assert_ne!(answer.leader, members[0].member_id);
    assert_eq!(answer.generation, 2);
}

#[test]
fn who_does_not_sync_in_time_is_out_and_the_others_begin_anew() {
    let mut world = World::new();
    let tickets = [world.join(|_| {}), world.join(|_| {})];
    world.pass(6_010);
    let [first, second] = tickets.map(|ticket| world.joined(ticket).clone());
    let (leader, follower) = match first.leader == first.member_id {
        true => (first, second),
        false => (second, first),
    };
    let ticket = world.sync(&leader, &[(&leader.member_id, b"all")]);
    assert_eq!(&*world.synced(ticket).assignment, b"all");
    for _ in 0..11 {
        world.pass(5_000);
        assert_eq!(world.heartbeat(&leader.member_id, 1), ErrorCode::NONE);
        assert_eq!(world.heartbeat(&follower.member_id, 1), ErrorCode::NONE);
    }
    world.pass(5_010);
    assert_eq!(
        world.heartbeat(&follower.member_id, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        world.heartbeat(&leader.member_id, 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
}

#[test]
fn a_member_that_is_not_heard_of_is_out() {
    let mut world = World::new();
    let members = world.stable_group(2);
    for _ in 0..3 {
        world.pass(4_000);
        let error = world.heartbeat(&members[0].member_id, 1);
        if error != ErrorCode::NONE {
            assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS);
        }
    }
    assert_eq!(world.describe().state, "PreparingRebalance");
    assert_eq!(world.describe().members.len(), 1);
    assert_eq!(
        world.heartbeat(&members[1].member_id, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let ticket = world.join(|ask| ask.member_id = members[0].member_id.clone());
    assert_eq!(world.joined(ticket).generation, 2);
}

#[test]
fn a_member_whose_join_is_parked_sends_no_heartbeats() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let parked = world.join(|ask| ask.member_id = members[0].member_id.clone());
    for _ in 0..8 {
        world.pass(5_000);
        world.heartbeat(&members[1].member_id, 1);
    }
    assert_eq!(
        world.joined_or_waits(parked),
        None,
        "40 s without a heartbeat"
    );
}

#[test]
fn a_new_member_is_not_waited_for_without_end() {
    let mut world = World::new();
    let first = world.join(|ask| ask.rebalance_timeout_ms = i32::MAX);
    world.pass(3_010);
    let first = world.stabilize(&[first]);
    let second = world.join(|ask| ask.rebalance_timeout_ms = i32::MAX);
    for _ in 0..60 {
        world.pass(5_000);
        let error = world.heartbeat(&first[0].member_id, 1);
        assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS);
    }
    world.pass(10);
    assert_eq!(world.joined(second).error, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.joined(second).member_id, "");
}

#[test]
fn members_leave_one_by_one_and_in_batches() {
    let mut world = World::new();
    let members = world.stable_group(3);
    let ids: Vec<&str> = members.iter().map(|member| &*member.member_id).collect();
    let errors = world.leave(&[(ids[0], None), ("who", None), ("", Some("nobody"))]);
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    assert_eq!(errors, [ErrorCode::NONE, unknown, unknown]);
    assert_eq!(world.describe().state, "PreparingRebalance");
    let records = world.log.len();
    let errors = world.leave(&[(ids[1], None), (ids[2], None)]);
    assert_eq!(errors, [ErrorCode::NONE; 2]);
    assert_eq!(world.describe().state, "Empty");
    assert_eq!(world.log.len(), records + 1, "the empty group is stored");
    assert_eq!(world.leave(&[(ids[0], None)]), [unknown]);
    assert!(world.coordinator.next_deadline().is_some(), "retention");
}

#[test]
fn a_leaving_member_s_parked_join_is_answered() {
    let mut world = World::new();
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    let id = world.joined(ticket).member_id.clone();
    assert_eq!(
        world.leave(&[(&id, None)]),
        [ErrorCode::NONE],
        "while it is pending"
    );
    let members = world.stable_group(2);
    let id = members[0].member_id.clone();
    let parked = world.join(|ask| ask.member_id = id.clone());
    assert_eq!(world.leave(&[(&id, None)]), [ErrorCode::NONE]);
    assert_eq!(world.joined(parked).error, ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(world.waiting.is_empty());
}

#[test]
fn a_follower_that_joins_unchanged_is_told_the_generation_as_it_is() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let follower = &members[1];
    let ticket = world.join(|ask| ask.member_id = follower.member_id.clone());
    assert_eq!(world.joined(ticket).generation, 1);
    assert_eq!(world.describe().state, "Stable");
    // What it has to say anew makes all join.
    let ticket = world.join(|ask| {
        ask.member_id = follower.member_id.clone();
        ask.protocols = vec![protocol("range", &["events", "more"])];
    });
    assert!(world.waits(ticket));
    assert_eq!(world.describe().state, "PreparingRebalance");
}

#[test]
fn a_repeated_join_during_completion_is_told_the_generation_as_it_is() {
    let mut world = World::new();
    let ticket = world.join(|_| {});
    world.pass(3_010);
    let leader = world.joined(ticket).clone();
    let again = world.join(|ask| ask.member_id = leader.member_id.clone());
    assert_eq!(world.joined(again), &leader);
    let changed = world.join(|ask| {
        ask.member_id = leader.member_id.clone();
        ask.protocols[0] = protocol("range", &["more"]);
    });
    assert_eq!(world.joined(changed).generation, 2);
}

#[test]
fn a_parked_sync_ends_when_the_generation_does() {
    let mut world = World::new();
    let tickets = [world.join(|_| {}), world.join(|_| {})];
    world.pass(6_010);
    let answers = tickets.map(|ticket| world.joined(ticket).clone());
    let follower = answers
        .iter()
        .find(|member| member.leader != member.member_id);
    let follower = follower.expect("one of two").clone();
    let parked = world.sync(&follower, &[]);
    let second = world.sync(&follower, &[]);
    let error = ErrorCode::REBALANCE_IN_PROGRESS;
    assert_eq!(
        world.synced(parked).error,
        error,
        "one sync is parked for each member"
    );
    world.join(|_| {});
    assert_eq!(world.synced(second).error, error);
}

#[test]
fn a_group_too_large_for_a_record_is_told_and_rebalances() {
    let mut world = World::with(Options {
        batch_bytes_max: 1_000,
        ..Options::default()
    });
    let ticket = world.join(|_| {});
    world.pass(3_010);
    let leader = world.joined(ticket).clone();
    let records = world.log.len();
    let ticket = world.sync(&leader, &[(&leader.member_id, &[7; 1_000])]);
    assert_eq!(world.synced(ticket).error, ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(world.log.len(), records);
    assert_eq!(world.describe().state, "PreparingRebalance");
    assert!(world.describe().members[0].assignment.is_empty());
}

#[test]
fn heartbeats_leave_the_wheel_alone() {
    let mut world = World::new();
    let members = world.stable_group(1);
    let before = world.coordinator.next_deadline();
    for _ in 0..100 {
        world.pass(1);
        assert_eq!(world.heartbeat(&members[0].member_id, 1), ErrorCode::NONE);
    }
    assert_eq!(world.coordinator.next_deadline(), before);
}
