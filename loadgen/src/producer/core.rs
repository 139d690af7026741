//! The producer without its sockets: accumulation, order, retries, idempotence.
//!
//! Records are appended to the open batch of their partition; closed batches are drained into
//! requests, one of each partition at most; answers settle batches or send them back. With
//! idempotence every batch carries the next sequence of its partition. What cannot be sent again
//! without the danger of a duplicate is given up as *unknown*: the producer would rather not know
//! than write a record twice.

use std::collections::{HashMap, VecDeque};

use logmill_engine::base::Sequence;
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::format::compression::Compressor;
use logmill_wire::ErrorCode;

use super::batch::{Batch, Identity, Record, SharedBytes};
use super::config::{Acks, ConfigError, ProducerConfig};
use super::lane::LaneState;
use crate::clock::nanos;
use crate::history::Outcome;
use crate::payload::SplitMix64;

/// A producer's state.
#[derive(Debug)]
pub struct Core {
    config: ProducerConfig,
    lanes: Vec<LaneState>,
    identification: Identification,
    requests: HashMap<u64, Vec<u32>>,
    next_request: u64,
    in_flight: usize,
    /// Sent with acks=0, until the connection has let go of the bytes.
    unanswered: VecDeque<(u32, Batch)>,
    settled: Vec<Settled>,
    pool: Vec<Batch>,
    packing: Packing,
    memory_used: usize,
    pressed: bool,
    flushing: bool,
    rotation: usize,
    random: SplitMix64,
    counters: Counters,
}

/// What a producer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Batches sent, retries included.
    pub batches: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of batches sent.
    pub batch_bytes: u64,
    /// Batches that were to be sent again.
    pub retries: u64,
    /// Times that a new producer epoch or id was asked for.
    pub epoch_bumps: u64,
    /// The last error a broker answered with.
    pub last_error: Option<ErrorCode>,
}

/// A batch whose fate is known.
#[derive(Debug)]
pub struct Settled {
    /// Its partition.
    pub partition: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// The offset of its first record, where the broker told it.
    pub offset: Option<i64>,
    /// The batch, for its records' times.
    pub batch: Batch,
}

/// A request to be sent.
#[derive(Debug, Default)]
pub struct Drained {
    /// Its name, for the answer. Of no meaning with acks=0.
    pub request: u64,
    /// The partitions and their batches.
    pub parts: Vec<(u32, SharedBytes)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identification {
    NotNeeded,
    /// To be asked for, from the identity to be raised, once nothing is in flight.
    Missing(Option<Identity>),
    Asked(Option<Identity>),
    Known(Identity),
}

struct Packing {
    compressor: Compressor,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Packing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packing")
            .field("scratch", &self.scratch.len())
            .finish_non_exhaustive()
    }
}

impl Core {
    /// A producer to a topic of so many partitions; `seed` spreads retries in time.
    pub fn new(config: ProducerConfig, partitions: u32, seed: u64) -> Result<Self, ConfigError> {
        config.check()?;
        let compressor = Compressor::new(config.codec, config.level)?;
        let wanted = Identification::Missing(None);
        let identification = if config.idempotent {
            wanted
        } else {
            Identification::NotNeeded
        };
        Ok(Self {
            lanes: (0..partitions).map(|_| LaneState::new()).collect(),
            identification,
            requests: HashMap::new(),
            next_request: 0,
            in_flight: 0,
            unanswered: VecDeque::new(),
            settled: Vec::new(),
            pool: Vec::new(),
            packing: Packing {
                compressor,
                scratch: Vec::new(),
            },
            memory_used: 0,
            pressed: false,
            flushing: false,
            rotation: 0,
            random: SplitMix64::new(seed),
            counters: Counters::default(),
            config,
        })
    }

    /// The topic has so many partitions now. Of those that it has no more, what waits is given up
    /// when its time is over.
    pub fn grow(&mut self, partitions: u32) {
        let count = self.lanes.len().max(partitions as usize);
        self.lanes.resize_with(count, LaneState::new);
    }

