//! What the micro-benches share: batches, a partition's log, a store on a real disk, a client.
//!
//! `cargo bench -p logmill-benches --bench NAME` runs one of `crc`, `batches`, `codec`, `append`,
//! `lookup`, `journal`, `fetch` and `groups`; every figure is with its unit, bytes or batches a
//! second.

pub mod client;
pub mod disk_store;

use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use logmill_engine::base::{DirectoryIndex, Micros, Now, Offset, PartitionIndex, TopicId};
use logmill_engine::format::builder::BatchBuilder;
use logmill_engine::format::compression::Codec;
use logmill_engine::log::{LogConfig, LogIdentity, PartitionLog};

/// Criterion with settings that give a figure within a few seconds.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args()
}

/// A batch as a plain producer sends it: so many records with incompressible values.
pub fn batch(records: usize, value_bytes: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for record in 0..records {
        let value = noise(value_bytes, record as u64 + 1);
        builder = builder.record(NOW_MS, None, Some(&value));
    }
    builder
        .build(Codec::None)
        .expect("a batch that is not compressed can be built")
}

/// Bytes that no codec and no cache line finds twice, the same for the same seed.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A log that begins at offset 0.
pub fn partition_log(config: LogConfig) -> PartitionLog {
    let identity = LogIdentity {
        topic_id: TopicId([7; 16]),
        topic: "bench".into(),
        index: PartitionIndex(0),
        directory: DirectoryIndex(0),
    };
    PartitionLog::new(identity, Arc::new(config), Offset(0))
}

/// A moment.
pub fn now(monotonic_us: u64) -> Now {
    Now {
        monotonic: Micros(monotonic_us + 1),
        wall_ms: NOW_MS,
    }
}

/// The wall clock of all benches, ms since 1970.
pub const NOW_MS: i64 = 1_700_000_000_000;
