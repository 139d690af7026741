//! A store on the memory disk, driven by hand: turns, seeded choices, virtual time.
#![allow(
    dead_code,
    missing_docs,
    reason = "shared by several test crates, none of which uses all of it"
)]

use std::{collections::BTreeMap, sync::Arc};

use logmill_engine::{
    base::{DirectoryIndex, LeaderEpoch, Micros, Now, Offset, PartitionIndex, ShardId, TopicId},
    disk::{DiskOut, memory::MemoryDisk},
    format::{batch::BatchHeader, builder::BatchBuilder, compression::Codec},
    log::{LogConfig, Origin, PartitionState, SegmentState},
    store::{
        Ack, AckError, AckLevel, AppendAnswer, FetchRead, Isolation, LeaderBatch, PartitionKey,
        PartitionSpec, ReadData, Role, Store, StoreError, StoreEvent, StoreOptions,
    },
};

pub const TOP: DirectoryIndex = DirectoryIndex(0);

/// SplitMix64: seeded, the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound.max(1))) >> 32) as u32
    }
}

pub struct Rig {
    pub disk: MemoryDisk,
    pub store: Store,
    pub random: Random,
    pub now: Now,
    pub out: DiskOut,
    /// Acks by token.
    pub acked: BTreeMap<u64, Result<Offset, AckError>>,
    pub visible: Vec<u64>,
    pub loaded: Vec<u64>,
    /// Cuts by token.
    pub truncated: BTreeMap<u64, Result<Offset, StoreError>>,
    pub stopped: bool,
    pub is_short_of_room: bool,
    pub failures: Vec<String>,
}

pub fn options(seed: u64) -> StoreOptions {
    let mut options = StoreOptions::new(ShardId(0), vec![1], [1; 16], seed);
    options.journal.first_file_bytes = 64 << 10;
    options.journal.file_bytes = 64 << 10;
    options.journal.files_max = 4;
    options.journal.frame_bytes_max = 16 << 10;
    options.tail_bytes = 8 << 20;
    options.reserve_bytes = 0;
    // Sweeps are held up all the time.
    options.sweep_ahead_bytes_max = 1;
    // Whoever tests it says so: elsewhere nothing is to happen by itself.
    options.retention_check = None;
    options
}

pub fn spec(partition: i32, config: LogConfig) -> PartitionSpec {
    PartitionSpec {
        topic_id: TopicId([7; 16]),
        topic: "topic".to_owned(),
        index: PartitionIndex(partition),
        directory: TOP,
        config: Arc::new(config),
        role: Role::Leader(LeaderEpoch(0)),
        always_synced: false,
    }
}

/// A batch with one record per value.
pub fn batch(values: &[&[u8]]) -> Vec<u8> {
    batch_at(1_000, values)
}

/// What recovery says of segments' files must be there.
pub fn check_files(disk: &MemoryDisk, partitions: &[PartitionState]) {
    use logmill_engine::format::names::{self, FileKind};
    for state in partitions {
        let folder = names::partition_folder(&state.topic, state.index);
        let read = |segment: &&SegmentState| segment.end > state.log_start;
        for segment in state.segments.iter().filter(read) {
            let indexes = [
                (FileKind::Log, segment.size),
                (FileKind::Index, segment.index_entries),
                (FileKind::TimeIndex, segment.time_index_entries),
            ];
            for (kind, count) in indexes {
                let path = format!("{folder}/{}", names::segment_file(segment.base, kind));
                let is_there = disk.contents(state.directory, &path).is_some();
                assert!(count == 0 || is_there, "{path} is missing");
            }
        }
    }
}

/// The same, from an idempotent producer.
pub fn batch_of(id: i64, epoch: i16, sequence: i32, values: &[&[u8]]) -> Vec<u8> {
    use logmill_engine::base::{ProducerEpoch, ProducerId, Sequence};
    let (id, epoch) = (ProducerId(id), ProducerEpoch(epoch));
    let mut builder = BatchBuilder::new().producer(id, epoch, Sequence(sequence));
    for value in values {
        builder = builder.record(1_000, None, Some(value));
    }
    builder.build(Codec::None).unwrap()
}

/// The same, with a timestamp.
pub fn batch_at(timestamp: i64, values: &[&[u8]]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder = builder.record(timestamp, None, Some(value));
    }
    builder.build(Codec::None).unwrap()
}

impl Rig {
    pub fn new(seed: u64) -> Self {
        Self::on(MemoryDisk::new(1), options(seed), Vec::new(), &[1])
    }

    pub fn on(
        disk: MemoryDisk,
        options: StoreOptions,
        states: Vec<PartitionState>,
        next_names: &[u64],
    ) -> Self {
        let random = Random(options.seed);
        Self {
            disk,
            store: Store::open(options, states, next_names),
            random,
            now: Now {
                monotonic: Micros(1),
                wall_ms: 1_000,
            },
            out: DiskOut::default(),
            acked: BTreeMap::new(),
            visible: Vec::new(),
            loaded: Vec::new(),
            truncated: BTreeMap::new(),
            stopped: false,
            is_short_of_room: false,
            failures: Vec::new(),
        }
    }

    pub fn open(&mut self, partition: i32, config: LogConfig) -> PartitionKey {
        self.store
            .open_partition(self.now, spec(partition, config))
            .unwrap()
    }

    /// The same in another log directory.
    pub fn open_in(&mut self, directory: u16, partition: i32, config: LogConfig) -> PartitionKey {
        let directory = DirectoryIndex(directory);
        let spec = PartitionSpec {
            directory,
            ..spec(partition, config)
        };
        self.store.open_partition(self.now, spec).unwrap()
    }

