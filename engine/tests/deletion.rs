//! What goes: records by DeleteRecords, segments by retention, partitions with their topics.

mod rig;

use std::{collections::BTreeSet, sync::Arc};

use logmill_engine::{
    base::{LeaderEpoch, Micros, Offset, TopicId},
    disk::memory::{Crash, MemoryDisk},
    format::{batch::BatchHeader, builder::BatchBuilder, compression::Codec},
    log::{LogConfig, ReadError, RetentionConfig},
    recovery::{Recovered, finish_stop, recover},
    store::{
        AckLevel, FetchRead, Isolation, OffsetAnswer, OffsetSpec, PartitionKey, PartitionSpec,
        ReadData, Role, StoreError,
    },
};
use rig::{Random, Rig, TOP, batch, batch_at, batch_of, check_files, options, spec};

/// About ten of [`filled`]'s batches a segment.
fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 11_000,
        file_delete_delay_ms: 60_000,
        ..LogConfig::default()
    }
}

fn fresh(seed: u64) -> Rig {
    fresh_with(seed, None)
}

fn fresh_with(seed: u64, retention_check: Option<Micros>) -> Rig {
    let disk = MemoryDisk::new(1);
    let found = recover(&disk, [1; 16]).unwrap();
    let mut options = options(seed);
    options.eras = vec![found.directories[0].era];
    options.retention_check = retention_check;
    options.retention_delay = Micros::from_millis(1_000);
    Rig::on(disk, options, Vec::new(), &[1])
}

/// A partition with `batches` of one record each, 1 KiB and 10 ms apart, all shown.
fn filled(rig: &mut Rig, config: LogConfig, batches: usize) -> PartitionKey {
    let key = rig.open(0, config);
    for index in 0..batches {
        let bytes = batch_at(10 * index as i64, &[&[index as u8; 1000]]);
        rig.append(key, &bytes, AckLevel::None, 0).unwrap();
        rig.turn(2);
    }
    rig.settle_for(Micros::from_millis(500));
    assert_eq!(
        rig.store.watermarks(key).unwrap().high(),
        Offset(batches as i64)
    );
    key
}

fn starts_at(rig: &Rig, key: PartitionKey) -> i64 {
    rig.store.watermarks(key).unwrap().log_start().0
}

/// The partition's files by the ending of their names.
fn files(rig: &Rig, ending: &str) -> Vec<String> {
    let mut files = rig.disk.files(TOP);
    files.retain(|path| path.starts_with("topic-0/") && path.ends_with(ending));
    files
}

fn delete_to(rig: &mut Rig, key: PartitionKey, to: i64) {
    let token = 500 + to as u64;
    let told = rig.store.advance_log_start(key, Offset(to), token).unwrap();
    if told.is_none() {
        rig.settle_for(Micros::from_millis(500));
        assert!(rig.loaded.contains(&token), "who waits is told");
    }
    let told = rig.store.advance_log_start(key, Offset(to), token).unwrap();
    assert_eq!(told, Some(rig.store.watermarks(key).unwrap().log_start()));
}

fn restarted(rig: Rig, crash: Crash, config: LogConfig) -> (Rig, PartitionKey, Recovered) {
    restarted_with(rig, crash, config, None)
}

fn restarted_with(
    rig: Rig,
    crash: Crash,
    config: LogConfig,
    retention_check: Option<Micros>,
) -> (Rig, PartitionKey, Recovered) {
    let mut random = Random(rig.random.0);
    let disk = rig.disk.crash(crash, &mut |bound| random.below(bound));
    let mut found = recover(&disk, [9; 16]).unwrap();
    assert!(found.fenced.is_empty(), "{:?}", found.findings);
    let mut options = options(77);
    options.eras = found.directories.iter().map(|it| it.era).collect();
    options.retention_check = retention_check;
    options.retention_delay = Micros::from_millis(1_000);
    let names = [found.directories[0].next_journal_name];
    let states = std::mem::take(&mut found.partitions);
    let mut rig = Rig::on(disk, options, states, &names);
    let key = rig.open(0, config);
    (rig, key, found)
}

