//! The rules of append, one by one.

use super::kit::{World, batch, config};
use crate::base::*;
use crate::format::batch::BatchHeader;
use crate::format::builder::BatchBuilder;
use crate::format::compression::Codec;
use crate::log::*;
use crate::partition::ProducerTable;
use crate::sys::region::RegionPool;

fn idempotent(sequence: i32, epoch: i16) -> Vec<u8> {
    BatchBuilder::new()
        .producer(ProducerId(5), ProducerEpoch(epoch), Sequence(sequence))
        .record(1_000 + i64::from(sequence), None, Some(b"x"))
        .build(Codec::None)
        .unwrap()
}

#[test]
fn offsets_and_epoch_are_stamped_outside_the_crc() {
    let mut world = World::new(config());
    world.append(&batch(3, 10, 5));
    let bytes = batch(2, 10, 6);
    let appended = world.append(&bytes);
    assert_eq!(
        (appended.previous_end, appended.base_offset),
        (Offset(3), Offset(3))
    );
    assert_eq!(
        (appended.last_offset, world.log.end()),
        (Offset(4), Offset(5))
    );
    let stored = appended.bytes.to_vec();
    let header = BatchHeader::parse(&stored).unwrap();
    assert_eq!(
        (header.base_offset, header.leader_epoch),
        (Offset(3), LeaderEpoch(0))
    );
    assert_eq!(stored[16..], bytes[16..]);
}

#[test]
fn the_brokers_clock_is_stamped_and_the_crc_mended() {
    let timestamps = TimestampConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..TimestampConfig::default()
    };
    let mut world = World::new(LogConfig {
        timestamps,
        ..config()
    });
    let appended = world.append(&batch(3, 10, 5));
    assert_eq!(appended.append_time, world.now.wall_ms);
    let stored = appended.bytes.to_vec();
    let header = BatchHeader::parse(&stored).unwrap();
    assert!(header.attributes.is_log_append_time());
    assert_eq!(header.max_timestamp, world.now.wall_ms);
    assert_eq!(header.crc, header.compute_crc(&stored[BatchHeader::SIZE..]));
}

#[test]
fn duplicates_get_the_original_answer() {
    let mut world = World::new(config());
    world.append(&batch(4, 10, 5));
    for sequence in 0..6 {
        world.append(&idempotent(sequence, 0));
    }
    assert_eq!(
        world.try_append(&idempotent(3, 0)),
        Ok(AppendOutcome::Duplicate {
            base_offset: Offset(7),
            last_offset: Offset(7),
            timestamp: 1_003
        })
    );
    assert_eq!(
        world.try_append(&idempotent(0, 0)),
        Err(AppendError::OutOfOrderSequence {
            producer: ProducerId(5),
            sequence: Sequence(0),
            last: Sequence(5)
        })
    );
    world.append(&idempotent(0, 1));
    assert!(matches!(
        world.try_append(&idempotent(6, 0)),
        Err(AppendError::ProducerFenced {
            latest: ProducerEpoch(1),
            ..
        })
    ));
    assert_eq!(world.log.end(), Offset(11));
    world.restart();
    assert!(matches!(
        world.try_append(&idempotent(0, 1)),
        Ok(AppendOutcome::Duplicate {
            base_offset: Offset(10),
            ..
        })
    ));
}

#[test]
fn limits_are_named() {
    let settings = LogConfig {
        max_message_bytes: 1_000,
        segment_bytes: 500,
        ..config()
    };
    let mut world = World::new(settings);
    let large = batch(1, 1_000, 5);
    let size = large.len();
    assert_eq!(
        world.try_append(&large),
        Err(AppendError::TooLarge { size, max: 1_000 })
    );
    let size = batch(1, 500, 5).len();
    assert_eq!(
        world.try_append(&batch(1, 500, 5)),
        Err(AppendError::LargerThanSegment { size, max: 500 })
    );
    let mut cut = batch(1, 10, 5);
    let header = BatchHeader::parse(&cut).unwrap();
    cut.pop();
    let refused = world.log.append_as_leader(
        world.now,
        &mut world.pool,
        LeaderEpoch(0),
        &header,
        &cut,
        Origin::Client,
    );
    assert_eq!(refused, Err(AppendError::Malformed));
}

#[test]
fn an_older_leader_is_refused() {
    let mut world = World::new(config());
    world.append_at(0, 4, &batch(1, 10, 5));
    assert_eq!(
        world.try_append(&batch(1, 10, 5)),
        Err(AppendError::StaleLeaderEpoch {
            epoch: LeaderEpoch(0),
            latest: LeaderEpoch(4)
        })
    );
    assert!(world.log.start_epoch(LeaderEpoch(6)));
    assert_eq!(world.log.epoch_end(LeaderEpoch(4)).end, Offset(1));
}

#[test]
fn without_memory_nothing_changes() {
    let mut world = World::new(config());
    world.append(&batch(1, 100, 5));
    let before = world.log.state();
    world.pool = RegionPool::new(8 << 10);
    let (large, small) = (batch(1, 15_000, 5), batch(1, 100, 5));
    assert_eq!(world.try_append(&large), Err(AppendError::Backpressure));
    assert_eq!(world.log.state(), before);
    assert_eq!(world.pool.lent_bytes(), 0);
    let position = FilePosition(small.len() as u64);
    assert_eq!(
        world.append(&small).position,
        position,
        "a small one still goes"
    );
}

