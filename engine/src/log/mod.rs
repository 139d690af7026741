//! One partition's log: Kafka's segments and indexes, and the memory in front of them. Pure: it
//! says what to write, sync, read and load; the store carries that out.

mod append;
mod config;
mod read;
mod state;
mod write_behind;

pub use append::{AppendError, AppendOutcome, Appended, Origin, Rolled};
pub use config::{Durability, LogConfig, RetentionConfig, TimestampConfig, TimestampType};
pub use read::{ReadError, ReadPlan, ReadRequest};
pub use state::{PartitionState, SegmentState};
pub use write_behind::{SegmentStep, SegmentWrite, SweepMode};