#[test]
fn deleted_records_are_gone_at_once_and_for_good() {
    let mut rig = fresh(1);
    let key = filled(&mut rig, small(), 45);
    delete_to(&mut rig, key, 25);
    let read = FetchRead {
        offset: Offset(24),
        max_bytes: 1,
        whole_first_batch: true,
        isolation: Isolation::ReadUncommitted,
        token: 1,
    };
    let refused = rig.store.read(rig.now, key, &read);
    assert!(matches!(
        refused,
        Err(StoreError::Read(ReadError::OffsetOutOfRange { .. }))
    ));
    let earliest = rig
        .store
        .list_offset(rig.now, key, OffsetSpec::Earliest, 1)
        .unwrap();
    assert!(matches!(earliest, OffsetAnswer::Ready(found) if found.offset == Some(Offset(25))));
    // Backwards is no error and changes nothing; beyond the high watermark is one.
    delete_to(&mut rig, key, 3);
    assert_eq!(starts_at(&rig, key), 25);
    for beyond in [46, -1] {
        let refused = rig.store.advance_log_start(key, Offset(beyond), 1);
        assert!(matches!(
            refused,
            Err(StoreError::Read(ReadError::OffsetOutOfRange { .. }))
        ));
    }
    let (mut rig, key, _) = restarted(rig, Crash::Power, small());
    assert_eq!(starts_at(&rig, key), 25);
    let found = rig.read_all(key, Isolation::LogEnd);
    let offsets: Vec<_> = found.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (25..45).collect::<Vec<_>>());
}

#[test]
fn segments_are_renamed_then_removed_when_their_time_has_come() {
    let mut rig = fresh(2);
    let key = filled(&mut rig, small(), 45);
    let before = files(&rig, ".log");
    delete_to(&mut rig, key, 25);
    rig.settle_for(Micros::from_millis(500));
    let deleted = files(&rig, ".log.deleted");
    assert_eq!(
        deleted,
        before[..2]
            .iter()
            .map(|path| format!("{path}.deleted"))
            .collect::<Vec<_>>(),
        "{before:?}"
    );
    assert_eq!(files(&rig, ".log"), before[2..]);
    rig.settle_for(Micros::from_millis(58_000));
    assert_eq!(files(&rig, ".log.deleted"), deleted);
    rig.settle_for(Micros::from_millis(2_000));
    assert_eq!(files(&rig, ".deleted"), Vec::<String>::new());
}

#[test]
fn everything_may_go_and_the_log_goes_on_behind_it() {
    let mut rig = fresh(3);
    let config = LogConfig {
        file_delete_delay_ms: 0,
        ..small()
    };
    let key = filled(&mut rig, config.clone(), 15);
    let sent = batch_of(5, 0, 0, &[b"first", b"second"]);
    rig.append(key, &sent, AckLevel::Synced, 1).unwrap();
    rig.settle();
    delete_to(&mut rig, key, 17);
    rig.settle();
    assert_eq!(files(&rig, ".log"), Vec::<String>::new());
    assert_eq!(files(&rig, ".deleted"), Vec::<String>::new());
    for crash in [Crash::Process, Crash::Power] {
        let (mut next, key, _) = restarted(rig, crash, config.clone());
        let marks = next.store.watermarks(key).unwrap();
        assert_eq!((marks.log_start(), marks.high()), (Offset(17), Offset(17)));
        // What producers did is not forgotten with their records.
        let again = next.append(key, &sent, AckLevel::None, 2).unwrap();
        assert!(again.duplicate && again.base_offset == Offset(15));
        rig = next;
    }
    let key = rig.store.key(TopicId([7; 16]), spec(0, small()).index);
    let key = key.unwrap();
    let answer = rig
        .append(key, &batch_of(5, 0, 2, &[b"third"]), AckLevel::Synced, 3)
        .unwrap();
    assert_eq!(
        (answer.base_offset, answer.log_start),
        (Offset(17), Offset(17))
    );
    rig.stop();
    let expected = ["00000000000000000017.log"];
    let logs = files(&rig, ".log");
    assert!(
        logs.iter().all(|path| path.ends_with(expected[0])),
        "{logs:?}"
    );
    let (mut rig, key, _) = restarted(rig, Crash::Power, config);
    assert_eq!(
        rig.read_all(key, Isolation::LogEnd),
        [(17, b"third".to_vec())]
    );
}

