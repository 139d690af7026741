//! The consumer: fetch sessions, several partitions and brokers, on one thread without locks.
//!
//! A fetch's positions are read off the batches' heads, and the next fetch is sent before the
//! records are looked at, so that the broker works while this side checks.

mod batches;
mod config;
mod fetch_session;
pub mod group;
mod records;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use logmill_client::{CorrelationId, Reply, SendOptions};
use logmill_wire::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, ForgottenTopic, PartitionData,
};
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use logmill_wire::{Array, ErrorCode, Message, Reader, Uuid};
use thiserror::Error;

pub use self::batches::Sink;
use self::batches::{Aborted, BatchReader, Progress, Reading, look_ahead};
pub use self::config::{ConsumerConfig, Isolation, Start};
use self::fetch_session::{FetchSession, Wanted};
pub use self::records::{RecordError, RecordView, Records};
use crate::clock::{Clock, nanos};
use crate::net::{
    Cluster, Event, LinksOptions, NoPayload, NodeId, Session, SessionOptions, means_stale,
    no_payload,
};
use crate::sys::PollFd;

/// A consumer of some partitions of one topic.
#[derive(Debug)]
pub struct Consumer {
    config: ConsumerConfig,
    session: Session<NoPayload>,
    positions: BTreeMap<u32, Position>,
    fetchers: HashMap<NodeId, Fetcher>,
    reader: BatchReader,
    events: Vec<Event>,
    fetches: u64,
    /// The topic as it was when positions were last brought in line with it.
    topic: (Uuid, u32),
    /// Which of the partitions that are added are taken in: those that leave the first number when
    /// divided by the second.
    share: Option<(u32, u32)>,
}

/// Where a partition is read.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// The next offset, `None` until it is looked up.
    next: Option<i64>,
    high_watermark: i64,
    /// Not to be asked before this time, after an error.
    not_before: u64,
    resolving: bool,
    /// Begins at the first record, whatever `auto.offset.reset` says.
    from_first: bool,
}

impl Position {
    const UNKNOWN: Self = Self {
        next: None,
        high_watermark: -1,
        not_before: 0,
        resolving: false,
        from_first: false,
    };
}

#[derive(Debug, Default)]
struct Fetcher {
    session: FetchSession,
    asked: Option<CorrelationId>,
    lookups: HashMap<CorrelationId, u32>,
}

