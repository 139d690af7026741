//! Several shards in one thread, with their disks, their mail and a clock that only tests move.

use std::io::IoSlice;
use std::net::Ipv4Addr;
use std::sync::Arc;

use logmill_engine::base::{
    DirectoryIndex, LeaderEpoch, Micros, Now, PartitionIndex, ShardId, TopicId, Watermarks,
};
use logmill_engine::disk::memory::MemoryDisk;
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::log::{LogConfig, Origin};
use logmill_engine::store::{
    Ack, AckLevel, LeaderBatch, PartitionKey, PartitionSpec, Role, Store, StoreOptions,
};
use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};
use logmill_wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logmill_wire::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logmill_wire::{ApiKey, Message, RequestHeader, ResponseHeader, Writer};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::config::Config;
use crate::connection::{CloseReason, ConnectionKey, Next};
use crate::groups::Options;
use crate::handlers::BrokerIdentity;
use crate::metadata::{BrokerRegistration, LocalController, MetadataImage};
use crate::partitions::mail::Mail;
use crate::partitions::options::ShardOptions;
use crate::shard::coordinators::Coordinators;
use crate::shard::metadata::{Metadata, MetadataLog};
use crate::shard::out::{Notice, Out};
use crate::shard::{Event, Shard};

/// The world.
pub struct Rig {
    pub shards: Vec<Shard>,
    disks: Vec<MemoryDisk>,
    outs: Vec<Out>,
    /// Emptied batches of mail, as the driver gives them back.
    batches: Vec<Vec<Mail>>,
    pub now: Now,
    /// Connections that were closed, by shard.
    pub closed: Vec<(usize, ConnectionKey, CloseReason)>,
    /// What shards said for the broker's log of their storage.
    pub told: Vec<String>,
    /// Allocations that shards made since this was set.
    pub allocations: u64,
    /// While set, disks complete in random order and time, and mail takes random turns.
    pub disk_dice: Option<u64>,
    /// Disks answer only while this is set.
    pub disks_work: bool,
}

/// A client's end of a connection.
pub struct Client {
    pub shard: usize,
    pub key: ConnectionKey,
    /// Received and not taken yet.
    pub bytes: Vec<u8>,
    correlation: i32,
}

impl Rig {
    pub fn new(shards: u16) -> Self {
        Self::with(shards, |_| {})
    }

    pub fn with(shards: u16, adjust: impl Fn(&mut ShardOptions)) -> Self {
        let now = Now {
            monotonic: Micros(1_000_000),
            wall_ms: 1_700_000_000_000,
        };
        let config = Arc::new(Config::load(None, &[]).unwrap().config);
        let directory_id = logmill_wire::Uuid([9; 16]);
        let registration = BrokerRegistration {
            node_id: config.node_id,
            incarnation: logmill_wire::Uuid([8; 16]),
            endpoints: Vec::new(),
            rack: None,
            directories: vec![directory_id],
            unclean: false,
        };
        let empty = MetadataImage::default();
        let records = registration.records(&empty);
        let base = logmill_engine::base::Offset(0);
        let (image, _) = empty
            .apply(base, records.iter().map(Vec::as_slice))
            .unwrap();
        let image = Arc::new(image);
        let mut built = Vec::new();
        for id in (0..shards).map(ShardId) {
            let mut options = ShardOptions {
                node_id: config.node_id,
                ..ShardOptions::new(id, shards)
            };
            adjust(&mut options);
            let mut store_options = StoreOptions::new(id, vec![0], [1; 16], 7);
            store_options.tail_bytes = 32 << 20;
            let mut store = Store::open(store_options, Vec::new(), &[1]);
            let log = (id.0 == 0).then(|| metadata_log(now, &config, directory_id, &mut store));
            let broker = BrokerIdentity {
                cluster_id: "cluster".to_owned(),
                node_id: config.node_id,
                rack: None,
                host: "localhost".to_owned(),
                port: 9092,
            };
            let metadata = Metadata::new(Arc::clone(&config), vec![broker], vec![directory_id]);
            let mut shard = Shard::new(now, options, store, metadata, coordinators(id));
            shard.load_image(now, Arc::clone(&image));
            if let Some(log) = log {
                shard.own_metadata_log(log);
                shard.append_startup_records(now, &records).unwrap();
            }
            built.push(shard);
        }
        let count = usize::from(shards);
        let mut rig = Self {
            shards: built,
            disks: (0..count).map(|_| MemoryDisk::new(1)).collect(),
            outs: (0..count).map(|_| Out::default()).collect(),
            batches: Vec::new(),
            now,
            closed: Vec::new(),
            told: Vec::new(),
            allocations: 0,
            disk_dice: None,
            disks_work: true,
        };
        rig.settle();
        assert!(rig.shards.iter().all(Shard::is_ready));
        rig
    }

