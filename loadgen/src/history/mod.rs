//! The history checker: what was acknowledged against what was read.
//!
//! Every record has a unique value: its stream, partition and sequence number. Senders tell the
//! [`Ledger`] what was acknowledged and what ended otherwise; each consumer has a [`Reader`] that
//! judges order, duplicates and offsets record by record and tells the ledger what it saw, in
//! runs. Whoever ends the run asks the ledger for the [`Findings`]. A time-out is *unknown*, never
//! *failed*: such a record may be read or not.

mod ledger;
mod ranges;
mod reader;
mod violation;

use std::fmt;

pub use ledger::{Findings, Ledger, SenderFacts};
pub use ranges::Ranges;
pub use reader::{Reader, ReaderCounts};
pub use violation::Violation;

/// A sequence of records: what one sender put into one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// The sender and run.
    pub stream: u32,
    /// The partition.
    pub partition: u32,
}

/// Consecutive records of a lane, with consecutive offsets if these are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where they are.
    pub lane: Lane,
    /// The sequence number of the first.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// The offset of the first, if it is known (never with acks=0).
    pub offset: Option<i64>,
}

/// What a sender learned of a run of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The broker acknowledged it at the level that was asked for.
    Acknowledged,
    /// Sent with acks=0: nothing will be known.
    Unanswered,
    /// Given up on without knowing: a time-out, a lost connection.
    Unknown,
    /// The broker refused it.
    Refused,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} stream {:08x}", self.partition, self.stream)
    }
}

#[cfg(test)]
mod tests;
