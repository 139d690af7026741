//! The log: the records themselves, loading, writing it anew.

use logmill_engine::base::Micros;
use logmill_wire::ErrorCode;
use logmill_wire::records::group::{GroupMetadataValue, OffsetCommitValue};
use logmill_wire::records::read_value;

use super::fixture::*;
use crate::groups::*;

fn value(record: &Record) -> &[u8] {
    record.value().expect("no tombstone")
}

fn version(record: &Record) -> i16 {
    i16::from_be_bytes([value(record)[0], value(record)[1]])
}

/// The bytes that Kafka 4.1.1 wrote for the same commit.
#[test]
fn an_offset_s_record_is_kafka_s() {
    let mut world = World::new();
    world.now.wall_ms = 1_795_387_244_394;
    world.commit("t1", 0, |ask| {
        ask.group_id = "g1".to_owned();
        ask.topics[0].partitions[0].leader_epoch = -1;
        ask.topics[0].partitions[0].metadata.clear();
    });
    let record = &world.log[0];
    assert_eq!(record.key, b"\x00\x01\x00\x02g1\x00\x02t1\x00\x00\x00\x00");
    let mut expected = vec![0, 4];
    expected.extend(0i64.to_be_bytes());
    expected.extend((-1i32).to_be_bytes());
    expected.push(1);
    expected.extend(1_795_387_244_394i64.to_be_bytes());
    expected.push(0);
    assert_eq!(value(record), expected);
    assert_eq!((record.key.len(), expected.len()), (14, 24));
}

#[test]
fn records_have_the_versions_that_kafka_writes() {
    let mut world = World::new();
    let members = world.stable_group(1);
    world.leave(&[(&members[0].member_id, None)]);
    assert_eq!(world.log.len(), 3, "new, stable, empty");
    for record in &world.log {
        assert_eq!(version(record), 3);
        assert_eq!(record.key, b"\x00\x02\x00\x07readers");
    }
    let read = |record| read_value::<GroupMetadataValue<'_>>(value(record)).expect("ours");
    let [new, stable, empty] = [&world.log[0], &world.log[1], &world.log[2]].map(read);
    assert_eq!(
        (new.protocol_type, new.generation, new.leader),
        ("", 0, None)
    );
    assert_eq!(stable.protocol, Some("range"));
    assert_eq!(stable.leader, Some(&*members[0].member_id));
    let member = stable.members.first().expect("one member");
    assert_eq!(
        (member.session_timeout, member.rebalance_timeout),
        (10_000, 60_000)
    );
    assert_eq!(member.assignment, members[0].member_id.as_bytes());
    assert_eq!(
        (empty.protocol_type, empty.protocol, empty.leader),
        ("consumer", None, None)
    );
    assert_eq!((empty.generation, empty.members.len()), (2, 0));
}

#[test]
fn offsets_with_a_retention_of_their_own_are_written_as_in_version_1() {
    let mut world = World::new();
    world.commit("events", 1, |ask| ask.retention_ms = Some(500));
    assert_eq!(version(&world.log[0]), 1);
    let read: OffsetCommitValue<'_> = read_value(value(&world.log[0])).expect("ours");
    assert_eq!(read.expire_timestamp, world.now.wall_ms + 500);
}

#[test]
fn members_live_on_after_a_load() {
    let mut world = World::new();
    let members = world.stable_group(2);
    world.commit("events", 4, |ask| {
        ask.member_id = members[0].member_id.clone();
        ask.generation = 1;
    });
    world.pass(9_000);
    world.reload();
    world.pass(9_000);
    for member in &members {
        assert_eq!(world.heartbeat(&member.member_id, 1), ErrorCode::NONE);
    }
    assert_eq!(world.describe().state, "Stable");
    assert_eq!(world.offsets(), ["events-0: 4"]);
    // Members that the load brought back are given up like others.
    world.pass(10_010);
    assert_eq!(world.describe().state, "Empty");
}

#[test]
fn a_load_in_the_middle_of_a_rebalance_finds_the_generation_before() {
    let mut world = World::new();
    let members = world.stable_group(2);
    let parked = world.join(|_| {});
    let ticket = world.join(|ask| ask.member_id = members[0].member_id.clone());
    world.reload();
    assert_eq!(world.joined(parked).error, ErrorCode::NOT_COORDINATOR);
    assert_eq!(world.joined(ticket).error, ErrorCode::NOT_COORDINATOR);
    assert_eq!(world.describe().state, "Stable");
    assert_eq!(world.heartbeat(&members[1].member_id, 1), ErrorCode::NONE);
}

