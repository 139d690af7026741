//! Which values of a broker may be set while it runs.

use crate::config::broker::{PER_ADDRESS_OVERRIDES, per_address_overrides};
use crate::config::error::ConfigError;
use crate::config::key::{Key, Kind, State, Update};
use crate::config::settings::{Dynamic, Settings};
use crate::config::table::{broker_key, broker_keys};
use crate::config::value::{self, ValueError};

/// What changes of a broker's values are judged by.
#[derive(Clone, Copy, Debug)]
pub struct BrokerChange<'a> {
    /// The values that the broker was started with.
    pub settings: &'a Settings,
    /// Connections that memory and descriptors allow.
    pub connections_max: u32,
    /// The change is for this broker, not for all of them.
    pub of_one: bool,
}

/// Why values cannot be set while the broker runs. Texts that Kafka has are Kafka's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChangeError {
    /// Keys that are read at start only.
    #[error("Cannot update these configs dynamically: Set({0})")]
    ReadOnly(String),
    /// Keys of stores of certificates, which each listener has of its own.
    #[error(
        "These security configs can be dynamically updated only per-listener using the listener \
         prefix: Set({0})"
    )]
    Security(String),
    /// Keys that differ from broker to broker.
    #[error(
        "Cannot update these configs at default cluster level, broker id must be specified: \
         Set({0})"
    )]
    PerBroker(String),
    /// A value of the wrong type or out of bounds.
    #[error("{0}")]
    Value(#[from] ValueError),
    /// A value that cannot be read.
    #[error("{0}")]
    Unreadable(#[from] ConfigError),
    /// A value that asks for what cannot be kept.
    #[error("{key}={value} is refused: {why}")]
    Refused {
        /// The key.
        key: String,
        /// What was asked; a secret is hidden.
        value: String,
        /// Why it cannot be kept.
        why: &'static str,
    },
    /// More connections than there is room for.
    #[error(
        "Invalid value {value} for configuration max.connections: this broker has room for 1 to \
         {max}, by logmill.memory.bytes and the limit on descriptors"
    )]
    Connections {
        /// What was asked.
        value: String,
        /// What there is room for.
        max: u32,
    },
}

impl BrokerChange<'_> {
    /// Judges values that are new or changed, all of them together. Keys that neither Kafka nor
    /// Logmill has are kept without effect, as Kafka keeps them for whoever may read them.
    ///
    /// # Errors
    /// What is wrong: names before types, types before bounds.
    pub fn check(&self, values: &Dynamic) -> Result<(), ChangeError> {
        let named = |is_meant: &dyn Fn(&str) -> bool| {
            let names: Vec<&str> = values.keys().map(String::as_str).collect();
            let meant: Vec<&str> = names.into_iter().filter(|name| is_meant(name)).collect();
            (!meant.is_empty()).then(|| meant.join(", "))
        };
        let update = |name: &str| broker_key(name).map(|key| key.update);
        if let Some(names) = named(&|name| update(name) == Some(Update::ReadOnly)) {
            return Err(ChangeError::ReadOnly(names));
        }
        if let Some(names) = named(&|name| STORES.contains(&name)) {
            return Err(ChangeError::Security(names));
        }
        for (name, raw) in values {
            if let Some(key) = broker_key(name) {
                value::check(key, raw.trim())?;
            }
        }
        let is_per_broker = |name: &str| match update(name) {
            Some(update) => update == Update::PerBroker,
            None => name.starts_with(LISTENER),
        };
        if let Some(names) = named(&is_per_broker).filter(|_| !self.of_one) {
            return Err(ChangeError::PerBroker(names));
        }
        values
            .iter()
            .try_for_each(|(name, raw)| self.check_kept(name, raw.trim()))
    }

    /// Whether a value that is well-formed can be kept here.
    fn check_kept(&self, name: &str, raw: &str) -> Result<(), ChangeError> {
        let refuse = |value: &str, why| ChangeError::Refused {
            key: name.to_owned(),
            value: value.to_owned(),
            why,
        };
        let Some(key) = broker_key(name) else {
            return match is_of_listener(name) {
                true => Err(refuse("(hidden)", OF_LISTENER)),
                false => Ok(()),
            };
        };
        let stays = self.settings.raw(name) == Some(raw);
        match key.state {
            State::Refused(why) if !stays => Err(refuse(shown(key, raw), why)),
            State::Inert(why) if key.update == Update::PerBroker && !stays => {
                Err(refuse(shown(key, raw), why))
            }
            State::Honoured if key.update == Update::PerBroker && !stays => {
                Err(refuse(shown(key, raw), AT_START))
            }
            _ if name == PER_ADDRESS_OVERRIDES => Ok(per_address_overrides(raw).map(|_| ())?),
            _ if name == "max.connections" => self.check_connections(raw),
            _ => Ok(()),
        }
    }

    fn check_connections(&self, raw: &str) -> Result<(), ChangeError> {
        let max = self.connections_max;
        match raw.parse() {
            Ok(count) if (1..=max).contains(&count) => Ok(()),
            _ => Err(ChangeError::Connections {
                value: raw.to_owned(),
                max,
            }),
        }
    }
}

/// Whether it is a key that Kafka has, for one listener.
fn is_of_listener(name: &str) -> bool {
    let rest = name.strip_prefix(LISTENER);
    let key = rest.and_then(|rest| rest.split_once('.'));
    key.is_some_and(|(_, key)| {
        broker_keys().any(|known| {
            let before = key.strip_suffix(known.name);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    })
}

fn shown<'a>(key: &Key, raw: &'a str) -> &'a str {
    match key.kind {
        Kind::Password => "(hidden)",
        _ => raw,
    }
}

const OF_LISTENER: &str = "no listener has values of its own here";
const LISTENER: &str = "listener.name.";
const AT_START: &str = "listeners are opened at start: set it in the configuration file";

/// Keys that Kafka takes while it runs only with the prefix of a listener.
const STORES: &[&str] = &[
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];
