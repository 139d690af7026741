//! What a coordinator wants done.

use std::sync::Arc;

use super::Answer;

/// What came of asks and time-outs, in order. The host empties it and keeps its memory.
///
/// The state has moved on already. The host appends all `records` as one batch, always synced,
/// before it lets any of the replies go that are to wait for it. When the append fails it drops
/// the coordinator, answers every ticket of it with `NOT_COORDINATOR`, and loads a new one.
#[derive(Debug, Default)]
pub struct Effects {
    /// For the coordinator's partition of `__consumer_offsets`.
    pub records: Vec<Record>,
    /// Answers to tickets; one for each, ever.
    pub replies: Vec<Reply>,
}

impl Effects {
    /// Without records and replies.
    pub fn clear(&mut self) {
        self.records.clear();
        self.replies.clear();
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.replies.is_empty()
    }
}

/// A record of `__consumer_offsets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record's type, then its key.
    pub key: Vec<u8>,
    /// The version, then the value, which the group keeps as well and may be large; `None` when
    /// what the key names is gone.
    pub value: Option<Arc<Vec<u8>>>,
}

impl Record {
    /// The value's bytes.
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref().map(Vec::as_slice)
    }
}

/// An answer for whoever holds the ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// As [`Coordinator::take`](super::Coordinator::take) was given it.
    pub ticket: u64,
    /// Of the ask's own kind.
    pub answer: Answer,
    /// What it waits for.
    pub when: When,
}

/// What a reply waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing: it tells no state that a power cut could undo.
    Now,
    /// Everything that was appended so far, this batch of records with it, is synced.
    Synced,
}
