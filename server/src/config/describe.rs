//! Effective values with their sources, as DescribeConfigs and CreateTopics tell them.

use std::collections::BTreeSet;

use crate::config::key::{Key, Kind, Update};
use crate::config::settings::{Dynamic, Settings};
use crate::config::table::{broker_key, broker_keys, client_metrics_keys, group_keys, topic_keys};
use crate::config::topic::broker_default;
use crate::config::value;

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
    /// A client metrics subscription's own.
    ClientMetrics = 7,
    /// The group's own.
    Group = 8,
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

/// Every key of the broker that DescribeConfigs lists; `node_id` stands for both of its keys.
pub fn broker_entries(settings: &Settings, node_id: i32) -> impl Iterator<Item = Entry> {
    broker_keys().filter(|key| !key.internal).map(move |key| {
        let mut synonyms = broker_synonyms(settings, key);
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
pub fn cluster_entries(settings: &Settings) -> impl Iterator<Item = Entry> {
    broker_keys()
        .filter(|key| !key.internal)
        .filter_map(move |key| {
            let value = settings.of_all_brokers(key.name)?;
            Some(entry(key, vec![synonym(key, value, Source::AllBrokers)]))
        })
}

/// A key of no table that was set while the broker ran. Nobody here knows what it is, so that its
/// value is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEntry {
    /// The key.
    pub name: String,
    /// Where it has values, the first one first.
    pub sources: Vec<Source>,
}

/// The keys of no table, set for one broker and for all of them.
pub fn unknown_entries(own: &Dynamic, all: &Dynamic) -> Vec<UnknownEntry> {
    let names: BTreeSet<&String> = own.keys().chain(all.keys()).collect();
    let unknown = names.into_iter().filter(|name| broker_key(name).is_none());
    let layers = [(own, Source::Broker), (all, Source::AllBrokers)];
    let entry = |name: &String| UnknownEntry {
        name: name.clone(),
        sources: layers
            .iter()
            .filter(|(values, _)| values.contains_key(name))
            .map(|(_, source)| *source)
            .collect(),
    };
    unknown.map(entry).collect()
}

/// Every key of a topic that DescribeConfigs lists.
pub fn topic_entries(settings: &Settings, topic: &Dynamic) -> impl Iterator<Item = Entry> {
    topic_keys().filter(|key| !key.internal).map(move |key| {
        let mut synonyms = Vec::new();
        if let Some(raw) = topic.get(key.name) {
            let value = value::normal(key.kind, raw);
            synonyms.push(synonym(key, &value, Source::Topic));
        }
        if let Some(broker) = key.synonym.and_then(broker_key) {
            synonyms.extend(broker_synonyms(settings, broker));
        }
        let mut entry = entry(key, synonyms);
        if entry.value.is_none() {
            entry.value = broker_default(settings, key.name);
        }
        entry
    })
}

/// Every key of a group that DescribeConfigs lists. What a broker's key gives a group as its
/// default has no synonym of its own, in Kafka either.
pub fn group_entries(settings: &Settings, group: &Dynamic) -> impl Iterator<Item = Entry> {
    group_keys().map(move |key| {
        let (raw, source) = match group.get(key.name) {
            Some(raw) => (Some(raw.as_str()), Source::Group),
            None => (group_default(settings, key), Source::Default),
        };
        let value = raw.map(|raw| value::normal(key.kind, raw));
        let synonyms = value.iter().map(|value| synonym(key, value, source));
        entry(key, synonyms.collect())
    })
}

/// Every key of a client metrics subscription that DescribeConfigs lists.
pub fn client_metrics_entries(subscription: &Dynamic) -> impl Iterator<Item = Entry> {
    client_metrics_keys().map(move |key| match subscription.get(key.name) {
        Some(raw) => {
            let value = value::normal(key.kind, raw);
            entry(key, vec![synonym(key, &value, Source::ClientMetrics)])
        }
        None => Entry {
            value: key.default.map(str::to_owned),
            ..entry(key, Vec::new())
        },
    })
}

/// The value of a group's key that a group has which says nothing of its own.
pub(crate) fn group_default<'a>(settings: &'a Settings, key: &Key) -> Option<&'a str> {
    match key.synonym {
        Some(broker_key) => settings.raw(broker_key),
        None => key.default,
    }
}

/// All values that a broker's key could have, the effective one first: by source, and within one
/// the finer unit before the coarser. Values of coarser units alone are not told of a finer one,
/// as Kafka has it.
fn broker_synonyms(settings: &Settings, key: &'static Key) -> Vec<Synonym> {
    let same = [key.name];
    let names = UNITS
        .iter()
        .find(|names| names.contains(&key.name))
        .copied()
        .unwrap_or(&same);
    let keys = || names.iter().filter_map(|name| broker_key(name));
    type Layer = fn(&Settings, &'static Key) -> Option<String>;
    let layers: [(Layer, Source); 4] = [
        (
            |it, key| it.of_broker(key.name).map(str::to_owned),
            Source::Broker,
        ),
        (
            |it, key| it.of_all_brokers(key.name).map(str::to_owned),
            Source::AllBrokers,
        ),
        (
            |it, key| it.explicit(key.name).map(str::to_owned),
            Source::Static,
        ),
        (|_, key| key.default.map(str::to_owned), Source::Default),
    ];
    layers
        .iter()
        .flat_map(|(value, source)| {
            keys().filter_map(|key| Some(synonym(key, &value(settings, key)?, *source)))
        })
        .skip_while(|synonym| synonym.name != key.name)
        .collect()
}

fn synonym(key: &'static Key, value: &str, source: Source) -> Synonym {
    Synonym {
        name: key.name,
        value: (key.kind != Kind::Password).then(|| value.to_owned()),
        source,
    }
}

fn entry(key: &'static Key, synonyms: Vec<Synonym>) -> Entry {
    let (value, source) = match synonyms.first() {
        Some(first) => (first.value.as_deref(), first.source),
        None => (None, Source::Default),
    };
    Entry {
        key,
        value: value.map(|value| value::normal(key.kind, value)),
        source,
        synonyms,
    }
}

/// Broker keys that say one thing, the one that goes before the other first: most in several
/// units.
const UNITS: &[&[&str]] = &[
    &[
        "log.retention.ms",
        "log.retention.minutes",
        "log.retention.hours",
    ],
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
];
