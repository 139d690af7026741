//! Ticks on a real file: one batch for each of so many partitions, journaled in as few frames as
//! they fit, until all are `written`, or `synced`.

use criterion::{BenchmarkId, Criterion, Throughput};
use logmill_benches::disk_store::DiskStore;
use logmill_benches::{batch, criterion};
use logmill_engine::store::AckLevel;

fn main() {
    let mut criterion = criterion();
    ticks(&mut criterion);
    criterion.final_summary();
}

/// The time is that of a tick, without the appends before it; elements a second are batches.
fn ticks(criterion: &mut Criterion) {
    for (level, name) in [(AckLevel::Written, "written"), (AckLevel::Synced, "synced")] {
        let mut group = criterion.benchmark_group(format!("journal/{name}"));
        group.sample_size(10);
        for partitions in [1, 16, 256, 1_000, 4_096] {
            let bytes = batch(1, 100);
            let (mut store, keys) = DiskStore::new(partitions);
            group.throughput(Throughput::Elements(partitions as u64));
            group.bench_function(BenchmarkId::new("partitions", partitions), |bencher| {
                bencher.iter_custom(|times| {
                    (0..times).map(|_| store.tick(&keys, &bytes, level)).sum()
                });
            });
        }
        group.finish();
    }
}
