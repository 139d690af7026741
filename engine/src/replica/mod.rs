//! What replication needs of a log: which leader's term holds from which offset.

mod epochs;

pub use epochs::{EpochCache, EpochEnd, EpochState};
