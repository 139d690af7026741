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

use std::fmt;

pub use ledger::{Findings, Ledger, SenderFacts};
pub use ranges::Ranges;
pub use reader::{Reader, ReaderCounts};

use crate::payload::StampError;

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

/// Something that must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged records that are not in the log.
    Lost {
        /// Where.
        lane: Lane,
        /// The first missing sequence number.
        first: u64,
        /// How many are missing in a row.
        count: u64,
    },
    /// A record that was already read came again at another offset.
    Duplicate {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
        /// Where it was read again.
        offset: i64,
    },
    /// A record came after later ones of its sender.
    Reordered {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
        /// Where it was read.
        offset: i64,
    },
    /// A record is at another offset than its acknowledgement said.
    OffsetMismatch {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
        /// What the acknowledgement said.
        acknowledged: i64,
        /// Where it was read.
        read: i64,
    },
    /// A record that its sender never sent, or that the broker had refused.
    Phantom {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
    },
    /// A record's bytes are not those that were sent.
    Corrupt {
        /// Where.
        partition: u32,
        /// Where it was read.
        offset: i64,
        /// What is wrong with it.
        error: StampError,
    },
    /// A batch cannot be read: its checksum or its layout is broken.
    BrokenBatch {
        /// Where.
        partition: u32,
        /// Its base offset.
        offset: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// Offsets did not ascend within a partition.
    OffsetBackwards {
        /// Where.
        partition: u32,
        /// The offset that was due at the earliest.
        expected: i64,
        /// The one that came.
        got: i64,
    },
    /// A high watermark went back.
    HighWatermarkBackwards {
        /// Where.
        partition: u32,
        /// What it was.
        from: i64,
        /// What it became.
        to: i64,
    },
    /// A last stable offset above the high watermark.
    StableAboveHigh {
        /// Where.
        partition: u32,
        /// The last stable offset.
        stable: i64,
        /// The high watermark.
        high: i64,
    },
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} stream {:08x}", self.partition, self.stream)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { lane, first, count } => write!(
                f,
                "LOST: {count} acknowledged records of {lane}, from sequence {first} on"
            ),
            Self::Duplicate {
                lane,
                sequence,
                offset,
            } => {
                write!(
                    f,
                    "DUPLICATE: sequence {sequence} of {lane} again at offset {offset}"
                )
            }
            Self::Reordered {
                lane,
                sequence,
                offset,
            } => write!(
                f,
                "REORDERED: sequence {sequence} of {lane} after later ones, at offset {offset}"
            ),
            Self::OffsetMismatch {
                lane,
                sequence,
                acknowledged,
                read,
            } => write!(
                f,
                "WRONG OFFSET: sequence {sequence} of {lane} was acknowledged at offset \
                 {acknowledged} and read at {read}"
            ),
            Self::Phantom { lane, sequence } => {
                write!(
                    f,
                    "PHANTOM: sequence {sequence} of {lane} was never sent or was refused"
                )
            }
            Self::Corrupt {
                partition,
                offset,
                error,
            } => {
                write!(f, "CORRUPT: partition {partition} offset {offset}: {error}")
            }
            Self::BrokenBatch {
                partition,
                offset,
                reason,
            } => {
                write!(
                    f,
                    "BROKEN BATCH: partition {partition} offset {offset}: {reason}"
                )
            }
            Self::OffsetBackwards {
                partition,
                expected,
                got,
            } => write!(
                f,
                "OFFSET BACKWARDS: partition {partition}: {got} where at least {expected} was due"
            ),
            Self::HighWatermarkBackwards {
                partition,
                from,
                to,
            } => {
                write!(
                    f,
                    "HIGH WATERMARK BACKWARDS: partition {partition}: from {from} to {to}"
                )
            }
            Self::StableAboveHigh {
                partition,
                stable,
                high,
            } => write!(
                f,
                "LAST STABLE OFFSET {stable} above high watermark {high}: partition {partition}"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
