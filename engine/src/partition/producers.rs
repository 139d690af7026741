//! Idempotent producers: the window that recognises duplicates and gaps (KIP-98, KIP-360;
//! `ProducerStateManager.java`, `ProducerAppendInfo.java`).

use std::collections::BTreeMap;

use crate::base::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::format::batch::BatchHeader;
use crate::format::snapshot::{self, SnapshotEntry};

/// The producers of one partition, by id. No memory while there are none; about 240 bytes each.
///
/// A tree rather than a hash table: ids come off the wire, and iteration must be the same in
/// every run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerTable {
    producers: BTreeMap<ProducerId, Box<Producer>>,
}

/// What the window says to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceCheck {
    /// It continues its producer's stream.
    New,
    /// It is one of the last five.
    Duplicate(ProducerBatchState),
}

/// Why a batch does not continue its producer's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceError {
    /// A newer epoch is known: INVALID_PRODUCER_EPOCH.
    Fenced {
        /// The known epoch.
        latest: ProducerEpoch,
    },
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder {
        /// The last known sequence; none where a new epoch must begin at 0.
        last: Sequence,
    },
}

impl ProducerTable {
    /// The table with these producers.
    pub fn restored<'a>(states: impl IntoIterator<Item = &'a ProducerState>) -> Self {
        let mut table = Self::default();
        for state in states {
            let mut producer = Producer::new(state.epoch);
            producer.last_timestamp = state.last_timestamp;
            producer.coordinator_epoch = state.coordinator_epoch;
            producer.transaction_start = state.transaction_start;
            let skipped = state.batches.len().saturating_sub(WINDOW);
            state.batches[skipped..]
                .iter()
                .for_each(|batch| producer.push(*batch));
            table.producers.insert(state.id, Box::new(producer));
        }
        table
    }

    /// The table that a `.snapshot` file holds.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, snapshot::SnapshotError> {
        let mut table = Self::default();
        for entry in snapshot::decode(bytes)? {
            let mut producer = Producer::new(entry.epoch);
            producer.last_timestamp = entry.timestamp;
            producer.coordinator_epoch = entry.coordinator_epoch;
            producer.transaction_start =
                (entry.transaction_start.0 >= 0).then_some(entry.transaction_start);
            if entry.last_offset.0 >= 0 {
                producer.push(ProducerBatchState {
                    last_sequence: entry.last_sequence,
                    last_offset: entry.last_offset,
                    offset_delta: entry.offset_delta,
                    timestamp: entry.timestamp,
                });
            }
            table.producers.insert(entry.id, Box::new(producer));
        }
        Ok(table)
    }

    /// Whether a producer whose last batch ends at `from` or later may have sent more of late than
    /// the table knows: fewer than five batches, and not its first.
    pub fn lacks_batches(&self, from: Offset) -> bool {
        self.producers.values().any(|producer| {
            let batches = &producer.batches[..producer.count];
            let is_first = |batch: &ProducerBatchState| batch.first_sequence() == Sequence(0);
            let is_late = batches
                .last()
                .is_some_and(|batch| batch.last_offset >= from);
            is_late && batches.len() < WINDOW && !batches.first().is_some_and(is_first)
        })
    }

    /// Takes up the windows of `seen`, which read the log up to where this table is of: of those
    /// producers whose last batch is the same in both, and of whom it knows more.
    pub fn fill_windows(&mut self, seen: &Self) {
        for (id, producer) in &mut self.producers {
            let Some(other) = seen.producers.get(id) else {
                continue;
            };
            let same = |a: &ProducerBatchState, b: &ProducerBatchState| {
                (a.last_sequence, a.last_offset) == (b.last_sequence, b.last_offset)
            };
            let ends = producer.last().zip(other.last());
            let is_same = other.epoch == producer.epoch && ends.is_some_and(|(a, b)| same(a, b));
            if is_same && other.count > producer.count {
                (producer.batches, producer.count) = (other.batches, other.count);
            }
        }
    }

    /// Takes up a batch that was appended; its header as it stands in the log. A control batch
    /// ends its producer's transaction; `coordinator_epoch` is what its marker says.
    pub fn record(&mut self, header: &BatchHeader, coordinator_epoch: Option<i32>) {
        if !header.is_idempotent() {
            return;
        }
        let producer = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(|| Box::new(Producer::new(header.producer_epoch)));
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.count = 0;
        }
        producer.last_timestamp = header.max_timestamp;
        if header.attributes.is_control() {
            producer.transaction_start = None;
            producer.coordinator_epoch = coordinator_epoch.unwrap_or(producer.coordinator_epoch);
            return;
        }
        if header.attributes.is_transactional() {
            producer.transaction_start.get_or_insert(header.base_offset);
        }
        producer.push(ProducerBatchState {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
    }

    /// Drops producers last heard more than `expiration_ms` ago, but none with an open
    /// transaction; then, beyond `producers_max`, the longest idle ones too, one in eight at
    /// least, so that a flood of ids costs no sort per batch.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64, producers_max: usize) {
        self.producers.retain(|_, producer| {
            producer.transaction_start.is_some()
                || now_ms.saturating_sub(producer.last_timestamp) < expiration_ms
        });
        if self.producers.len() <= producers_max {
            return;
        }
        let mut ages: Vec<(i64, ProducerId)> = self
            .producers
            .iter()
            .filter(|(_, producer)| producer.transaction_start.is_none())
            .map(|(&id, producer)| (producer.last_timestamp, id))
            .collect();
        let surplus = self.producers.len() - producers_max + producers_max / 8;
        ages.sort_unstable();
        for (_, id) in ages.into_iter().take(surplus) {
            self.producers.remove(&id);
        }
    }

    /// The log was cut to end at `end`: batches behind it are forgotten, and producers of whom
    /// none is left. Such a producer's next batch is taken with any sequence, like an unknown
    /// one's: the window keeps no more than five batches to go back to.
    pub fn truncate(&mut self, end: Offset) {
        self.producers.retain(|_, producer| {
            while producer
                .last()
                .is_some_and(|batch| batch.last_offset >= end)
            {
                producer.count -= 1;
            }
            producer.transaction_start = producer.transaction_start.filter(|start| *start < end);
            producer.count > 0 || producer.transaction_start.is_some()
        });
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.producers.clear();
    }

    /// Whether a client's batch continues its producer's stream, repeats one of its last five
    /// batches, or neither. Batches without a producer id are always new.
    pub fn check(&self, header: &BatchHeader) -> Result<SequenceCheck, SequenceError> {
        let known = header
            .is_idempotent()
            .then(|| self.producers.get(&header.producer_id));
        let Some(producer) = known.flatten() else {
            return Ok(SequenceCheck::New);
        };
        let (epoch, latest) = (header.producer_epoch, producer.epoch);
        if epoch == latest
            && let Some(original) = producer.find(header)
        {
            return Ok(SequenceCheck::Duplicate(original));
        }
        if epoch < latest {
            return Err(SequenceError::Fenced { latest });
        }
        if epoch > latest {
            return match header.base_sequence {
                Sequence(0) => Ok(SequenceCheck::New),
                _ => Err(SequenceError::OutOfOrder {
                    last: Sequence::NONE,
                }),
            };
        }
        let last = producer
            .last()
            .map_or(Sequence::NONE, |batch| batch.last_sequence);
        match last.next() == header.base_sequence {
            true => Ok(SequenceCheck::New),
            false => Err(SequenceError::OutOfOrder { last }),
        }
    }

    /// Whether a coordinator may write a marker or batch with this producer epoch.
    pub fn check_epoch(&self, header: &BatchHeader) -> Result<(), SequenceError> {
        match self.producers.get(&header.producer_id) {
            Some(producer) if header.producer_epoch < producer.epoch => {
                Err(SequenceError::Fenced {
                    latest: producer.epoch,
                })
            }
            _ => Ok(()),
        }
    }

    /// The first offset of the oldest open transaction: what holds the last stable offset back.
    pub fn first_open_transaction(&self) -> Option<Offset> {
        self.producers
            .values()
            .filter_map(|producer| producer.transaction_start)
            .min()
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.producers.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// The bytes of a `.snapshot` file.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::encode(self.producers.iter().map(|(&id, producer)| {
            let last = producer.last();
            SnapshotEntry {
                id,
                epoch: producer.epoch,
                last_sequence: last.map_or(Sequence::NONE, |batch| batch.last_sequence),
                last_offset: last.map_or(Offset(-1), |batch| batch.last_offset),
                offset_delta: last.map_or(0, |batch| batch.offset_delta),
                timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                transaction_start: producer.transaction_start.unwrap_or(Offset(-1)),
            }
        }))
    }

    /// Everything, as plain data.
    pub fn states(&self) -> Vec<ProducerState> {
        let state = |id: ProducerId, producer: &Producer| ProducerState {
            id,
            epoch: producer.epoch,
            last_timestamp: producer.last_timestamp,
            coordinator_epoch: producer.coordinator_epoch,
            transaction_start: producer.transaction_start,
            batches: producer.batches[..producer.count].to_vec(),
        };
        self.producers
            .iter()
            .map(|(&id, producer)| state(id, producer))
            .collect()
    }
}

