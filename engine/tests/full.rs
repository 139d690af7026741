//! A disk that becomes full: clients are refused, nothing else fails, nothing acknowledged is lost,
//! and room brings everything back. A stop on a full disk ends.
//!
//! `LOGMILL_FULL_SEEDS=N` runs more seeds, `LOGMILL_FULL_SEED=S` replays one.

mod rig;

use logmill_engine::{
    base::{Micros, Offset},
    disk::memory::{Crash, MemoryDisk},
    format::batch::BatchHeader,
    log::{LogConfig, Origin},
    recovery::{Recovered, recover},
    store::{Ack, AckLevel, Isolation, LeaderBatch, PartitionKey, StoreError},
};
use rig::{Rig, TOP, batch, batch_of, options};

const PARTITIONS: usize = 3;

/// A load, what of it was acknowledged, and how often it was refused.
struct Load {
    rig: Rig,
    keys: Vec<PartitionKey>,
    sent: u64,
    /// By token: the partition and the value.
    taken: Vec<(u64, usize, Vec<u8>)>,
    refused: usize,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 24_000,
        ..LogConfig::default()
    }
}

fn rig_on(disk: MemoryDisk, found: Recovered, seed: u64) -> Rig {
    let mut options = options(seed);
    options.eras = vec![found.directories[0].era];
    options.journal.first_file_bytes = 32 << 10;
    options.journal.file_bytes = 48 << 10;
    options.journal.frame_bytes_max = 8 << 10;
    options.tail_bytes = 1 << 20;
    options.rescan_bytes_max = 60_000;
    // Some appends go through the journal, some do not.
    options.bypass_bytes = if seed.is_multiple_of(2) { 0 } else { 2_000 };
    let next = found.directories[0].next_journal_name;
    Rig::on(disk, options, found.partitions, &[next])
}

impl Load {
    fn new(seed: u64) -> Self {
        let disk = MemoryDisk::new(1);
        let found = recover(&disk, [1; 16]).unwrap();
        let mut rig = rig_on(disk, found, seed);
        let keys = (0..PARTITIONS).map(|index| rig.open(index as i32, config()));
        let keys = keys.collect();
        Self {
            rig,
            keys,
            sent: 0,
            taken: Vec::new(),
            refused: 0,
        }
    }

    /// Appends `count` batches with turns between; what is refused is refused for want of room.
    fn append(&mut self, count: u32) {
        for _ in 0..count {
            let at = self.rig.random.below(PARTITIONS as u32) as usize;
            let len = 200 + self.rig.random.below(3_000) as usize;
            let token = self.sent;
            self.sent += 1;
            let value = vec![token as u8; len];
            // New producers all the time: snapshots have something in them.
            let bytes = batch_of(token as i64, 0, 0, &[&value]);
            match self
                .rig
                .append(self.keys[at], &bytes, AckLevel::Synced, token)
            {
                Ok(_) => self.taken.push((token, at, value)),
                Err(StoreError::NoRoom { .. }) => self.refused += 1,
                Err(StoreError::Append(_)) => {}
                Err(error) => panic!("{token}: {error}"),
            }
            let completions = self.rig.random.below(6);
            self.rig.turn(completions);
            self.rig.now.monotonic.0 += u64::from(self.rig.random.below(20_000));
        }
    }

    /// The values that must be in a partition, in order.
    fn acknowledged(&self, at: usize) -> Vec<Vec<u8>> {
        let is_acked = |token| self.rig.acked.get(token).is_some_and(Result::is_ok);
        let of_it = self.taken.iter().filter(|it| it.1 == at && is_acked(&it.0));
        of_it.map(|(_, _, value)| value.clone()).collect()
    }

    fn check_reads(&mut self) {
        for at in 0..PARTITIONS {
            let found = self.rig.read_all(self.keys[at], Isolation::ReadUncommitted);
            assert!(found.len() >= self.acknowledged(at).len());
        }
    }

    /// Another process finds what was acknowledged.
    fn check_after(&mut self, crash: Crash) {
        let random = &mut self.rig.random;
        let disk = self.rig.disk.crash(crash, &mut |bound| random.below(bound));
        let found = recover(&disk, [2; 16]).unwrap();
        assert_eq!(found.fenced, [], "{:?}", found.findings);
        let mut again = rig_on(disk, found, 1);
        for at in 0..PARTITIONS {
            let key = again.open(at as i32, config());
            let values: Vec<_> = again.read_all(key, Isolation::LogEnd);
            let values: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
            let expected = self.acknowledged(at);
            // Behind them may be what was not acknowledged in time.
            let in_order = expected.iter().try_fold(&values[..], |rest, value| {
                let place = rest.iter().position(|found| found == value)?;
                Some(&rest[place + 1..])
            });
            assert!(in_order.is_some(), "partition {at} has lost something");
        }
    }
}

