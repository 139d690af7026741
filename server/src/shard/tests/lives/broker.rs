//! A broker that can be killed at any instant: shards over one disk in memory, recovered by the
//! production code each time.

use std::collections::HashMap;
use std::io::IoSlice;
use std::net::Ipv4Addr;
use std::sync::Arc;

use logmill_engine::base::{DirectoryIndex, LeaderEpoch, Micros, Now, Offset, ShardId, TopicId};
use logmill_engine::disk::memory::{Crash, MemoryDisk};
use logmill_engine::disk::{Completion, DiskOp, DiskOut, OpKey};
use logmill_engine::log::{LogConfig, PartitionState};
use logmill_engine::recovery::{Recovered, recover};
use logmill_engine::store::{PartitionSpec, Role, Store, StoreOptions};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::dice::Dice;
use crate::config::Config;
use crate::connection::{ConnectionKey, Next};
use crate::groups::Options;
use crate::handlers::BrokerIdentity;
use crate::metadata::{BrokerRegistration, LocalController, MetadataImage};
use crate::partitions::options::ShardOptions;
use crate::partitions::placement::placement;
use crate::shard::coordinators::Coordinators;
use crate::shard::metadata::{METADATA_SHARD, Metadata, MetadataLog};
use crate::shard::out::Out;
use crate::shard::{Event, Shard};
use crate::start::metadata_log;

/// See the module.
pub struct Broker {
    shards: Vec<Shard>,
    outs: Vec<Out>,
    disk: MemoryDisk,
    /// Operations in flight: the shard, and its own name for each.
    operations: HashMap<u64, (usize, OpKey)>,
    next_operation: u64,
    config: Arc<Config>,
    boot: u8,
    lives: u64,
    seed: u64,
    /// Connections that the broker closed, and nobody asked about yet.
    closed: Vec<Place>,
    /// Something moved since this was last asked.
    is_busy: bool,
    /// Of so many turns of a shard one lets an operation of the disk end; 0 for a disk as it
    /// should be.
    slowness: u32,
    /// Syncs are said to be done, and are not.
    pub syncs_lie: bool,
}

/// A connection: its shard, and the shard's name for it.
pub type Place = (usize, ConnectionKey);

impl Broker {
    /// Starts on an empty disk.
    pub fn new(shards: usize, seed: u64, now: Now) -> Self {
        let sets = [
            ("offsets.topic.num.partitions", "3"),
            ("group.initial.rebalance.delay.ms", "100"),
        ];
        let sets = sets.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut broker = Self {
            shards: Vec::with_capacity(shards),
            outs: (0..shards).map(|_| Out::default()).collect(),
            disk: MemoryDisk::new(1),
            operations: HashMap::new(),
            next_operation: 0,
            config: Arc::new(Config::load(None, &sets).unwrap().config),
            boot: 1,
            lives: 0,
            seed,
            closed: Vec::new(),
            is_busy: true,
            slowness: 0,
            syncs_lie: false,
        };
        broker.start(now);
        broker
    }

    /// Dies: by SIGKILL, or with the whole machine. What was in flight happened, or not, or in
    /// part. The next life begins at once.
    pub fn crash(&mut self, crash: Crash, dice: &mut Dice, now: Now) {
        self.shards.clear();
        self.operations.clear();
        self.closed.clear();
        self.is_busy = true;
        self.slowness = 0;
        self.outs.iter_mut().for_each(|out| *out = Out::default());
        self.disk = self.disk.crash(crash, &mut |below| dice.below(below));
        if crash == Crash::Power {
            self.boot = self.boot.wrapping_add(1);
        }
        self.start(now);
    }

    /// The next operation but so many fails, with this errno.
    pub fn fail_operation(&self, after: u64, errno: i32) {
        let number = self.disk.operations() + after;
        self.disk.fail_operation(number, errno);
    }

    /// The machine stands still when its disk has done so much more.
    pub fn stop_after(&self, operations: u64) {
        self.disk.power_off_at(self.disk.operations() + operations);
    }

    /// Whether it stands still; only a crash ends that.
    pub fn is_stopped(&self) -> bool {
        self.disk.is_off()
    }