/// One idempotent producer.
#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ProducerState {
    /// Its id.
    pub id: ProducerId,
    /// Its latest epoch.
    pub epoch: ProducerEpoch,
    /// When it was last heard, in milliseconds since the Unix epoch.
    pub last_timestamp: i64,
    /// The coordinator's epoch of its last marker; -1 for none.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction, if any.
    pub transaction_start: Option<Offset>,
    /// Its last batches, oldest first, five at most.
    pub batches: Vec<ProducerBatchState>,
}

/// One of the batches that a duplicate is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ProducerBatchState {
    /// The sequence of its last record.
    pub last_sequence: Sequence,
    /// The offset of its last record.
    pub last_offset: Offset,
    /// Its records, less one.
    pub offset_delta: i32,
    /// Its largest timestamp, or its append time.
    pub timestamp: i64,
}

impl ProducerBatchState {
    /// The sequence of its first record.
    pub fn first_sequence(&self) -> Sequence {
        self.last_sequence.retreat(self.offset_delta as u32)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Producer {
    epoch: ProducerEpoch,
    last_timestamp: i64,
    coordinator_epoch: i32,
    transaction_start: Option<Offset>,
    /// The window, oldest first, `count` of them.
    batches: [ProducerBatchState; WINDOW],
    count: usize,
}

impl Producer {
    fn new(epoch: ProducerEpoch) -> Self {
        Self {
            epoch,
            last_timestamp: -1,
            coordinator_epoch: -1,
            transaction_start: None,
            batches: [NO_BATCH; WINDOW],
            count: 0,
        }
    }

    fn push(&mut self, batch: ProducerBatchState) {
        if self.count == WINDOW {
            self.batches.rotate_left(1);
            self.count -= 1;
        }
        self.batches[self.count] = batch;
        self.count += 1;
    }

    fn last(&self) -> Option<&ProducerBatchState> {
        self.batches[..self.count].last()
    }

    /// The batch of the window with the same first and last sequence.
    fn find(&self, header: &BatchHeader) -> Option<ProducerBatchState> {
        let (first, last) = (header.base_sequence, header.last_sequence());
        let same = |batch: &&ProducerBatchState| {
            batch.last_sequence == last && batch.first_sequence() == first
        };
        self.batches[..self.count].iter().find(same).copied()
    }
}

/// As many batches as an idempotent producer may have in flight.
const WINDOW: usize = 5;
const NO_BATCH: ProducerBatchState = ProducerBatchState {
    last_sequence: Sequence::NONE,
    last_offset: Offset(-1),
    offset_delta: 0,
    timestamp: -1,
};

#[cfg(test)]
mod tests;