#[test]
fn segments_roll_by_size_and_by_the_records_time() {
    let settings = LogConfig {
        segment_ms: 1_000,
        segment_bytes: 1_000,
        ..config()
    };
    let mut world = World::new(settings);
    let first = world
        .append(&batch(1, 400, 10_000))
        .rolled
        .expect("the first segment begins");
    assert_eq!((first.sealed, first.base), (None, Offset(0)));
    world.append(&idempotent(0, 0));
    assert_eq!(world.append(&batch(1, 300, 11_000)).rolled, None);
    let by_size = world
        .append(&batch(1, 300, 10_000))
        .rolled
        .expect("1,000 bytes are full");
    assert_eq!((by_size.sealed, by_size.base), (Some(Offset(0)), Offset(3)));
    let producers = ProducerTable::from_snapshot(&by_size.snapshot).unwrap();
    assert_eq!(producers.len(), 1);
    assert_eq!(world.append(&batch(1, 10, 11_000)).rolled, None);
    let by_time = world
        .append(&batch(1, 10, 11_001))
        .rolled
        .expect("a second and more apart");
    assert_eq!((by_time.sealed, by_time.base), (Some(Offset(3)), Offset(5)));
}

#[test]
fn without_timestamps_a_segment_rolls_by_the_clock() {
    let mut world = World::new(LogConfig {
        segment_ms: 1_000,
        ..config()
    });
    let begun = world.now.wall_ms;
    assert!(world.append(&batch(1, 10, -1)).rolled.is_some());
    world.now.wall_ms = begun + 1_000;
    assert!(world.append(&batch(1, 10, -1)).rolled.is_none());
    world.now.wall_ms = begun + 1_001;
    assert!(world.append(&batch(1, 10, -1)).rolled.is_some());
    assert!(world.append(&batch(1, 10, -1)).rolled.is_none());
}

#[test]
fn the_age_of_segments_varies_by_the_jitter_and_no_further() {
    let settings = LogConfig {
        segment_ms: 1_000,
        segment_jitter_ms: 400,
        ..config()
    };
    let age = |partition, base| {
        settings.segment_age_max_ms(TopicId([5; 16]), PartitionIndex(partition), Offset(base))
    };
    let ages: std::collections::BTreeSet<i64> = (0..50).map(|at| age(at, i64::from(at))).collect();
    assert!(
        ages.iter().all(|age| (601..=1_000).contains(age)),
        "{ages:?}"
    );
    assert!(ages.len() > 30, "{ages:?}");
    assert_eq!(age(7, 100), age(7, 100), "the same in every run");
    let mut world = World::new(settings.clone());
    world.append(&batch(1, 10, 10_000));
    let limit = {
        let identity = world.log.identity();
        settings.segment_age_max_ms(identity.topic_id, identity.index, Offset(0))
    };
    assert!(limit < 1_000, "{limit}");
    assert!(world.append(&batch(1, 10, 10_000 + limit)).rolled.is_none());
    assert!(world.append(&batch(1, 10, 10_001 + limit)).rolled.is_some());
}

#[test]
fn segments_roll_where_relative_offsets_end_and_indexes_are_full() {
    let mut world = World::new(config());
    world.append_at(0, 0, &batch(1, 10, 5));
    let far = i64::from(i32::MAX);
    assert!(world.append_at(far, 0, &batch(1, 10, 5)).rolled.is_none());
    let rolled = world
        .append_at(far + 1, 0, &batch(1, 10, 5))
        .rolled
        .expect("beyond an i32");
    assert_eq!(rolled.base, Offset(far + 1));
    let mut world = World::new(LogConfig {
        segment_index_bytes: 24,
        ..config()
    });
    let rolls = (0..30)
        .filter(|_| world.append(&batch(1, 150, 5)).rolled.is_some())
        .count();
    assert!(rolls > 3, "three entries of the offset index fill it");
}

#[test]
fn a_follower_keeps_offsets_and_refuses_to_go_back() {
    let mut world = World::new(config());
    let appended = world.append_at(100, 3, &batch(2, 10, 5));
    assert_eq!(
        (appended.previous_end, appended.base_offset),
        (Offset(0), Offset(100))
    );
    assert!(appended.epoch_started);
    let mut header = BatchHeader::parse(&batch(1, 10, 5)).unwrap();
    header.base_offset = Offset(101);
    let refused =
        world
            .log
            .append_as_follower(world.now, &mut world.pool, &header, &batch(1, 10, 5));
    assert_eq!(
        refused,
        Err(AppendError::NotContinuous {
            offset: Offset(101),
            end: Offset(102)
        })
    );
    header.base_offset = Offset(i64::MAX);
    let refused =
        world
            .log
            .append_as_follower(world.now, &mut world.pool, &header, &batch(1, 10, 5));
    assert!(matches!(refused, Err(AppendError::NotContinuous { .. })));
}
