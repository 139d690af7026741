//! What handlers work with: the shard's store, its topics, its mail, and appends that wait for
//! memory.

use std::collections::VecDeque;

use logmill_engine::base::{LeaderEpoch, Micros, Now, ShardId};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::format::validate::Validator;
use logmill_engine::log::{AppendError, Origin};
use logmill_engine::store::{
    Ack, AckLevel, AppendAnswer, LeaderBatch, PartitionKey, Store, StoreError,
};
use logmill_engine::sys::region::{RegionPool, RegionWriter, Slice};

use super::catalog::Catalog;
use super::mail::{Outbox, PartitionName, Reply, Request};
use super::options::ShardOptions;
use crate::base::work::Token;

/// A shard without its connections and suspended requests.
pub struct Core {
    /// Numbers and bounds.
    pub options: ShardOptions,
    /// This shard's partitions.
    pub store: Store,
    /// All topics.
    pub catalog: Catalog,
    /// Mail, by peer; the shard's own place stays empty.
    pub outboxes: Vec<Outbox>,
    /// Appends that found no memory, in order. While there are any, later ones queue up behind
    /// them, so that no batch overtakes another.
    pressed: VecDeque<PressedAppend>,
    /// Since when the first of them waits.
    pressed_since: Micros,
    /// Checks batches.
    pub validator: Validator,
    /// Memory for batches that were compressed anew.
    pool: RegionPool,
}

/// Who is told what became of an append on this shard.
#[derive(Clone, Copy, Debug)]
pub struct AppendOrder {
    /// Which partition.
    pub key: PartitionKey,
    /// How durable.
    pub level: AckLevel,
    /// The work, and which part of it.
    pub token: Token,
}

#[derive(Debug)]
struct PressedAppend {
    order: AppendOrder,
    header: BatchHeader,
    bytes: Slice,
}

/// What became of an append at once.
#[derive(Debug)]
pub enum Appending {
    /// It stands; its ack follows unless none was asked for.
    Appended(AppendAnswer),
    /// It waits for memory; [`Core::retry_pressed`] tells.
    Pressed,
    /// It was refused.
    Refused(StoreError),
}

impl Core {
    /// A shard's parts.
    pub fn new(options: ShardOptions, store: Store) -> Self {
        let outboxes = (0..options.shards)
            .map(|_| Outbox::new(options.mail_credits))
            .collect();
        Self {
            pool: RegionPool::new(options.receive_bytes / 4),
            options,
            store,
            catalog: Catalog::default(),
            outboxes,
            pressed: VecDeque::new(),
            pressed_since: Micros(0),
            validator: Validator::new(),
        }
    }

    /// Appends a batch to a partition of this shard. `bytes` lie in `frame`.
    pub fn append(
        &mut self,
        now: Now,
        order: AppendOrder,
        header: BatchHeader,
        bytes: &[u8],
        frame: &Slice,
    ) -> Appending {
        if self.pressed.is_empty() {
            match self.try_append(now, order, header, bytes) {
                Err(StoreError::Append(AppendError::Backpressure)) => {}
                Err(error) => return Appending::Refused(error),
                Ok(answer) => return Appending::Appended(answer),
            }
        }
        let bytes = part_of(frame, bytes);
        if self.pressed.is_empty() {
            self.pressed_since = now.monotonic;
        }
        self.pressed.push_back(PressedAppend {
            order,
            header,
            bytes,
        });
        Appending::Pressed
    }

    /// Tries the appends that wait for memory again, in order; tells what became of the next one
    /// that can be settled.
    pub fn retry_pressed(&mut self, now: Now) -> Option<(Token, Result<AppendAnswer, StoreError>)> {
        let first = self.pressed.pop_front()?;
        match self.try_append(now, first.order, first.header, &first.bytes) {
            Err(StoreError::Append(AppendError::Backpressure)) => {
                self.pressed.push_front(first);
                None
            }
            result => {
                self.pressed_since = now.monotonic;
                Some((first.order.token, result))
            }
        }
    }

    /// How long the first of the appends that wait for memory has waited.
    pub fn pressed_for(&self, now: Now) -> Micros {
        match self.pressed.is_empty() {
            true => Micros(0),
            false => now.monotonic.saturating_since(self.pressed_since),
        }
    }

    /// A counted copy of bytes; `None` while there is no memory.
    pub fn own_bytes(&mut self, bytes: &[u8]) -> Option<Slice> {
        let mut writer = self.pool.take_for(bytes.len())?;
        writer.append(bytes);
        Some(writer.slice(0..bytes.len()))
    }

    /// A region of memory; `None` while there is none.
    pub fn region(&mut self, len: usize) -> Option<RegionWriter> {
        self.pool.take_for(len)
    }

    /// Asks a peer; says whether it had credit.
    pub fn ask(&mut self, peer: ShardId, token: Token, request: Request) -> bool {
        self.outboxes[usize::from(peer.0)].request(token, request)
    }

    /// Answers a peer.
    pub fn answer(&mut self, peer: ShardId, token: Token, reply: Reply) {
        self.outboxes[usize::from(peer.0)].reply(token, reply);
    }

    /// A partition of this shard.
    pub fn own(&self, name: PartitionName) -> Result<PartitionKey, StoreError> {
        self.catalog
            .by_id(name.topic)
            .and_then(|topic| topic.partition(name.index))
            .ok_or(StoreError::UnknownPartition)?
            .key
            // It is known and could not be opened: damaged, or in a log directory that failed.
            .ok_or(StoreError::Fenced)
    }

    /// Whether the term that a client believes in is this partition's; `NONE` is not checked.
    pub fn check_epoch(&self, name: PartitionName, asked: LeaderEpoch) -> Result<(), StoreError> {
        let topic = self
            .catalog
            .by_id(name.topic)
            .ok_or(StoreError::UnknownPartition)?;
        let partition = topic
            .partition(name.index)
            .ok_or(StoreError::UnknownPartition)?;
        check_epoch(partition.epoch, asked)
    }

    fn try_append(
        &mut self,
        now: Now,
        order: AppendOrder,
        header: BatchHeader,
        bytes: &[u8],
    ) -> Result<AppendAnswer, StoreError> {
        let batch = LeaderBatch {
            header,
            bytes,
            expected_epoch: None,
            origin: Origin::Client,
        };
        let ack = Ack {
            level: order.level,
            token: order.token.to_bits(),
        };
        self.store.append_as_leader(now, order.key, &batch, ack)
    }
}

/// Compares the term that a client believes in with a partition's.
pub fn check_epoch(current: LeaderEpoch, asked: LeaderEpoch) -> Result<(), StoreError> {
    if asked == LeaderEpoch::NONE || asked == current {
        Ok(())
    } else if asked < current {
        Err(StoreError::FencedEpoch { asked, current })
    } else {
        Err(StoreError::UnknownEpoch { asked, current })
    }
}

/// The counted view of `part`, which lies in `frame`.
pub fn part_of(frame: &Slice, part: &[u8]) -> Slice {
    let start = part.as_ptr().addr() - frame.as_ptr().addr();
    frame.slice(start..start + part.len())
}
