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
        self.ring.submit(&mut self.out).unwrap();
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
        self.wait(|broker| broker.is_stopped);
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
                    let file = self.ring.open_for_send(&range.file).unwrap();
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

#[test]
fn thousands_of_partitions_stop_cleanly_and_start_in_a_moment() {
    const PARTITIONS: i32 = 3_000;
    let home = tempfile::tempdir().unwrap();
    let (mut broker, _) = Broker::start(home.path());
    let keys: Vec<PartitionKey> = (0..PARTITIONS).map(|index| broker.open(index)).collect();
    for (index, key) in keys.iter().enumerate() {
        broker.append(*key, &batch(&[&index.to_le_bytes()]), AckLevel::Synced);
        if index % 100 == 0 {
            broker.turn();
        }
    }
    broker.wait(|broker| broker.acked == PARTITIONS as usize);
    broker.stop(home.path());

    let begun = Instant::now();
    let (mut broker, found) = Broker::start(home.path());
    let keys: Vec<PartitionKey> = (0..PARTITIONS).map(|index| broker.open(index)).collect();
    println!(
        "{PARTITIONS} partitions were up again after {:?}",
        begun.elapsed()
    );
    assert!(
        found.directories[0].clean && found.findings.is_empty(),
        "{found:?}"
    );
    for index in [0, 1, PARTITIONS / 2, PARTITIONS - 1] {
        let mut values = Vec::new();
        rig::values_of(&broker.read(keys[index as usize], 0), &mut values);
        assert_eq!(values, [(0, (index as usize).to_le_bytes().to_vec())]);
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
