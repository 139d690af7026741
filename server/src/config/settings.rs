//! The values that a file and `--set` gave, checked against the table, and what to say of them.

use std::collections::BTreeMap;

use crate::config::error::ConfigError;
use crate::config::key::{Key, State, Update};
use crate::config::table::{FOREIGN_PREFIXES, broker_key, broker_keys};
use crate::config::value::{self, items, parse_boolean};

/// Something the start-up screen says about the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The keys it is about.
    pub keys: Vec<String>,
    /// What is to be known of them.
    pub text: String,
}

/// Values set while the broker runs, by key.
pub type Dynamic = BTreeMap<String, String>;

/// Broker values by key, in layers: set for this broker while it ran, set for all brokers while
/// they ran, written at start. The first layer that has a key decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    explicit: BTreeMap<&'static str, String>,
    own: BTreeMap<&'static str, String>,
    all: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Reads a properties file and the pairs of `--set`, which win over it.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type or out of bounds, or a refused one.
    pub fn read(
        file: Option<&str>,
        sets: &[(String, String)],
    ) -> Result<(Self, Vec<Notice>), ConfigError> {
        let mut written = match file {
            Some(text) => properties(text)?,
            None => BTreeMap::new(),
        };
        written.extend(sets.iter().cloned());
        let mut settings = Self::default();
        let mut reasons: Vec<(&'static str, Vec<String>)> = Vec::new();
        let mut foreign = Vec::new();
        for (name, raw) in written {
            let raw = raw.trim();
            let Some(key) = broker_key(&name) else {
                if FOREIGN_PREFIXES
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                {
                    foreign.push(name);
                    continue;
                }
                return Err(unknown(name));
            };
            value::check(key, raw)?;
            match key.state {
                State::Honoured => {}
                State::Inert(why) => note(&mut reasons, why, key.name),
                State::Refused(why) => refuse(key, raw, why)?,
            }
            settings.explicit.insert(key.name, raw.to_owned());
        }
        let mut notices: Vec<Notice> = reasons
            .into_iter()
            .map(|(why, keys)| Notice {
                keys,
                text: format!("without effect: {why}"),
            })
            .collect();
        if !foreign.is_empty() {
            let text = "not read here: another product's or a plug-in's".to_owned();
            notices.push(Notice {
                keys: foreign,
                text,
            });
        }
        Ok((settings, notices))
    }

    /// The same values as written at start, under what was set for this broker and for all of them
    /// while they ran. What cannot be set so, or no longer holds, is left out, as Kafka does.
    #[must_use]
    pub fn with_dynamic(&self, own: &Dynamic, all: &Dynamic) -> Self {
        Self {
            explicit: self.explicit.clone(),
            own: layer(own, |update| update != Update::ReadOnly),
            all: layer(all, |update| update == Update::ClusterWide),
        }
    }

    /// The value that was written at start, if one was.
    #[must_use]
    pub fn explicit(&self, name: &str) -> Option<&str> {
        self.explicit.get(name).map(String::as_str)
    }

    /// The value that was set for this broker while it ran, if one was.
    #[must_use]
    pub fn of_broker(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str)
    }

    /// The value that was set for all brokers while they ran, if one was.
    #[must_use]
    pub fn of_all_brokers(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str)
    }

    /// The value that was set or written, or else the default; `None` is Kafka's null.
    ///
    /// # Panics
    /// When the table has no such key: a mistake in the code that asks.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        let set = self.of_broker(name).or_else(|| self.of_all_brokers(name));
        if let Some(value) = set.or_else(|| self.explicit(name)) {
            return Some(value);
        }
        let key = broker_key(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        key.default
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_default()
    }

    /// The value of a number.
    pub fn number(&self, name: &str) -> i64 {
        self.number_or_null(name)
            .unwrap_or_else(|| panic!("{name} has no default"))
    }

    /// The number of a key that was checked when it was read, `None` where it is null.
    pub(super) fn number_or_null(&self, name: &str) -> Option<i64> {
        self.raw(name)
            .map(|raw| raw.parse().expect("checked against the table"))
    }

    /// The value of an int or a short.
    pub fn int(&self, name: &str) -> i32 {
        i32::try_from(self.number(name)).expect("an int or a short in the table")
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        parse_boolean(self.text(name)).expect("checked against the table")
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        items(self.text(name)).map(str::to_owned).collect()
    }
}

fn layer(values: &Dynamic, may_be_set: fn(Update) -> bool) -> BTreeMap<&'static str, String> {
    values
        .iter()
        .filter_map(|(name, raw)| {
            let key = broker_key(name).filter(|key| may_be_set(key.update))?;
            value::check(key, raw.trim()).ok()?;
            Some((key.name, raw.trim().to_owned()))
        })
        .collect()
}

fn properties(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    java_properties::read(text.as_bytes())
        .map(|map| map.into_iter().collect())
        .map_err(|error| ConfigError::Syntax(error.to_string()))
}

fn note(reasons: &mut Vec<(&'static str, Vec<String>)>, why: &'static str, name: &str) {
    match reasons.iter_mut().find(|(known, _)| *known == why) {
        Some((_, keys)) => keys.push(name.to_owned()),
        None => reasons.push((why, vec![name.to_owned()])),
    }
}

fn refuse(key: &'static Key, raw: &str, why: &'static str) -> Result<(), ConfigError> {
    let default = key.default.unwrap_or_default();
    if raw.eq_ignore_ascii_case(default) {
        return Ok(());
    }
    let value = if key.kind == super::key::Kind::Password {
        "(hidden)"
    } else {
        raw
    };
    Err(ConfigError::Refused {
        key: key.name,
        value: value.to_owned(),
        why,
        default,
    })
}

fn unknown(key: String) -> ConfigError {
    let nearest = nearest(&key);
    ConfigError::Unknown { key, nearest }
}

/// The key whose name is the most similar, when at most a third of it would have to change.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    broker_keys()
        .map(|known| (strsim::damerau_levenshtein(name, known.name), known.name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}
