//! Configuration: Kafka's keys and Logmill's own, from one declarative table.
//!
//! [`table`] says everything that is known of a key. [`Settings`] holds the values that a file
//! and `--set` gave, checked against it. [`Config`] is the broker's typed view, [`TopicConfig`]
//! a topic's. Nothing here reads the host: memory, cores and the host's name are joined in at
//! start.

mod broker;
pub mod describe;
mod error;
pub mod key;
mod listeners;
pub mod memory;
pub mod readme;
mod settings;
pub mod table;
mod topic;
mod value;

pub use broker::{Config, FetchPath, Loaded, Validation};
pub use error::ConfigError;
pub use listeners::Listener;
pub use memory::{MemoryError, MemoryPlan, MemoryRow};
pub use settings::{Notice, Settings};
pub use topic::{TopicConfig, TopicConfigError};
pub use value::{ValueError, check};

#[cfg(test)]
mod tests;
