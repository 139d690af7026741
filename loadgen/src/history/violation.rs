//! What the checker may find.

use thiserror::Error;

use super::Lane;
use crate::payload::StampError;

/// Something that must not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// Acknowledged records that are not in the log.
    #[error("LOST: {count} acknowledged records of {lane}, from sequence {first} on")]
    Lost {
        /// Where.
        lane: Lane,
        /// The first missing sequence number.
        first: u64,
        /// How many are missing in a row.
        count: u64,
    },
    /// A record that was already read came again at another offset.
    #[error("DUPLICATE: sequence {sequence} of {lane} again at offset {offset}")]
    Duplicate {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
        /// Where it was read again.
        offset: i64,
    },
    /// A record came after later ones of its sender.
    #[error("REORDERED: sequence {sequence} of {lane} after later ones, at offset {offset}")]
    Reordered {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
        /// Where it was read.
        offset: i64,
    },
    /// A record is at another offset than its acknowledgement said.
    #[error(
        "WRONG OFFSET: sequence {sequence} of {lane} was acknowledged at offset \
         {acknowledged} and read at {read}"
    )]
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
    #[error("PHANTOM: sequence {sequence} of {lane} was never sent or was refused")]
    Phantom {
        /// Where.
        lane: Lane,
        /// Which.
        sequence: u64,
    },
    /// A record's bytes are not those that were sent.
    #[error("CORRUPT: partition {partition} offset {offset}: {error}")]
    Corrupt {
        /// Where.
        partition: u32,
        /// Where it was read.
        offset: i64,
        /// What is wrong with it.
        error: StampError,
    },
    /// A batch cannot be read: its checksum or its layout is broken.
    #[error("BROKEN BATCH: partition {partition} offset {offset}: {reason}")]
    BrokenBatch {
        /// Where.
        partition: u32,
        /// Its base offset.
        offset: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// Offsets did not ascend within a partition.
    #[error("OFFSET BACKWARDS: partition {partition}: {got} where at least {expected} was due")]
    OffsetBackwards {
        /// Where.
        partition: u32,
        /// The offset that was due at the earliest.
        expected: i64,
        /// The one that came.
        got: i64,
    },
    /// A group's committed offset went back, or a commit that came later was forgotten.
    #[error("COMMITTED OFFSET BACKWARDS: partition {partition}: from {from} to {to}")]
    CommittedBackwards {
        /// Where.
        partition: u32,
        /// What was acknowledged.
        from: i64,
        /// What it became.
        to: i64,
    },
    /// A group's committed offset that nobody ever committed.
    #[error("PHANTOM COMMIT: partition {partition}: {got} where at most {sent} was committed")]
    PhantomCommit {
        /// Where.
        partition: u32,
        /// The highest offset that was sent.
        sent: i64,
        /// The one that came.
        got: i64,
    },
    /// A generation of a group gave a partition to two members.
    #[error("TWO OWNERS: partition {partition} in generation {generation}")]
    TwoOwners {
        /// Which.
        partition: u32,
        /// When.
        generation: i32,
    },
    /// A high watermark went back.
    #[error("HIGH WATERMARK BACKWARDS: partition {partition}: from {from} to {to}")]
    HighWatermarkBackwards {
        /// Where.
        partition: u32,
        /// What it was.
        from: i64,
        /// What it became.
        to: i64,
    },
    /// A last stable offset above the high watermark.
    #[error("LAST STABLE OFFSET {stable} above high watermark {high}: partition {partition}")]
    StableAboveHigh {
        /// Where.
        partition: u32,
        /// The last stable offset.
        stable: i64,
        /// The high watermark.
        high: i64,
    },
}

impl Violation {
    /// The lane, if this is what a batch does that is sent twice: without idempotence, after a
    /// retry, it breaks no promise. A batch whose first answer was lost comes again, later, and is
    /// acknowledged at its second copy.
    pub fn resent(&self) -> Option<Lane> {
        match *self {
            Self::Duplicate { lane, .. } | Self::Reordered { lane, .. } => Some(lane),
            Self::OffsetMismatch {
                lane,
                acknowledged,
                read,
                ..
            } if acknowledged > read => Some(lane),
            _ => None,
        }
    }
}
