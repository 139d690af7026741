//! The rules of writing behind, eviction and retention, one by one.

use super::kit::{World, batch, config};
use crate::base::Offset;
use crate::log::*;

#[test]
fn an_idle_log_holds_no_memory() {
    let mut world = World::new(config());
    for _ in 0..100 {
        world.append(&batch(1, 100, 5));
    }
    assert!(world.log.resident_bytes() > 0);
    world.flush();
    world.seal(true);
    let resident = world.log.resident_bytes();
    assert_eq!(world.log.evict_clean(usize::MAX), resident);
    assert!(world.log.index_bytes() > 0);
    world.log.release_indexes();
    assert_eq!(
        (world.log.resident_bytes(), world.log.index_bytes()),
        (0, 0)
    );
    assert_eq!(world.pool.lent_bytes(), 0);
}

#[test]
fn only_what_the_journal_has_is_written_behind() {
    let mut world = World::new(config());
    for _ in 0..10 {
        world.append(&batch(1, 1_000, 5));
    }
    assert!(
        !world.sweep(Offset(3), SweepMode::FullPages, usize::MAX),
        "no full page below 3"
    );
    assert!(world.sweep(Offset(4), SweepMode::FullPages, usize::MAX));
    let write = &world.pending[0];
    assert_eq!((write.parts.len(), write.valid_to.0), (4096, 4096));
    assert_eq!(write.end_offset, Offset(3));
    world.complete(0);
    assert!(world.sweep(Offset(4), SweepMode::Partial, usize::MAX));
    assert_eq!(world.pending[0].end_offset, Offset(4));
    let copied = world.pending[0].parts.to_vec();
    let valid = world.pending[0].valid_to.0 as usize - 4096;
    assert!(
        copied[valid..].iter().all(|&byte| byte == 0),
        "nothing unjournaled is in it"
    );
    assert!(
        !world.sweep(Offset(10), SweepMode::Partial, 1),
        "its page is in flight"
    );
    world.complete(0);
    world.flush();
    assert_eq!(world.log.recovery_point(), Offset(10));
}

#[test]
fn writes_may_complete_in_any_order() {
    let mut world = World::new(config());
    for _ in 0..15 {
        world.append(&batch(1, 1_000, 5));
    }
    for _ in 0..3 {
        assert!(world.sweep(Offset::MAX, SweepMode::FullPages, 4096));
    }
    world.complete(2);
    world.complete(1);
    assert_eq!(
        world.log.sync_point(Offset(0)),
        None,
        "the first page is missing"
    );
    world.complete(0);
    let point = world.log.sync_point(Offset(0)).unwrap();
    assert_eq!(world.log.recovery_point(), Offset(0));
    world.log.segment_synced(point);
    assert_eq!(world.log.recovery_point(), Offset(11));
}

#[test]
fn a_sync_from_before_a_cut_says_nothing() {
    let mut world = World::new(config());
    for _ in 0..8 {
        world.append(&batch(1, 1_000, 5));
    }
    world.sweep(Offset::MAX, SweepMode::Partial, usize::MAX);
    world.complete(0);
    let point = world.log.sync_point(Offset(0)).unwrap();
    world.truncate(Offset(2));
    for _ in 0..8 {
        world.append(&batch(1, 1_000, 6));
    }
    world.log.segment_synced(point);
    assert_eq!(world.log.recovery_point(), Offset(0));
    world.flush();
    assert_eq!(world.log.recovery_point(), Offset(10));
}

#[test]
fn regions_grow_with_the_rate_and_begin_small() {
    let mut world = World::new(LogConfig {
        segment_bytes: 1 << 30,
        ..config()
    });
    world.append(&batch(1, 100, 5));
    assert_eq!(world.log.resident_bytes(), 4096);
    for _ in 0..3_000 {
        world.append(&batch(1, 1_000, 5));
    }
    let (mut parts, mut bytes) = (0, 0);
    while world.sweep(Offset::MAX, SweepMode::FullPages, usize::MAX) {
        let write = &world.pending[0];
        (parts, bytes) = (parts + write.parts.count(), bytes + write.parts.len());
        world.complete(0);
    }
    assert!(bytes / parts > 32 << 10, "{bytes} bytes in {parts} parts");
}

