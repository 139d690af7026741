//! Coordinators of groups: a log of 1,000,000 commits replayed, as after a start, and one commit.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use logmill::groups::{
    Ask, CommitPartition, CommitTopic, Coordinator, Effects, OffsetCommit, Options,
};
use logmill_benches::criterion;
use logmill_engine::base::{Micros, Now};
use logmill_wire::batch::{BatchBuilder, BatchMeta, Batches, NewRecord};
use rand::SeedableRng;
use rand::rngs::StdRng;

fn main() {
    let mut criterion = criterion();
    replay(&mut criterion);
    commit(&mut criterion);
    criterion.final_summary();
}

/// From the log's bytes to the state, CRC included; elements a second are commits.
fn replay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("groups/replay 1,000,000 commits");
    group.sample_size(10);
    group.throughput(Throughput::Elements(COMMITS as u64));
    for (name, groups) in [("of 1,000 offsets", 1), ("of 1,000,000 offsets", 1_000)] {
        let log = log(groups);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut coordinator = unloaded();
                for batch in Batches::new(&log) {
                    let batch = batch.expect("whole batches");
                    batch.check_crc().expect("as it was made");
                    for record in batch.records().expect("uncompressed") {
                        let record = record.expect("as it was made");
                        let key = record.key.expect("every record has one");
                        coordinator
                            .replay(key, record.value)
                            .expect("a coordinator's own record");
                    }
                }
                coordinator.loaded(NOW, &mut Effects::default());
                assert_eq!(coordinator.counts().offsets, groups * PARTITIONS);
                coordinator
            });
        });
    }
    group.finish();
}

/// One offset of a group that is committed again; the records are made, nothing is written.
fn commit(criterion: &mut Criterion) {
    let mut coordinator = coordinator();
    let mut effects = Effects::default();
    criterion.bench_function("groups/commit", |bencher| {
        bencher.iter_batched(
            || commit_of(0, 1, 7),
            |ask| {
                coordinator.take(NOW, 0, ask, &mut effects);
                effects.clear();
            },
            BatchSize::SmallInput,
        );
    });
}

/// Each commit is of all partitions, one batch of records each.
fn log(groups: usize) -> Vec<u8> {
    let mut coordinator = coordinator();
    let mut effects = Effects::default();
    let (mut log, mut builder) = (Vec::new(), BatchBuilder::new());
    for number in 0..COMMITS / PARTITIONS {
        let ask = commit_of(number % groups, PARTITIONS, number as i64);
        coordinator.take(NOW, number as u64, ask, &mut effects);
        for record in &effects.records {
            builder
                .append(&NewRecord {
                    timestamp: NOW.wall_ms,
                    key: Some(&record.key),
                    value: record.value(),
                    headers: &[],
                })
                .expect("a small record");
        }
        effects.clear();
        builder.finish(&BatchMeta::default(), &mut log);
        builder.clear();
    }
    log
}

fn commit_of(group: usize, partitions: usize, offset: i64) -> Ask {
    let partitions = (0..partitions).map(|partition| CommitPartition {
        partition: partition as i32,
        offset,
        leader_epoch: 0,
        metadata: String::new(),
    });
    Ask::Commit(OffsetCommit {
        group_id: format!("group-{group}"),
        generation: -1,
        member_id: String::new(),
        group_instance_id: None,
        knows_group_not_found: true,
        retention_ms: None,
        topics: vec![CommitTopic {
            topic: "topic".to_owned(),
            partitions: partitions.collect(),
        }],
    })
}

fn coordinator() -> Coordinator {
    let mut coordinator = unloaded();
    coordinator.loaded(NOW, &mut Effects::default());
    coordinator
}

fn unloaded() -> Coordinator {
    let options = Options {
        memory_bytes_max: usize::MAX,
        ..Options::default()
    };
    Coordinator::new(NOW, options, Box::new(StdRng::seed_from_u64(1)))
}

const COMMITS: usize = 1_000_000;
const PARTITIONS: usize = 1_000;
const NOW: Now = Now {
    monotonic: Micros(1),
    wall_ms: 1_700_000_000_000,
};
