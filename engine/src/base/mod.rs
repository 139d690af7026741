//! The vocabulary of the engine: newtypes for what can be confused, time that is passed in, the
//! watermarks of a partition, and a slab whose keys carry generations.
//!
//! Everything here is plain data: no clock, no file, no allocation on the hot path.

mod identity;
mod offset;
mod producer;
mod slab;
mod time;
mod watermarks;

pub use identity::{DirectoryIndex, PartitionIndex, ShardId, TopicId};
pub use offset::{FilePosition, LeaderEpoch, Offset};
pub use producer::{ProducerEpoch, ProducerId, Sequence};
pub use slab::{Slab, SlabKey};
pub use time::{Micros, Now};
pub use watermarks::Watermarks;
