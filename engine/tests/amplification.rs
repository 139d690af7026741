//! How many bytes reach the disk for each byte appended, at low rates: the price of small sweeps.
//!
//! Every partition takes a record of 1,000 bytes a second, spread over the second; each is waited
//! for as synced. Prints the figures; fails if they grow beyond what ARCHITECTURE.md states.

mod rig;

use logmill_engine::{
    base::Micros,
    disk::{DiskOp, memory::MemoryDisk},
    log::LogConfig,
    store::{AckLevel, PartitionKey, StoreOptions},
};
use rig::{Rig, batch, options};

/// Bytes by kind of file.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    appended: u64,
    journal: u64,
    segments: u64,
    segment_writes: u64,
    syncs: u64,
}

/// One turn as the rig makes it, with a look at what is handed out.
fn turn(rig: &mut Rig, written: &mut Written) {
    rig.now.monotonic = rig.now.monotonic.saturating_add(Micros(200));
    rig.store.pump(rig.now, &mut rig.out);
    let ops: Vec<_> = rig.out.drain().collect();
    for (key, op) in ops {
        match &op {
            DiskOp::Write { file, parts, .. } if file.path().starts_with("logmill-") => {
                written.journal += parts.len() as u64;
            }
            DiskOp::Write { parts, .. } => {
                written.segments += parts.len() as u64;
                written.segment_writes += 1;
            }
            DiskOp::Sync { .. } => written.syncs += 1,
            _ => {}
        }
        rig.out.push(key, op);
    }
    rig.disk.submit(&mut rig.out);
    while let Some(done) = rig.disk.step(&mut |_| 0) {
        rig.store.complete(rig.now, done);
    }
    rig.collect();
}

/// `rounds` seconds of `partitions`: the journal is written over more than once.
fn measure(partitions: i32, rounds: u64) -> Written {
    let mut options = options(1);
    // As a broker has it.
    let usual = StoreOptions::new(options.shard, vec![1], [1; 16], 1);
    (options.journal, options.tail_bytes) = (usual.journal, usual.tail_bytes);
    let mut rig = Rig::on(MemoryDisk::new(1), options, Vec::new(), &[1]);
    let keys: Vec<PartitionKey> = (0..partitions)
        .map(|index| rig.open(index, LogConfig::default()))
        .collect();
    let mut written = Written::default();
    let bytes = batch(&[&[7; 1_000]]);
    let gap = Micros(1_000_000 / partitions as u64);
    let mut token = 0;
    for _ in 0..rounds {
        for key in &keys {
            let append = rig.append(*key, &bytes, AckLevel::Synced, token);
            append.unwrap();
            token += 1;
            written.appended += bytes.len() as u64;
            for _ in 0..4 {
                turn(&mut rig, &mut written);
            }
            rig.now.monotonic = rig.now.monotonic.saturating_add(gap);
        }
    }
    assert_eq!(rig.acked.len() as u64, token);
    // So that all is written behind.
    rig.store.begin_stop(rig.now);
    while !rig.stopped {
        turn(&mut rig, &mut written);
    }
    written
}

#[test]
fn small_appends_cost_no_more_than_is_stated() {
    for (partitions, rounds, journal_max, segments_max) in [
        (1, 80_000, 4.2, 1.1),
        (100, 800, 4.2, 1.1),
        (1_000, 80, 4.2, 1.5),
    ] {
        let written = measure(partitions, rounds);
        let times = |bytes: u64| bytes as f64 / written.appended as f64;
        let (journal, segments) = (times(written.journal), times(written.segments));
        println!(
            "{partitions} partitions: journal {journal:.2}, segments {segments:.2}: {written:?}"
        );
        assert!(journal <= journal_max && segments <= segments_max);
    }
}
