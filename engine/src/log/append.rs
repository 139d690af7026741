//! Appending: what it answers, and why it refuses.

use crate::base::{FilePosition, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::sys::region::Slices;

/// Who appends as leader. Coordinators write control batches and skip the sequence checks of
/// clients, as in Kafka (`AppendOrigin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Produce request.
    Client,
    /// A coordinator or the metadata log of this broker.
    Coordinator,
}

/// What became of a leader's append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The producer sent this batch before: nothing was appended, the answer is the first one's.
    /// It must be held back until the original is as durable as this request asks.
    Duplicate {
        /// The original's first offset.
        base_offset: Offset,
        /// The original's last offset.
        last_offset: Offset,
        /// The original's append time; -1 unless the topic stamps by the broker's clock.
        append_time: i64,
    },
    /// The batch stands in the log's memory.
    Appended(Appended),
}

/// A batch that was appended: what the journal records and the caller answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The log end before: what must be there for a replay to go on from.
    pub previous_end: Offset,
    /// The first record's offset.
    pub base_offset: Offset,
    /// The last record's offset.
    pub last_offset: Offset,
    /// The term that was stamped in.
    pub leader_epoch: LeaderEpoch,
    /// The broker's clock at the append where the topic stamps by it, else -1.
    pub append_time: i64,
    /// Which segment the batch belongs to.
    pub segment_base: Offset,
    /// Where in that segment it stands.
    pub position: FilePosition,
    /// The batch as it will stand in the segment; several parts if it spans regions.
    pub bytes: Slices,
    /// The term began with this batch: the epoch checkpoint has a new line.
    pub epoch_started: bool,
    /// The batch began a new segment.
    pub rolled: Option<Box<Rolled>>,
}

/// A segment began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolled {
    /// The segment that ended, if there was one: it waits to be sealed.
    pub sealed: Option<Offset>,
    /// The new one, to be created.
    pub base: Offset,
    /// `<base>.snapshot`: the producers as they were before the new segment's first batch.
    pub snapshot: Vec<u8>,
}

/// Why a batch was not appended. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No memory within the budget: ask again when some was written behind.
    #[error("no memory for the batch within the tail budget")]
    Backpressure,
    /// MESSAGE_TOO_LARGE.
    #[error("batch of {size} bytes; max.message.bytes is {max}")]
    TooLarge {
        /// The batch.
        size: usize,
        /// The limit.
        max: u32,
    },
    /// RECORD_LIST_TOO_LARGE.
    #[error("batch of {size} bytes; segment.bytes is {max}")]
    LargerThanSegment {
        /// The batch.
        size: usize,
        /// The limit.
        max: u32,
    },
    /// The leader's term went on: NOT_LEADER_OR_FOLLOWER.
    #[error("append in epoch {epoch}, the log has {latest} already")]
    StaleLeaderEpoch {
        /// The caller's.
        epoch: LeaderEpoch,
        /// The log's.
        latest: LeaderEpoch,
    },
    /// INVALID_PRODUCER_EPOCH.
    #[error("producer {producer} with epoch {epoch}, the latest is {latest}")]
    ProducerFenced {
        /// Who.
        producer: ProducerId,
        /// The batch's epoch.
        epoch: ProducerEpoch,
        /// The known one.
        latest: ProducerEpoch,
    },
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    #[error("producer {producer} sent sequence {sequence} after {last}")]
    OutOfOrderSequence {
        /// Who.
        producer: ProducerId,
        /// The batch's first sequence.
        sequence: Sequence,
        /// The last known one; -1 where a new epoch must begin at 0.
        last: Sequence,
    },
    /// A follower's batch that does not continue the log, or bytes that are no batch.
    #[error("the batch at offset {offset} does not continue the log, which ends at {end}")]
    NotContinuous {
        /// The batch's first offset.
        offset: Offset,
        /// The log end.
        end: Offset,
    },
    /// The log has reached the last offset there is.
    #[error("no offsets are left behind {end}")]
    OffsetsExhausted {
        /// The log end.
        end: Offset,
    },
    /// The bytes are no whole batch that fits its own head.
    #[error("not a record batch: its head and its bytes do not agree")]
    Malformed,
}