    /// How many bytes more the disk has room for, if it is nearly full.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.disk.limit_space(bytes);
    }

    /// Of so many turns of a shard one lets an operation of the disk end.
    pub fn slow_down(&mut self, turns: u32) {
        self.slowness = turns;
    }

    fn start(&mut self, now: Now) {
        self.lives += 1;
        let boot_id = [self.boot; 16];
        let found = recover(&self.disk, boot_id).expect("no crash looks like damage");
        assert!(found.fenced.is_empty(), "{:?}", found.findings);
        let is_metadata = |state: &&PartitionState| state.topic_id == METADATA_TOPIC;
        let log = found.partitions.iter().find(is_metadata);
        let image = log.map_or_else(MetadataImage::default, |state| {
            metadata_log::load(&self.disk, state).expect("recovered")
        });
        let last = log.and_then(|state| state.epochs.last());
        let term = LeaderEpoch(last.map_or(0, |last| last.epoch.0) + 1);
        let registration = BrokerRegistration {
            node_id: self.config.node_id,
            incarnation: logmill_wire::Uuid([self.lives as u8; 16]),
            endpoints: Vec::new(),
            rack: None,
            directories: vec![DIRECTORY],
            unclean: self.lives > 1,
        };
        let records = registration.records(&image);
        let base = Offset(image.offset.0 + 1);
        let (image, _) = image
            .apply(base, records.iter().map(Vec::as_slice))
            .unwrap();
        let image = Arc::new(image);
        let count = self.outs.len() as u16;
        for id in (0..count).map(ShardId) {
            let mut store = self.store(id, count, boot_id, &found, &image);
            let log = (id == METADATA_SHARD).then(|| self.metadata_log(now, term, &mut store));
            let mut shard = self.shard(now, id, count, store);
            shard.load_image(now, Arc::clone(&image));
            if let Some(log) = log {
                shard.own_metadata_log(log);
                shard.append_startup_records(now, &records).unwrap();
            }
            self.shards.push(shard);
        }
    }

    fn store(
        &self,
        id: ShardId,
        count: u16,
        boot_id: [u8; 16],
        found: &Recovered,
        image: &MetadataImage,
    ) -> Store {
        let owner = |state: &PartitionState| match state.topic_id == METADATA_TOPIC {
            true => Some(METADATA_SHARD),
            // What the metadata does not know is left alone.
            false => image
                .partition(state.topic_id, state.index)
                .map(|_| placement(state.topic_id, state.index, count)),
        };
        let own = found.partitions.iter();
        let own = own.filter(|state| owner(state) == Some(id));
        let directory = found.directories[0];
        let mut options = StoreOptions::new(id, vec![directory.era], boot_id, self.seed);
        options.tail_bytes = 8 << 20;
        options.frame_bytes = 4 << 20;
        options.reserve_bytes = 0;
        options.retention_check = None;
        options.journal.first_file_bytes = 64 << 10;
        options.journal.file_bytes = 64 << 10;
        options.journal.frame_bytes_max = 16 << 10;
        Store::open(
            options,
            own.cloned().collect(),
            &[directory.next_journal_name],
        )
    }

    fn shard(&self, now: Now, id: ShardId, count: u16, store: Store) -> Shard {
        let options = ShardOptions {
            node_id: self.config.node_id,
            receive_bytes: 1 << 20,
            ..ShardOptions::new(id, count)
        };
        let broker = BrokerIdentity {
            cluster_id: "cluster".to_owned(),
            node_id: self.config.node_id,
            rack: None,
            host: "localhost".to_owned(),
            port: 9092,
        };
        let metadata = Metadata::new(Arc::clone(&self.config), vec![broker], vec![DIRECTORY]);
        // Member ids are never the same in two lives.
        let mut seed = self.seed ^ (self.lives << 32) ^ (u64::from(id.0) << 48);
        let rngs = move || -> Box<dyn RngCore + Send> {
            seed = seed.wrapping_add(1);
            Box::new(StdRng::seed_from_u64(seed))
        };
        let groups = Options {
            initial_rebalance_delay_ms: 100,
            ..Options::default()
        };
        let coordinators = Coordinators::new(groups, Box::new(rngs));
        Shard::new(now, options, store, metadata, coordinators)
    }

    fn metadata_log(&self, now: Now, term: LeaderEpoch, store: &mut Store) -> MetadataLog {
        let spec = PartitionSpec {
            topic_id: METADATA_TOPIC,
            topic: "__cluster_metadata".to_owned(),
            index: logmill_engine::base::PartitionIndex(0),
            directory: DirectoryIndex(0),
            config: Arc::new(LogConfig::default()),
            role: Role::Leader(term),
            always_synced: true,
        };
        let key = store.open_partition(now, spec).unwrap();
        let controller = LocalController::new(&self.config, &[DIRECTORY], 10_000);
        let rng = Box::new(StdRng::seed_from_u64(self.seed ^ self.lives));
        MetadataLog::new(controller, key, rng)
    }

    /// Whether clients may be served.
    pub fn is_ready(&self) -> bool {
        self.shards.iter().all(Shard::is_ready)
    }

    /// When something happens next without a client's doing: at once while anything is under way.
    pub fn next_event(&mut self, now: Now) -> Option<Micros> {
        if std::mem::take(&mut self.is_busy) || !self.operations.is_empty() {
            return Some(now.monotonic);
        }
        self.shards.iter().filter_map(Shard::next_deadline).min()
    }

    /// Something is under way outside the broker.
    pub fn stay_busy(&mut self) {
        self.is_busy = true;
    }

    /// One turn of every shard's loop. Some of the disk's operations end, in any order, and some of
    /// the mail arrives.
    pub fn turn(&mut self, now: Now, dice: &mut Dice) {
        for at in 0..self.shards.len() {
            let (shard, out) = (&mut self.shards[at], &mut self.outs[at]);
            shard.pump(now, out);
            self.is_busy |= !out.closes.is_empty();
            self.closed
                .extend(out.closes.drain(..).map(|(key, _)| (at, key)));
            out.sends.clear();
            out.reads.clear();
            out.notices.clear();
            if let Some(reply) = out.long_reply.take() {
                self.is_busy = true;
                shard.feed(now, Event::Written(Box::new(reply.write())));
            }
            self.submit(at);
            let is_slow = self.slowness > 0 && !dice.one_in(self.slowness);
            while !is_slow && dice.below(4) > 0 {
                let Some(Completion { key, result }) = self.disk.step(&mut |n| dice.below(n))
                else {
                    break;
                };
                self.is_busy = true;
                let (owner, key) = self.operations.remove(&key.0).expect("in flight");
                let event = Event::Completed(Completion { key, result });
                self.shards[owner].feed(now, event);
            }
            if dice.below(4) == 0 {
                self.is_busy = true;
                continue;
            }
            for peer in 0..self.shards.len() {
                let mut batch = std::mem::take(self.shards[at].mail(ShardId(peer as u16)));
                if !batch.is_empty() {
                    self.is_busy = true;
                    let from = ShardId(at as u16);
                    let batch = &mut batch;
                    self.shards[peer].feed(now, Event::Mail { from, batch });
                }
            }
        }
    }

    /// Gives the disk a shard's operations, under names that no other shard uses.
    fn submit(&mut self, at: usize) {
        let mut renamed = DiskOut::default();
        for (key, op) in self.outs[at].disk.drain() {
            self.next_operation += 1;
            let op = match op {
                DiskOp::Sync { file } if self.syncs_lie => DiskOp::ReadAhead {
                    file,
                    position: 0,
                    len: 0,
                },
                op => op,
            };
            self.operations.insert(self.next_operation, (at, key));
            renamed.push(OpKey(self.next_operation), op);
        }
        self.disk.submit(&mut renamed);
    }

    /// A client comes.
    pub fn accept(&mut self, now: Now, dice: &mut Dice) -> Place {
        self.is_busy = true;
        let at = dice.below(self.shards.len() as u32) as usize;
        let key = self.shards[at].accept(now, 0, Ipv4Addr::LOCALHOST.into());
        (at, key)
    }

    /// A client is gone.
    pub fn hang_up(&mut self, now: Now, (at, connection): Place) {
        self.is_busy = true;
        self.shards[at].feed(now, Event::PeerClosed { connection });
    }

    /// Whether the broker closed a connection. Says it once.
    pub fn has_closed(&mut self, place: Place) -> bool {
        let at = self.closed.iter().position(|closed| *closed == place);
        at.map(|at| self.closed.swap_remove(at)).is_some()
    }

    /// Gives the broker bytes of a client's, as far as it takes them; says how many that was.
    pub fn deliver(&mut self, now: Now, (at, connection): Place, bytes: &[u8]) -> usize {
        let shard = &mut self.shards[at];
        let Some(target) = shard.receive_target(connection) else {
            return 0;
        };
        let count = target.len().min(bytes.len());
        target[..count].copy_from_slice(&bytes[..count]);
        self.is_busy = true;
        shard.feed(now, Event::Received { connection, count });
        count
    }

    /// Takes what the broker has for a client.
    pub fn collect(&mut self, now: Now, (at, connection): Place, into: &mut Vec<u8>) {
        loop {
            let shard = &mut self.shards[at];
            let Some(outgoing) = shard.outgoing(connection) else {
                return;
            };
            let mut parts = [IoSlice::new(&[]); 16];
            let before = into.len();
            match outgoing.next(&mut parts) {
                Next::Nothing => return,
                Next::Memory(count) => {
                    let parts = parts[..count].iter();
                    parts.for_each(|part| into.extend_from_slice(part));
                }
                Next::File(range) => {
                    let (directory, path) = (range.file.directory(), range.file.path());
                    let file = self.disk.contents(directory, path).expect("leased");
                    let start = range.position as usize;
                    into.extend_from_slice(&file[start..start + range.len as usize]);
                }
            }
            let count = into.len() - before;
            self.is_busy = true;
            shard.feed(now, Event::Sent { connection, count });
        }
    }
}

const DIRECTORY: logmill_wire::Uuid = logmill_wire::Uuid([9; 16]);
/// `__cluster_metadata`'s own.
const METADATA_TOPIC: TopicId = TopicId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
