//! One partition's log: Kafka's segments and indexes, and the memory in front of them. Pure: it
//! says what to write, sync, read and load; the store carries that out.
//!
//! [`PartitionLog`] is the state; each file beside it is one thing that it does: `append`, `read`,
//! `write_behind` (memory into segments), `seal` (what belongs to a segment that ended),
//! `truncate`.

mod append;
mod config;
mod memory;
mod partition_log;
mod read;
mod replay;
mod retention;
mod seal;
mod segment;
mod sparse_index;
mod state;
mod timestamps;
mod truncate;
mod write_behind;

#[cfg(test)]
mod tests;

pub use append::{AppendError, AppendOutcome, Appended, Origin, Rolled};
pub use config::{Durability, LogConfig, RetentionConfig, TimestampConfig, TimestampType};
pub use partition_log::{LogIdentity, PartitionLog, SegmentInfo, StateError};
pub use read::{ReadError, ReadPlan, ReadRequest};
pub use seal::SegmentFiles;
pub use sparse_index::IndexWrite;
pub use state::{PartitionState, SegmentState};
pub use timestamps::{TimestampOffset, TimestampQuery, TimestampSearch, TimestampStep};
pub use truncate::{ActiveCut, TruncateScan, TruncateStep, Truncated};
pub use write_behind::{SegmentStep, SegmentWrite, SweepMode, SyncPoint};
