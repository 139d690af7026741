//! Record batches and the files around them: pure encoding, decoding and checking.

pub mod batch;
pub mod builder;
pub mod checkpoint;
pub mod compression;
pub mod index;
pub mod names;
pub mod records;
pub mod snapshot;
pub mod validate;
