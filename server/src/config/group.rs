//! A group's configuration, and a client metrics subscription's: their own values over the
//! broker's.

use crate::config::describe::group_default;
use crate::config::settings::{Dynamic, Settings};
use crate::config::table::{client_metrics_keys, group_keys};
use crate::config::value::{self, ValueError, items};

/// What a coordinator gives the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `consumer.session.timeout.ms`.
    pub consumer_session_timeout_ms: i32,
    /// `consumer.heartbeat.interval.ms`.
    pub consumer_heartbeat_interval_ms: i32,
}

/// Why values of a group, or of a subscription, are not accepted. The texts are Kafka's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GroupConfigError {
    /// No key of a group has this name.
    #[error("Unknown group config name: {0}")]
    Unknown(String),
    /// A value of the wrong type or out of its own bounds.
    #[error("{0}")]
    Value(#[from] ValueError),
    /// A value on the wrong side of another.
    #[error("{key} must be {relation} {other}")]
    Order {
        /// The key.
        key: &'static str,
        /// How it should stand to the other.
        relation: &'static str,
        /// The other key.
        other: String,
    },
    /// No key of a subscription has this name.
    #[error("Unknown client metrics configuration: {0}")]
    UnknownMetrics(String),
    /// A subscription's interval.
    #[error("Invalid value {0} for interval.ms, interval must be between 100 and 3600000 (1 hour)")]
    Interval(i64),
    /// Which clients a subscription is for.
    #[error("Illegal client matching pattern: {0}")]
    Match(String),
}

impl GroupConfig {
    /// The configuration of a group with these values of its own, each within the broker's bounds.
    #[must_use]
    pub fn resolve(broker: &Settings, own: &Dynamic) -> Self {
        let number = |name| {
            let bounded = bounded(broker, own, name);
            i32::try_from(bounded).unwrap_or(i32::MAX)
        };
        Self {
            consumer_session_timeout_ms: number("consumer.session.timeout.ms"),
            consumer_heartbeat_interval_ms: number("consumer.heartbeat.interval.ms"),
        }
    }

    /// Checks all values of a group's own, alone and beside the broker's.
    ///
    /// # Errors
    /// The first value that is not accepted, unknown names first.
    pub fn check(broker: &Settings, own: &Dynamic) -> Result<(), GroupConfigError> {
        for name in own.keys() {
            if group_keys().all(|key| key.name != name) {
                return Err(GroupConfigError::Unknown(name.clone()));
            }
        }
        for key in group_keys() {
            if let Some(raw) = own.get(key.name) {
                value::check(key, raw.trim())?;
            }
        }
        for (key, least, most) in BOUNDED {
            let bounds = [
                (*least, "greater than or equal to", false),
                (*most, "less than or equal to", true),
            ];
            for (other, relation, above) in bounds {
                let Some(bound) = other.map(|other| broker.number(other)) else {
                    continue;
                };
                let value = effective(broker, own, key);
                if (above && value > bound) || (!above && value < bound) {
                    let other = other.unwrap_or_default().to_owned();
                    return Err(GroupConfigError::Order {
                        key,
                        relation,
                        other,
                    });
                }
            }
        }
        for (session, heartbeat) in ORDERED {
            if effective(broker, own, session) <= effective(broker, own, heartbeat) {
                return Err(GroupConfigError::Order {
                    key: session,
                    relation: "greater than",
                    other: (*heartbeat).to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Checks all values of a client metrics subscription.
///
/// # Errors
/// The first value that is not accepted, unknown names first.
pub(crate) fn check_client_metrics(own: &Dynamic) -> Result<(), GroupConfigError> {
    for name in own.keys() {
        if client_metrics_keys().all(|key| key.name != name) {
            return Err(GroupConfigError::UnknownMetrics(name.clone()));
        }
    }
    for key in client_metrics_keys() {
        if let Some(raw) = own.get(key.name) {
            value::check(key, raw.trim())?;
        }
    }
    let interval = own.get("interval.ms").map(|raw| raw.trim().parse());
    if let Some(Ok(interval)) = interval
        && !(100..=3_600_000).contains(&interval)
    {
        return Err(GroupConfigError::Interval(interval));
    }
    let patterns = own.get("match").map(String::as_str).unwrap_or_default();
    for pattern in items(patterns) {
        let parts: Vec<&str> = pattern.split('=').collect();
        let is_good = match parts.as_slice() {
            [attribute, wanted] => MATCHED.contains(&attribute.trim()) && !wanted.is_empty(),
            _ => false,
        };
        if !is_good {
            return Err(GroupConfigError::Match(pattern.to_owned()));
        }
    }
    Ok(())
}

/// A value as it was set, or the broker's.
fn effective(broker: &Settings, own: &Dynamic, name: &str) -> i64 {
    let key = group_keys().find(|key| key.name == name);
    let raw = match own.get(name) {
        Some(raw) => Some(raw.trim()),
        None => key.and_then(|key| group_default(broker, key)),
    };
    raw.and_then(|raw| raw.parse().ok())
        .unwrap_or_else(|| panic!("{name} has a number"))
}

/// The same inside the bounds that the broker has now, which may be narrower than they were.
fn bounded(broker: &Settings, own: &Dynamic, name: &str) -> i64 {
    let value = effective(broker, own, name);
    let Some((_, least, most)) = BOUNDED.iter().find(|(key, ..)| *key == name) else {
        return value;
    };
    let value = most.map_or(value, |most| value.min(broker.number(most)));
    least.map_or(value, |least| value.max(broker.number(least)))
}

type Bounded = (&'static str, Option<&'static str>, Option<&'static str>);

/// Keys of a group with the broker's keys that bound them below and above.
const BOUNDED: &[Bounded] = &[
    (
        "consumer.heartbeat.interval.ms",
        Some("group.consumer.min.heartbeat.interval.ms"),
        Some("group.consumer.max.heartbeat.interval.ms"),
    ),
    (
        "consumer.session.timeout.ms",
        Some("group.consumer.min.session.timeout.ms"),
        Some("group.consumer.max.session.timeout.ms"),
    ),
    (
        "share.heartbeat.interval.ms",
        Some("group.share.min.heartbeat.interval.ms"),
        Some("group.share.max.heartbeat.interval.ms"),
    ),
    (
        "share.session.timeout.ms",
        Some("group.share.min.session.timeout.ms"),
        Some("group.share.max.session.timeout.ms"),
    ),
    (
        "share.record.lock.duration.ms",
        Some("group.share.min.record.lock.duration.ms"),
        Some("group.share.max.record.lock.duration.ms"),
    ),
    (
        "streams.heartbeat.interval.ms",
        Some("group.streams.min.heartbeat.interval.ms"),
        Some("group.streams.max.heartbeat.interval.ms"),
    ),
    (
        "streams.session.timeout.ms",
        Some("group.streams.min.session.timeout.ms"),
        Some("group.streams.max.session.timeout.ms"),
    ),
    (
        "streams.num.standby.replicas",
        None,
        Some("group.streams.max.standby.replicas"),
    ),
];

/// A member must have time for more than one heartbeat.
const ORDERED: &[(&str, &str)] = &[
    (
        "consumer.session.timeout.ms",
        "consumer.heartbeat.interval.ms",
    ),
    ("share.session.timeout.ms", "share.heartbeat.interval.ms"),
    (
        "streams.session.timeout.ms",
        "streams.heartbeat.interval.ms",
    ),
];

/// What a subscription may match clients by (KIP-714).
const MATCHED: &[&str] = &[
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];
