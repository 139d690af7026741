//! The values that a file and `--set` gave, checked against the table, and what to say of them.

use std::collections::BTreeMap;

use crate::config::error::ConfigError;
use crate::config::key::{Key, State};
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

/// Broker values as they were written, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    explicit: BTreeMap<&'static str, String>,
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

    /// The value that was written, if one was.
    #[must_use]
    pub fn explicit(&self, name: &str) -> Option<&str> {
        self.explicit.get(name).map(String::as_str)
    }

    /// The value written or else the default; `None` is Kafka's null.
    ///
    /// # Panics
    /// When the table has no such key: a mistake in the code that asks.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        if let Some(value) = self.explicit.get(name) {
            return Some(value);
        }
        let key = broker_key(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        key.default
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> i64 {
        self.number_or_null(name)
            .unwrap_or_else(|| panic!("{name} has no default"))
    }

    /// The number of a key that was checked when it was read, `None` where it is null.
    pub(super) fn number_or_null(&self, name: &str) -> Option<i64> {
        self.raw(name)
            .map(|raw| raw.parse().expect("checked against the table"))
    }

    pub(super) fn int(&self, name: &str) -> i32 {
        i32::try_from(self.number(name)).expect("an int or a short in the table")
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        parse_boolean(self.text(name)).expect("checked against the table")
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        items(self.text(name)).map(str::to_owned).collect()
    }
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

/// The nearest name is offered when at most a third of it would have to change.
fn unknown(key: String) -> ConfigError {
    let nearest = broker_keys()
        .map(|known| (strsim::damerau_levenshtein(&key, known.name), known.name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name);
    ConfigError::Unknown { key, nearest }
}