#[test]
fn memory_serves_reads_until_it_is_evicted_and_files_afterwards() {
    let mut world = World::new(LogConfig {
        segment_bytes: 1 << 30,
        ..config()
    });
    for _ in 0..60 {
        world.append(&batch(1, 1_000, 5));
    }
    world.flush();
    let request = ReadRequest {
        offset: Offset(0),
        max_bytes: 5_000,
        limit: Offset(60),
        whole_first_batch: true,
    };
    let Ok(ReadPlan::Memory(kept)) = world.log.read(&request) else {
        panic!("all is in memory");
    };
    let bytes = kept.to_vec();
    assert!(world.log.evict_clean(1) > 0);
    assert!(!matches!(world.log.read(&request), Ok(ReadPlan::Memory(_))));
    let recent = ReadRequest {
        offset: Offset(59),
        ..request
    };
    assert!(matches!(world.log.read(&recent), Ok(ReadPlan::Memory(_))));
    let from_file = world.read(&request).unwrap();
    assert!(
        from_file.starts_with(&bytes),
        "a file range may end within a batch"
    );
    assert_eq!(kept.to_vec(), bytes, "views outlive the eviction");
}

#[test]
fn retention_takes_whole_segments_below_the_high_watermark() {
    let retention = RetentionConfig {
        retention_ms: 1_000,
        retention_bytes: -1,
        ..RetentionConfig::default()
    };
    let mut world = World::new(LogConfig {
        retention,
        segment_bytes: 1_000,
        ..config()
    });
    for at in 0..6 {
        world.append(&batch(1, 600, 10_000 + at * 500));
    }
    // One batch a segment; the last three are younger than a second.
    let now = 10_000 + 5 * 500;
    assert_eq!(world.log.retention_start(now, Offset(6)), Offset(3));
    assert_eq!(world.log.retention_start(now, Offset(2)), Offset(2));
    assert_eq!(
        world.log.retention_start(i64::MAX, Offset(6)),
        Offset(6),
        "the active one too"
    );
    assert!(
        world.log.advance_log_start(Offset(3)).is_empty(),
        "nothing is in its file yet"
    );
    assert_eq!(world.log.log_start(), Offset(3));
    world.flush();
    assert_eq!(
        world.log.advance_log_start(Offset(3)),
        [Offset(0), Offset(1), Offset(2)]
    );
    assert_eq!(world.log.advance_log_start(Offset(6)).len(), 3);
    let begun = world.append(&batch(1, 10, 50_000)).rolled.unwrap();
    assert_eq!((begun.sealed, begun.base), (None, Offset(6)));
}

#[test]
fn what_a_file_said_of_its_age_is_forgotten_when_it_changes() {
    let retention = RetentionConfig {
        retention_ms: 1_000,
        ..RetentionConfig::default()
    };
    let mut world = World::new(LogConfig {
        retention,
        ..config()
    });
    world.append(&batch(1, 600, -1));
    assert_eq!(
        world.log.undated_segment(Offset(0)),
        None,
        "not in its file"
    );
    world.flush();
    assert_eq!(world.log.undated_segment(Offset(0)), Some(Offset(0)));
    assert_eq!(
        world.log.undated_segment(Offset(0)),
        None,
        "it is asked once"
    );
    world.append(&batch(1, 600, -1));
    world.flush();
    world.log.note_modified(Offset(0), Some(0));
    assert_eq!(world.log.retention_start(1_001, Offset(2)), Offset(0));
    assert_eq!(world.log.undated_segment(Offset(0)), Some(Offset(0)));
    world.log.note_modified(Offset(0), None);
    assert_eq!(
        world.log.undated_segment(Offset(0)),
        Some(Offset(0)),
        "again"
    );
    world.log.note_modified(Offset(0), Some(0));
    assert_eq!(world.log.retention_start(1_000, Offset(2)), Offset(0));
    assert_eq!(world.log.retention_start(1_001, Offset(2)), Offset(2));
}

#[test]
fn retention_by_bytes_keeps_at_least_as_much() {
    let retention = RetentionConfig {
        retention_ms: -1,
        retention_bytes: 2_000,
        ..RetentionConfig::default()
    };
    let mut world = World::new(LogConfig {
        retention,
        segment_bytes: 1_000,
        ..config()
    });
    for _ in 0..6 {
        world.append(&batch(1, 600, 5));
    }
    assert_eq!(world.log.retention_start(i64::MAX, Offset(6)), Offset(3));
}
