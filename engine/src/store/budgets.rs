//! Bounds on what partitions keep in memory beside records: entries of indexes, and producers.

use super::{PartitionKey, Store, entry::Entry};
use crate::base::Now;

/// What all partitions of the store keep, as last counted.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    total: Kept,
    /// Releasing index entries did not help below this many bytes: the rest is in no file yet.
    index_bytes_stuck: usize,
    /// Where the last round ended: the next begins there.
    hand: usize,
}

/// What a partition keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    index_bytes: usize,
    producers: usize,
}

impl Store {
    /// Bytes of index entries in memory, and producers known, as far as they were counted.
    pub fn kept_beside_records(&self) -> (usize, usize) {
        (self.budgets.total.index_bytes, self.budgets.total.producers)
    }

    /// A batch was appended. The index grows by little, so that it is counted now and then only:
    /// where the batch begins a segment, and where it passes certain positions.
    pub(super) fn count_append(&mut self, key: PartitionKey, position: u64, bytes: u64) {
        let step = |position: u64| position / COUNT_EVERY_BYTES;
        if position == 0 || step(position) != step(position + bytes) {
            return self.count_kept(key);
        }
        if let Some(entry) = self.entries.get_mut(key.0) {
            let producers = entry.log.producers().len();
            let before = std::mem::replace(&mut entry.kept_beside.producers, producers);
            self.budgets.total.producers = self.budgets.total.producers - before + producers;
        }
    }

    /// Counts what a partition keeps: it may have grown.
    pub(super) fn count_kept(&mut self, key: PartitionKey) {
        if let Some(entry) = self.entries.get_mut(key.0) {
            let now = Kept {
                index_bytes: entry.log.index_bytes(),
                producers: entry.log.producers().len(),
            };
            let before = std::mem::replace(&mut entry.kept_beside, now);
            self.budgets.replace(before, now);
        }
    }

    /// A partition is gone.
    pub(super) fn forget_kept(&mut self, entry: &Entry) {
        self.budgets.replace(entry.kept_beside, Kept::default());
    }

    /// Goes back below the bounds. Call it behind everything that waits for an index in memory.
    pub(super) fn keep_budgets(&mut self, now: Now) {
        let total = self.budgets.total;
        if total.index_bytes > self.options.index_bytes.max(self.budgets.index_bytes_stuck) {
            self.release_indexes();
        }
        if total.producers > self.options.producers_max {
            self.drop_idle_producers(now);
        }
    }

    /// Index entries that stand in files go, partition by partition, until an eighth is free.
    fn release_indexes(&mut self) {
        let goal = below(self.options.index_bytes);
        for key in self.next_round() {
            if self.budgets.total.index_bytes <= goal {
                break;
            }
            if let Some(entry) = self.entries.get_mut(key.0) {
                entry.log.release_indexes();
            }
            self.count_kept(key);
        }
        let left = self.budgets.total.index_bytes;
        self.budgets.index_bytes_stuck = match left > goal {
            true => left + left / 8,
            false => 0,
        };
    }

    /// Partitions with more producers than the average lose the longest idle ones until an eighth
    /// of all is free. One with an open transaction stays.
    fn drop_idle_producers(&mut self, now: Now) {
        let goal = below(self.options.producers_max);
        let keys = self.next_round();
        loop {
            let before = self.budgets.total.producers;
            let average = before / keys.len().max(1);
            for &key in &keys {
                if self.budgets.total.producers <= goal {
                    return;
                }
                let Some(entry) = self.entries.get_mut(key.0) else {
                    continue;
                };
                let count = entry.log.producers().len();
                if count >= average.max(1) {
                    entry.log.drop_idle_producers(now.wall_ms, below(count));
                    self.count_kept(key);
                }
            }
            if self.budgets.total.producers == before {
                return;
            }
        }
    }

    /// All partitions, beginning where the last round began one further.
    fn next_round(&mut self) -> Vec<PartitionKey> {
        let mut keys: Vec<_> = self
            .entries
            .iter()
            .map(|(key, _)| PartitionKey(key))
            .collect();
        if !keys.is_empty() {
            self.budgets.hand = (self.budgets.hand + 1) % keys.len();
            keys.rotate_left(self.budgets.hand);
        }
        keys
    }
}

impl Budgets {
    fn replace(&mut self, before: Kept, now: Kept) {
        let Kept {
            index_bytes,
            producers,
        } = &mut self.total;
        *index_bytes = *index_bytes - before.index_bytes + now.index_bytes;
        *producers = *producers - before.producers + now.producers;
    }
}

/// An eighth less, and one at least.
fn below(bound: usize) -> usize {
    bound - (bound / 8).max(1).min(bound)
}

/// A log's index is counted each time it has grown by so much.
const COUNT_EVERY_BYTES: u64 = 256 << 10;
