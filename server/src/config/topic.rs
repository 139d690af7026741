//! A topic's configuration: its own values over the broker's.

use std::collections::BTreeMap;

use logmill_engine::format::compression::Codec;
use logmill_engine::log::{Durability, LogConfig, RetentionConfig, TimestampConfig, TimestampType};

use crate::config::key::State;
use crate::config::settings::Settings;
use crate::config::table::{topic_key, topic_keys};
use crate::config::value::{self, ValueError, items, parse_double};

/// Everything that is known of a topic's behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// What its logs act on.
    pub log: LogConfig,
    /// Replicas that must hold a record before acks=all is answered.
    pub min_insync_replicas: u32,
    /// How long tombstones are kept.
    pub delete_retention_ms: i64,
    /// Share of uncleaned bytes at which a log is cleaned.
    pub min_cleanable_dirty_ratio: f64,
    /// Age below which records are not compacted.
    pub min_compaction_lag_ms: i64,
    /// Age at which a log is cleaned whatever its ratio.
    pub max_compaction_lag_ms: i64,
}

/// Why a topic's configuration is not accepted (Kafka's INVALID_CONFIG).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TopicConfigError {
    /// No topic key has this name.
    #[error("Unknown topic config name: {0}")]
    Unknown(String),
    /// A key without a value.
    #[error("Null value not supported for topic configs: {0}")]
    Null(String),
    /// Records would have to be compacted before they may be.
    #[error(
        "conflict topic config setting min.compaction.lag.ms ({min}) > \
         max.compaction.lag.ms ({max})"
    )]
    CompactionLag {
        /// The shortest age.
        min: i64,
        /// The longest.
        max: i64,
    },
    /// A value of the wrong type or out of bounds.
    #[error("{0}")]
    Value(#[from] ValueError),
    /// A value that asks for what cannot be kept.
    #[error("{key}={value} is refused: {why}")]
    Refused {
        /// The key.
        key: &'static str,
        /// What was asked.
        value: String,
        /// Why it cannot be kept.
        why: &'static str,
    },
}

impl TopicConfig {
    /// The configuration of a topic with these values of its own.
    ///
    /// # Errors
    /// The first value that is not accepted.
    pub fn resolve(
        broker: &Settings,
        own: &BTreeMap<String, String>,
    ) -> Result<Self, TopicConfigError> {
        check_topic(own)?;
        Ok(Self::from_checked(&Values { broker, own }))
    }

