//! Logmill's storage engine: record batches, partition logs, the journal, recovery.
//!
//! Everything but `io` and `sys` is pure: no clock, no file, no socket, no randomness; time and
//! completions are passed in, effects come out. `unsafe` stands in `sys` alone.

#![deny(unsafe_code)]

pub mod base;
pub mod disk;
pub mod format;
#[cfg(feature = "io")]
pub mod io;
pub mod journal;
pub mod log;
pub mod partition;
pub mod recovery;
pub mod replica;
pub mod store;
pub mod sys;
