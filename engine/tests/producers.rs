//! What an idempotent producer had in flight when the broker died it sends again: every one of its
//! last five batches is known, wherever snapshots of producers stand.

mod rig;

use logmill_engine::{
    disk::memory::{Crash, MemoryDisk},
    log::LogConfig,
    recovery::{finish_stop, recover},
    store::AckLevel,
};
use rig::{Rig, batch_of, options};

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Power,
    Kill,
    Stop,
}

/// A store with producers' snapshots at checkpoints, now and then, and at segments' beginnings.
fn rig_on(disk: MemoryDisk, boot: u8, rescan_bytes_max: u64) -> Rig {
    let found = recover(&disk, [boot; 16]).unwrap();
    assert_eq!(found.fenced, []);
    let mut options = options(u64::from(boot));
    options.boot_id = [boot; 16];
    options.eras = vec![found.directories[0].era];
    options.rescan_bytes_max = rescan_bytes_max;
    let next = found.directories[0].next_journal_name;
    Rig::on(disk, options, found.partitions, &[next])
}

fn config(segment_bytes: u32) -> LogConfig {
    LogConfig {
        segment_bytes,
        index_interval_bytes: 1_000,
        ..LogConfig::default()
    }
}

fn ended(mut rig: Rig, end: End) -> MemoryDisk {
    let (crash, random) = match end {
        End::Power => (Crash::Power, &mut rig.random),
        End::Kill => (Crash::Process, &mut rig.random),
        End::Stop => {
            rig.stop();
            let states = rig.store.into_states();
            finish_stop(&rig.disk, states, &[], &[Some(1)]).unwrap();
            return rig.disk;
        }
    };
    rig.disk.crash(crash, &mut |bound| random.below(bound))
}

/// Two producers send `count` batches each, all synced; then the broker dies, and each sends its
/// last ones again, the oldest first. The last batch is always known.
fn retry_after(count: i32, segment_bytes: u32, rescan_bytes_max: u64, end: End) {
    let what = format!("{count} batches, {segment_bytes}, {rescan_bytes_max}, {end:?}");
    let mut rig = rig_on(MemoryDisk::new(1), 1, rescan_bytes_max);
    let key = rig.open(0, config(segment_bytes));
    let value = [7; 700];
    let mut sent = Vec::new();
    for sequence in 0..count {
        for id in [5, 6] {
            let bytes = batch_of(id, 0, sequence * 2, &[&value, &value[..100]]);
            let token = sent.len() as u64;
            let answer = rig.append(key, &bytes, AckLevel::Synced, token).unwrap();
            sent.push((answer.base_offset, bytes));
            rig.turn(2);
        }
    }
    rig.settle();
    assert_eq!(rig.acked.len(), sent.len());
    let mut again = rig_on(ended(rig, end), 2, rescan_bytes_max);
    let key = again.open(0, config(segment_bytes));
    for (base_offset, bytes) in sent.iter().rev().take(10).rev() {
        let answer = again.append(key, bytes, AckLevel::None, 0);
        let answer = answer.unwrap_or_else(|error| panic!("{what}: {base_offset}: {error}"));
        assert!(answer.duplicate, "{what}: {base_offset} was taken twice");
        assert_eq!(answer.base_offset, *base_offset, "{what}");
    }
    if let Some((_, older)) = sent.iter().rev().nth(10) {
        let refused = again.append(key, older, AckLevel::None, 0);
        assert!(refused.is_err(), "{what}: the sixth is not known any more");
    }
    let next = batch_of(5, 0, count * 2, &[&value]);
    assert!(
        !again
            .append(key, &next, AckLevel::None, 0)
            .unwrap()
            .duplicate
    );
}

#[test]
fn all_of_the_last_five_batches_are_known_however_the_broker_ended() {
    for end in [End::Power, End::Kill, End::Stop] {
        for (segment_bytes, rescan_bytes_max) in [
            // Checkpoints within a segment, segments that end, both, neither.
            (1 << 30, 8_000),
            (6_000, 256 << 20),
            (9_000, 20_000),
            (1 << 30, 256 << 20),
        ] {
            for count in 1..48 {
                retry_after(count, segment_bytes, rescan_bytes_max, end);
            }
        }
    }
}
