//! Effective values with their sources, as DescribeConfigs and CreateTopics tell them.

use std::collections::BTreeMap;

use crate::config::key::{Key, Kind, Update};
use crate::config::settings::Settings;
use crate::config::table::{broker_key, broker_keys, topic_keys};
use crate::config::topic::broker_default;

/// Where a value comes from, by DescribeConfigs' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The topic's own.
    Topic = 1,
    /// Set for this broker while it ran.
    Broker = 2,
    /// Set for all brokers while they ran.
    AllBrokers = 3,
    /// The configuration file or `--set`.
    Static = 4,
    /// The table.
    Default = 5,
    /// A log level.
    Logger = 6,
}

/// A key with its effective value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its row.
    pub key: &'static Key,
    /// Its value; `None` is null, and so is every secret.
    pub value: Option<String>,
    /// Where that comes from.
    pub source: Source,
    /// All values that it could have had, the effective one first.
    pub synonyms: Vec<Synonym>,
}

/// A value that a key has from one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Synonym {
    /// The key that it was given to.
    pub name: &'static str,
    /// The value; a secret is `None`.
    pub value: Option<String>,
    /// The source.
    pub source: Source,
}

/// Values set while the broker runs, by key.
pub type Dynamic = BTreeMap<String, String>;

impl Entry {
    /// Whether its value is never told.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.key.kind == Kind::Password
    }

    /// Whether it can only change at a start.
    #[must_use]
    pub fn is_read_only(&self, of_broker: bool) -> bool {
        of_broker && self.key.update == Update::ReadOnly
    }
}

/// Every key of the broker that DescribeConfigs lists. `own` and `all` are what was set for this
/// broker and for all of them while they ran; `node_id` stands for both of its keys.
pub fn broker_entries(
    settings: &Settings,
    own: &Dynamic,
    all: &Dynamic,
    node_id: i32,
) -> impl Iterator<Item = Entry> {
    broker_keys().filter(|key| !key.internal).map(move |key| {
        let mut synonyms = broker_synonyms(settings, own, all, key);
        // The number is one, under whichever name it was given; Kafka has no default for it.
        if matches!(key.name, "node.id" | "broker.id") {
            let value = Some(node_id.to_string());
            let default = (key.name == "broker.id").then_some(Source::Default);
            synonyms.retain(|synonym| Some(synonym.source) == default);
            let given = Synonym {
                name: key.name,
                value,
                source: Source::Static,
            };
            synonyms.insert(0, given);
        }
        entry(key, synonyms)
    })
}

/// Values that were set for all brokers while they ran.
pub fn cluster_entries(all: &Dynamic) -> impl Iterator<Item = Entry> {
    broker_keys()
        .filter(|key| !key.internal)
        .filter_map(move |key| {
            let value = all.get(key.name)?;
            Some(entry(key, vec![synonym(key, value, Source::AllBrokers)]))
        })
}

/// Every key of a topic that DescribeConfigs lists.
pub fn topic_entries(
    settings: &Settings,
    topic: &Dynamic,
    own: &Dynamic,
    all: &Dynamic,
) -> impl Iterator<Item = Entry> {
    topic_keys().filter(|key| !key.internal).map(move |key| {
        let mut synonyms = Vec::new();
        if let Some(value) = topic.get(key.name) {
            synonyms.push(synonym(key, value, Source::Topic));
        }
        if let Some(broker) = key.synonym.and_then(broker_key) {
            synonyms.extend(broker_synonyms(settings, own, all, broker));
        }
        let mut entry = entry(key, synonyms);
        if entry.value.is_none() {
            entry.value = broker_default(settings, key.name);
        }
        entry
    })
}

fn broker_synonyms(
    settings: &Settings,
    own: &Dynamic,
    all: &Dynamic,
    key: &'static Key,
) -> Vec<Synonym> {
    let values = [
        (own.get(key.name).map(String::as_str), Source::Broker),
        (all.get(key.name).map(String::as_str), Source::AllBrokers),
        (settings.explicit(key.name), Source::Static),
        (key.default, Source::Default),
    ];
    values
        .into_iter()
        .filter_map(|(value, source)| value.map(|value| synonym(key, value, source)))
        .collect()
}

fn synonym(key: &'static Key, value: &str, source: Source) -> Synonym {
    let value = match key.kind {
        Kind::Password => None,
        Kind::Boolean => Some(value.to_ascii_lowercase()),
        _ => Some(value.to_owned()),
    };
    Synonym {
        name: key.name,
        value,
        source,
    }
}

fn entry(key: &'static Key, synonyms: Vec<Synonym>) -> Entry {
    let (value, source) = match synonyms.first() {
        Some(first) => (first.value.clone(), first.source),
        None => (None, Source::Default),
    };
    Entry {
        key,
        value,
        source,
        synonyms,
    }
}
