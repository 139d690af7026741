//! Configuration: Kafka's keys and Logmill's own, from one declarative table.
//!
//! [`table`] says everything that is known of a key. [`Settings`] holds the values that a file
//! and `--set` gave, checked against it. [`Config`] is the broker's typed view, [`TopicConfig`]
//! a topic's. Nothing here reads the host: memory, cores and the host's name are joined in at
//! start.

mod broker;
mod change;
pub mod describe;
mod error;
mod group;
pub mod key;
mod listeners;
pub mod memory;
pub mod readme;
mod settings;
pub mod table;
mod topic;
mod value;

pub use broker::{Config, FetchPath, Loaded, Validation};
pub use change::{BrokerChange, ChangeError};
pub use error::ConfigError;
pub(crate) use group::check_client_metrics;
pub use group::{GroupConfig, GroupConfigError};
pub use listeners::Listener;
pub use memory::{MemoryError, MemoryPlan, MemoryRow};
pub use settings::{Dynamic, Notice, Settings};
pub(crate) use topic::check_topic;
pub use topic::{TopicConfig, TopicConfigError};
pub(crate) use value::items;
pub use value::{ValueError, check};

#[cfg(test)]
mod dynamic_tests;
#[cfg(test)]
mod tests;
