//! Who may join, and what it is told.

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

#[test]
fn a_first_member_leads_after_the_initial_delay() {
    let mut world = World::new();
    let ticket = world.join(|_| {});
    assert_eq!(world.log.len(), 1, "the new group is stored");
    world.pass(2_990);
    assert!(world.waits(ticket));
    world.pass(20);
    let member = world.joined(ticket).clone();
    assert_eq!(member.error, ErrorCode::NONE);
    assert_eq!(member.generation, 1);
    assert_eq!(member.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(member.protocol_name.as_deref(), Some("range"));
    assert_eq!(member.leader, member.member_id);
    assert!(
        member.member_id.starts_with("client-"),
        "{}",
        member.member_id
    );
    assert_eq!(member.member_id.len(), "client-".len() + 36);
    assert_eq!(member.members.len(), 1);
    assert_eq!(
        member.members[0].metadata,
        protocol("range", &["events"]).metadata
    );
    assert!(!member.skip_assignment);
}

#[test]
fn each_new_member_extends_the_initial_delay_up_to_the_rebalance_timeout() {
    let mut world = World::new();
    let mut tickets = vec![world.join(|ask| ask.rebalance_timeout_ms = 7_000)];
    // Delays of 3 s, 3 s and 1 s fit into 7 s; nobody joins in the last one's time.
    for _ in 0..2 {
        world.pass(2_000);
        tickets.push(world.join(|ask| ask.rebalance_timeout_ms = 7_000));
    }
    world.pass(1_990);
    assert!(world.waits(tickets[0]), "6 s are not over");
    world.pass(1_100);
    let leader = world.joined(tickets[0]);
    assert_eq!(leader.members.len(), 3);
    assert_eq!(
        world.joined(tickets[1]).members.len(),
        0,
        "the leader alone sees everybody"
    );
}

#[test]
fn without_initial_delay_a_member_is_answered_at_once() {
    let mut world = World::with(Options {
        initial_rebalance_delay_ms: 0,
        ..Options::default()
    });
    let ticket = world.join(|_| {});
    world.pass(2);
    assert_eq!(world.joined(ticket).generation, 1);
}

#[test]
fn a_member_must_come_back_with_its_id() {
    let mut world = World::new();
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    let answer = world.joined(ticket).clone();
    assert_eq!(answer.error, ErrorCode::MEMBER_ID_REQUIRED);
    assert_eq!(answer.generation, -1);
    assert!(answer.member_id.starts_with("client-"));
    assert_eq!(world.coordinator.counts().pending_members, 1);
    let ticket = world.join(|ask| {
        ask.must_know_member_id = true;
        ask.member_id = answer.member_id.clone();
    });
    world.pass(3_010);
    assert_eq!(world.joined(ticket).member_id, answer.member_id);
    assert_eq!(world.coordinator.counts().pending_members, 0);
}

#[test]
fn an_id_that_nobody_comes_back_with_is_forgotten() {
    let mut world = World::new();
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    let id = world.joined(ticket).member_id.clone();
    world.pass(10_010);
    assert_eq!(world.coordinator.counts().pending_members, 0);
    let ticket = world.join(|ask| ask.member_id = id.clone());
    assert_eq!(world.joined(ticket).error, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.joined(ticket).member_id, id);
}

#[test]
fn a_rebalance_waits_for_ids_that_were_given_out() {
    let mut world = World::new();
    let members = world.stable_group(1);
    let pending = world.join(|ask| ask.must_know_member_id = true);
    let pending = world.joined(pending).member_id.clone();
    assert_eq!(
        world.describe().state,
        "Stable",
        "an id alone disturbs nobody"
    );
    let leader = world.join(|ask| ask.member_id = members[0].member_id.clone());
    assert!(world.waits(leader), "one is still expected");
    let ticket = world.join(|ask| ask.member_id = pending.clone());
    assert_eq!(world.joined(ticket).generation, 2);
    assert_eq!(world.joined(leader).members.len(), 2);
}

#[test]
fn an_id_that_was_given_out_is_no_static_member_s() {
    let mut world = World::new();
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    let id = world.joined(ticket).member_id.clone();
    let ticket = world.join(|ask| {
        ask.member_id = id.clone();
        ask.group_instance_id = Some("a".to_owned());
    });
    // As Kafka 4.1.1 answers, to the letter.
    let answer = world.joined(ticket);
    assert_eq!(answer.error, ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(answer.member_id, "");
    assert_eq!(world.heartbeat(&id, 0), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.coordinator.counts().pending_members, 1);
}

#[test]
fn what_cannot_be_joined_is_told_and_leaves_nothing() {
    let mut world = World::new();
    let code = |world: &mut World, change: &dyn Fn(&mut JoinGroup)| {
        let ticket = world.join(|ask| change(ask));
        world.joined(ticket).error
    };
    let cases: [(&Change<JoinGroup>, ErrorCode); 7] = [
        (&|ask| ask.group_id.clear(), ErrorCode::INVALID_GROUP_ID),
        (
            &|ask| ask.session_timeout_ms = 5_999,
            ErrorCode::INVALID_SESSION_TIMEOUT,
        ),
        (
            &|ask| ask.session_timeout_ms = 1_800_001,
            ErrorCode::INVALID_SESSION_TIMEOUT,
        ),
        (
            &|ask| ask.member_id = "who".to_owned(),
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
        (
            &|ask| ask.protocols.clear(),
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            &|ask| ask.protocol_type.clear(),
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            &|ask| ask.protocols[0].metadata = vec![0; 1 << 20].into(),
            ErrorCode::INVALID_REQUEST,
        ),
    ];
    for (number, (change, error)) in cases.into_iter().enumerate() {
        assert_eq!(code(&mut world, change), error, "case {number}");
    }
    assert_eq!(world.coordinator.counts(), Counts::default());
    assert!(world.log.is_empty());
    assert_eq!(world.coordinator.memory_bytes(), 0);
}

#[test]
fn members_of_one_group_agree_on_type_and_protocol() {
    let mut world = World::new();
    world.stable_group(1);
    let ticket = world.join(|ask| ask.protocol_type = "connect".to_owned());
    assert_eq!(
        world.joined(ticket).error,
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );
    let ticket = world.join(|ask| ask.protocols = vec![protocol("sticky", &["events"])]);
    assert_eq!(
        world.joined(ticket).error,
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );
    assert_eq!(world.describe().state, "Stable");
}

#[test]
fn the_group_has_a_greatest_size() {
    let mut world = World::with(Options {
        group_size_max: 2,
        ..Options::default()
    });
    let members = world.stable_group(2);
    let ticket = world.join(|_| {});
    assert_eq!(
        world.joined(ticket).error,
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
    assert_eq!(world.joined(ticket).member_id, "");
    // Members come back as they like.
    let first = world.join(|ask| ask.member_id = members[0].member_id.clone());
    let second = world.join(|ask| ask.member_id = members[1].member_id.clone());
    assert_eq!(world.joined(first).generation, 2);
    assert_eq!(world.joined(second).generation, 2);
}

#[test]
fn a_lowered_size_makes_a_loaded_group_rebalance_and_the_last_go() {
    let mut world = World::new();
    let members = world.stable_group(3);
    let options = Options {
        group_size_max: 2,
        ..Options::default()
    };
    world.coordinator.set_options(options);
    world.reload();
    assert_eq!(world.describe().state, "PreparingRebalance");
    let tickets: Vec<u64> = members
        .iter()
        .map(|member| world.join(|ask| ask.member_id = member.member_id.clone()))
        .collect();
    assert_eq!(
        world.joined(tickets[2]).error,
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
    world.pass(60_010);
    assert_eq!(world.joined(tickets[0]).generation, 2);
    assert_eq!(world.joined(tickets[1]).generation, 2);
}

#[test]
fn memory_is_bounded() {
    let mut world = World::with(Options {
        memory_bytes_max: 100_000,
        ..Options::default()
    });
    let large = |ask: &mut JoinGroup| ask.protocols[0].metadata = vec![0; 60_000].into();
    world.join(large);
    world.join(large);
    let refused = world.join(large);
    assert_eq!(
        world.joined(refused).error,
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
    assert!(world.coordinator.memory_bytes() < 200_000);
    let ticket = world.join(|ask| ask.must_know_member_id = true);
    assert_eq!(
        world.joined(ticket).error,
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
    let other = |ask: &mut OffsetCommit| ask.group_id = "other".to_owned();
    let error = world.commit("events", 1, other);
    assert_eq!(error, ErrorCode::INVALID_COMMIT_OFFSET_SIZE);
    assert_eq!(world.coordinator.counts().groups, 1);
}

#[test]
fn a_group_s_members_have_a_greatest_weight_together() {
    let mut world = World::with(Options {
        batch_bytes_max: 2_000,
        ..Options::default()
    });
    let mut refused = 0;
    for _ in 0..100 {
        let ticket = world.join(|ask| ask.protocols[0].metadata = vec![0; 1_500].into());
        if !world.waits(ticket) {
            assert_eq!(
                world.joined(ticket).error,
                ErrorCode::GROUP_MAX_SIZE_REACHED
            );
            refused += 1;
        }
    }
    let bytes_max = world.coordinator.options().group_bytes_max();
    assert!(refused > 70, "{refused}");
    assert!(world.coordinator.memory_bytes() < bytes_max + 2_000);
}

#[test]
fn a_client_id_of_any_length_makes_an_id_that_fits() {
    let mut world = World::new();
    let ticket = world.join(|ask| {
        ask.client_id = "é".repeat(16_383);
        ask.must_know_member_id = true;
    });
    let id = &world.joined(ticket).member_id;
    assert!(id.len() <= i16::MAX as usize, "{}", id.len());
}

#[test]
fn a_second_join_of_one_member_takes_the_place_of_the_first() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let first = world.join(|ask| ask.member_id = members[0].member_id.clone());
    let second = world.join(|ask| ask.member_id = members[0].member_id.clone());
    assert_eq!(world.joined(first).error, ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(world.waits(second));
    world.join(|ask| ask.member_id = members[1].member_id.clone());
    assert_eq!(world.joined(second).generation, 2);
}