/// Why a consumer cannot go on.
#[derive(Debug, Error)]
pub enum ConsumerError {
    /// The cluster or the topic could not be reached.
    #[error("cannot consume topic {topic} within {seconds} s: {reason}")]
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
    /// The broker will not let this be read.
    #[error("fetching partition {partition}: {error}")]
    Refused {
        /// The partition.
        partition: u32,
        /// Why.
        error: ErrorCode,
    },
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Consumer {
    /// A consumer of nothing yet, which connects as it is polled; see [`Consumer::assign`].
    pub fn open(
        config: ConsumerConfig,
        bootstrap: &[SocketAddr],
        topic: &str,
        clock: Clock,
    ) -> Self {
        let mut links = LinksOptions::default();
        links.connection.client_id.clone_from(&config.client_id);
        links.connection.frame_bytes_max = config.fetch_max_bytes.max(0) as usize + FRAME_SLACK;
        links.socket_buffer_bytes = config.socket_buffer_bytes;
        let options = SessionOptions {
            links,
            metadata_max_age: config.metadata_max_age,
            ..SessionOptions::default()
        };
        let cluster = Cluster::new(bootstrap.to_vec(), topic.to_owned());
        Self {
            config,
            session: Session::new(options, cluster, clock),
            positions: BTreeMap::new(),
            fetchers: HashMap::new(),
            reader: BatchReader::default(),
            events: Vec::new(),
            fetches: 0,
            topic: (Uuid::default(), 0),
            share: None,
        }
    }

    /// Connects and learns the leaders. `partitions` empty means all of them.
    pub fn connect(
        config: ConsumerConfig,
        bootstrap: &[SocketAddr],
        topic: &str,
        partitions: &[u32],
        clock: Clock,
    ) -> Result<Self, ConsumerError> {
        let mut consumer = Self::open(config, bootstrap, topic, clock);
        consumer.wait_connected()?;
        let count = consumer.session.cluster().partitions();
        let all: Vec<u32> = (0..count).collect();
        let chosen = if partitions.is_empty() {
            &all
        } else {
            partitions
        };
        if let Some(&partition) = chosen.iter().find(|&&index| index >= count) {
            return Err(ConsumerError::NoPartition {
                topic: topic.to_owned(),
                count,
                partition,
            });
        }
        for &index in chosen {
            consumer.assign(index, None);
        }
        consumer.topic = (consumer.session.cluster().topic_id(), count);
        consumer.share = partitions.is_empty().then_some((0, 1));
        Ok(consumer)
    }

    fn wait_connected(&mut self) -> Result<(), ConsumerError> {
        let session = &mut self.session;
        let timeout = self.config.connect_timeout;
        let give_up = session.now() + nanos(timeout);
        while session.is_stale() {
            if session.now() >= give_up {
                let code = session.cluster().topic_error();
                return Err(ConsumerError::Unreachable {
                    topic: session.cluster().topic().to_owned(),
                    seconds: timeout.as_secs(),
                    reason: session
                        .last_error()
                        .map_or_else(|| code.to_string(), str::to_owned),
                });
            }
            session.poll(Duration::from_millis(20), &mut self.events)?;
        }
        self.events.clear();
        Ok(())
    }

    /// Reads `partition` too, from `offset` on, or from where `auto.offset.reset` says.
    pub fn assign(&mut self, partition: u32, offset: Option<i64>) {
        let position = Position {
            next: offset,
            ..Position::UNKNOWN
        };
        self.positions.insert(partition, position);
    }

    /// Reads `partition` no more.
    pub fn unassign(&mut self, partition: u32) {
        self.positions.remove(&partition);
    }

    /// Sockets to be waited for, for a caller that waits for others as well and polls then.
    pub fn interests(&self, into: &mut Vec<PollFd>) {
        self.session.interests(into);
    }

    /// The number of partitions of the topic, 0 while it is unknown.
    pub fn partitions(&self) -> u32 {
        self.session.cluster().partitions()
    }

    /// The next offset of `partition`, if it is read and known.
    pub fn position(&self, partition: u32) -> Option<i64> {
        self.positions.get(&partition)?.next
    }

    /// Of the partitions that are added to the topic later, those are read, from their first
    /// record on, whose number leaves `index` when it is divided by `of` (above zero). Without this
    /// call a consumer of all partitions takes in all new ones, and one of some takes in none.
    pub fn set_share(&mut self, index: u32, of: u32) {
        self.share = Some((index, of));
    }

    /// Reads on from `offset` in `partition`.
    pub fn seek(&mut self, partition: u32, offset: i64) {
        if let Some(position) = self.positions.get_mut(&partition) {
            position.next = Some(offset);
        }
    }

    /// Asks for records, waits at most `timeout`, and tells `sink` what came.
    pub fn poll(&mut self, timeout: Duration, sink: &mut impl Sink) -> Result<(), ConsumerError> {
        self.ask();
        self.session.poll(timeout, &mut self.events)?;
        let mut events = std::mem::take(&mut self.events);
        let mut outcome = Ok(());
        for event in events.drain(..) {
            match event {
                Event::Ready(_) => {}
                Event::Lost(node, _) => self.lost(node),
                Event::Reply(node, reply) => {
                    outcome = outcome.and(self.take_reply(node, reply, sink));
                }
            }
        }
        self.events = events;
        self.ask();
        outcome
    }

    /// The next offset of each partition that is known.
    pub fn positions(&self) -> impl Iterator<Item = (u32, i64)> {
        self.positions
            .iter()
            .filter_map(|(&index, position)| Some((index, position.next?)))
    }

    /// True if every partition has been read up to `ends` (by partition).
    pub fn is_at(&mut self, ends: &[i64]) -> bool {
        if self.share.is_some() && ends.len() > self.topic.1 as usize {
            // Partitions were added that this side has not heard of.
            self.session.set_stale();
            return false;
        }
        self.positions.iter().all(|(&index, position)| {
            let end = ends.get(index as usize).copied().unwrap_or(0);
            end == 0 || position.next.is_some_and(|next| next >= end)
        })
    }

    /// Records that are known to be there and have not been read.
    pub fn lag(&self) -> u64 {
        let behind = |p: &Position| (p.high_watermark - p.next.unwrap_or(0)).max(0) as u64;
        self.positions.values().map(behind).sum()
    }

    /// Fetches answered so far.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    fn ask(&mut self) {
        let now = self.session.now();
        self.follow_topic();
        self.look_up(now);
        let mut wanted: BTreeMap<NodeId, BTreeMap<u32, Wanted>> = BTreeMap::new();
        for (&index, position) in &self.positions {
            let leader = self.session.cluster().leader(index);
            if let (Some(node), Some(offset)) = (leader.node, position.next)
                && position.not_before <= now
            {
                let want = Wanted {
                    offset,
                    leader_epoch: leader.epoch,
                };
                wanted.entry(node).or_default().insert(index, want);
            }
        }
        for (node, partitions) in wanted {
            self.fetch(now, node, &partitions);
        }
    }

