//! The n-th operation fails, and every bit of a journal flips.
//!
//! For every n and errno: nothing panics, what was acknowledged stays readable, a failed journal
//! takes no more appends, a failed segment fences its partition, and after a restart nothing that
//! was acknowledged is missing. For every flipped bit: detected, or it changes nothing.

mod rig;

use logmill_engine::{
    disk::memory::{Crash, MemoryDisk},
    log::LogConfig,
    recovery::{Finding, FindingKind, recover},
    store::{AckLevel, Isolation, PartitionKey},
};
use rig::{Rig, TOP, batch, options};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 12_000,
        ..LogConfig::default()
    }
}

/// Appends to two partitions until `rounds` are through or nothing is taken any more. The values
/// that were acknowledged, by partition.
fn load(rig: &mut Rig, rounds: u32) -> (Vec<PartitionKey>, Vec<Vec<Vec<u8>>>) {
    let keys: Vec<PartitionKey> = (0..2).map(|index| rig.open(index, config())).collect();
    let mut appended: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 2];
    let mut ends = Vec::new();
    for round in 0..rounds {
        let at = (round % 2) as usize;
        let value = vec![round as u8; 40 + (round as usize * 997) % 2_500];
        let token = ends.len() as u64;
        if rig
            .append(keys[at], &batch(&[&value]), AckLevel::Synced, token)
            .is_ok()
        {
            appended[at].push(value);
            ends.push((at, appended[at].len()));
        }
        rig.turn(4);
    }
    for _ in 0..50 {
        rig.now.monotonic.0 += 600_000;
        rig.turn(u32::MAX);
    }
    let mut acknowledged = [0, 0];
    for (token, result) in &rig.acked {
        let (at, end) = ends[*token as usize];
        if result.is_ok() {
            acknowledged[at] = acknowledged[at].max(end);
        }
    }
    for (at, values) in appended.iter_mut().enumerate() {
        values.truncate(acknowledged[at]);
    }
    (keys, appended)
}

fn fresh(seed: u64) -> Rig {
    fresh_with(seed, 32 << 10)
}

fn fresh_with(seed: u64, file_bytes: u64) -> Rig {
    let disk = MemoryDisk::new(1);
    let found = recover(&disk, [1; 16]).unwrap();
    let mut options = options(seed);
    options.eras = vec![found.directories[0].era];
    options.journal.first_file_bytes = file_bytes;
    options.journal.file_bytes = file_bytes;
    options.rescan_bytes_max = 40_000;
    options.bypass_bytes = if seed % 2 == 1 { 2_000 } else { 0 };
    Rig::on(disk, options, Vec::new(), &[1])
}

#[test]
fn whatever_operation_fails_nothing_acknowledged_is_lost() {
    let (mut failed_lines, mut states) = (0, 0);
    for errno in [EIO, ENOSPC, EROFS, EDQUOT] {
        for number in 1..260 {
            let mut rig = fresh(3);
            rig.disk
                .fail_operation(rig.disk.operations() + number, errno);
            let (keys, acknowledged) = load(&mut rig, 60);
            failed_lines += usize::from(!rig.failures.is_empty());
            for (key, values) in keys.iter().zip(&acknowledged) {
                let found = rig.read_all(*key, Isolation::ReadUncommitted);
                assert!(
                    found.len() >= values.len(),
                    "operation {number}, errno {errno}"
                );
                for (index, value) in values.iter().enumerate() {
                    assert_eq!(&found[index].1, value, "operation {number}, errno {errno}");
                }
            }
            let random = &mut rig.random;
            let disk = rig
                .disk
                .crash(Crash::Process, &mut |bound| random.below(bound));
            let found = recover(&disk, [1; 16]).unwrap();
            assert_eq!(
                found.fenced,
                [],
                "operation {number}, errno {errno}: {found:?}"
            );
            for (index, values) in acknowledged.iter().enumerate() {
                let state = found
                    .partitions
                    .iter()
                    .find(|state| state.index.0 as usize == index);
                let end = state.map_or(0, |state| state.end.0 as usize);
                assert!(
                    end >= values.len(),
                    "operation {number}, errno {errno}: {end}"
                );
            }
            states += 1;
        }
    }
    println!("{states} failures, {failed_lines} of them stopped something");
    assert!(
        failed_lines > 100,
        "the failures must reach what matters: {failed_lines}"
    );
}

