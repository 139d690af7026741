//! The producer path.

mod partitioner;

pub use partitioner::{PartitionPlan, Partitioner, by_key, murmur2};
