//! Several log directories, a journal in each: restarts, and one of them failing.

mod rig;

use logmill_engine::{
    base::DirectoryIndex,
    disk::memory::{Crash, MemoryDisk},
    log::LogConfig,
    recovery::{FindingKind, Recovered, RecoveryError, finish_stop, recover},
    store::{AckLevel, Isolation, PartitionKey, PartitionSpec, StoreError},
};
use rig::{Rig, batch, options, spec};

const DIRECTORIES: usize = 2;
const PARTITIONS: i32 = 4;

fn spec_of(partition: i32) -> PartitionSpec {
    PartitionSpec {
        directory: DirectoryIndex(partition as u16 % DIRECTORIES as u16),
        ..spec(partition, LogConfig::default())
    }
}

fn start(disk: MemoryDisk, boot: u8) -> (Rig, Recovered) {
    let mut found = recover(&disk, [boot; 16]).unwrap();
    let mut options = options(u64::from(boot));
    options.boot_id = [boot; 16];
    // Nothing turns over: the first file holds it all.
    options.journal.first_file_bytes = 256 << 10;
    options.eras = found.directories.iter().map(|it| it.era).collect();
    options.fenced = found.fenced.clone();
    options.failed_directories = found.directories.iter().map(|it| it.failed).collect();
    let names: Vec<u64> = found
        .directories
        .iter()
        .map(|it| it.next_journal_name)
        .collect();
    let states = std::mem::take(&mut found.partitions);
    (Rig::on(disk, options, states, &names), found)
}

fn open_all(rig: &mut Rig) -> Vec<Result<PartitionKey, StoreError>> {
    (0..PARTITIONS)
        .map(|partition| rig.store.open_partition(rig.now, spec_of(partition)))
        .collect()
}

/// A disk on which a process wrote ten synced records to each partition.
fn written() -> Rig {
    let (mut rig, _) = start(MemoryDisk::new(DIRECTORIES), 1);
    let keys = open_all(&mut rig);
    for round in 0..10u8 {
        for (partition, key) in keys.iter().enumerate() {
            let token = u64::from(round) * 100 + partition as u64;
            let value = [round, partition as u8];
            rig.append(
                *key.as_ref().unwrap(),
                &batch(&[&value]),
                AckLevel::Synced,
                token,
            )
            .unwrap();
        }
        rig.settle();
    }
    assert_eq!(rig.acked.len(), 40);
    rig
}

fn check(rig: &mut Rig, key: PartitionKey, partition: u8) {
    let found = rig.read_all(key, Isolation::LogEnd);
    let expected: Vec<_> = (0..10u8)
        .map(|round| (i64::from(round), vec![round, partition]))
        .collect();
    assert_eq!(found, expected, "partition {partition}");
}

fn crashed(rig: &mut Rig, crash: Crash) -> MemoryDisk {
    let random = &mut rig.random;
    rig.disk.crash(crash, &mut |bound| random.below(bound))
}

#[test]
fn partitions_stay_in_their_directories_through_crashes_and_clean_stops() {
    let mut rig = written();
    for directory in 0..DIRECTORIES {
        let files = rig.disk.files(DirectoryIndex(directory as u16));
        assert!(
            files
                .iter()
                .any(|path| path.starts_with("logmill-journal-0-"))
        );
        let partition = format!("topic-{directory}/partition.metadata");
        assert!(files.contains(&partition), "{files:?}");
    }
    let (mut rig, found) = start(crashed(&mut rig, Crash::Power), 2);
    assert!(found.directories.iter().all(|it| !it.clean && !it.failed));
    let keys = open_all(&mut rig);
    for (partition, key) in keys.iter().enumerate() {
        check(&mut rig, *key.as_ref().unwrap(), partition as u8);
    }
    rig.stop();
    assert_eq!(rig.store.level_directories(), [true, true]);
    let eras: Vec<_> = found.directories.iter().map(|it| Some(it.era)).collect();
    let Rig { disk, store, .. } = rig;
    finish_stop(&disk, store.into_states(), &[], &eras).unwrap();
    let (mut rig, found) = start(disk, 2);
    assert!(found.directories.iter().all(|it| it.clean));
    assert_eq!(found.findings, []);
    let keys = open_all(&mut rig);
    for (partition, key) in keys.iter().enumerate() {
        check(&mut rig, *key.as_ref().unwrap(), partition as u8);
    }
}