    pub fn connect(&mut self, shard: usize) -> Client {
        let key = self.shards[shard].accept(self.now, 0, Ipv4Addr::LOCALHOST.into());
        Client {
            shard,
            key,
            bytes: Vec::new(),
            correlation: 0,
        }
    }

    /// Turns every loop until nothing happens any more.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.turn() {
                return;
            }
        }
        panic!("the shards never settle");
    }

    pub fn advance_ms(&mut self, ms: u64) {
        self.now.monotonic = self.now.monotonic.saturating_add(Micros::from_millis(ms));
        self.now.wall_ms += ms as i64;
        self.settle();
    }

    /// Moves the clock and nothing else.
    pub fn advance_clock_ms(&mut self, ms: u64) {
        self.now.monotonic = self.now.monotonic.saturating_add(Micros::from_millis(ms));
        self.now.wall_ms += ms as i64;
    }

    /// The next operation of every disk fails.
    pub fn fail_disks(&mut self, errno: i32) {
        for disk in &self.disks {
            disk.fail_operation(disk.operations() + 1, errno);
        }
    }

    /// Turns every loop so often.
    pub fn some_turns(&mut self, count: usize) {
        for _ in 0..count {
            self.turn();
        }
    }

    /// A number below `below`; 0 without dice.
    fn roll(&mut self, below: u64) -> u64 {
        let Some(state) = &mut self.disk_dice else {
            return 0;
        };
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 8) % below
    }

    fn turn(&mut self) -> bool {
        let mut busy = false;
        for at in 0..self.shards.len() {
            let out = &mut self.outs[at];
            let (shard, now) = (&mut self.shards[at], self.now);
            self.allocations += measured(|| shard.pump(now, out));
            busy |= shard.next_deadline().is_some_and(|at| at <= now.monotonic);
            busy |= !out.closes.is_empty();
            self.closed
                .extend(out.closes.drain(..).map(|(key, reason)| (at, key, reason)));
            out.sends.clear();
            out.reads.clear();
            let told = out.notices.drain(..).filter_map(|notice| match notice {
                Notice::Storage { text } | Notice::Directory { text, .. } => Some(text),
                Notice::Refused { .. } => None,
            });
            self.told.extend(told);
            if let Some(reply) = out.long_reply.take() {
                busy = true;
                shard.feed(now, Event::Written(Box::new(reply.write())));
            }
            busy |= !out.disk.is_empty();
            self.disks[at].submit(&mut out.disk);
            // With dice some completions wait for a later turn, and any may come first.
            while self.disks_work && self.roll(3) < 2 {
                let pick = self.roll(1 << 20) as u32;
                let Some(completion) = self.disks[at].step(&mut |below| pick % below.max(1)) else {
                    break;
                };
                busy = true;
                let (shard, now) = (&mut self.shards[at], self.now);
                self.allocations += measured(|| shard.feed(now, Event::Completed(completion)));
            }
            if self.roll(3) == 2 {
                continue;
            }
            for peer in 0..self.shards.len() {
                let spare = self.batches.pop().unwrap_or_default();
                let staged = self.shards[at].mail(ShardId(peer as u16));
                let mut batch = std::mem::replace(staged, spare);
                if !batch.is_empty() {
                    busy = true;
                    let from = ShardId(at as u16);
                    let (shard, now) = (&mut self.shards[peer], self.now);
                    let batch = &mut batch;
                    self.allocations += measured(|| shard.feed(now, Event::Mail { from, batch }));
                }
                self.batches.push(batch);
            }
        }
        busy
    }

    /// Gives the shard bytes of a client's, as far as it takes them; says how many that was.
    pub fn deliver(&mut self, client: &Client, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let Some(target) = self.shards[client.shard].receive_target(client.key) else {
                break;
            };
            let count = target.len().min(bytes.len() - done);
            target[..count].copy_from_slice(&bytes[done..done + count]);
            done += count;
            let event = Event::Received {
                connection: client.key,
                count,
            };
            let (shard, now) = (&mut self.shards[client.shard], self.now);
            self.allocations += measured(|| shard.feed(now, event));
        }
        done
    }

    /// Takes what the shard has for a client.
    pub fn collect(&mut self, client: &mut Client) {
        loop {
            let shard = &mut self.shards[client.shard];
            let Some(outgoing) = shard.outgoing(client.key) else {
                return;
            };
            let mut parts = [IoSlice::new(&[]); 16];
            let count = match outgoing.next(&mut parts) {
                Next::Nothing => return,
                Next::Memory(count) => {
                    let before = client.bytes.len();
                    parts[..count]
                        .iter()
                        .for_each(|part| client.bytes.extend_from_slice(part));
                    client.bytes.len() - before
                }
                Next::File(range) => {
                    let file = self.disks[client.shard]
                        .contents(range.file.directory(), range.file.path())
                        .expect("a leased file is there");
                    let start = range.position as usize;
                    let bytes = &file[start..start + range.len as usize];
                    client.bytes.extend_from_slice(bytes);
                    range.len as usize
                }
            };
            let event = Event::Sent {
                connection: client.key,
                count,
            };
            self.shards[client.shard].feed(self.now, event);
        }
    }

    /// Sends a request, settles, and gives the body of the next reply.
    pub fn call<'a>(
        &mut self,
        client: &mut Client,
        api: ApiKey,
        version: i16,
        request: &impl Message<'a>,
    ) -> Option<Vec<u8>> {
        let frame = client.frame(api, version, request);
        assert_eq!(self.deliver(client, &frame), frame.len());
        self.settle();
        self.collect(client);
        client.reply(api, version).map(|(_, body)| body)
    }

    /// Where the log of a partition of `__consumer_offsets` stands.
    pub fn offsets_marks(&mut self, index: i32) -> Watermarks {
        let (shard, key) = self.offsets_log(index);
        let marks = self.shards[shard].core().store.watermarks(key);
        marks.expect("it is open")
    }

    /// The shard that has a partition of `__consumer_offsets`, and its key there.
    pub fn offsets_log(&mut self, index: i32) -> (usize, PartitionKey) {
        let found = self.shards.iter_mut().enumerate().find_map(|(at, shard)| {
            let topic = shard.core().catalog.by_name("__consumer_offsets")?;
            Some((at, topic.partition(PartitionIndex(index))?.key?))
        });
        found.expect("a shard has it")
    }

    /// Appends a batch to a partition of `__consumer_offsets` behind its coordinator's back.
    pub fn write_offsets_log(&mut self, index: i32, bytes: &[u8]) {
        let (shard, key) = self.offsets_log(index);
        let batch = LeaderBatch {
            header: BatchHeader::parse(bytes).unwrap(),
            bytes,
            expected_epoch: None,
            origin: Origin::Coordinator,
        };
        let ack = Ack {
            level: AckLevel::Synced,
            token: u64::MAX,
        };
        let store = &mut self.shards[shard].core().store;
        store.append_as_leader(self.now, key, &batch, ack).unwrap();
    }

    /// Lets a partition's coordinator be loaded from its log, as after a failed append.
    pub fn reload_coordinator(&mut self, index: i32) {
        let (shard, _) = self.offsets_log(index);
        self.shards[shard].coordinator_failed(self.now, index, "a test wants it");
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) {
        let mut client = self.connect(0);
        let topic = CreatableTopic {
            name,
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic].into(),
            timeout_ms: 1_000,
            ..CreateTopicsRequest::default()
        };
        let body = self
            .call(&mut client, ApiKey::CreateTopics, 5, &request)
            .unwrap();
        let response: logmill_wire::messages::create_topics::CreateTopicsResponse<'_> =
            decode(&body, 5);
        assert_eq!(response.topics.first().unwrap().error_code, 0);
    }

    /// Produces one batch of these values; gives error code and base offset.
    pub fn produce(
        &mut self,
        client: &mut Client,
        topic: &str,
        partition: i32,
        values: &[&[u8]],
    ) -> (i16, i64) {
        let batch = batch(values);
        let body = {
            let request = produce_request(topic, &[(partition, &batch)], -1);
            let frame = client.frame(ApiKey::Produce, 9, &request);
            assert_eq!(self.deliver(client, &frame), frame.len());
            self.settle();
            self.collect(client);
            client.reply(ApiKey::Produce, 9).expect("a reply").1
        };
        let response: ProduceResponse<'_> = decode(&body, 9);
        let part = response
            .responses
            .first()
            .unwrap()
            .partition_responses
            .first()
            .unwrap();
        (part.error_code, part.base_offset)
    }

    /// The newest configuration that each shard told its driver.
    pub fn told_configs(&self) -> impl Iterator<Item = &Config> {
        self.outs.iter().filter_map(|out| out.config.as_deref())
    }

    /// Puts a topic's id out of the image.
    pub fn topic_id(&mut self, name: &str) -> TopicId {
        self.shards[0].core().catalog.by_name(name).unwrap().id
    }
}

