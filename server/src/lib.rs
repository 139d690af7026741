//! The broker.

pub mod base;
pub mod config;
pub mod connection;
pub mod error;
pub mod groups;
pub mod handlers;
pub mod metadata;
pub mod partitions;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod shard;
#[cfg(feature = "runtime")]
pub mod start;

#[cfg(feature = "runtime")]
pub use start::main_from;
