//! Reading: what is asked, and where the bytes are.

use crate::base::{FilePosition, Offset};
use crate::sys::region::Slices;

/// A read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The first offset wanted; the batch that holds it is given whole.
    pub offset: Offset,
    /// Bytes wanted at most.
    pub max_bytes: usize,
    /// Nothing at or beyond it is given: high watermark, last stable offset, or log end.
    pub limit: Offset,
    /// Give the first batch even if it alone is above `max_bytes` (KIP-74).
    pub whole_first_batch: bool,
}

/// Where the bytes of a read are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadPlan {
    /// Nothing to give below the limit, or the first batch is above `max_bytes`.
    Empty,
    /// Whole batches, in memory.
    Memory(Slices),
    /// A range of a segment file, written and immutable; begins at a batch, may end within one.
    File {
        /// Which segment.
        segment_base: Offset,
        /// From where.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
    /// The segment's `.index` is not in memory: load it, give it to
    /// [`super::PartitionLog::index_loaded`], ask again.
    NeedIndex {
        /// Which segment.
        segment_base: Offset,
        /// Bytes of the file that count.
        len: usize,
    },
    /// The first batch stands somewhere in this range of a segment file: load it and ask
    /// `read_with_block`.
    NeedBlock {
        /// Which segment.
        segment_base: Offset,
        /// From where; a batch begins here.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
}

/// Why a read has no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// OFFSET_OUT_OF_RANGE.
    #[error("offset {offset} is not within {log_start}..={end}")]
    OffsetOutOfRange {
        /// What was asked.
        offset: Offset,
        /// The first offset.
        log_start: Offset,
        /// The log end.
        end: Offset,
    },
    /// A loaded block does not hold what the index promises: the segment is damaged.
    #[error("segment {segment_base} holds no batch at position {position}")]
    Corrupt {
        /// Which segment.
        segment_base: Offset,
        /// Where a batch was expected.
        position: FilePosition,
    },
}
