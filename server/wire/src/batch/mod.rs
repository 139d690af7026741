//! Record batches of magic 2 (KIP-98), the only ones that Kafka 4 knows: for clients, coordinators
//! and the metadata log.
//!
//! [`Batches`] splits what a fetch returned, [`BatchHeader`] reads and writes the 61 bytes before
//! the records, [`RecordIter`] walks records that are not compressed, [`BatchBuilder`] makes
//! batches, [`control`] the records that Kafka writes for itself.
//!
//! Compression is not here: a reader is handed decompressed records, the builder takes a hook.

mod builder;
mod error;
mod header;
mod record;
mod split;

pub mod control;

pub use builder::{BatchBuilder, BatchMeta, NewRecord};
pub use error::BatchError;
pub use header::{
    Attributes, BatchHeader, Compression, compute_crc, set_base_offset, set_leader_epoch,
};
pub use record::{Headers, Record, RecordHeader, RecordIter};
pub use split::{Batch, Batches};

#[cfg(test)]
mod tests;
