//! The broker.

pub mod config;
pub mod error;
pub mod handlers;
pub mod metadata;
#[cfg(feature = "runtime")]
pub mod start;

#[cfg(feature = "runtime")]
pub use start::main_from;