#[test]
fn a_file_that_someone_sends_from_keeps_its_name() {
    let mut rig = fresh(4);
    filled(&mut rig, small(), 45);
    let (mut rig, key, _) = restarted(rig, Crash::Process, small());
    let read = FetchRead {
        offset: Offset(0),
        max_bytes: 4_000,
        whole_first_batch: true,
        isolation: Isolation::ReadUncommitted,
        token: 1,
    };
    let range = loop {
        match rig.store.read(rig.now, key, &read).unwrap().data {
            ReadData::File(range) => break range,
            ReadData::Loading => rig.turn(u32::MAX),
            other => panic!("{other:?}"),
        }
    };
    let before = files(&rig, ".log");
    // The ack does not wait for the reader.
    delete_to(&mut rig, key, 25);
    rig.settle_for(Micros::from_millis(5_000));
    assert_eq!(files(&rig, ".log"), before);
    drop(range);
    rig.settle_for(Micros::from_millis(500));
    assert_eq!(files(&rig, ".log"), before[2..]);
}

fn aged(retention_ms: i64, retention_bytes: i64) -> LogConfig {
    let retention = RetentionConfig {
        retention_ms,
        retention_bytes,
        ..RetentionConfig::default()
    };
    LogConfig {
        retention,
        ..small()
    }
}

fn checked(seed: u64) -> Rig {
    fresh_with(seed, Some(Micros::from_millis(1_000)))
}

#[test]
fn old_segments_go_by_their_largest_timestamp() {
    let mut rig = checked(5);
    rig.now.wall_ms = 0;
    let key = filled(&mut rig, aged(1_000, -1), 45);
    // Records of 0, 10, 20 ... 440 ms, ten a segment.
    rig.now.wall_ms = 1_090;
    rig.settle_for(Micros::from_millis(1_500));
    assert_eq!(starts_at(&rig, key), 0, "90 is not older than a second yet");
    rig.now.wall_ms = 1_200;
    rig.settle_for(Micros::from_millis(1_500));
    assert_eq!(starts_at(&rig, key), 20);
    // The active one too, and the log goes on.
    rig.now.wall_ms = 9_000;
    rig.settle_for(Micros::from_millis(1_500));
    assert_eq!(starts_at(&rig, key), 45);
    assert_eq!(files(&rig, ".log"), Vec::<String>::new());
    let answer = rig
        .append(key, &batch_at(9_000, &[b"next"]), AckLevel::Synced, 9)
        .unwrap();
    assert_eq!(answer.base_offset, Offset(45));
    rig.settle_for(Micros::from_millis(1_500));
    assert_eq!(starts_at(&rig, key), 45);
}

