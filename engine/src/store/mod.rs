//! A shard's partitions, journals and record memory.

mod api;

pub use api::*;
