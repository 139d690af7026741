//! Validating a produced batch, and stamping it with its offset and epoch.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use logmill_benches::{NOW_MS, batch, criterion};
use logmill_engine::base::{LeaderEpoch, Offset};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::format::validate::{ValidationMode, ValidationPolicy, Validator};

fn main() {
    let mut criterion = criterion();
    validate(&mut criterion);
    stamp(&mut criterion);
    criterion.final_summary();
}

/// Records and bytes of a value.
const SHAPES: [(usize, usize); 4] = [(1, 100), (1, 1_024), (16, 1_024), (1_000, 1_024)];

fn validate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate");
    for (records, value_bytes) in SHAPES {
        let bytes = batch(records, value_bytes);
        let mut validator = Validator::new();
        let name = format!("{records} x {value_bytes} B");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(name),
            &bytes,
            |bencher, bytes| {
                bencher.iter(|| {
                    let validated = validator.validate(black_box(bytes), &policy());
                    validated.expect("a good batch")
                });
            },
        );
    }
    group.finish();
}

/// The head alone: offsets and epoch stand outside the CRC, so the records are not touched.
fn stamp(criterion: &mut Criterion) {
    let mut bytes = batch(16, 1_024);
    let mut group = criterion.benchmark_group("stamp");
    group.throughput(Throughput::Elements(1));
    group.bench_function("head", |bencher| {
        let mut offset = 0;
        bencher.iter(|| {
            let mut header = BatchHeader::parse(black_box(&bytes)).expect("a good batch");
            header.base_offset = Offset(offset);
            header.leader_epoch = LeaderEpoch(3);
            bytes[..BatchHeader::SIZE].copy_from_slice(&header.to_bytes());
            offset += 16;
        });
    });
    group.finish();
}

fn policy() -> ValidationPolicy {
    ValidationPolicy {
        mode: ValidationMode::Auto,
        now_ms: NOW_MS,
        log_append_time: false,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: 3_600_000,
        compacted: false,
        codec: None,
        level: None,
        control_allowed: false,
        decompressed_bytes_max: 64 << 20,
    }
}