#[test]
fn segments_without_timestamps_are_as_old_as_their_files() {
    let config = || aged(1_000, -1);
    let mut rig = checked(51);
    let key = rig.open(0, config());
    rig.disk.set_modified(5_000);
    rig.now.wall_ms = 5_000;
    for index in 0..25 {
        let bytes = batch_at(-1, &[&[index; 1000]]);
        rig.append(key, &bytes, AckLevel::None, 0).unwrap();
        rig.turn(2);
    }
    rig.settle_for(Micros::from_millis(2_500));
    rig.now.wall_ms = 6_000;
    rig.settle_for(Micros::from_millis(2_500));
    assert_eq!(starts_at(&rig, key), 0, "not older than a second yet");
    // The oldest file was asked before, the others are asked when it goes, and say another time.
    rig.disk.set_modified(6_000);
    rig.now.wall_ms = 6_001;
    rig.settle_for(Micros::from_millis(2_500));
    assert_eq!(starts_at(&rig, key), 10);
    rig.now.wall_ms = 7_001;
    rig.append(key, &batch_at(7_001, &[b"young"]), AckLevel::Synced, 1)
        .unwrap();
    rig.settle_for(Micros::from_millis(2_500));
    assert_eq!(starts_at(&rig, key), 20, "one record of it has a timestamp");
    let young = batch_at(-1, &[&[0; 9_000]]);
    rig.append(key, &young, AckLevel::Synced, 2).unwrap();
    rig.settle_for(Micros::from_millis(2_500));
    // Another process asks the files again.
    let check = Some(Micros::from_millis(1_000));
    let (mut rig, key, _) = restarted_with(rig, Crash::Process, config(), check);
    rig.disk.set_modified(7_000);
    rig.now.wall_ms = 8_002;
    rig.settle_for(Micros::from_millis(2_500));
    assert_eq!(starts_at(&rig, key), 27);
}

#[test]
fn the_oldest_segments_go_when_there_are_too_many_bytes() {
    let mut rig = checked(6);
    let key = filled(&mut rig, aged(-1, 25_000), 45);
    rig.settle_for(Micros::from_millis(1_500));
    // 48 KB in five segments, the last one half full: two may go and 25 KB stay.
    assert_eq!(starts_at(&rig, key), 20);
    rig.settle_for(Micros::from_millis(3_000));
    assert_eq!(starts_at(&rig, key), 20);
    // The topic's settings change.
    let config = Arc::new(aged(-1, 0));
    rig.store.set_config(rig.now, key, config).unwrap();
    rig.settle_for(Micros::from_millis(1_500));
    assert_eq!(starts_at(&rig, key), 45, "nothing is to be kept");
}

#[test]
fn a_topic_that_is_only_compacted_is_never_aged() {
    let mut rig = checked(7);
    let mut config = aged(1, 1);
    (config.retention.delete, config.retention.compact) = (false, true);
    let key = filled(&mut rig, config, 45);
    rig.now.wall_ms = 1 << 40;
    rig.settle_for(Micros::from_millis(3_000));
    assert_eq!(starts_at(&rig, key), 0);
}

#[test]
fn a_clean_stop_waits_for_no_delay() {
    let mut rig = fresh(8);
    let key = filled(&mut rig, small(), 45);
    let other = rig.open(1, small());
    rig.append(other, &batch(&[b"x"]), AckLevel::Synced, 1)
        .unwrap();
    rig.settle_for(Micros::from_millis(500));
    assert_eq!(
        rig.store.advance_log_start(key, Offset(25), 1).unwrap(),
        None
    );
    rig.store.drop_partition(rig.now, other).unwrap();
    rig.stop();
    let left = rig.disk.files(TOP);
    let is_old = |path: &&String| path.contains("delete") || path.contains("topic-1");
    assert_eq!(left.iter().find(is_old), None);
    let Rig { disk, store, .. } = rig;
    let states = store.into_states();
    assert_eq!(states[0].log_start, Offset(25));
    finish_stop(&disk, states, &[], &[Some(2)]).unwrap();
    let text = disk.contents(TOP, "log-start-offset-checkpoint").unwrap();
    assert_eq!(text, b"0\n1\ntopic 0 25\n");
    // Kafka's own directory, as far as we are told: its word for the log start counts.
    let disk = disk.crash(Crash::Process, &mut |_| 0);
    logmill_engine::disk::BlockingDisk::remove(&disk, TOP, "logmill-snapshot").unwrap();
    let found = recover(&disk, [2; 16]).unwrap();
    assert_eq!(found.partitions[0].log_start, Offset(25));
    assert_eq!(found.partitions[0].end, Offset(45));
}

