//! CRC-32C, as every batch pays it once.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use logmill_benches::{criterion, noise};

fn main() {
    let mut criterion = criterion();
    crc(&mut criterion);
    criterion.final_summary();
}

fn crc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crc");
    for (name, len) in [("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("1 MiB", 1 << 20)] {
        let bytes = noise(len, 1);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(name),
            &bytes,
            |bencher, bytes| {
                bencher.iter(|| crc32c::crc32c(black_box(bytes)));
            },
        );
    }
    group.finish();
}