#[test]
fn a_damaged_journal_takes_its_directory_out_and_leaves_the_other_in_service() {
    // A frame that was synced, behind one block of checkpoint; and the checkpoint.
    type Damage = fn(&mut Vec<u8>);
    let frame: Damage = |bytes| bytes[8192 + 4096 + 70] ^= 1;
    let checkpoint: Damage = |bytes| bytes[8192 + 8] ^= 1;
    for (what, damage) in [("frame", frame), ("checkpoint", checkpoint)] {
        let mut rig = written();
        let disk = crashed(&mut rig, Crash::Process);
        disk.poke(DirectoryIndex(1), "logmill-journal-0-1", damage);
        let before = disk.files(DirectoryIndex(1));
        let (mut rig, found) = start(disk, 1);
        assert!(
            found.directories[1].failed && !found.directories[0].failed,
            "{what}"
        );
        let said = |kind| found.findings.iter().any(|finding| finding.kind == kind);
        assert!(
            said(FindingKind::DirectoryFailed),
            "{what}: {:?}",
            found.findings
        );
        assert_eq!(
            rig.disk.files(DirectoryIndex(1)),
            before,
            "nothing was changed"
        );
        for (partition, key) in open_all(&mut rig).into_iter().enumerate() {
            if partition % 2 == 1 {
                assert_eq!(key, Err(StoreError::Fenced), "{what}");
                continue;
            }
            let key = key.unwrap();
            check(&mut rig, key, partition as u8);
            let token = 9_000 + partition as u64;
            rig.append(key, &batch(&[b"more"]), AckLevel::Synced, token)
                .unwrap();
            rig.settle();
            assert!(rig.acked[&token].is_ok(), "{what}");
        }
        rig.stop();
        assert_eq!(rig.store.level_directories(), [true, false]);
        let Rig { disk, store, .. } = rig;
        let eras = [Some(found.directories[0].era), None];
        finish_stop(&disk, store.into_states(), &found.fenced, &eras).unwrap();
        let files = disk.files(DirectoryIndex(1));
        assert!(
            !files.iter().any(|path| path == ".kafka_cleanshutdown"),
            "{files:?}"
        );
        let again = recover(&disk, [1; 16]).unwrap();
        assert!(again.directories[0].clean && again.directories[1].failed);
    }
}

#[test]
fn with_one_directory_only_the_damage_is_a_clear_error() {
    let mut rig = Rig::new(5);
    let key = rig.open(0, LogConfig::default());
    for token in 0..3 {
        rig.append(key, &batch(&[b"value"]), AckLevel::Synced, token)
            .unwrap();
        rig.settle();
    }
    let disk = crashed(&mut rig, Crash::Process);
    // The rig's era is 1; a snapshot of it must be there.
    let snapshot = logmill_engine::recovery::Snapshot {
        era: 1,
        ..Default::default()
    };
    use logmill_engine::disk::BlockingDisk;
    disk.write_whole(
        DirectoryIndex(0),
        logmill_engine::recovery::SNAPSHOT_FILE,
        &snapshot.encode().unwrap(),
    )
    .unwrap();
    disk.sync_all(DirectoryIndex(0)).unwrap();
    disk.poke(DirectoryIndex(0), "logmill-journal-0-1", |bytes| {
        bytes[8192 + 4096 + 70] ^= 1;
    });
    let error = recover(&disk, [1; 16]).unwrap_err();
    assert!(matches!(error, RecoveryError::Damaged { .. }));
    let text = error.to_string();
    assert!(text.contains("logmill-journal-0-1"), "{text}");
    assert!(
        text.contains("restore the directory, or move it away"),
        "{text}"
    );
}

#[test]
fn a_journal_that_fails_stops_its_directory_alone() {
    let mut failed = [0, 0];
    for number in 20..140 {
        let (mut rig, _) = start(MemoryDisk::new(DIRECTORIES), 1);
        let keys: Vec<_> = open_all(&mut rig).into_iter().map(Result::unwrap).collect();
        rig.disk.fail_operation(rig.disk.operations() + number, 5);
        for token in 0..60u64 {
            let key = keys[token as usize % keys.len()];
            let _ = rig.append(key, &batch(&[&[7; 300]]), AckLevel::Synced, token);
            rig.turn(3);
        }
        rig.settle();
        let level: Vec<bool> = (0..DIRECTORIES)
            .map(|directory| {
                let token = 1_000 + directory as u64;
                let bytes = batch(&[b"after"]);
                rig.append(keys[directory], &bytes, AckLevel::Synced, token)
                    .is_ok()
            })
            .collect();
        rig.settle();
        assert!(level.contains(&true), "operation {number} stopped both");
        for (directory, level) in level.iter().enumerate() {
            failed[directory] += usize::from(!level);
            let token = 1_000 + directory as u64;
            assert_eq!(rig.acked.get(&token).is_some_and(Result::is_ok), *level);
        }
    }
    assert!(failed[0] > 5 && failed[1] > 5, "{failed:?}");
}
