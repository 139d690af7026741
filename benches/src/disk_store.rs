//! A store over the real ring, in a folder of its own.
//!
//! `LOGMILL_BENCH_DIR` says where the folder is made; without, below the build's target directory,
//! which is rarely in memory as `/tmp` may be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use logmill_engine::base::{DirectoryIndex, LeaderEpoch, Now, PartitionIndex, ShardId, TopicId};
use logmill_engine::disk::DiskOut;
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::io::{LogDirectories, Ring, RingEvent, RingOptions};
use logmill_engine::log::{LogConfig, Origin};
use logmill_engine::store::{
    Ack, AckLevel, LeaderBatch, PartitionKey, PartitionSpec, Role, Store, StoreEvent, StoreOptions,
};
use tempfile::TempDir;

/// A store, its disk, and what it has acknowledged.
pub struct DiskStore {
    /// The store.
    pub store: Store,
    ring: Ring,
    out: DiskOut,
    events: Vec<StoreEvent>,
    started: Instant,
    acked: usize,
    _folder: TempDir,
}

impl DiskStore {
    /// A store with so many open partitions; their folders are made.
    pub fn new(partitions: i32) -> (Self, Vec<PartitionKey>) {
        let folder = tempfile::tempdir_in(place()).expect("a folder for the bench");
        let directories = LogDirectories::probe(&[folder.path().to_owned()]);
        let directories = directories.expect("a log directory");
        let ring = Ring::new(directories, RingOptions::default()).expect("io_uring");
        let options = StoreOptions {
            tail_bytes: 512 << 20,
            ..StoreOptions::new(ShardId(0), vec![1], [1; 16], 1)
        };
        let mut disk_store = Self {
            store: Store::open(options, Vec::new(), &[1]),
            ring,
            out: DiskOut::default(),
            events: Vec::new(),
            started: Instant::now(),
            acked: 0,
            _folder: folder,
        };
        let config = Arc::new(LogConfig::default());
        let keys: Vec<PartitionKey> = (0..partitions)
            .map(|index| disk_store.open(index, &config))
            .collect();
        disk_store.turn_until(|it| it.store.operations_in_flight() == 0);
        (disk_store, keys)
    }

    fn open(&mut self, index: i32, config: &Arc<LogConfig>) -> PartitionKey {
        let spec = PartitionSpec {
            topic_id: TopicId([7; 16]),
            topic: "bench".to_owned(),
            index: PartitionIndex(index),
            directory: DirectoryIndex(0),
            config: Arc::clone(config),
            role: Role::Leader(LeaderEpoch(0)),
            always_synced: false,
        };
        let now = self.now();
        self.store
            .open_partition(now, spec)
            .expect("a partition can be opened")
    }

    /// Appends `bytes` to every partition, then carries all to `level`: the time of that tick, from
    /// the first frame to the last ack. The journal's own work and the write-behind of segments go
    /// on in between, as in the broker.
    pub fn tick(&mut self, keys: &[PartitionKey], bytes: &[u8], level: AckLevel) -> Duration {
        let header = BatchHeader::parse(bytes).expect("a batch");
        let batch = LeaderBatch {
            header,
            bytes,
            expected_epoch: None,
            origin: Origin::Client,
        };
        let wanted = self.acked + keys.len();
        for &key in keys {
            let now = self.now();
            let ack = Ack { level, token: 1 };
            while self.store.append_as_leader(now, key, &batch, ack).is_err() {
                // Memory or the journal is full: what was swept gives room.
                self.turn();
            }
        }
        let appended = Instant::now();
        self.turn_until(|it| it.acked >= wanted);
        appended.elapsed()
    }

    /// One turn of a shard's loop.
    pub fn turn(&mut self) {
        let now = self.now();
        self.store.pump(now, &mut self.out);
        self.ring.submit(&mut self.out);
        let store = &mut self.store;
        let reaped = self.ring.reap(|event| {
            if let RingEvent::Disk(completion) = event {
                store.complete(now, completion);
            }
        });
        reaped.expect("io_uring");
        self.store.events(&mut self.events);
        for event in self.events.drain(..) {
            match event {
                StoreEvent::Acked { result, .. } => {
                    result.expect("the disk works");
                    self.acked += 1;
                }
                StoreEvent::Fenced { reason, .. } | StoreEvent::DirectoryFailed { reason, .. } => {
                    panic!("{reason}")
                }
                _ => {}
            }
        }
    }

    fn turn_until(&mut self, done: impl Fn(&Self) -> bool) {
        self.turn();
        while !done(self) {
            self.turn();
        }
    }

    fn now(&self) -> Now {
        crate::now(self.started.elapsed().as_micros() as u64)
    }
}

/// Where benches keep their files.
pub fn place() -> PathBuf {
    let given = std::env::var_os("LOGMILL_BENCH_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| {
        let program = std::env::current_exe().expect("this program has a path");
        program
            .parent()
            .expect("a program is in a folder")
            .to_owned()
    })
}