    fn from_checked(values: &Values<'_>) -> Self {
        Self {
            log: log_config(values),
            min_insync_replicas: values.unsigned("min.insync.replicas"),
            delete_retention_ms: values.number("delete.retention.ms"),
            min_cleanable_dirty_ratio: values.double("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: values.number("min.compaction.lag.ms"),
            max_compaction_lag_ms: values.number("max.compaction.lag.ms"),
        }
    }
}

fn log_config(values: &Values<'_>) -> LogConfig {
    let policies = values.text("cleanup.policy");
    LogConfig {
        segment_bytes: match values.or_null("internal.segment.bytes") {
            Some(bytes) => u32::try_from(bytes.max(1)).unwrap_or(u32::MAX),
            None => values.unsigned("segment.bytes"),
        },
        segment_ms: values.number("segment.ms"),
        segment_jitter_ms: values.number("segment.jitter.ms"),
        segment_index_bytes: values.unsigned("segment.index.bytes"),
        index_interval_bytes: values.unsigned("index.interval.bytes"),
        max_message_bytes: values.unsigned("max.message.bytes"),
        compression: compression(values),
        compression_level: compression_level(values),
        timestamps: TimestampConfig {
            timestamp_type: match values.text("message.timestamp.type").as_str() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            before_max_ms: values.number("message.timestamp.before.max.ms"),
            after_max_ms: values.number("message.timestamp.after.max.ms"),
        },
        durability: match values.text("logmill.durability").as_str() {
            "written" => Durability::Written,
            _ => Durability::Synced,
        },
        flush_messages: values.number("flush.messages"),
        flush_ms: values.number("flush.ms"),
        file_delete_delay_ms: values.number("file.delete.delay.ms"),
        producer_id_expiration_ms: values.broker.number("producer.id.expiration.ms"),
        retention: RetentionConfig {
            delete: items(&policies).any(|policy| policy == "delete"),
            compact: items(&policies).any(|policy| policy == "compact"),
            retention_ms: values.number("retention.ms"),
            retention_bytes: values.number("retention.bytes"),
        },
        ..LogConfig::default()
    }
}

/// Checks all values of a topic's own.
///
/// # Errors
/// The first value that is not accepted, unknown names before wrong values, or two that contradict
/// each other.
pub(crate) fn check_topic(own: &BTreeMap<String, String>) -> Result<(), TopicConfigError> {
    for name in own.keys() {
        if topic_key(name).is_none() {
            return Err(TopicConfigError::Unknown(name.clone()));
        }
    }
    for (name, raw) in own {
        check(name, raw)?;
    }
    let lag = |name: &str, default: i64| {
        let own = own.get(name).and_then(|raw| raw.trim().parse().ok());
        own.unwrap_or(default)
    };
    let (min, max) = (
        lag("min.compaction.lag.ms", 0),
        lag("max.compaction.lag.ms", i64::MAX),
    );
    if min > max {
        return Err(TopicConfigError::CompactionLag { min, max });
    }
    Ok(())
}

fn check(name: &str, raw: &str) -> Result<(), TopicConfigError> {
    let key = topic_key(name).ok_or_else(|| TopicConfigError::Unknown(name.to_owned()))?;
    let raw = raw.trim();
    value::check(key, raw)?;
    match key.state {
        State::Refused(why) if !raw.eq_ignore_ascii_case(key.default.unwrap_or_default()) => {
            Err(TopicConfigError::Refused {
                key: key.name,
                value: raw.to_owned(),
                why,
            })
        }
        _ => Ok(()),
    }
}

/// The broker's value that a topic's key takes where the topic has none of its own.
#[must_use]
pub(crate) fn broker_default(broker: &Settings, name: &str) -> Option<String> {
    const HOUR_MS: i64 = 3_600_000;
    let derived = match name {
        "retention.ms" => broker
            .number_or_null("log.retention.ms")
            .or_else(|| {
                broker
                    .number_or_null("log.retention.minutes")
                    .map(minutes_to_ms)
            })
            .unwrap_or_else(|| hours_to_ms(broker.number("log.retention.hours"))),
        "segment.ms" => broker
            .number_or_null("log.roll.ms")
            .unwrap_or_else(|| broker.number("log.roll.hours") * HOUR_MS),
        "segment.jitter.ms" => broker
            .number_or_null("log.roll.jitter.ms")
            .unwrap_or_else(|| broker.number("log.roll.jitter.hours") * HOUR_MS),
        "flush.ms" => broker
            .number_or_null("log.flush.interval.ms")
            .unwrap_or_else(|| broker.number("log.flush.scheduler.interval.ms")),
        _ => {
            let key = topic_keys().find(|key| key.name == name)?;
            return match key.synonym {
                Some(synonym) => broker.raw(synonym).map(str::to_owned),
                None => key.default.map(str::to_owned),
            };
        }
    };
    Some(derived.to_string())
}

fn minutes_to_ms(minutes: i64) -> i64 {
    if minutes < 0 { -1 } else { minutes * 60_000 }
}

fn hours_to_ms(hours: i64) -> i64 {
    minutes_to_ms(hours.saturating_mul(60))
}

/// The codec that batches are stored in; none is the producer's own.
fn compression(values: &Values<'_>) -> Option<Codec> {
    match values.text("compression.type").as_str() {
        "uncompressed" => Some(Codec::None),
        "gzip" => Some(Codec::Gzip),
        "snappy" => Some(Codec::Snappy),
        "lz4" => Some(Codec::Lz4),
        "zstd" => Some(Codec::Zstd),
        _ => None,
    }
}

/// The level of that codec, where it has any.
fn compression_level(values: &Values<'_>) -> Option<i32> {
    let key = match compression(values)? {
        Codec::Gzip => "compression.gzip.level",
        Codec::Lz4 => "compression.lz4.level",
        Codec::Zstd => "compression.zstd.level",
        Codec::None | Codec::Snappy => return None,
    };
    i32::try_from(values.number(key)).ok()
}

/// Checked values: a topic's own over the broker's.
struct Values<'a> {
    broker: &'a Settings,
    own: &'a BTreeMap<String, String>,
}

impl Values<'_> {
    fn raw(&self, name: &str) -> Option<String> {
        match self.own.get(name) {
            Some(value) => Some(value.trim().to_owned()),
            None => broker_default(self.broker, name),
        }
    }

    fn text(&self, name: &str) -> String {
        self.raw(name).unwrap_or_default()
    }

    fn or_null(&self, name: &str) -> Option<i64> {
        self.raw(name)
            .map(|raw| raw.parse().expect("checked against the table"))
    }

    fn number(&self, name: &str) -> i64 {
        self.or_null(name)
            .unwrap_or_else(|| panic!("{name} has no default"))
    }

    fn unsigned(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).expect("bounded below by 0 in the table")
    }

    fn double(&self, name: &str) -> f64 {
        parse_double(&self.text(name)).expect("checked against the table")
    }
}