#[test]
fn a_partition_leaves_its_folder_under_another_name_for_a_while() {
    let mut rig = fresh(9);
    let key = filled(&mut rig, small(), 5);
    rig.store.drop_partition(rig.now, key).unwrap();
    rig.settle_for(Micros::from_millis(500));
    let renamed = format!("topic-0.{}-delete/", "07".repeat(16));
    let there = |rig: &Rig| {
        let files = rig.disk.files(TOP);
        files.iter().filter(|it| it.starts_with(&renamed)).count()
    };
    assert!(there(&rig) > 0 && files(&rig, "").is_empty());
    let random = &mut rig.random;
    let disk = rig.disk.crash(Crash::Process, &mut |b| random.below(b));
    rig.settle_for(Micros::from_millis(60_000));
    assert_eq!(there(&rig), 0);
    // Or the next life removes it, when it serves already: recovery only says where it is.
    let found = recover(&disk, [2; 16]).unwrap();
    assert_eq!((found.partitions.len(), found.findings.len()), (0, 0));
    assert_eq!(found.deleted.len(), 1);
    assert!(found.deleted[0].path.ends_with("-delete"));
    let still = disk.files(TOP);
    let still = still.iter().filter(|it| it.starts_with(&renamed)).count();
    assert!(still > 0);
    let mut options = options(10);
    options.eras = vec![found.directories[0].era];
    options.deleted_folders = found.deleted;
    let mut next = Rig::on(disk, options, found.partitions, &[9]);
    next.open(1, small());
    next.settle();
    assert!(files(&next, "").is_empty() && there(&next) == 0);
    let left = next.disk.files(TOP);
    let left: Vec<_> = left
        .iter()
        .filter(|path| !path.starts_with("topic-1"))
        .collect();
    assert!(left.iter().all(|path| !path.contains("topic")), "{left:?}");
}

/// A cut within a batch leaves a gap before the log's end, and a start may lie in it.
#[test]
fn a_start_behind_the_last_batch_and_before_the_end_survives_a_crash() {
    for start in 45..=48 {
        let mut rig = fresh(11);
        let key = filled(&mut rig, small(), 45);
        rig.append(key, &batch(&[&[7; 100][..]; 4]), AckLevel::Synced, 1)
            .unwrap();
        rig.settle_for(Micros::from_millis(500));
        let follower = Role::Follower(LeaderEpoch(0));
        rig.store.set_role(rig.now, key, follower).unwrap();
        rig.store.truncate_to(key, Offset(48), 7).unwrap();
        rig.settle_for(Micros::from_millis(500));
        assert_eq!(rig.truncated[&7], Ok(Offset(48)));
        rig.store.advance_log_start(key, Offset(start), 1).unwrap();
        rig.settle_for(Micros::from_millis(500));
        assert_eq!(starts_at(&rig, key), start);
        let random = &mut rig.random;
        let disk = rig.disk.crash(Crash::Process, &mut |b| random.below(b));
        let found = recover(&disk, [2; 16]).unwrap();
        assert!(found.fenced.is_empty(), "{start}: {:?}", found.findings);
        let state = &found.partitions[0];
        assert_eq!((state.log_start, state.end), (Offset(start), Offset(48)));
    }
}

