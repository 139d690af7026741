//! Appending without a disk: the log's own plan. What the store and the journal add to it is in
//! the bench `journal`.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use logmill_benches::{batch, criterion, now, partition_log};
use logmill_engine::base::LeaderEpoch;
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::log::{LogConfig, Origin, PartitionLog};
use logmill_engine::sys::region::RegionPool;

fn main() {
    let mut criterion = criterion();
    plan(&mut criterion);
    criterion.final_summary();
}

/// [`PartitionLog::append_as_leader`]: checks, offsets, the copy into the tail, both indexes.
fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append/log");
    for (records, value_bytes) in [(1, 100), (16, 1_024), (64, 1_024)] {
        let bytes = batch(records, value_bytes);
        let header = BatchHeader::parse(&bytes).expect("a good batch");
        let name = format!("{records} x {value_bytes} B");
        group.throughput(Throughput::Elements(APPENDS));
        group.bench_function(BenchmarkId::new("batches", name), |bencher| {
            bencher.iter_batched(
                fresh,
                |(mut log, mut pool)| {
                    for turn in 0..APPENDS {
                        let appended = log.append_as_leader(
                            now(turn),
                            &mut pool,
                            LeaderEpoch(0),
                            black_box(&header),
                            black_box(&bytes),
                            Origin::Client,
                        );
                        appended.expect("a batch that fits");
                    }
                    (log, pool)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn fresh() -> (PartitionLog, RegionPool) {
    (
        partition_log(LogConfig::default()),
        RegionPool::new(256 << 20),
    )
}

/// Batches in one iteration: the tail holds them all.
const APPENDS: u64 = 500;
