//! The producer: Kafka's batching, retries and idempotence, on one thread without locks.
//!
//! [`Core`] holds the state and decides, [`Producer`] carries out: it owns the links, sends what
//! the core drains, and tells it what came back.

mod batch;
mod config;
mod core;
mod lane;
mod partitioner;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use logmill_client::{CorrelationId, Reply, SendOptions};
use logmill_engine::base::{ProducerEpoch, ProducerId};
use logmill_wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use logmill_wire::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logmill_wire::{ApiKey, Array, ErrorCode, Message, Reader, Records, Uuid};
use thiserror::Error;

pub use self::batch::{Batch, Identity, Record, SharedBytes};
pub use self::config::{Acks, ConfigError, ProducerConfig};
pub use self::core::{Core, Counters, Drained, Settled};
pub use self::partitioner::{PartitionPlan, Partitioner, by_key, murmur2};
use crate::clock::{Clock, nanos, until};
use crate::net::{Cluster, Event, LinksOptions, NodeId, Session, SessionOptions};

/// A producer to one topic.
#[derive(Debug)]
pub struct Producer {
    core: Core,
    session: Session<SharedBytes>,
    partitioner: Partitioner,
    /// The topic's, as far as core and partitioner know.
    partitions: u32,
    asked: HashMap<(NodeId, CorrelationId), Asked>,
    events: Vec<Event>,
    parts: Vec<PartitionProduceData<'static>>,
    /// What a broker said last when it took no batch.
    refusal: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Produce(u64),
    Identity,
}

