//! The store on a real directory, through the ring: appends, a clean stop, a quick start, and what
//! SIGKILL leaves.

mod rig;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use logmill_engine::{
    base::{Micros, Now, PartitionIndex},
    disk::DiskOut,
    format::batch::BatchHeader,
    io::{Files, LogDirectories, Ring, RingEvent, RingOptions},
    log::{LogConfig, Origin},
    recovery::{Recovered, finish_stop, recover},
    store::{
        Ack, AckLevel, FetchRead, Isolation, LeaderBatch, PartitionKey, ReadData, Store,
        StoreEvent, StoreOptions,
    },
};
use rig::{batch, options, spec};

struct Broker {
    ring: Ring,
    store: Store,
    out: DiskOut,
    started: Instant,
    acked: usize,
    is_stopped: bool,
    eras: Vec<u64>,
}

fn files(home: &Path) -> Files {
    Files::new(LogDirectories::probe(&[home.to_owned()]).unwrap())
}

impl Broker {
    fn start(home: &Path) -> (Self, Recovered) {
        let mut found = recover(&files(home), [1; 16]).unwrap();
        let directories = LogDirectories::probe(&[home.to_owned()]).unwrap();
        let ring = Ring::new(directories, RingOptions::default()).unwrap();
        let defaults = options(found.directories[0].era);
        let eras: Vec<u64> = found
            .directories
            .iter()
            .map(|directory| directory.era)
            .collect();
        let journal = logmill_engine::journal::JournalOptions::default();
        let tail_bytes = 64 << 20;
        let options = StoreOptions {
            eras: eras.clone(),
            journal,
            tail_bytes,
            ..defaults
        };
        let states = std::mem::take(&mut found.partitions);
        let names = [found.directories[0].next_journal_name];
        let broker = Self {
            ring,
            store: Store::open(options, states, &names),
            out: DiskOut::default(),
            started: Instant::now(),
            acked: 0,
            is_stopped: false,
            eras,
        };
        (broker, found)
    }

    fn now(&self) -> Now {
        let micros = self.started.elapsed().as_micros() as u64;
        Now {
            monotonic: Micros(micros),
            wall_ms: 1_000,
        }
    }

    fn open(&mut self, partition: i32) -> PartitionKey {
        let now = self.now();
        self.store
            .open_partition(now, spec(partition, LogConfig::default()))
            .unwrap()
    }

    fn append(&mut self, key: PartitionKey, bytes: &[u8], level: AckLevel) {
        let header = BatchHeader::parse(bytes).unwrap();
        let origin = Origin::Client;
        let batch = LeaderBatch {
            header,
            bytes,
            expected_epoch: None,
            origin,
        };
        let now = self.now();
        self.store
            .append_as_leader(now, key, &batch, Ack { level, token: 1 })
            .unwrap();
    }

    fn turn(&mut self) {
        let now = self.now();
        self.store.pump(now, &mut self.out);
        self.ring.submit(&mut self.out);
        let store = &mut self.store;
        self.ring
            .reap(|event| {
                if let RingEvent::Disk(completion) = event {
                    store.complete(now, completion);
                }
            })
            .unwrap();
        let mut events = Vec::new();
        self.store.events(&mut events);
        for event in events {
            match event {
                StoreEvent::Acked { result, .. } => {
                    result.unwrap();
                    self.acked += 1;
                }
                StoreEvent::Stopped => self.is_stopped = true,
                StoreEvent::Fenced { reason, .. } | StoreEvent::DirectoryFailed { reason, .. } => {
                    panic!("{reason}");
                }
                _ => {}
            }
        }
    }

    fn wait(&mut self, done: impl Fn(&Self) -> bool) {
        let limit = Instant::now() + Duration::from_secs(120);
        while !done(self) {
            assert!(Instant::now() < limit, "{:?}", self.store);
            self.turn();
        }
    }

    fn stop(mut self, home: &Path) {
        let now = self.now();
        self.store.begin_stop(now);
        let begun = Instant::now();
        self.wait(|broker| broker.is_stopped);
        println!("files in their final form after {:?}", begun.elapsed());
        assert!(self.store.is_level());
        let eras: Vec<_> = self.eras.iter().copied().map(Some).collect();
        finish_stop(&files(home), self.store.into_states(), &[], &eras).unwrap();
    }

    fn read(&mut self, key: PartitionKey, offset: i64) -> Vec<u8> {
        let read = FetchRead {
            offset: logmill_engine::base::Offset(offset),
            max_bytes: 1 << 20,
            whole_first_batch: true,
            isolation: Isolation::ReadUncommitted,
            token: 5,
        };
        loop {
            let now = self.now();
            match self.store.read(now, key, &read).unwrap().data {
                ReadData::Empty => return Vec::new(),
                ReadData::Memory(parts) => return parts.to_vec(),
                ReadData::Loading => self.turn(),
                ReadData::File(range) => {
                    let file = self.ring.open_for_send(&range.file).unwrap().unwrap();
                    let file = std::fs::File::from(file.try_clone().unwrap());
                    let mut bytes = vec![0; range.len as usize];
                    let at = range.position;
                    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, at).unwrap();
                    return bytes;
                }
            }
        }
    }
}