/// Runs `check` with the disk full after seeded amounts; how many appends it saw refused.
fn with_seeds(check: fn(&mut Load)) -> usize {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("LOGMILL_FULL_SEED");
    let count = first.map_or_else(|| number("LOGMILL_FULL_SEEDS").unwrap_or(150), |_| 1);
    let first = first.unwrap_or(0);
    let mut refused = 0;
    for seed in first..first + count {
        println!("seed {seed}");
        let mut load = Load::new(seed);
        let before = load.rig.random.below(60);
        load.append(before);
        let room = [0, 4096, 70_000, 200_000][load.rig.random.below(4) as usize];
        load.rig.disk.limit_space(Some(room));
        load.append(120);
        assert_eq!(load.rig.failures, Vec::<String>::new(), "seed {seed}");
        check(&mut load);
        refused += load.refused;
    }
    refused
}

#[test]
fn room_brings_back_what_a_full_disk_held_up() {
    let refused = with_seeds(|load| {
        load.check_reads();
        load.rig.disk.limit_space(None);
        load.rig.settle_for(Micros::from_millis(3_000));
        for (token, ..) in &load.taken {
            assert!(load.rig.acked.contains_key(token), "{token} waits for good");
        }
        load.rig.store.set_free_bytes(TOP, 1 << 30);
        let before = load.refused;
        load.append(40);
        assert!(!load.rig.is_short_of_room);
        assert_eq!(load.refused, before, "there is room again");
        load.rig.settle();
        assert_eq!(load.rig.failures, Vec::<String>::new());
        load.rig.stop();
        assert!(load.rig.store.is_level());
        load.check_after(Crash::Process);
    });
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_power_cut_on_a_full_disk_loses_nothing() {
    with_seeds(|load| load.check_after(Crash::Power));
}

#[test]
fn a_stop_on_a_full_disk_ends_and_loses_nothing() {
    with_seeds(|load| {
        load.rig.stop();
        load.check_after(Crash::Process);
    });
}

#[test]
fn a_checkpoint_that_waits_for_the_journal_does_not_keep_others_from_freeing_it() {
    let disk = MemoryDisk::new(1);
    let found = recover(&disk, [1; 16]).unwrap();
    let mut rig = rig_on(disk, found, 2);
    let large = LogConfig {
        segment_bytes: 1 << 20,
        ..LogConfig::default()
    };
    let (first, second) = (rig.open(0, large), rig.open(1, config()));
    let value = [1; 1_500];
    let mut token = 0;
    let mut own = |rig: &mut Rig, key| {
        append_own(rig, key, &batch(&[&value]), token);
        rig.turn(u32::MAX);
        token += 1;
    };
    // The first one's file has room from here on.
    own(&mut rig, first);
    rig.settle_for(Micros::from_millis(200));
    rig.disk.limit_space(Some(0));
    // The journal fills with what the second cannot write behind, and the first comes to a
    // checkpoint, which waits for records that are not in the journal.
    for _ in 0..40 {
        own(&mut rig, second);
        own(&mut rig, second);
        own(&mut rig, first);
    }
    assert!(rig.acked.len() < 121);
    rig.disk.limit_space(None);
    rig.settle_for(Micros::from_millis(1_000));
    rig.settle();
    assert_eq!(rig.acked.len(), 121);
    assert_eq!(rig.failures, Vec::<String>::new());
}

/// Appends a record of the broker's own, which may use what is kept.
fn append_own(rig: &mut Rig, key: PartitionKey, bytes: &[u8], token: u64) {
    let own = LeaderBatch {
        header: BatchHeader::parse(bytes).unwrap(),
        bytes,
        expected_epoch: None,
        origin: Origin::Coordinator,
    };
    let ack = Ack {
        level: AckLevel::Synced,
        token,
    };
    let appended = rig.store.append_as_leader(rig.now, key, &own, ack);
    assert!(appended.is_ok(), "{appended:?}");
}

#[test]
fn what_is_kept_for_unwritten_records_is_not_given_to_new_ones() {
    let mut options = options(1);
    options.reserve_bytes = 10_000;
    let mut rig = Rig::on(MemoryDisk::new(1), options, Vec::new(), &[1]);
    let key = rig.open(0, config());
    let value = [1; 1_000];
    rig.store.set_free_bytes(TOP, 10_000);
    rig.append(key, &batch(&[&value]), AckLevel::Synced, 1)
        .unwrap();
    let refused = rig.append(key, &batch(&[&value]), AckLevel::Synced, 2);
    let Err(StoreError::NoRoom {
        free_bytes: 10_000,
        kept_bytes,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(kept_bytes > 11_000);
    rig.collect();
    assert!(rig.is_short_of_room);
    // The broker's own records may use what is kept.
    append_own(&mut rig, key, &batch(&[b"own"]), 3);
    rig.settle();
    assert_eq!(rig.acked[&3], Ok(Offset(1)));
    rig.store.set_free_bytes(TOP, 1 << 30);
    rig.collect();
    assert!(!rig.is_short_of_room);
    rig.append(key, &batch(&[&value]), AckLevel::Synced, 4)
        .unwrap();
}
