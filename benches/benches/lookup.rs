//! Finding the block of a segment's file that holds an offset, by the sparse index.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use logmill_benches::{batch, criterion, now, partition_log};
use logmill_engine::base::{LeaderEpoch, Offset};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::log::{
    LogConfig, Origin, PartitionLog, ReadPlan, ReadRequest, SegmentStep, SweepMode,
};
use logmill_engine::sys::region::RegionPool;

fn main() {
    let mut criterion = criterion();
    lookup(&mut criterion);
    criterion.final_summary();
}

fn lookup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup");
    for entries in [64, 1_024, 16_384] {
        let mut log = log_on_disk(entries);
        let end = log.end().0;
        let mut offset = 0;
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("index entries", entries), |bencher| {
            bencher.iter(|| {
                // A step that shares no factor with the number of offsets visits them all.
                offset = (offset + 7_919) % end;
                let request = ReadRequest {
                    offset: Offset(black_box(offset)),
                    max_bytes: 1 << 20,
                    limit: Offset(end),
                    whole_first_batch: true,
                };
                let plan = log.read(&request).expect("an offset of the log");
                assert!(matches!(plan, ReadPlan::NeedBlock { .. }), "{plan:?}");
                plan
            });
        });
    }
    group.finish();
}

/// A log of so many batches of 4 KiB, each with an index entry, written, synced and no longer in
/// memory.
fn log_on_disk(batches: usize) -> PartitionLog {
    let bytes = batch(4, 1_024);
    let header = BatchHeader::parse(&bytes).expect("a good batch");
    let mut pool = RegionPool::new(256 << 20);
    let mut log = partition_log(LogConfig::default());
    for turn in 0..batches {
        let epoch = LeaderEpoch(0);
        let at = now(turn as u64);
        let appended = log.append_as_leader(at, &mut pool, epoch, &header, &bytes, Origin::Client);
        appended.expect("a batch that fits");
    }
    let (end, mode) = (log.end(), SweepMode::Partial);
    while let SegmentStep::Write(write) = log.next_segment_write(&mut pool, end, mode, 1 << 20) {
        log.segment_write_completed(write.segment_base, write.position);
    }
    let bases: Vec<Offset> = log.unsynced_segments().collect();
    for base in bases {
        let point = log.sync_point(base).expect("the segment was written");
        log.segment_synced(point);
    }
    log.evict_clean(usize::MAX);
    log
}