#[test]
fn a_full_disk_is_waited_for_and_service_comes_back() {
    let mut rig = fresh(4);
    rig.disk.limit_space(Some(0));
    let (keys, before) = load(&mut rig, 40);
    assert_eq!(rig.failures, Vec::<String>::new(), "no room is no failure");
    rig.disk.limit_space(None);
    for _ in 0..50 {
        rig.now.monotonic.0 += 600_000;
        rig.turn(u32::MAX);
    }
    rig.append(keys[0], &batch(&[b"room"]), AckLevel::Synced, 5_000)
        .unwrap();
    rig.settle();
    assert!(rig.acked[&5_000].is_ok());
    let found = rig.read_all(keys[0], Isolation::ReadUncommitted);
    assert!(found.len() > before[0].len());
    rig.stop();
    assert!(rig.store.is_level());
}

#[test]
fn recovery_refuses_or_survives_every_failure_of_its_own() {
    let mut rig = fresh(5);
    let (_, acknowledged) = load(&mut rig, 40);
    let random = &mut rig.random;
    let image = rig
        .disk
        .crash(Crash::Process, &mut |bound| random.below(bound));
    for number in 1..400 {
        let disk = image.crash(Crash::Process, &mut |_| 0);
        disk.fail_operation(number, EIO);
        let first = recover(&disk, [1; 16]);
        if first.is_ok() && disk.operations() < number {
            break;
        }
        let found = match first {
            Ok(found) => found,
            Err(_) => recover(&disk, [1; 16]).unwrap(),
        };
        assert_eq!(found.fenced, [], "operation {number}");
        for (index, values) in acknowledged.iter().enumerate() {
            let state = found
                .partitions
                .iter()
                .find(|state| state.index.0 as usize == index);
            assert!(
                state.is_some_and(|state| state.end.0 as usize >= values.len()),
                "{number}"
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_journal_is_detected_or_harmless() {
    let mut rig = fresh_with(6, 256 << 10);
    let key = rig.open(0, LogConfig::default());
    let other = rig.open(1, LogConfig::default());
    let mut expected = vec![Vec::new(); 2];
    for round in 0..6u8 {
        for (at, key) in [key, other].into_iter().enumerate() {
            let value = vec![round; 60];
            rig.append(
                key,
                &batch(&[&value]),
                AckLevel::Synced,
                u64::from(round) * 2 + at as u64,
            )
            .unwrap();
            expected[at].push(value);
        }
        rig.settle();
    }
    assert_eq!(rig.acked.len(), 12);
    let path = "logmill-journal-0-1";
    let clean = rig.disk.contents(TOP, path).unwrap();
    // Header, copy, checkpoint and the frames; the rest of the file is zeros like the padding.
    let used = clean.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let (mut detected, mut harmless) = (0u32, 0u32);
    // Every bit up to the last byte of each block that says something, some of the padding.
    let says = |byte: usize| {
        let block = &clean[byte..(byte / 4096 + 1) * 4096];
        block.iter().any(|byte| *byte != 0)
    };
    let dense = |byte: usize| says(byte) || byte.is_multiple_of(64);
    for bit in (0..used * 8).filter(|bit| dense(bit / 8)) {
        let random = &mut rig.random;
        let disk = rig
            .disk
            .crash(Crash::Process, &mut |bound| random.below(bound));
        disk.poke(TOP, path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        // Another boot: the case in which the most is forgiven.
        let Ok(found) = recover(&disk, [2; 16]) else {
            detected += 1;
            continue;
        };
        if found.findings.iter().any(tells_of_loss) {
            detected += 1;
            continue;
        }
        let mut again = {
            let mut options = options(7);
            options.eras = vec![found.directories[0].era];
            let next = found.directories[0].next_journal_name;
            Rig::on(disk, options, found.partitions, &[next])
        };
        for (at, values) in expected.iter().enumerate() {
            let key = again.open(at as i32, LogConfig::default());
            let read = again.read_all(key, Isolation::LogEnd);
            let read: Vec<_> = read.into_iter().map(|(_, value)| value).collect();
            assert_eq!(
                &read,
                values,
                "bit {bit} (byte {}) passed unnoticed",
                bit / 8
            );
        }
        harmless += 1;
    }
    println!("{detected} flips detected, {harmless} harmless");
    assert!(detected > 10_000, "{detected}");
}

fn tells_of_loss(finding: &Finding) -> bool {
    matches!(
        finding.kind,
        FindingKind::Fenced | FindingKind::Cut | FindingKind::FramesLost
    )
}
