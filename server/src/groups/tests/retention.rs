//! What time takes away (KIP-211).

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

const HOUR_MS: u64 = 3_600_000;

fn world() -> World {
    World::with(Options {
        offsets_retention_ms: HOUR_MS as i64,
        ..Options::default()
    })
}

/// Lets time pass while this member sends heartbeats.
fn pass_alive(world: &mut World, member: &JoinAnswer, millis: u64) {
    for _ in 0..millis / 9_000 {
        world.pass(9_000);
        let error = world.heartbeat(&member.member_id, member.generation);
        assert_eq!(error, ErrorCode::NONE);
    }
}

#[test]
fn offsets_without_a_group_last_from_their_commit() {
    let mut world = world();
    world.commit("events", 1, |_| {});
    world.pass(HOUR_MS / 2);
    world.commit("other", 2, |_| {});
    world.pass(HOUR_MS / 2 + 600_000);
    assert_eq!(world.offsets(), ["other-0: 2"]);
    world.pass(HOUR_MS);
    assert_eq!(world.coordinator.counts(), Counts::default());
    assert_eq!(
        world.log.last().map(|record| record.value.is_none()),
        Some(true)
    );
    world.reload();
    assert_eq!(world.coordinator.counts(), Counts::default());
}

#[test]
fn a_group_s_offsets_last_from_the_moment_that_it_is_empty() {
    let mut world = world();
    let members = world.stable_group(1);
    world.commit("events", 1, |ask| {
        ask.member_id = members[0].member_id.clone();
        ask.generation = 1;
    });
    pass_alive(&mut world, &members[0], 2 * HOUR_MS);
    assert_eq!(world.offsets(), ["events-0: 1"], "the group lives");
    world.leave(&[(&members[0].member_id, None)]);
    world.pass(HOUR_MS - 600_000);
    assert_eq!(world.offsets(), ["events-0: 1"]);
    // When it was left is known over a reload.
    world.reload();
    world.pass(1_200_000);
    assert_eq!(world.coordinator.counts(), Counts::default());
}

#[test]
fn topics_that_nobody_subscribes_to_lose_their_offsets() {
    let mut world = world();
    let members = world.stable_group(1);
    for topic in ["events", "former"] {
        world.commit(topic, 1, |ask| {
            ask.member_id = members[0].member_id.clone();
            ask.generation = 1;
        });
    }
    pass_alive(&mut world, &members[0], HOUR_MS + 700_000);
    assert_eq!(world.offsets(), ["events-0: 1"]);
}

#[test]
fn offsets_with_an_end_of_their_own_go_then() {
    let mut world = world();
    world.commit("short", 1, |ask| ask.retention_ms = Some(1_000));
    world.commit("long", 1, |ask| ask.retention_ms = Some(5 * HOUR_MS as i64));
    world.pass(700_000);
    assert_eq!(world.offsets(), ["long-0: 1"]);
    world.pass(3 * HOUR_MS);
    assert_eq!(world.offsets(), ["long-0: 1"]);
}

#[test]
fn an_empty_group_without_offsets_goes() {
    let mut world = world();
    let members = world.stable_group(1);
    world.leave(&[(&members[0].member_id, None)]);
    assert_eq!(world.coordinator.counts().groups, 1);
    world.pass(600_010);
    assert_eq!(world.coordinator.counts().groups, 0);
}

#[test]
fn many_old_offsets_go_in_portions() {
    let mut world = world();
    for first in (0..5_000).step_by(500) {
        let offsets: Vec<(i32, i64)> = (first..first + 500).map(|it| (it, 1)).collect();
        world.ask(Ask::Commit(commit_ask("events", &offsets)));
    }
    assert_eq!(world.coordinator.counts().offsets, 5_000);
    // The first sweep after an hour: by now all are old, and one step takes a part.
    let due = loop {
        let due = world.coordinator.next_deadline().expect("a sweep");
        let millis = due.saturating_since(world.now.monotonic).0.div_ceil(1_000);
        world.pass(millis.max(1));
        if world.coordinator.counts().offsets < 5_000 {
            break due;
        }
    };
    let left = world.coordinator.counts().offsets;
    assert_eq!(left, 4_000, "at {due}");
    world.pass(100);
    assert_eq!(world.coordinator.counts(), Counts::default());
}
