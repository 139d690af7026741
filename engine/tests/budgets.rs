//! What partitions keep in memory beside records stays within its bounds, whatever they are given.

mod rig;

use logmill_engine::base::Offset;
use logmill_engine::disk::memory::MemoryDisk;
use logmill_engine::log::LogConfig;
use logmill_engine::store::{AckLevel, Isolation};
use rig::{Rig, batch, batch_of, options};

fn rig(index_bytes: usize, producers_max: usize) -> Rig {
    let mut options = options(1);
    options.index_bytes = index_bytes;
    options.producers_max = producers_max;
    Rig::on(MemoryDisk::new(1), options, Vec::new(), &[1])
}

/// A partition that fills its memory fast is given larger and larger regions, but not one that the
/// whole budget could not hold beside what is lent.
#[test]
fn a_small_budget_refuses_nothing_that_fits_it() {
    let mut options = options(1);
    options.tail_bytes = 1 << 20;
    let mut rig = Rig::on(MemoryDisk::new(1), options, Vec::new(), &[1]);
    let key = rig.open(0, LogConfig::default());
    for token in 0..1_000 {
        let bytes = batch(&[&[1; 1_500]]);
        rig.append(key, &bytes, AckLevel::Synced, token).unwrap();
        rig.settle();
    }
}

#[test]
fn index_entries_in_files_leave_memory_and_reads_still_find_their_way() {
    let mut rig = rig(INDEX_BYTES, usize::MAX);
    let config = LogConfig {
        segment_bytes: 64 << 10,
        index_interval_bytes: 100,
        ..LogConfig::default()
    };
    let keys = [rig.open(0, config.clone()), rig.open(1, config)];
    rig.settle();
    let value = [7; 150];
    for round in 0..6_000 {
        let key = keys[round % 2];
        rig.append(key, &batch(&[&value]), AckLevel::None, 0)
            .unwrap();
        if round % 50 == 0 {
            rig.settle();
        }
    }
    rig.settle();
    let all = 6_000 * 24;
    let (index_bytes, _) = rig.store.kept_beside_records();
    assert!(index_bytes <= INDEX_BYTES, "{index_bytes} of {all} bytes");
    for key in keys {
        // From the segments' middles on, over and over: each needs an index that is not there.
        for offset in (0..3_000).step_by(97) {
            let bytes = rig.read(key, offset, Isolation::ReadUncommitted);
            let mut records = Vec::new();
            let first = logmill_engine::format::batch::BatchHeader::parse(&bytes).unwrap();
            rig::values_of(&bytes[..first.size()], &mut records);
            assert_eq!(records, [(offset, value.to_vec())]);
        }
        assert_eq!(rig.store.watermarks(key).unwrap().high(), Offset(3_000));
    }
    rig.turn(1);
    assert!(rig.store.kept_beside_records().0 <= INDEX_BYTES);
}

#[test]
fn a_flood_of_producers_costs_those_of_its_partition_only() {
    let mut rig = rig(usize::MAX, PRODUCERS);
    let (flooded, quiet) = (
        rig.open(0, LogConfig::default()),
        rig.open(1, LogConfig::default()),
    );
    rig.settle();
    for id in 0..10 {
        let first = batch_of(id, 0, 0, &[b"quiet"]);
        rig.append(quiet, &first, AckLevel::None, 0).unwrap();
    }
    for id in 100..100 + 5 * PRODUCERS as i64 {
        let first = batch_of(id, 0, 0, &[b"flood"]);
        rig.append(flooded, &first, AckLevel::None, 0).unwrap();
        if id % 10 == 0 {
            rig.turn(u32::MAX);
        }
    }
    rig.settle();
    let (_, producers) = rig.store.kept_beside_records();
    assert!(producers <= PRODUCERS, "{producers} producers");
    // The others are remembered: what they send again is known.
    for id in 0..10 {
        let again = batch_of(id, 0, 0, &[b"quiet"]);
        let answer = rig.append(quiet, &again, AckLevel::None, 0).unwrap();
        assert!(answer.duplicate, "producer {id} is forgotten");
    }
}

const INDEX_BYTES: usize = 40 << 10;
const PRODUCERS: usize = 200;