    /// The number that the next record of `partition` will have in its lane.
    pub fn next_record(&self, partition: u32) -> u64 {
        self.lanes[partition as usize].next_record
    }

    /// True if a record of at most `bytes` encoded can be appended to `partition` now. If not,
    /// what is there is sent without waiting for linger.
    pub fn has_room(&mut self, partition: u32, bytes: usize) -> bool {
        let fits = |batch: &Batch| batch.is_empty() || batch.len() + bytes <= self.batch_limit();
        if self.lanes[partition as usize]
            .open
            .as_ref()
            .is_some_and(fits)
        {
            return true;
        }
        let room = self.memory_used + self.reservation(bytes) <= self.config.buffer_memory;
        self.pressed |= !room;
        // A record larger than the whole buffer goes when it has the buffer to itself.
        room || self.memory_used == 0
    }

    /// Appends a record that [`Core::has_room`] was asked for.
    pub fn append(&mut self, now: u64, partition: u32, intended_ns: u64, record: &Record<'_>) {
        let bytes = record.encoded_bytes_max();
        let limit = self.batch_limit();
        let lane = &mut self.lanes[partition as usize];
        if lane
            .open
            .as_ref()
            .is_some_and(|open| !open.is_empty() && open.len() + bytes > limit)
        {
            self.close(partition);
        }
        if self.lanes[partition as usize].open.is_none() {
            self.open(partition, now, bytes);
        }
        let lane = &mut self.lanes[partition as usize];
        let open = lane.open.as_mut().expect("opened just above");
        open.push(record, (intended_ns / 1_000_000) as i64, intended_ns);
        lane.next_record += 1;
        if open.len() + bytes > limit {
            self.close(partition);
        }
    }

    /// Everything is to be sent without waiting for linger until further notice.
    pub fn set_flushing(&mut self, flushing: bool) {
        self.flushing = flushing;
    }

    /// Takes a request for `node` if anything for it is due; `leads` tells what it leads.
    pub fn drain(&mut self, now: u64, leads: impl Fn(u32) -> bool) -> Option<Drained> {
        if !self.has_identity()
            || !(0..self.lanes.len()).any(|at| leads(at as u32) && self.is_due(at, now))
        {
            return None;
        }
        self.next_request += 1;
        let mut drained = Drained {
            request: self.next_request,
            parts: Vec::new(),
        };
        let (mut bytes, count) = (0, self.lanes.len());
        self.rotation = (self.rotation + 1) % count;
        for turn in 0..count {
            let partition = ((self.rotation + turn) % count) as u32;
            if !leads(partition) {
                continue;
            }
            let Some(size) = self.offer(partition, now) else {
                continue;
            };
            if bytes > 0 && bytes + size > self.config.request_bytes_max {
                break;
            }
            bytes += size;
            let shared = self.launch(partition, drained.request);
            drained.parts.push((partition, shared));
        }
        if drained.parts.is_empty() {
            return None;
        }
        self.counters.requests += 1;
        if self.config.acks != Acks::None {
            let parts = drained
                .parts
                .iter()
                .map(|(partition, _)| *partition)
                .collect();
            self.requests.insert(drained.request, parts);
        }
        Some(drained)
    }

    /// The broker answered for one partition of a request.
    pub fn complete(
        &mut self,
        now: u64,
        request: u64,
        partition: u32,
        error: ErrorCode,
        base_offset: i64,
    ) {
        let Some(lane) = self.lanes.get_mut(partition as usize) else {
            return;
        };
        let Some(batch) = lane.land(request) else {
            return;
        };
        self.in_flight -= 1;
        if let Some(parts) = self.requests.get_mut(&request) {
            parts.retain(|&other| other != partition);
        }
        if error == ErrorCode::NONE {
            let offset = (base_offset >= 0).then_some(base_offset);
            return self.settle(partition, batch, Outcome::Acknowledged, offset);
        }
        self.counters.last_error = Some(error);
        if error == ErrorCode::DUPLICATE_SEQUENCE_NUMBER && self.config.idempotent {
            return self.settle(partition, batch, Outcome::Acknowledged, None);
        }
        self.refused(now, partition, batch, error);
    }