impl Client {
    pub fn frame<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) -> Vec<u8> {
        self.correlation += 1;
        frame(api, version, self.correlation, request)
    }

    /// Takes the next whole reply: correlation id and body.
    pub fn reply(&mut self, api: ApiKey, version: i16) -> Option<(i32, Vec<u8>)> {
        let field = self.bytes.first_chunk::<4>()?;
        let len = i32::from_be_bytes(*field) as usize;
        if self.bytes.len() < 4 + len {
            return None;
        }
        let frame: Vec<u8> = self.bytes.drain(..4 + len).skip(4).collect();
        let (header, reader) = ResponseHeader::decode(&frame, api, version).unwrap();
        Some((header.correlation_id, reader.rest().to_vec()))
    }
}

/// How often `work` allocates.
fn measured(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

pub fn decode<'a, M: Message<'a>>(body: &'a [u8], version: i16) -> M {
    let mut reader = logmill_wire::Reader::new(body);
    let message = M::decode(&mut reader, version).unwrap();
    assert_eq!(reader.remaining(), 0, "bytes left in the reply");
    message
}

pub fn frame<'a>(
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    request: &impl Message<'a>,
) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.i32(0);
    let header = RequestHeader {
        request_api_key: api as i16,
        request_api_version: version,
        correlation_id,
        client_id: Some("rig"),
    };
    header
        .encode(&mut writer, api.request_header_version(version))
        .unwrap();
    request.encode(&mut writer, version).unwrap();
    let len = writer.bytes.len() as i32 - 4;
    writer.bytes[..4].copy_from_slice(&len.to_be_bytes());
    writer.bytes
}

