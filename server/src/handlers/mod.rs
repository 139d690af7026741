//! One file per API. A handler is given a [`RequestContext`] and a decoded request, and writes the
//! body of the answer; one that changes metadata first leaves a [`Suspended`] behind.

pub mod alter_configs;
pub mod api_versions;
mod authorized;
mod caller;
mod context;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_topics;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_topic_partitions;
pub mod fetch;
pub mod fetch_sessions;
pub mod find_coordinator;
pub mod groups;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod list_config_resources;
pub mod list_partition_reassignments;
pub mod lookup;
pub mod metadata;
pub mod produce;
pub mod sasl;

pub use caller::Caller;
pub use context::{BrokerIdentity, Planned, RequestContext, Suspended};

#[cfg(test)]
mod tests;