#[test]
fn the_log_written_anew_is_the_state_and_nothing_else() {
    let mut world = World::new();
    let members = world.stable_group(2);
    for number in 0..50 {
        let group = format!("group-{}", number % 7);
        let topic = format!("topic-{}", number % 3);
        world.commit(&topic, number, |ask| ask.group_id = group);
    }
    world.commit("events", 4, |ask| {
        ask.member_id = members[0].member_id.clone();
        ask.generation = 1;
    });
    world.join(|_| {});
    let former = world.describe();
    let mut cursor = LiveCursor::default();
    let mut fresh = Vec::new();
    let mut portions = 0;
    loop {
        let before = fresh.len();
        let mut portion = Vec::new();
        let more = world
            .coordinator
            .live_records(&mut cursor, 300, &mut portion);
        fresh.append(&mut portion);
        portions += 1;
        if !more {
            break;
        }
        assert!(fresh.len() > before, "a portion is never empty");
    }
    assert!(portions > 5, "{portions}");
    assert_eq!(fresh.len(), 1 + 21 + 1, "a group, its offset, the others'");
    let before = world.offsets();
    let log = std::mem::replace(&mut world.log, fresh);
    assert!(log.len() > world.log.len());
    world.reload();
    assert_eq!(world.offsets(), before);
    assert_eq!(
        world.describe().state,
        "Stable",
        "the generation that is stored"
    );
    assert_eq!(former.state, "PreparingRebalance");
    assert_eq!(world.coordinator.counts().groups, 8);
    assert_eq!(world.heartbeat(&members[1].member_id, 1), ErrorCode::NONE);
}

#[test]
fn damaged_and_foreign_records_change_nothing() {
    let mut world = World::new();
    world.commit("events", 4, |_| {});
    let key = world.log[0].key.clone();
    let replay =
        |world: &mut World, key: &[u8], value: Option<&[u8]>| world.coordinator.replay(key, value);
    assert!(matches!(
        replay(&mut world, b"\x00", None),
        Err(ReplayError::Key(_))
    ));
    assert!(matches!(
        replay(&mut world, b"\x00\x01\x00\x09", None),
        Err(ReplayError::Key(_))
    ));
    let foreign = replay(&mut world, b"\x00\x03\x00\x01g", Some(b"\x00\x00"));
    assert_eq!(foreign, Err(ReplayError::UnknownType(3)));
    let damaged = replay(&mut world, &key, Some(b"\x00\x04\x01"));
    assert!(matches!(damaged, Err(ReplayError::Value(_))));
    let later = replay(&mut world, &key, Some(b"\x00\x63"));
    assert!(matches!(later, Err(ReplayError::Value(_))));
    assert_eq!(world.offsets(), ["events-0: 4"]);
}

#[test]
fn records_of_old_are_read() {
    let mut world = World::new();
    let mut old = vec![0, 0];
    old.extend(9i64.to_be_bytes());
    old.extend(b"\x00\x01w");
    old.extend(5i64.to_be_bytes());
    let key = b"\x00\x00\x00\x07readers\x00\x06events\x00\x00\x00\x02";
    world
        .coordinator
        .replay(key, Some(&old))
        .expect("version 0");
    assert_eq!(world.offsets(), ["events-2: 9"]);
}

/// What a flipped bit leaves may still be a record: of a leader that is no member, of a session
/// without time. The coordinator lives on with it.
#[test]
fn no_damage_to_a_record_stops_the_coordinator() {
    let mut world = World::new();
    world.stable_group(2);
    world.commit("events", 4, |ask| ask.group_id = "other".to_owned());
    let log = std::mem::take(&mut world.log);
    let mut refused = 0;
    for (at, record) in log.iter().enumerate() {
        let value = record.value().unwrap_or_default();
        let bits = |len: usize| 0..len * 8;
        let cut = (0..value.len()).map(|len| (record.key.clone(), value[..len].to_vec()));
        let cut_keys =
            (0..record.key.len()).map(|len| (record.key[..len].to_vec(), value.to_vec()));
        let flipped = bits(value.len()).map(|bit| {
            let mut value = value.to_vec();
            value[bit / 8] ^= 1 << (bit % 8);
            (record.key.clone(), value)
        });
        let flipped_keys = bits(record.key.len()).map(|bit| {
            let mut key = record.key.clone();
            key[bit / 8] ^= 1 << (bit % 8);
            (key, value.to_vec())
        });
        for (key, value) in cut.chain(cut_keys).chain(flipped).chain(flipped_keys) {
            let mut damaged = World::new();
            damaged.log = log.clone();
            damaged.log.truncate(at);
            damaged.reload();
            if damaged.coordinator.replay(&key, Some(&value)).is_err() {
                refused += 1;
                continue;
            }
            let mut effects = Effects::default();
            damaged.coordinator.loaded(damaged.now, &mut effects);
            let mut fresh = Vec::new();
            let mut cursor = LiveCursor::default();
            damaged
                .coordinator
                .live_records(&mut cursor, usize::MAX, &mut fresh);
            damaged.now.monotonic = Micros::from_millis(10_000_000);
            damaged.now.wall_ms += 10_000_000;
            damaged.coordinator.expire(damaged.now, &mut effects);
            damaged.describe();
        }
    }
    assert!(refused > 100, "{refused}");
}
