//! Who waits for an ack: one queue per journal, in the order of the appends.
//!
//! A frame resolves all its acks at once, so the cost of an acknowledged batch does not grow with
//! the partitions that are dirty.

use std::collections::VecDeque;

use super::{AckError, PartitionKey, StoreEvent};
use crate::base::Offset;

/// The acks of one journal.
#[derive(Debug, Default)]
pub(super) struct AckLine {
    /// Waiting for the frame that holds their append.
    unwritten: VecDeque<Waiting>,
    /// Written, waiting for a sync, with the frame's sequence.
    unsynced: VecDeque<(u64, Waiting)>,
}

/// One ack. `append` is the number of the append that it waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) append: u64,
    pub(super) key: PartitionKey,
    pub(super) token: u64,
    pub(super) last_offset: Offset,
    pub(super) synced: bool,
}

impl AckLine {
    pub(super) fn push(&mut self, waiting: Waiting) {
        debug_assert!(
            self.unwritten
                .back()
                .is_none_or(|last| last.append <= waiting.append)
        );
        self.unwritten.push_back(waiting);
    }

    /// All appends up to number `through` are in written frames, the last of them `sequence`.
    pub(super) fn written(&mut self, through: u64, sequence: u64, events: &mut Vec<StoreEvent>) {
        while let Some(waiting) = take_if(&mut self.unwritten, |first| first.append <= through) {
            if waiting.synced {
                self.unsynced.push_back((sequence, waiting));
            } else {
                events.push(waiting.acked());
            }
        }
    }

    /// All frames up to `sequence` are synced.
    pub(super) fn synced(&mut self, sequence: u64, events: &mut Vec<StoreEvent>) {
        while let Some((_, waiting)) = take_if(&mut self.unsynced, |(at, _)| *at <= sequence) {
            events.push(waiting.acked());
        }
    }

    /// The newest frame that someone waits to be synced.
    pub(super) fn sync_wanted(&self) -> Option<u64> {
        self.unsynced.back().map(|(sequence, _)| *sequence)
    }

    /// The journal failed: nobody will be acknowledged any more.
    pub(super) fn fail(&mut self, events: &mut Vec<StoreEvent>) {
        let unsynced = self.unsynced.drain(..).map(|(_, waiting)| waiting);
        events.extend(
            unsynced
                .chain(self.unwritten.drain(..))
                .map(|waiting| StoreEvent::Acked {
                    token: waiting.token,
                    result: Err(AckError::Storage),
                }),
        );
    }
}

impl AckLine {
    /// A partition failed: what it still owes will never be as durable as asked.
    pub(super) fn fail_partition(&mut self, key: PartitionKey, events: &mut Vec<StoreEvent>) {
        let mut fail = |waiting: &Waiting| {
            if waiting.key == key {
                let result = Err(AckError::Storage);
                events.push(StoreEvent::Acked {
                    token: waiting.token,
                    result,
                });
            }
            waiting.key != key
        };
        self.unsynced.retain(|(_, waiting)| fail(waiting));
        self.unwritten.retain(|waiting| fail(waiting));
    }
}

/// Takes the first element if it is as `wanted`.
pub(super) fn take_if<T>(queue: &mut VecDeque<T>, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
    queue
        .front()
        .is_some_and(wanted)
        .then(|| queue.pop_front())
        .flatten()
}

impl Waiting {
    fn acked(self) -> StoreEvent {
        StoreEvent::Acked {
            token: self.token,
            result: Ok(self.last_offset),
        }
    }
}