/// A number from the environment, to measure with more than what a test run takes.
fn number(name: &str, default: usize) -> usize {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `LOGMILL_PARTITIONS` says how many.
#[test]
fn thousands_of_partitions_start_in_a_moment_after_a_stop_and_after_a_kill() {
    let partitions = number("LOGMILL_PARTITIONS", 1_000) as i32;
    let home = tempfile::tempdir().unwrap();
    let (mut broker, _) = Broker::start(home.path());
    let begun = Instant::now();
    let keys: Vec<PartitionKey> = (0..partitions).map(|index| broker.open(index)).collect();
    for (index, key) in keys.iter().enumerate() {
        broker.append(*key, &batch(&[&index.to_le_bytes()]), AckLevel::Synced);
        if index % 100 == 0 {
            broker.turn();
        }
    }
    broker.wait(|broker| broker.acked == partitions as usize);
    println!(
        "{partitions} partitions made and written after {:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    broker.stop(home.path());
    println!("stopped after {:?}", begun.elapsed());

    let check = |is_clean: bool| {
        let begun = Instant::now();
        let (mut broker, found) = Broker::start(home.path());
        let recovered = begun.elapsed();
        let keys: Vec<PartitionKey> = (0..partitions).map(|index| broker.open(index)).collect();
        println!(
            "clean {is_clean}: recovered after {recovered:?}, up after {:?}",
            begun.elapsed()
        );
        assert_eq!(found.directories[0].clean, is_clean);
        assert_eq!(found.findings, []);
        for index in [0, 1, partitions / 2, partitions - 1] {
            let mut values = Vec::new();
            let bytes = broker.read(keys[index as usize], 0);
            let first = BatchHeader::parse(&bytes).unwrap().size();
            rig::values_of(&bytes[..first], &mut values);
            assert_eq!(values, [(0, (index as usize).to_le_bytes().to_vec())]);
        }
        (broker, keys)
    };
    let (mut broker, keys) = check(true);
    // A thousand of them are touched, then the process is gone.
    for key in keys.iter().step_by(10) {
        broker.append(*key, &batch(&[b"more"]), AckLevel::Written);
    }
    broker.wait(|broker| broker.acked == partitions as usize / 10);
    drop(broker);
    let (mut broker, keys) = check(false);
    let mut values = Vec::new();
    rig::values_of(&broker.read(keys[10], 1), &mut values);
    assert_eq!(values, [(1, b"more".to_vec())]);
}

/// `LOGMILL_RECOVERY_MB` writes more, to see how long recovery takes on a real disk.
#[test]
fn a_long_life_costs_a_restart_little() {
    let total = number("LOGMILL_RECOVERY_MB", 32) << 20;
    for size in [16_000, 500_000] {
        let home = tempfile::tempdir().unwrap();
        let (mut broker, _) = Broker::start(home.path());
        let keys: Vec<PartitionKey> = (0..6).map(|index| broker.open(index)).collect();
        let value: Vec<u8> = (0..size as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let bytes = batch(&[&value]);
        let count = total / bytes.len();
        for round in 0..count {
            broker.append(keys[round % 6], &bytes, AckLevel::Written);
            broker.wait(|broker| broker.acked + 64 > round);
        }
        broker.wait(|broker| broker.acked == count);
        drop(broker);
        let begun = Instant::now();
        let (mut broker, found) = Broker::start(home.path());
        println!(
            "{count} batches of {} bytes: recovered after {:?}",
            bytes.len(),
            begun.elapsed()
        );
        assert_eq!(found.fenced, [], "{:?}", found.findings);
        for (partition, key) in (0..6)
            .map(|index| (index, broker.open(index as i32)))
            .collect::<Vec<_>>()
        {
            let end = broker.store.watermarks(key).unwrap().appended().0 as usize;
            assert_eq!(end, (count - partition).div_ceil(6));
            let mut values = Vec::new();
            let read = broker.read(key, end as i64 - 1);
            rig::values_of(&read[..bytes.len()], &mut values);
            assert!(values[0].1 == value);
        }
    }
}

#[test]
fn what_was_written_survives_the_end_of_the_process_and_many_journal_files() {
    let home = tempfile::tempdir().unwrap();
    let (mut broker, _) = Broker::start(home.path());
    let keys: Vec<PartitionKey> = (0..4).map(|index| broker.open(index)).collect();
    let total = 240;
    for round in 0..total {
        // Incompressible enough to notice any misplaced byte.
        let value: Vec<u8> = (0..300_000u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ round)
            .collect();
        broker.append(
            keys[usize::from(round) % 4],
            &batch(&[&value]),
            AckLevel::Written,
        );
        broker.wait(|broker| broker.acked + 8 > usize::from(round));
    }
    broker.wait(|broker| broker.acked == usize::from(total));
    // As by SIGKILL: whatever is in flight ends or not, nothing is said goodbye to.
    drop(broker);

    let (mut broker, found) = Broker::start(home.path());
    assert!(
        !found.directories[0].clean && found.fenced.is_empty(),
        "{found:?}"
    );
    for partition in 0..4 {
        let key = broker.open(partition);
        let mut values = Vec::new();
        for offset in 0..i64::from(total) / 4 {
            let bytes = broker.read(key, offset);
            let header = BatchHeader::parse(&bytes).unwrap();
            rig::values_of(&bytes[..header.size()], &mut values);
        }
        for (index, (offset, value)) in values.iter().enumerate() {
            let round = (index * 4) as u8 + partition as u8;
            assert_eq!(
                (*offset, value[0]),
                (index as i64, round),
                "{}",
                PartitionIndex(partition)
            );
        }
        assert_eq!(values.len(), usize::from(total) / 4);
    }
    broker.stop(home.path());
}