/// Why a producer cannot go on.
#[derive(Debug, Error)]
pub enum ProducerError {
    /// The settings do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The cluster or the topic could not be reached.
    #[error("cannot produce to topic {topic} within {seconds} s: {reason}")]
    Unreachable {
        /// The topic.
        topic: String,
        /// How long was tried.
        seconds: u64,
        /// The last error.
        reason: String,
    },
    /// A partition that the topic does not have.
    #[error("topic {topic} has {count} partitions; partition {partition} is not one of them")]
    NoPartition {
        /// The topic.
        topic: String,
        /// How many it has.
        count: u32,
        /// What was asked for.
        partition: u32,
    },
    /// `buffer.memory` stayed full for `max.block.ms`.
    #[error("buffer.memory has been full for max.block.ms ({0:?})")]
    BufferFull(Duration),
    /// Records are left when the time to flush is over.
    #[error("records were still unsent after {after:?}{}", last_said(.refusal.as_deref()))]
    FlushTimedOut {
        /// The time.
        after: Duration,
        /// What a broker said last when it took no batch.
        refusal: Option<String>,
    },
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Producer {
    /// Connects, learns the topic's leaders, gets an identity if one is needed. `seed` tells
    /// producers apart: where they begin and how their retries are spread.
    pub fn connect(
        config: ProducerConfig,
        bootstrap: &[SocketAddr],
        topic: &str,
        clock: Clock,
        seed: u64,
    ) -> Result<Self, ProducerError> {
        config.check()?;
        let mut links = LinksOptions::default();
        links.connection.client_id.clone_from(&config.client_id);
        links.connection.in_flight_max = config.in_flight_max;
        links.socket_buffer_bytes = config.socket_buffer_bytes;
        let options = SessionOptions {
            links,
            metadata_max_age: config.metadata_max_age,
            ..SessionOptions::default()
        };
        let cluster = Cluster::new(bootstrap.to_vec(), topic.to_owned());
        let mut session = Session::new(options, cluster, clock);
        let mut events = Vec::new();
        let give_up = clock.now() + nanos(config.max_block);
        while session.is_stale() {
            check_deadline(&session, &config, give_up)?;
            session.poll(Duration::from_millis(20), &mut events)?;
        }
        events.clear();
        let partitions = session.cluster().partitions();
        let plan = config.partitioner;
        if let PartitionPlan::Explicit(partition) = plan
            && partition >= partitions
        {
            return Err(ProducerError::NoPartition {
                topic: topic.to_owned(),
                count: partitions,
                partition,
            });
        }
        let partitioner = Partitioner::new(plan, partitions, config.batch_size, seed as u32);
        let core = Core::new(config, partitions, seed)?;
        let (asked, parts) = (HashMap::new(), Vec::new());
        let mut producer = Self {
            core,
            session,
            partitioner,
            partitions,
            asked,
            events,
            parts,
            refusal: None,
        };
        while !producer.is_ready() {
            check_deadline(&producer.session, producer.core.config(), give_up)?;
            producer.poll(Duration::from_millis(20))?;
        }
        Ok(producer)
    }

    /// The partition for a record.
    pub fn choose(&mut self, key: Option<&[u8]>, bytes: usize) -> u32 {
        self.partitioner.choose(key, bytes)
    }

    /// The number that the next record of `partition` will have.
    pub fn next_record(&self, partition: u32) -> u64 {
        self.core.next_record(partition)
    }

    /// True if a record that takes at most `bytes` encoded can be appended at once.
    pub fn has_room(&mut self, partition: u32, bytes: usize) -> bool {
        self.core.has_room(partition, bytes)
    }

    /// Appends a record that [`Producer::has_room`] was asked for. Nothing is sent until
    /// [`Producer::poll`].
    pub fn append(&mut self, partition: u32, intended_ns: u64, now: u64, record: &Record<'_>) {
        self.core.append(now, partition, intended_ns, record);
    }

    /// Appends a record, and waits for room if there is none.
    pub fn send(&mut self, record: &Record<'_>) -> Result<u32, ProducerError> {
        let bytes = record.encoded_bytes_max();
        let partition = self.choose(record.key, bytes);
        let block = self.core.config().max_block;
        let give_up = self.session.now() + nanos(block);
        while !self.core.has_room(partition, bytes) {
            if self.session.now() >= give_up {
                return Err(ProducerError::BufferFull(block));
            }
            self.poll(until(self.session.now(), give_up))?;
        }
        let now = self.session.now();
        self.core.append(now, partition, now, record);
        Ok(partition)
    }

    /// Sends what is due, waits at most `timeout` for answers, and deals with them.
    pub fn poll(&mut self, timeout: Duration) -> Result<(), ProducerError> {
        self.send_due();
        let due = self.core.next_deadline();
        let now = self.session.now();
        let timeout = due.map_or(timeout, |due| {
            // What is due already and was not sent waits for something else.
            if due <= now {
                timeout.min(STUCK)
            } else {
                timeout.min(until(now, due))
            }
        });
        self.session.poll(timeout, &mut self.events)?;
        self.take_events();
        self.follow_topic();
        self.core.expire(self.session.now());
        self.send_due();
        Ok(())
    }

    /// Sends everything and waits until every record is settled, at most `timeout`.
    pub fn flush(
        &mut self,
        timeout: Duration,
        mut settled: impl FnMut(&Settled),
    ) -> Result<(), ProducerError> {
        let give_up = self.session.now() + nanos(timeout);
        self.core.set_flushing(true);
        while !self.core.is_idle() {
            let now = self.session.now();
            if now >= give_up {
                return Err(ProducerError::FlushTimedOut {
                    after: timeout,
                    refusal: self.refusal.clone(),
                });
            }
            self.poll(until(now, give_up).min(Duration::from_millis(50)))?;
            self.core.drain_settled(&mut settled);
        }
        self.core.drain_settled(&mut settled);
        self.core.set_flushing(false);
        Ok(())
    }

    /// Hands out the batches whose fate is known.
    pub fn drain_settled(&mut self, each: impl FnMut(&Settled)) {
        self.core.drain_settled(each);
    }

    /// The number of partitions.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        self.core.counters()
    }

    /// The last thing that went wrong with a link.
    pub fn last_error(&self) -> Option<&str> {
        self.session.last_error()
    }