    pub fn append(
        &mut self,
        key: PartitionKey,
        bytes: &[u8],
        level: AckLevel,
        token: u64,
    ) -> Result<AppendAnswer, StoreError> {
        let header = BatchHeader::parse(bytes).unwrap();
        let origin = Origin::Client;
        let batch = LeaderBatch {
            header,
            bytes,
            expected_epoch: None,
            origin,
        };
        self.store
            .append_as_leader(self.now, key, &batch, Ack { level, token })
    }

    /// One turn: pump, hand over, complete up to `completions` operations in a random order.
    pub fn turn(&mut self, completions: u32) {
        self.now.monotonic = self.now.monotonic.saturating_add(Micros(200));
        self.store.pump(self.now, &mut self.out);
        self.disk.submit(&mut self.out);
        for _ in 0..completions {
            let random = &mut self.random;
            let Some(done) = self.disk.step(&mut |bound| random.below(bound)) else {
                break;
            };
            self.store.complete(self.now, done);
        }
        self.collect();
    }

    pub fn collect(&mut self) {
        let mut events = Vec::new();
        self.store.events(&mut events);
        for event in events {
            match event {
                StoreEvent::Acked { token, result } => {
                    assert!(
                        self.acked.insert(token, result).is_none(),
                        "{token} acked twice"
                    );
                }
                StoreEvent::Visible { token } => self.visible.push(token),
                StoreEvent::Loaded { token } => self.loaded.push(token),
                StoreEvent::Truncated { token, result } => {
                    self.truncated.insert(token, result);
                }
                StoreEvent::Stopped => self.stopped = true,
                StoreEvent::RoomRanOut { .. } => self.is_short_of_room = true,
                StoreEvent::RoomCame { .. } => self.is_short_of_room = false,
                StoreEvent::Fenced { reason, .. } | StoreEvent::DirectoryFailed { reason, .. } => {
                    self.failures.push(reason);
                }
            }
        }
    }

    /// Turns until nothing is in flight and nothing is due, marks included.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            let before = self.disk.operations();
            self.turn(u32::MAX);
            if self.disk.operations() != before || self.store.operations_in_flight() > 0 {
                continue;
            }
            let Some(deadline) = self.store.next_deadline() else {
                return;
            };
            self.now.monotonic = self.now.monotonic.max(deadline);
        }
        panic!("the store never settles: {:?}", self.store);
    }

    /// Turns for a while of virtual time, from deadline to deadline, and what completes by then.
    pub fn settle_for(&mut self, time: Micros) {
        let until = self.now.monotonic.saturating_add(time);
        loop {
            let before = self.disk.operations();
            self.turn(u32::MAX);
            if self.disk.operations() != before || self.store.operations_in_flight() > 0 {
                continue;
            }
            if self.now.monotonic >= until {
                return;
            }
            let next = self.store.next_deadline().unwrap_or(until).min(until);
            self.now.monotonic = self.now.monotonic.max(next);
        }
    }

    pub fn stop(&mut self) {
        self.store.begin_stop(self.now);
        for _ in 0..100_000 {
            if self.stopped {
                return;
            }
            self.turn(u32::MAX);
        }
        panic!("the stop never ends: {:?}", self.store);
    }

    /// Reads from `offset` on, through every load, as bytes.
    pub fn read(&mut self, key: PartitionKey, offset: i64, isolation: Isolation) -> Vec<u8> {
        let read = FetchRead {
            offset: Offset(offset),
            max_bytes: 1 << 20,
            whole_first_batch: true,
            isolation,
            token: 999_999,
        };
        for _ in 0..1_000 {
            match self.store.read(self.now, key, &read).unwrap().data {
                ReadData::Empty => return Vec::new(),
                ReadData::Memory(parts) => return parts.to_vec(),
                ReadData::File(range) => {
                    let (at, len) = (range.position as usize, range.len as usize);
                    let (directory, path) = (range.file.directory(), range.file.path());
                    let bytes = self.disk.contents(directory, path).unwrap();
                    return bytes[at..at + len].to_vec();
                }
                ReadData::Loading => self.turn(u32::MAX),
            }
        }
        panic!("the read never ends");
    }

    /// Every record's value from `offset` to the end of what may be read, with offsets.
    pub fn read_all(&mut self, key: PartitionKey, isolation: Isolation) -> Vec<(i64, Vec<u8>)> {
        let mut at = self.store.watermarks(key).unwrap().log_start().0;
        let mut all = Vec::new();
        loop {
            let bytes = self.read(key, at, isolation);
            let mut rest = &bytes[..];
            let before = all.len();
            while let Ok(header) = BatchHeader::parse(rest) {
                if header.size() > rest.len() {
                    break;
                }
                values_of(&rest[..header.size()], &mut all);
                rest = &rest[header.size()..];
            }
            if all.len() == before {
                return all;
            }
            at = all.last().map_or(at, |(offset, _)| offset + 1);
        }
    }
}

/// The values of an uncompressed batch, with their offsets; checks its CRC.
pub fn values_of(batch: &[u8], into: &mut Vec<(i64, Vec<u8>)>) {
    use logmill_engine::format::{records::Records, validate};
    let header = BatchHeader::parse(batch).unwrap();
    validate::check_crc(&header, batch).unwrap();
    for (index, record) in Records::new(&batch[BatchHeader::SIZE..]).enumerate() {
        let value = record.unwrap().value.unwrap_or_default().to_vec();
        into.push((header.base_offset.0 + index as i64, value));
    }
}
