//! The one table of configuration keys, by area.
//!
//! Everything that reads, checks, describes or documents a key reads it here: the loader, the
//! start-up screen, DescribeConfigs, CreateTopics and README's table.

use crate::config::key::Key;

mod cluster;
mod coordinators;
mod groups;
mod product;
mod security;
mod sockets;
mod storage;
mod tiering;
mod topics;
mod why;

/// Every key of a broker.
pub fn broker_keys() -> impl Iterator<Item = &'static Key> {
    BROKER_AREAS.iter().flat_map(|area| area.keys)
}

/// Every key of a topic.
pub fn topic_keys() -> impl Iterator<Item = &'static Key> {
    TOPIC_AREAS.iter().flat_map(|area| area.keys)
}

/// Every key of a group.
pub fn group_keys() -> impl Iterator<Item = &'static Key> {
    groups::KEYS.iter()
}

/// Every key of a subscription to client metrics.
pub fn client_metrics_keys() -> impl Iterator<Item = &'static Key> {
    groups::CLIENT_METRICS_KEYS.iter()
}

/// The broker's key of this name.
#[must_use]
pub fn broker_key(name: &str) -> Option<&'static Key> {
    broker_keys().find(|key| key.name == name)
}

/// The topic's key of this name.
#[must_use]
pub fn topic_key(name: &str) -> Option<&'static Key> {
    topic_keys().find(|key| key.name == name)
}

/// Keys that belong together, for README's table.
pub struct Area {
    /// What they are about.
    pub title: &'static str,
    /// Their rows.
    pub keys: &'static [Key],
}

/// Areas of broker keys.
pub const BROKER_AREAS: &[Area] = &[
    Area {
        title: "Logmill's own",
        keys: product::KEYS,
    },
    Area {
        title: "Listeners and requests",
        keys: sockets::KEYS,
    },
    Area {
        title: "Logs",
        keys: storage::KEYS,
    },
    Area {
        title: "Cluster",
        keys: cluster::KEYS,
    },
    Area {
        title: "Coordinators",
        keys: coordinators::KEYS,
    },
    Area {
        title: "Security",
        keys: security::KEYS,
    },
    Area {
        title: "Tiered storage",
        keys: tiering::KEYS,
    },
];

/// Areas of topic keys.
pub const TOPIC_AREAS: &[Area] = &[
    Area {
        title: "Logmill's own topic keys",
        keys: product::TOPIC_KEYS,
    },
    Area {
        title: "Topics",
        keys: topics::KEYS,
    },
];

/// Areas of keys that groups and client metrics subscriptions have.
pub const GROUP_AREAS: &[Area] = &[
    Area {
        title: "Groups",
        keys: groups::KEYS,
    },
    Area {
        title: "Client metrics subscriptions",
        keys: groups::CLIENT_METRICS_KEYS,
    },
];

/// Beginnings of keys that other software reads: set in Kafka's files, noted and left alone.
pub const FOREIGN_PREFIXES: &[&str] = &[
    "listener.name.",
    "rsm.config.",
    "rlmm.config.",
    "confluent.",
    "zookeeper.",
    "metrics.reporter.",
    "client.quota.callback.",
    "super.users",
    "allow.everyone.if.no.acl.found",
];