    /// Nothing more will be heard of a request: the link is gone, or the answer made no sense.
    /// What it held may or may not be in the log.
    pub fn fail(&mut self, now: u64, request: u64) {
        for partition in self.requests.remove(&request).unwrap_or_default() {
            if let Some(mut batch) = self.lanes[partition as usize].land(request) {
                self.in_flight -= 1;
                batch.uncertain = true;
                self.retry(now, partition, batch);
            }
        }
    }

    /// The answer to a request is complete; partitions that it left out count as failed.
    pub fn finish(&mut self, now: u64, request: u64) {
        self.fail(now, request);
    }

    /// The identity to ask a new one for (`Some(None)`: the first), if it is time.
    pub fn wants_identity(&self) -> Option<Option<Identity>> {
        match self.identification {
            Identification::Missing(old) if self.in_flight == 0 => Some(old),
            _ => None,
        }
    }

    /// True if batches can be sent as far as the identity is concerned.
    pub fn has_identity(&self) -> bool {
        matches!(
            self.identification,
            Identification::NotNeeded | Identification::Known(_)
        )
    }

    /// The identity has been asked for.
    pub fn asked_identity(&mut self) {
        if let Identification::Missing(old) = self.identification {
            self.identification = Identification::Asked(old);
        }
    }

    /// An identity came. What may be in the log under the old one is given up as unknown; the
    /// rest begins anew at sequence 0.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identification = Identification::Known(identity);
        for at in 0..self.lanes.len() {
            self.lanes[at].next_sequence = Sequence(0);
            let queue = std::mem::take(&mut self.lanes[at].queue);
            for batch in queue {
                if batch.uncertain {
                    self.settle(at as u32, batch, Outcome::Unknown, None);
                } else {
                    self.lanes[at].queue.push_back(batch);
                }
            }
        }
    }

    /// No identity came: ask again; `afresh` where the old one is of no use.
    pub fn identity_failed(&mut self, afresh: bool) {
        if let Identification::Asked(old) | Identification::Missing(old) = self.identification {
            self.identification = Identification::Missing(if afresh { None } else { old });
        }
    }

    /// Gives up what has waited longer than the delivery time-out.
    pub fn expire(&mut self, now: u64) {
        let limit = nanos(self.config.delivery_timeout);
        for at in 0..self.lanes.len() {
            let late = |batch: &Batch| batch.opened_ns.saturating_add(limit) <= now;
            if self.lanes[at]
                .open
                .as_ref()
                .is_some_and(|open| !open.is_empty() && late(open))
            {
                self.close(at as u32);
            }
            while self.lanes[at].queue.front().is_some_and(late) {
                let batch = self.lanes[at]
                    .queue
                    .pop_front()
                    .expect("looked at just above");
                self.give_up(at as u32, batch);
            }
        }
    }

    /// Hands out what was settled and takes the batches back for reuse.
    pub fn drain_settled(&mut self, mut each: impl FnMut(&Settled)) {
        while self
            .unanswered
            .front()
            .is_some_and(|(_, batch)| batch.is_sole_owner())
        {
            let (partition, batch) = self.unanswered.pop_front().expect("looked at just above");
            self.settle(partition, batch, Outcome::Unanswered, None);
        }
        for settled in self.settled.drain(..) {
            each(&settled);
            if self.pool.len() < POOL_MAX && settled.batch.is_sole_owner() {
                self.pool.push(settled.batch);
            }
        }
    }

    /// When something has to be done at the latest, if no answer comes first.
    pub fn next_deadline(&self) -> Option<u64> {
        let linger = nanos(self.config.linger);
        let timeout = nanos(self.config.delivery_timeout);
        let lane_deadline = |lane: &LaneState| {
            let open = lane.open.as_ref().filter(|open| !open.is_empty());
            let linger = open.map(|open| open.opened_ns + linger);
            let front = lane.queue.front();
            // A queue that is ready and yet not sent waits for an answer or a link.
            let retry = front
                .filter(|f| f.attempts > 0)
                .map(|front| front.not_before_ns);
            let expiry = front.map(|front| front.opened_ns + timeout);
            [linger, retry, expiry].into_iter().flatten().min()
        };
        self.lanes.iter().filter_map(lane_deadline).min()
    }

    /// True if no record waits for anything.
    pub fn is_idle(&self) -> bool {
        self.unanswered.is_empty() && self.lanes.iter().all(LaneState::is_idle)
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The settings.
    pub fn config(&self) -> &ProducerConfig {
        &self.config
    }

    /// Bytes that unsettled batches hold.
    pub fn memory_used(&self) -> usize {
        self.memory_used
    }

    /// True if the partition alone is reason enough for a request.
    fn is_due(&self, at: usize, now: u64) -> bool {
        let lane = &self.lanes[at];
        if lane.sendable(now, self.config.in_flight_max).is_some() {
            return true;
        }
        let hurry = self.flushing || self.pressed;
        let linger = nanos(self.config.linger);
        lane.queue.is_empty()
            && lane.flying.len() < self.config.in_flight_max
            && lane.open.as_ref().is_some_and(|open| {
                !open.is_empty() && (hurry || open.opened_ns.saturating_add(linger) <= now)
            })
    }

    /// The size of the batch that would go next; closes the open one if the queue is empty.
    fn offer(&mut self, partition: u32, now: u64) -> Option<usize> {
        let at = partition as usize;
        let lane = &self.lanes[at];
        let open = lane.open.as_ref().is_some_and(|open| !open.is_empty());
        if lane.queue.is_empty() && open && lane.flying.len() < self.config.in_flight_max {
            self.close(partition);
        }
        self.lanes[at]
            .sendable(now, self.config.in_flight_max)
            .map(Batch::len)
    }

    fn launch(&mut self, partition: u32, request: u64) -> SharedBytes {
        self.stamp_front(partition);
        let lane = &mut self.lanes[partition as usize];
        let mut batch = lane.queue.pop_front().expect("it was offered");
        batch.attempts += 1;
        self.counters.batches += 1;
        self.counters.batch_bytes += batch.len() as u64;
        let shared = batch.share();
        if self.config.acks == Acks::None {
            self.unanswered.push_back((partition, batch));
        } else {
            lane.flying.push_back((request, batch));
            self.in_flight += 1;
        }
        shared
    }

    /// Gives the batch at the front of the queue its identity and sequence, if it has not got them.
    fn stamp_front(&mut self, partition: u32) {
        let Identification::Known(identity) = self.identification else {
            return;
        };
        let lane = &mut self.lanes[partition as usize];
        let front = lane.queue.front_mut().expect("it was offered");
        if front.stamp().is_none_or(|(held, _)| held != identity) {
            let sequence = lane.next_sequence;
            lane.next_sequence = sequence.advance(front.count);
            front.seal(Some((identity, sequence)));
        }
    }

    fn open(&mut self, partition: u32, now: u64, bytes: usize) {
        let mut batch = self.pool.pop().unwrap_or_default();
        let reserved = self.reservation(bytes);
        let lane = &mut self.lanes[partition as usize];
        batch.reset(lane.next_record, now, reserved);
        batch.reserved = reserved;
        self.memory_used += reserved;
        lane.open = Some(batch);
    }

    fn close(&mut self, partition: u32) {
        let lane = &mut self.lanes[partition as usize];
        let mut batch = lane.open.take().expect("an open batch is closed");
        let packing = &mut self.packing;
        batch.compress(
            self.config.codec,
            &mut packing.compressor,
            &mut packing.scratch,
        );
        // The bytes are in the cache now: seal at once if no batch before it lacks its sequence.
        match self.identification {
            Identification::NotNeeded => batch.seal(None),
            Identification::Known(identity) => {
                let before = lane.queue.back().map(Batch::stamp);
                if before.is_none_or(|stamp| stamp.is_some_and(|(held, _)| held == identity)) {
                    let sequence = lane.next_sequence;
                    lane.next_sequence = sequence.advance(batch.count);
                    batch.seal(Some((identity, sequence)));
                }
            }
            Identification::Missing(_) | Identification::Asked(_) => {}
        }
        lane.queue.push_back(batch);
    }

    fn refused(&mut self, now: u64, partition: u32, mut batch: Batch, error: ErrorCode) {
        let first = batch.first;
        let gap = self.lanes[partition as usize].has_unsettled_before(first);
        match error {
            // The broker misses a batch that is still to be sent again: this one follows it.
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER if gap => self.retry(now, partition, batch),
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
            | ErrorCode::UNKNOWN_PRODUCER_ID
            | ErrorCode::INVALID_PRODUCER_ID_MAPPING
            | ErrorCode::INVALID_PRODUCER_EPOCH
            | ErrorCode::PRODUCER_FENCED
                if self.config.idempotent =>
            {
                let fenced = matches!(
                    error,
                    ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::PRODUCER_FENCED
                );
                self.bump(fenced);
                self.retry(now, partition, batch);
            }
            _ if error.is_retriable() => {
                batch.uncertain |= error == ErrorCode::REQUEST_TIMED_OUT
                    || error == ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND;
                self.retry(now, partition, batch);
            }
            _ => {
                self.bump_if_idempotent();
                let outcome = if batch.uncertain {
                    Outcome::Unknown
                } else {
                    Outcome::Refused
                };
                self.settle(partition, batch, outcome, None);
            }
        }
    }

    fn retry(&mut self, now: u64, partition: u32, mut batch: Batch) {
        if batch
            .opened_ns
            .saturating_add(nanos(self.config.delivery_timeout))
            <= now
        {
            return self.give_up(partition, batch);
        }
        self.counters.retries += 1;
        batch.not_before_ns = now + self.backoff(batch.attempts);
        self.lanes[partition as usize].requeue(batch);
    }

    /// The time is up. A hole in the sequences is left, which only a new epoch gets over.
    fn give_up(&mut self, partition: u32, batch: Batch) {
        self.bump_if_idempotent();
        let outcome = if batch.uncertain {
            Outcome::Unknown
        } else {
            Outcome::Refused
        };
        self.settle(partition, batch, outcome, None);
    }

    fn bump_if_idempotent(&mut self) {
        if self.config.idempotent {
            self.bump(false);
        }
    }

    fn bump(&mut self, afresh: bool) {
        if let Identification::Known(identity) = self.identification {
            self.counters.epoch_bumps += 1;
            self.identification = Identification::Missing((!afresh).then_some(identity));
        }
    }

    fn settle(&mut self, partition: u32, batch: Batch, outcome: Outcome, offset: Option<i64>) {
        self.memory_used -= batch.reserved;
        self.pressed = false;
        self.settled.push(Settled {
            partition,
            outcome,
            offset,
            batch,
        });
    }

    fn backoff(&mut self, attempts: u32) -> u64 {
        let base = nanos(self.config.retry_backoff);
        let grown = base.saturating_mul(1 << attempts.saturating_sub(1).min(16));
        let capped = grown.min(nanos(self.config.retry_backoff_max));
        // A fifth up or down, so that producers do not come back in step.
        (capped as f64 * (0.8 + 0.4 * self.random.unit())) as u64
    }

    fn batch_limit(&self) -> usize {
        self.config.batch_size + BatchHeader::SIZE
    }

    fn reservation(&self, bytes: usize) -> usize {
        self.config.batch_size.max(bytes) + BatchHeader::SIZE
    }
}

/// Batches kept for reuse.
const POOL_MAX: usize = 256;

#[cfg(test)]
mod tests;