/// A segment's files are renamed one by one, and a power cut keeps any of these renames. That it
/// has nothing left to be read is not to be seen from the next segment's name if there is a gap.
#[test]
fn a_power_cut_leaves_all_of_a_segment_before_a_gap_or_nothing() {
    let mut left = BTreeSet::new();
    for seed in 0..300 {
        let mut rig = fresh(seed);
        let key = filled(&mut rig, small(), 9);
        let follower = Role::Follower(LeaderEpoch(0));
        rig.store.set_role(rig.now, key, follower).unwrap();
        for at in 0..4 {
            let record = BatchBuilder::new().record(1_000, None, Some(&[7; 4_000]));
            let placed = record.at(Offset(20 + at), LeaderEpoch(0));
            let bytes = placed.build(Codec::None).unwrap();
            let header = BatchHeader::parse(&bytes).unwrap();
            rig.store
                .append_as_follower(rig.now, key, &header, &bytes)
                .unwrap();
            rig.turn(3);
        }
        rig.settle();
        // The next start knows of all segments without reading them.
        rig.stop();
        let Rig { disk, store, .. } = rig;
        finish_stop(&disk, store.into_states(), &[], &[Some(2)]).unwrap();
        let disk = disk.crash(Crash::Process, &mut |_| 0);
        let found = recover(&disk, [1; 16]).unwrap();
        let mut options = options(seed);
        options.eras = vec![found.directories[0].era];
        let names = [found.directories[0].next_journal_name];
        let mut rig = Rig::on(disk, options, found.partitions, &names);
        let key = rig.open(0, small());
        rig.store.advance_log_start(key, Offset(15), 1).unwrap();
        let some = u64::from(rig.random.below(25));
        rig.disk.power_off_at(rig.disk.operations() + 3 + some);
        for _ in 0..100 {
            rig.turn(2);
            rig.now.monotonic = rig.now.monotonic.saturating_add(Micros::from_millis(5));
        }
        let random = &mut rig.random;
        let disk = rig.disk.crash(Crash::Power, &mut |b| random.below(b));
        let found = recover(&disk, [2; 16]).unwrap();
        check_files(&disk, &found.partitions);
        let state = &found.partitions[0];
        assert_eq!(state.end, Offset(24), "seed {seed}");
        left.insert((state.log_start, state.segments[0].base));
    }
    let (before, after) = ((Offset(0), Offset(0)), (Offset(15), Offset(20)));
    assert_eq!(left, BTreeSet::from([before, after]));
}

/// A partition of the topic with that id, under the same name.
fn reborn(id: u8) -> PartitionSpec {
    PartitionSpec {
        topic_id: TopicId([id; 16]),
        role: Role::Leader(LeaderEpoch(0)),
        ..spec(0, small())
    }
}

#[test]
fn a_topic_made_anew_under_its_name_has_its_own_records_whatever_crash() {
    let mut put_off = 0;
    for seed in 0..600 {
        // In journals and in folders either may come first.
        let ids = if seed % 2 == 0 { [3, 8] } else { [8, 3] };
        let (mut rig, crash) = reincarnated(seed, ids);
        // Tokens are offsets; every other one asked for a sync.
        let survives = |token: &&u64| crash == Crash::Process || *token % 2 == 1;
        let promised = rig.acked.keys().rev().find(survives);
        let promised = promised.map_or(0, |token| *token as i64 + 1);
        let random = &mut rig.random;
        let disk = rig.disk.crash(crash, &mut |bound| random.below(bound));
        let found = recover(&disk, [1 + crash as u8; 16]);
        let found = found.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(found.fenced.is_empty(), "seed {seed}: {:?}", found.findings);
        let ends: Vec<_> = found.partitions.iter().map(|state| state.end.0).collect();
        let second = |state: &&logmill_engine::log::PartitionState| state.topic_id.0[0] == ids[1];
        let end = found.partitions.iter().find(second).map(|it| it.end.0);
        let Some(end) = end else {
            assert_eq!(promised, 0, "seed {seed}: {ends:?}");
            continue;
        };
        assert_eq!(ends, [end], "seed {seed}: one folder, one owner");
        assert!(end >= promised, "seed {seed}: {end} < {promised}");
        let mut options = options(seed);
        options.eras = vec![found.directories[0].era];
        options.deleted_folders = found.deleted;
        let names = [found.directories[0].next_journal_name];
        let mut rig = Rig::on(disk, options, found.partitions, &names);
        let old = |rig: &Rig| {
            let files = rig.disk.files(TOP).into_iter();
            files.filter(|path| path.contains("-delete/")).count()
        };
        put_off += old(&rig);
        let key = rig.store.open_partition(rig.now, reborn(ids[1])).unwrap();
        let values = rig.read_all(key, Isolation::LogEnd);
        assert_eq!(values.len() as i64, end, "seed {seed}");
        assert!(values.iter().all(|(_, value)| *value == NEW), "seed {seed}");
        rig.settle_for(Micros::from_millis(500));
        assert_eq!(old(&rig), 0, "seed {seed}: {:?}", rig.disk.files(TOP));
    }
    assert!(put_off > 0, "no start waits until old records are removed");
}

