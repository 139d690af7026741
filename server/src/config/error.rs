//! What can be wrong with a configuration, each with the way out.

use crate::config::value::ValueError;

/// A configuration that the broker does not start with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The file is not in Kafka's properties format.
    #[error("the configuration file is not a properties file: {0}")]
    Syntax(String),
    /// A key that neither Kafka nor Logmill has.
    #[error("unknown key {key}{}", suggestion(*.nearest))]
    Unknown {
        /// The key as it was written.
        key: String,
        /// The most similar key there is, when one is similar.
        nearest: Option<&'static str>,
    },
    /// A value of the wrong type or outside its bounds.
    #[error("{0}")]
    Value(#[from] ValueError),
    /// A value that asks for what cannot be kept.
    #[error("{key}={value} is refused: {why} (leave it out, or set it to {default:?})")]
    Refused {
        /// The key.
        key: &'static str,
        /// The value that was set.
        value: String,
        /// Why it cannot be kept.
        why: &'static str,
        /// The only value that is accepted.
        default: &'static str,
    },
    /// Something in `listeners` or the keys around it.
    #[error("{key}: {what}")]
    Listener {
        /// The key that is at fault.
        key: &'static str,
        /// What is wrong with it, and the way out.
        what: String,
    },
    /// Two keys that contradict each other, or a value that another key forbids.
    #[error("{key}: {what}")]
    Conflict {
        /// The key to change.
        key: &'static str,
        /// What it contradicts, and the way out.
        what: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(": did you mean {name}?"))
        .unwrap_or_default()
}