    /// Takes in partitions that were added. In a topic that was made anew under the same name, old
    /// positions mean nothing, and brokers know nothing of the old fetch sessions.
    fn follow_topic(&mut self) {
        let cluster = self.session.cluster();
        let topic = (cluster.topic_id(), cluster.partitions());
        if topic == self.topic || topic.1 == 0 {
            return;
        }
        let (id, count) = std::mem::replace(&mut self.topic, topic);
        if id != topic.0 && count > 0 {
            for fetcher in self.fetchers.values_mut() {
                fetcher.session.reset();
            }
            for position in self.positions.values_mut() {
                *position = Position::UNKNOWN;
            }
        }
        if let Some((index, of)) = self.share {
            for added in (count..topic.1).filter(|added| added % of == index) {
                self.positions.entry(added).or_insert(Position {
                    from_first: true,
                    ..Position::UNKNOWN
                });
            }
        }
    }

    fn fetch(&mut self, now: u64, node: NodeId, wanted: &BTreeMap<u32, Wanted>) {
        let fetcher = self.fetchers.entry(node).or_default();
        if fetcher.asked.is_some() || self.session.ready(node).is_none_or(|c| !c.can_send()) {
            return;
        }
        let plan = fetcher.session.plan(wanted);
        let topic = self.session.cluster().topic().to_owned();
        let topic_id = self.session.cluster().topic_id();
        let partitions: Vec<FetchPartition> = plan
            .changed
            .iter()
            .map(|&(index, want)| FetchPartition {
                partition: index as i32,
                current_leader_epoch: want.leader_epoch,
                fetch_offset: want.offset,
                partition_max_bytes: self.config.partition_bytes_max,
                ..FetchPartition::default()
            })
            .collect();
        let forgotten: Vec<i32> = plan.forgotten.iter().map(|&index| index as i32).collect();
        let topics = [FetchTopic {
            topic: &topic,
            topic_id,
            partitions: Array::from(partitions),
        }];
        let gone = [ForgottenTopic {
            topic: &topic,
            topic_id,
            partitions: Array::from(forgotten),
        }];
        let request = FetchRequest {
            max_wait_ms: self.config.fetch_max_wait.as_millis() as i32,
            min_bytes: self.config.fetch_min_bytes,
            max_bytes: self.config.fetch_max_bytes,
            isolation_level: i8::from(self.config.isolation == Isolation::ReadCommitted),
            session_id: plan.session_id,
            session_epoch: plan.session_epoch,
            topics: Array::from(if plan.changed.is_empty() {
                &[]
            } else {
                &topics[..]
            }),
            forgotten_topics_data: Array::from(if plan.forgotten.is_empty() {
                &[]
            } else {
                &gone[..]
            }),
            ..FetchRequest::default()
        };
        let options = SendOptions {
            timeout_ns: nanos(self.config.request_timeout + self.config.fetch_max_wait),
            version_max: if topic_id == Uuid::default() {
                12
            } else {
                i16::MAX
            },
            answered: true,
        };
        let connection = self.session.ready(node).expect("looked at above");
        match connection.send(now, &request, options, no_payload) {
            Ok(correlation) => fetcher.asked = Some(correlation),
            Err(_) => fetcher.session.reset(),
        }
        self.session.flush(node);
    }