const NEW: [u8; 1000] = [77; 1000];

/// A topic with records is deleted and made anew; somewhere in between the machine stops.
fn reincarnated(seed: u64, ids: [u8; 2]) -> (Rig, Crash) {
    let mut rig = fresh(seed);
    let old = rig.store.open_partition(rig.now, reborn(ids[0])).unwrap();
    // Few, and the journal's first file with its beginning is still needed.
    for index in 0..rig.random.below(30) as u8 {
        rig.append(old, &batch(&[&[index; 1000]]), AckLevel::None, 0)
            .unwrap();
        rig.turn(3);
    }
    rig.settle_for(Micros::from_millis(200));
    let most = [60, 400][rig.random.below(2) as usize];
    let more = 1 + u64::from(rig.random.below(most));
    rig.disk.power_off_at(rig.disk.operations() + more);
    rig.store.drop_partition(rig.now, old).unwrap();
    let completions = rig.random.below(3);
    rig.turn(completions);
    let new = rig.store.open_partition(rig.now, reborn(ids[1])).unwrap();
    let mut sent = 0;
    for _ in 0..400 {
        if rig.disk.is_off() {
            break;
        }
        let level = [AckLevel::Written, AckLevel::Synced][sent as usize % 2];
        if sent < 150 && rig.append(new, &batch(&[&NEW]), level, sent).is_ok() {
            sent += 1;
        }
        rig.turn(2);
        rig.now.monotonic = rig.now.monotonic.saturating_add(Micros::from_millis(5));
    }
    assert_eq!(rig.failures, Vec::<String>::new());
    let crash = match rig.random.below(2) {
        0 => Crash::Process,
        _ => Crash::Power,
    };
    (rig, crash)
}

#[test]
fn a_partition_goes_while_its_sweep_waits_for_its_turn() {
    let mut rig = fresh(5);
    let keys: Vec<_> = (0..8)
        .map(|index| rig.open(index, LogConfig::default()))
        .collect();
    // More than half of the journal, at one moment.
    for _ in 0..20 {
        for key in &keys {
            let bytes = batch(&[&[1; 1000]]);
            rig.append(*key, &bytes, AckLevel::None, 0).unwrap();
        }
        rig.turn(1_000);
    }
    let held = rig.store.sweeps_held();
    assert!(held > 1, "{held} sweeps wait");
    for key in keys {
        rig.store.drop_partition(rig.now, key).unwrap();
    }
    // A stop waits for all sweeps.
    rig.settle_for(Micros::from_millis(500));
    rig.stop();
}

#[test]
fn the_last_segment_stays_though_a_cut_left_nothing_to_read_in_it() {
    let mut rig = fresh(6);
    let key = filled(&mut rig, small(), 15);
    let three = batch(&[b"a", b"b", b"c"]);
    rig.append(key, &three, AckLevel::Synced, 1).unwrap();
    rig.settle();
    // A batch that is cut goes whole: the log ends at 17, its records at 15.
    let role = Role::Follower(LeaderEpoch(0));
    rig.store.set_role(rig.now, key, role).unwrap();
    rig.store.truncate_to(key, Offset(17), 2).unwrap();
    rig.settle_for(Micros::from_millis(500));
    assert_eq!(rig.truncated[&2], Ok(Offset(17)));
    delete_to(&mut rig, key, 16);
    rig.settle_for(Micros::from_millis(500));
    assert_eq!(files(&rig, ".log").len(), 1);
    let (next, key, _) = restarted(rig, Crash::Power, small());
    let marks = next.store.watermarks(key).unwrap();
    assert_eq!(
        (marks.log_start(), marks.appended()),
        (Offset(16), Offset(17))
    );
}
