//! Record batches and the files around them: pure encoding, decoding and checking.

pub mod batch;
pub mod compression;
pub mod index;
pub mod names;
pub mod snapshot;