pub fn batch(values: &[&[u8]]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for value in values {
        let record = NewRecord {
            timestamp: 1_700_000_000_000,
            value: Some(value),
            ..NewRecord::default()
        };
        builder.append(&record).unwrap();
    }
    let mut bytes = Vec::new();
    builder.finish(&BatchMeta::default(), &mut bytes);
    bytes
}

/// A fetch of partitions of topic `t` from these offsets on, without a session.
pub fn fetch_request<'a>(parts: &[(i32, i64)], wait_ms: i32, min_bytes: i32) -> FetchRequest<'a> {
    let partitions: Vec<_> = parts
        .iter()
        .map(|&(partition, fetch_offset)| FetchPartition {
            partition,
            fetch_offset,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        })
        .collect();
    let topic = FetchTopic {
        topic: "t",
        partitions: partitions.into(),
        ..FetchTopic::default()
    };
    FetchRequest {
        max_wait_ms: wait_ms,
        min_bytes,
        max_bytes: 10 << 20,
        topics: vec![topic].into(),
        ..FetchRequest::default()
    }
}

pub fn produce_request<'a>(
    topic: &'a str,
    batches: &[(i32, &'a [u8])],
    acks: i16,
) -> ProduceRequest<'a> {
    let parts: Vec<_> = batches
        .iter()
        .map(|&(index, bytes)| PartitionProduceData {
            index,
            records: Some(bytes.into()),
        })
        .collect();
    let data = TopicProduceData {
        name: topic,
        partition_data: parts.into(),
        ..TopicProduceData::default()
    };
    ProduceRequest {
        acks,
        timeout_ms: 5_000,
        topic_data: vec![data].into(),
        ..ProduceRequest::default()
    }
}

/// Coordinators whose member ids are the same in every run.
fn coordinators(id: ShardId) -> Coordinators {
    let mut seed = u64::from(id.0) << 32;
    let rngs = move || -> Box<dyn RngCore + Send> {
        seed += 1;
        Box::new(StdRng::seed_from_u64(seed))
    };
    Coordinators::new(Options::default(), Box::new(rngs))
}

fn metadata_log(
    now: Now,
    config: &Arc<Config>,
    directory: logmill_wire::Uuid,
    store: &mut Store,
) -> MetadataLog {
    let mut id = [0; 16];
    id[15] = 1;
    let spec = PartitionSpec {
        topic_id: TopicId(id),
        topic: "__cluster_metadata".to_owned(),
        index: PartitionIndex(0),
        directory: DirectoryIndex(0),
        config: Arc::new(LogConfig::default()),
        role: Role::Leader(LeaderEpoch(1)),
        always_synced: true,
    };
    let key = store.open_partition(now, spec).unwrap();
    let controller = LocalController::new(config, &[directory], 10_000);
    MetadataLog::new(controller, key, Box::new(StdRng::seed_from_u64(1)))
}