    /// Partitions were added, or the topic was made anew with another number of them.
    fn follow_topic(&mut self) {
        let partitions = self.session.cluster().partitions();
        if partitions > 0 && partitions != self.partitions {
            self.partitions = partitions;
            self.core.grow(partitions);
            self.partitioner.set_partitions(partitions);
        }
    }

    fn is_ready(&mut self) -> bool {
        let nodes: Vec<NodeId> = self
            .session
            .cluster()
            .leading()
            .map(|(node, _)| node)
            .collect();
        let linked = nodes.iter().all(|&node| self.session.ready(node).is_some());
        linked && self.core.has_identity()
    }

    fn send_due(&mut self) {
        self.ask_identity();
        let now = self.session.now();
        let nodes: Vec<NodeId> = self
            .session
            .cluster()
            .leading()
            .map(|(node, _)| node)
            .collect();
        for node in nodes {
            let mut sent = false;
            while self.session.ready(node).is_some_and(|connection| {
                connection.can_send() && connection.outgoing_bytes() < OUTGOING_MAX
            }) {
                let cluster = self.session.cluster();
                let leads = |index| cluster.leader(index).node == Some(node);
                let Some(drained) = self.core.drain(now, leads) else {
                    break;
                };
                self.send_produce(now, node, &drained);
                sent = true;
            }
            if sent {
                self.session.flush(node);
            }
        }
    }

    fn send_produce(&mut self, now: u64, node: NodeId, drained: &Drained) {
        self.parts.clear();
        self.parts.extend(
            drained
                .parts
                .iter()
                .enumerate()
                .map(|(id, (index, bytes))| {
                    let len = bytes.as_ref().len() as u32;
                    let records = Some(Records::External { len, id: id as u32 });
                    PartitionProduceData {
                        index: *index as i32,
                        records,
                    }
                }),
        );
        let topic_id = self.session.cluster().topic_id();
        let topic = self.session.cluster().topic().to_owned();
        let topics = [TopicProduceData {
            name: &topic,
            topic_id,
            partition_data: Array::from(&self.parts[..]),
        }];
        let config = self.core.config();
        let request = ProduceRequest {
            transactional_id: None,
            acks: config.acks.wire(),
            timeout_ms: config.request_timeout.as_millis() as i32,
            topic_data: Array::from(&topics[..]),
        };
        let options = SendOptions {
            timeout_ns: nanos(config.request_timeout),
            // From 13 on topics go by id, which an old broker does not give.
            version_max: if topic_id == Uuid::default() {
                12
            } else {
                i16::MAX
            },
            answered: config.acks != Acks::None,
        };
        let payload = |id: u32| drained.parts[id as usize].1.clone();
        let connection = self
            .session
            .ready(node)
            .expect("the caller has just looked");
        match connection.send(now, &request, options, payload) {
            Ok(correlation) if options.answered => {
                self.asked
                    .insert((node, correlation), Asked::Produce(drained.request));
            }
            Ok(_) => {}
            Err(_) => self.core.fail(now, drained.request),
        }
    }