    /// Asks where to begin in partitions without a position.
    fn look_up(&mut self, now: u64) {
        let unknown = |p: &Position| p.next.is_none() && !p.resolving && p.not_before <= now;
        let open: Vec<(u32, bool)> = self
            .positions
            .iter()
            .filter(|(_, p)| unknown(p))
            .map(|(&index, p)| (index, p.from_first || self.config.start == Start::Earliest))
            .collect();
        let topic = self.session.cluster().topic().to_owned();
        for (index, earliest) in open {
            let leader = self.session.cluster().leader(index);
            let Some(node) = leader.node else { continue };
            let Some(connection) = self.session.ready(node) else {
                continue;
            };
            let timestamp = if earliest { -2 } else { -1 };
            let partitions = [ListOffsetsPartition {
                partition_index: index as i32,
                current_leader_epoch: leader.epoch,
                timestamp,
            }];
            let topics = [ListOffsetsTopic {
                name: &topic,
                partitions: Array::from(&partitions[..]),
            }];
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: i8::from(self.config.isolation == Isolation::ReadCommitted),
                topics: Array::from(&topics[..]),
                ..ListOffsetsRequest::default()
            };
            let sent = connection.send(now, &request, SendOptions::default(), no_payload);
            if let Ok(correlation) = sent {
                self.fetchers
                    .entry(node)
                    .or_default()
                    .lookups
                    .insert(correlation, index);
                if let Some(position) = self.positions.get_mut(&index) {
                    position.resolving = true;
                }
                self.session.flush(node);
            }
        }
    }

    fn take_reply(
        &mut self,
        node: NodeId,
        reply: Reply,
        sink: &mut impl Sink,
    ) -> Result<(), ConsumerError> {
        let fetcher = self.fetchers.entry(node).or_default();
        let good = if fetcher.asked == Some(reply.correlation) {
            fetcher.asked = None;
            self.fetches += 1;
            self.take_fetch(node, &reply, sink)?
        } else if let Some(index) = fetcher.lookups.remove(&reply.correlation) {
            self.take_lookup(index, &reply)
        } else {
            true
        };
        if !good {
            self.session.close(node);
            self.lost(node);
        } else if let Some(connection) = self.session.ready(node) {
            connection.recycle(reply.frame);
        }
        Ok(())
    }

    /// `Ok(false)` if the answer cannot be read.
    fn take_fetch(
        &mut self,
        node: NodeId,
        reply: &Reply,
        sink: &mut impl Sink,
    ) -> Result<bool, ConsumerError> {
        let mut body = Reader::new(reply.frame.bytes());
        let Ok(response) = FetchResponse::decode(&mut body, reply.version) else {
            return Ok(false);
        };
        let error = ErrorCode(response.error_code);
        let fetcher = self.fetchers.entry(node).or_default();
        if error != ErrorCode::NONE {
            fetcher.session.reset();
            if means_stale(error) {
                self.session.set_stale();
            }
            return Ok(true);
        }
        let mut parts: Vec<(u32, i64, PartitionData<'_>)> = Vec::new();
        for topic in response.responses.iter() {
            for part in topic.partitions.iter() {
                if let Some((index, from)) = self.advance(node, &part)? {
                    parts.push((index, from, part));
                }
            }
        }
        let fetcher = self.fetchers.entry(node).or_default();
        fetcher.session.answered(response.session_id);
        // The next fetch is on its way while these records are read.
        self.ask();
        for (index, from, part) in parts {
            sink.watermarks(index, part.high_watermark, part.last_stable_offset);
            let Some(bytes) = part.records.and_then(|records| records.bytes()) else {
                continue;
            };
            let named = part.aborted_transactions.unwrap_or_default();
            let mut aborted = Aborted::new(named.iter().map(|t| (t.producer_id, t.first_offset)));
            let reading = Reading {
                partition: index,
                from,
                check_crcs: self.config.check_crcs,
                unpacked_bytes_max: self.config.unpacked_bytes_max,
            };
            self.reader.read(bytes, reading, &mut aborted, sink);
        }
        Ok(true)
    }

    /// Moves a partition's position on; the partition and its old position, if it is to be read.
    fn advance(
        &mut self,
        node: NodeId,
        part: &PartitionData<'_>,
    ) -> Result<Option<(u32, i64)>, ConsumerError> {
        let now = self.session.now();
        let Ok(index) = u32::try_from(part.partition_index) else {
            return Ok(None);
        };
        let Some(position) = self.positions.get_mut(&index) else {
            return Ok(None);
        };
        let error = ErrorCode(part.error_code);
        if error == ErrorCode::NONE {
            position.high_watermark = part.high_watermark;
            let asked = self
                .fetchers
                .get(&node)
                .and_then(|f| f.session.offset(index));
            // What was asked before a seek or another assignment is not what is wanted now.
            let Some(from) = position.next.filter(|_| position.next == asked) else {
                return Ok(None);
            };
            let bytes = part
                .records
                .and_then(|records| records.bytes())
                .unwrap_or_default();
            position.next = Some(
                look_ahead(
                    bytes,
                    Progress {
                        next: from,
                        epoch: -1,
                    },
                )
                .next,
            );
            return Ok(Some((index, from)));
        }
        position.not_before = now + ERROR_PAUSE_NS;
        if error == ErrorCode::OFFSET_OUT_OF_RANGE {
            (position.next, position.resolving) = (None, false);
        } else if means_stale(error) {
            self.session.set_stale();
        } else if !error.is_retriable() {
            return Err(ConsumerError::Refused {
                partition: index,
                error,
            });
        }
        Ok(None)
    }

    fn take_lookup(&mut self, index: u32, reply: &Reply) -> bool {
        let now = self.session.now();
        let mut body = Reader::new(reply.frame.bytes());
        let Ok(response) = ListOffsetsResponse::decode(&mut body, reply.version) else {
            return false;
        };
        let found = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let Some(position) = self.positions.get_mut(&index) else {
            return true;
        };
        position.resolving = false;
        match found {
            Some(found) if found.error_code == ErrorCode::NONE.0 => {
                // A seek that came in between goes first.
                position.next.get_or_insert(found.offset);
            }
            _ => {
                position.not_before = now + ERROR_PAUSE_NS;
                self.session.set_stale();
            }
        }
        true
    }

    fn lost(&mut self, node: NodeId) {
        if let Some(fetcher) = self.fetchers.remove(&node) {
            for index in fetcher.lookups.into_values() {
                if let Some(position) = self.positions.get_mut(&index) {
                    position.resolving = false;
                }
            }
        }
        self.session.set_stale();
    }
}

/// Beyond `fetch.max.bytes`: one batch that is larger, and the frame around it.
const FRAME_SLACK: usize = 64 << 20;
const ERROR_PAUSE_NS: u64 = 100_000_000;
