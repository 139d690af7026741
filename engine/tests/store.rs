//! The store on the memory disk: appends, acks, visibility, reads, write-behind, stops.

mod rig;

use logmill_engine::{
    base::Offset,
    log::{Durability, LogConfig},
    store::{AckLevel, Isolation, StoreError},
};
use rig::{Rig, batch};

#[test]
fn an_append_is_written_then_synced_then_visible() {
    let mut rig = Rig::new(1);
    let key = rig.open(0, LogConfig::default());
    rig.settle();
    rig.store.wait_visible(key, Offset(0), 77);
    let answer = rig
        .append(key, &batch(&[b"a", b"b"]), AckLevel::Written, 1)
        .unwrap();
    assert_eq!(
        (answer.base_offset, answer.last_offset),
        (Offset(0), Offset(1))
    );
    rig.append(key, &batch(&[b"c"]), AckLevel::Synced, 2)
        .unwrap();
    rig.append(key, &batch(&[b"d"]), AckLevel::None, 3).unwrap();
    assert_eq!(rig.read(key, 0, Isolation::ReadUncommitted), b"");
    assert!(rig.acked.is_empty());
    rig.turn(1);
    assert_eq!(rig.acked.keys().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(
        rig.store.watermarks(key).unwrap().high(),
        Offset(0),
        "shown when synced"
    );
    rig.turn(1);
    assert_eq!(rig.acked.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rig.acked[&2], Ok(Offset(2)));
    assert_eq!(rig.visible, [77]);
    let values: Vec<_> = rig
        .read_all(key, Isolation::ReadUncommitted)
        .into_iter()
        .map(|(_, v)| v)
        .collect();
    assert_eq!(values, [b"a", b"b", b"c", b"d"]);
}

#[test]
fn a_topic_that_asks_for_written_shows_and_acknowledges_what_is_written() {
    let mut rig = Rig::new(2);
    let config = LogConfig {
        durability: Durability::Written,
        ..LogConfig::default()
    };
    let key = rig.open(0, config.clone());
    let strict = rig.open(
        1,
        LogConfig {
            flush_messages: 1,
            ..config
        },
    );
    rig.settle();
    rig.append(key, &batch(&[b"a"]), AckLevel::Synced, 1)
        .unwrap();
    rig.turn(1);
    assert_eq!(rig.acked[&1], Ok(Offset(0)));
    assert_eq!(rig.store.watermarks(key).unwrap().high(), Offset(1));
    rig.append(strict, &batch(&[b"a"]), AckLevel::Written, 2)
        .unwrap();
    rig.turn(1);
    assert!(
        !rig.acked.contains_key(&2),
        "flush.messages=1 raises every ack to synced"
    );
    rig.settle();
    assert_eq!(rig.acked[&2], Ok(Offset(0)));
}

#[test]
fn the_journal_turns_over_many_times_and_all_is_read_back() {
    let mut rig = Rig::new(3);
    let small = LogConfig {
        segment_bytes: 40_000,
        ..LogConfig::default()
    };
    let keys: Vec<_> = (0..5).map(|index| rig.open(index, small.clone())).collect();
    let mut expected = vec![Vec::new(); 5];
    let mut token = 0;
    for round in 0..600u32 {
        let at = (round % 5) as usize;
        let value = vec![round as u8; 100 + (round as usize * 37) % 3000];
        token += 1;
        while let Err(error) = rig.append(keys[at], &batch(&[&value]), AckLevel::Synced, token) {
            assert!(matches!(error, StoreError::Append(_)), "{error}");
            rig.turn(3);
        }
        expected[at].push(value);
        let completions = rig.random.below(4);
        rig.turn(completions);
    }
    rig.settle();
    assert_eq!(rig.failures, Vec::<String>::new());
    assert_eq!(rig.acked.len(), 600);
    let journals: Vec<_> = rig.disk.files(rig::TOP);
    let journals = journals
        .iter()
        .filter(|path| path.starts_with("logmill-journal"))
        .count();
    assert!(journals <= 4, "files are used again: {journals}");
    for (key, expected) in keys.iter().zip(&expected) {
        let found = rig.read_all(*key, Isolation::ReadUncommitted);
        let values: Vec<_> = found.iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(&values, expected);
        assert!(
            found
                .iter()
                .enumerate()
                .all(|(index, (offset, _))| index as i64 == *offset)
        );
    }
}

#[test]
fn a_clean_stop_leaves_plain_segments_and_states_that_restore() {
    let mut rig = Rig::new(4);
    let small = LogConfig {
        segment_bytes: 10_000,
        ..LogConfig::default()
    };
    let key = rig.open(0, small.clone());
    let idle = rig.open(1, small.clone());
    for round in 0..40u8 {
        rig.append(
            key,
            &batch(&[&[round; 700]]),
            AckLevel::Written,
            u64::from(round),
        )
        .unwrap();
        rig.turn(2);
    }
    rig.stop();
    assert!(rig.store.is_level());
    assert_eq!(rig.acked.len(), 40);
    assert!(matches!(
        rig.store.check_running(),
        Err(StoreError::Stopping)
    ));
    let all = rig.read_all(key, Isolation::ReadUncommitted);
    let _ = idle;
    let logs: Vec<_> = rig
        .disk
        .files(rig::TOP)
        .into_iter()
        .filter(|path| path.ends_with(".log"))
        .collect();
    let bytes: usize = logs
        .iter()
        .map(|path| rig.disk.contents(rig::TOP, path).unwrap().len())
        .sum();
    assert_eq!(
        bytes,
        40 * batch(&[&[0; 700]]).len(),
        "trimmed to their batches: {logs:?}"
    );
    for log in &logs {
        let index = log.replace(".log", ".index");
        assert!(rig.disk.contents(rig::TOP, &index).is_some(), "{index}");
    }
    let Rig { disk, store, .. } = rig;
    let states = store.into_states();
    assert_eq!(states.len(), 2);
    let mut again = Rig::on(disk, rig::options(9), states, &[10]);
    let key = again.open(0, small);
    assert_eq!(again.read_all(key, Isolation::ReadUncommitted), all);
    again
        .append(key, &batch(&[b"next"]), AckLevel::Synced, 1000)
        .unwrap();
    again.settle();
    assert_eq!(again.acked[&1000], Ok(Offset(40)));
}

#[test]
fn offsets_are_found_by_timestamp_in_memory_and_in_files() {
    use logmill_engine::store::{OffsetAnswer, OffsetSpec};
    let mut rig = Rig::new(5);
    let small = LogConfig {
        segment_bytes: 20_000,
        ..LogConfig::default()
    };
    let key = rig.open(0, small.clone());
    for round in 0..60i64 {
        let bytes = rig::batch_at(10_000 + 10 * round, &[&[round as u8; 900]]);
        rig.append(key, &bytes, AckLevel::None, 0).unwrap();
        rig.turn(3);
    }
    let ask = |rig: &mut Rig, key, spec| loop {
        match rig.store.list_offset(rig.now, key, spec, 55).unwrap() {
            OffsetAnswer::Ready(found) => return found,
            OffsetAnswer::Loading => rig.turn(u32::MAX),
        }
    };
    let check = |rig: &mut Rig, key| {
        let found = ask(rig, key, OffsetSpec::AtOrAfter(10_205));
        assert_eq!((found.offset, found.timestamp), (Some(Offset(21)), 10_210));
        let found = ask(rig, key, OffsetSpec::MaxTimestamp);
        assert_eq!((found.offset, found.timestamp), (Some(Offset(59)), 10_590));
        assert_eq!(ask(rig, key, OffsetSpec::AtOrAfter(99_999)).offset, None);
        assert_eq!(ask(rig, key, OffsetSpec::Earliest).offset, Some(Offset(0)));
        let latest = ask(rig, key, OffsetSpec::Latest(Isolation::LogEnd));
        assert_eq!(latest.offset, Some(Offset(60)));
    };
    check(&mut rig, key);
    rig.stop();
    let Rig { disk, store, .. } = rig;
    let mut again = Rig::on(disk, rig::options(6), store.into_states(), &[10]);
    let key = again.open(0, small);
    check(&mut again, key);
    assert_eq!(again.read_all(key, Isolation::ReadUncommitted).len(), 60);
}

#[test]
fn a_dropped_partition_leaves_nothing_and_wakes_who_waits() {
    let mut rig = Rig::new(6);
    let key = rig.open(0, LogConfig::default());
    let stays = rig.open(1, LogConfig::default());
    rig.append(key, &batch(&[b"a"]), AckLevel::Synced, 1)
        .unwrap();
    rig.append(stays, &batch(&[b"b"]), AckLevel::Synced, 2)
        .unwrap();
    rig.settle();
    rig.store.wait_visible(key, Offset(1), 9);
    rig.append(key, &batch(&[b"c"]), AckLevel::None, 3).unwrap();
    rig.store.drop_partition(rig.now, key).unwrap();
    rig.settle();
    assert_eq!(rig.visible, [9]);
    assert!(rig.store.watermarks(key).is_none());
    assert!(rig.append(key, &batch(&[b"d"]), AckLevel::None, 4).is_err());
    let files = rig.disk.files(rig::TOP);
    assert!(
        !files.iter().any(|path| path.starts_with("topic-0/")),
        "{files:?}"
    );
    assert!(
        files.iter().any(|path| path.starts_with("topic-1/")),
        "{files:?}"
    );
}

#[test]
fn a_sweep_that_finds_no_folder_yet_goes_on_when_it_is_made() {
    let mut rig = Rig::new(6);
    let mut options = rig::options(6);
    options.sweep_in_flight_max = 1;
    rig.store = logmill_engine::store::Store::open(options, Vec::new(), &[1]);
    let key = rig.open(0, LogConfig::default());
    // The newest operation ends first, so the folder comes last, long after the journal is half
    // full and the sweep has begun.
    let mut token = 0;
    while token < 40 {
        token += 1;
        rig.append(key, &batch(&[&[7; 4_000]]), AckLevel::Written, token)
            .unwrap();
        rig.turn(0);
        while rig.disk.in_flight() > 1 {
            let done = rig.disk.step(&mut |bound| bound - 1).unwrap();
            rig.store.complete(rig.now, done);
        }
    }
    rig.settle();
    for _ in 0..100 {
        token += 1;
        rig.append(key, &batch(&[&[7; 4_000]]), AckLevel::Written, token)
            .unwrap();
        rig.settle();
    }
    assert_eq!(rig.acked.len(), 140, "the journal's files are used again");
}

#[test]
fn large_appends_are_written_once_and_small_ones_beside_them_go_through_the_journal() {
    let mut rig = Rig::new(8);
    let large = rig.open(0, LogConfig::default());
    let small = rig.open(1, LogConfig::default());
    rig.settle();
    let value = |round: u8| -> Vec<u8> {
        (0..100_000u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ round)
            .collect()
    };
    for round in 0..10u8 {
        let token = u64::from(round) * 2;
        rig.append(large, &batch(&[&value(round)]), AckLevel::Synced, token)
            .unwrap();
        rig.append(small, &batch(&[&[round; 30]]), AckLevel::Synced, token + 1)
            .unwrap();
        rig.turn(3);
    }
    rig.settle();
    assert_eq!(rig.acked.len(), 20);
    assert!(rig.acked.values().all(Result::is_ok));
    let journaled: usize = rig
        .disk
        .files(rig::TOP)
        .iter()
        .filter(|path| path.starts_with("logmill-journal"))
        .map(|path| rig.disk.contents(rig::TOP, path).unwrap())
        .map(|bytes| bytes.iter().filter(|byte| **byte != 0).count())
        .sum();
    println!("{journaled} bytes in the journal");
    assert!(journaled < 10 * 5_000, "{journaled} bytes in the journal");
    let found = rig.read_all(large, Isolation::ReadUncommitted);
    assert_eq!(found.len(), 10);
    for (round, (_, found)) in found.iter().enumerate() {
        assert!(*found == value(round as u8), "round {round}");
    }
    assert_eq!(rig.read_all(small, Isolation::ReadUncommitted).len(), 10);
}