    fn ask_identity(&mut self) {
        let Some(old) = self.core.wants_identity() else {
            return;
        };
        let now = self.session.now();
        let Some(node) = self.session.any_ready() else {
            return;
        };
        let Some(connection) = self.session.ready(node) else {
            return;
        };
        let version = connection
            .version(ApiKey::InitProducerId, i16::MAX)
            .unwrap_or(0);
        // An epoch can be raised since version 3 (KIP-360); before, a new id takes its place.
        let old = old.filter(|_| version >= 3);
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            producer_id: old.map_or(-1, |identity| identity.id.0),
            producer_epoch: old.map_or(-1, |identity| identity.epoch.0),
            ..InitProducerIdRequest::default()
        };
        let no_records = |_| SharedBytes::default();
        if let Ok(correlation) = connection.send(now, &request, SendOptions::default(), no_records)
        {
            self.core.asked_identity();
            self.asked.insert((node, correlation), Asked::Identity);
            self.session.flush(node);
        }
    }

    fn take_events(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                Event::Ready(_) => {}
                Event::Reply(node, reply) => self.take_reply(node, reply),
                Event::Lost(node, _) => self.lost(node),
            }
        }
        self.events = events;
    }

    fn take_reply(&mut self, node: NodeId, reply: Reply) {
        let now = self.session.now();
        let good = match self.asked.remove(&(node, reply.correlation)) {
            Some(Asked::Produce(request)) => {
                let good = self.take_produce(now, request, &reply);
                self.core.finish(now, request);
                good
            }
            Some(Asked::Identity) => self.take_identity(&reply),
            None => true,
        };
        if !good {
            self.session.close(node);
            self.lost(node);
        } else if let Some(connection) = self.session.ready(node) {
            connection.recycle(reply.frame);
        }
    }

    /// False if the answer cannot be read.
    fn take_produce(&mut self, now: u64, request: u64, reply: &Reply) -> bool {
        let mut body = Reader::new(reply.frame.bytes());
        let Ok(response) = ProduceResponse::decode(&mut body, reply.version) else {
            return false;
        };
        for topic in response.responses.iter() {
            for part in topic.partition_responses.iter() {
                let error = ErrorCode(part.error_code);
                if error != ErrorCode::NONE {
                    let reason = part.error_message.map(|text| format!(": {text}"));
                    self.refusal = Some(format!("{error}{}", reason.unwrap_or_default()));
                }
                if crate::net::means_stale(error) {
                    self.session.set_stale();
                }
                let Ok(partition) = u32::try_from(part.index) else {
                    continue;
                };
                self.core
                    .complete(now, request, partition, error, part.base_offset);
            }
        }
        true
    }

    /// False if the answer cannot be read.
    fn take_identity(&mut self, reply: &Reply) -> bool {
        let mut body = Reader::new(reply.frame.bytes());
        let Ok(response) = InitProducerIdResponse::decode(&mut body, reply.version) else {
            self.core.identity_failed(false);
            return false;
        };
        let error = ErrorCode(response.error_code);
        if error == ErrorCode::NONE {
            let (id, epoch) = (response.producer_id, response.producer_epoch);
            self.core.set_identity(Identity {
                id: ProducerId(id),
                epoch: ProducerEpoch(epoch),
            });
        } else {
            self.core.identity_failed(!error.is_retriable());
        }
        true
    }

    fn lost(&mut self, node: NodeId) {
        let now = self.session.now();
        let gone: Vec<_> = self
            .asked
            .extract_if(|(from, _), _| *from == node)
            .collect();
        for (_, asked) in gone {
            match asked {
                Asked::Produce(request) => self.core.fail(now, request),
                Asked::Identity => self.core.identity_failed(false),
            }
        }
        self.session.set_stale();
    }
}

/// The end of a message of what went wrong.
fn last_said(refusal: Option<&str>) -> String {
    refusal.map_or_else(String::new, |text| format!("; a broker said last: {text}"))
}

fn check_deadline(
    session: &Session<SharedBytes>,
    config: &ProducerConfig,
    give_up: u64,
) -> Result<(), ProducerError> {
    if session.now() < give_up {
        return Ok(());
    }
    let code = session.cluster().topic_error();
    Err(ProducerError::Unreachable {
        topic: session.cluster().topic().to_owned(),
        seconds: config.max_block.as_secs(),
        reason: session
            .last_error()
            .map_or_else(|| code.to_string(), str::to_owned),
    })
}

/// Bytes waiting for a socket above which nothing is added: with acks=0 no answer holds it back.
const OUTGOING_MAX: usize = 8 << 20;
/// How long to wait where something is due that cannot be sent: an answer or a link comes first.
const STUCK: Duration = Duration::from_millis(100);
