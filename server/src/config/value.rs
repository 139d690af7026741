//! Checks a written value against its key's type and bounds.

use crate::config::key::{Bounds, Key, Kind};

/// A value of the wrong type or outside its bounds. The texts are Kafka's: its tools and scripts
/// around them look for these.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValueError {
    /// It cannot be read as the key's type.
    #[error("Invalid value {value} for configuration {key}: {}", type_in_words(*.kind))]
    Type {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// The type that is asked for.
        kind: Kind,
    },
    /// It can be read, and is not allowed.
    #[error("Invalid value {value} for configuration {key}: {rule}")]
    Bounds {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// What is allowed, in words.
        rule: String,
    },
}

/// Checks `raw` (already trimmed) for `key`.
///
/// # Errors
/// Says whether the type or the bounds are at fault, and names them.
pub fn check(key: &'static Key, raw: &str) -> Result<(), ValueError> {
    let bad_type = || ValueError::Type {
        key: key.name,
        value: shown(key, raw),
        kind: key.kind,
    };
    let number = match key.kind {
        Kind::Boolean => return parse_boolean(raw).map(|_| ()).ok_or_else(bad_type),
        Kind::Short => Some(raw.parse::<i16>().map(i64::from).map_err(|_| bad_type())?),
        Kind::Int => Some(raw.parse::<i32>().map(i64::from).map_err(|_| bad_type())?),
        Kind::Long => Some(raw.parse::<i64>().map_err(|_| bad_type())?),
        Kind::Double => {
            parse_double(raw).ok_or_else(bad_type)?;
            None
        }
        Kind::String | Kind::List | Kind::Class | Kind::Password => None,
    };
    match broken_rule(key, number, raw) {
        None => Ok(()),
        Some((value, rule)) => Err(ValueError::Bounds {
            key: key.name,
            value,
            rule,
        }),
    }
}

/// A checked value as DescribeConfigs shows it: read and written again.
#[must_use]
pub fn normal(kind: Kind, raw: &str) -> String {
    let raw = raw.trim();
    match kind {
        Kind::Boolean => raw.to_ascii_lowercase(),
        Kind::Short | Kind::Int | Kind::Long => raw
            .parse::<i64>()
            .map_or_else(|_| raw.to_owned(), |number| number.to_string()),
        Kind::Double => parse_double(raw).map_or_else(|| raw.to_owned(), as_java_double),
        Kind::List => items(raw).collect::<Vec<_>>().join(","),
        Kind::String | Kind::Class | Kind::Password => raw.to_owned(),
    }
}

/// As Java writes a double: with a point always, with an exponent where it is far from 1.
fn as_java_double(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// The items of a list, without the spaces around them; an empty text is an empty list.
pub fn items(raw: &str) -> impl Iterator<Item = &str> {
    let whole = raw.trim();
    whole
        .split(',')
        .map(str::trim)
        .filter(move |_| !whole.is_empty())
}

/// `true` and `false` in any case, as Kafka reads them.
#[must_use]
pub fn parse_boolean(raw: &str) -> Option<bool> {
    if raw.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    raw.eq_ignore_ascii_case("false").then_some(false)
}

/// A finite decimal number.
#[must_use]
pub fn parse_double(raw: &str) -> Option<f64> {
    raw.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// What a key's bounds allow, in words; empty where they allow everything.
#[must_use]
pub fn in_words(bounds: Bounds) -> String {
    match bounds {
        Bounds::Any => String::new(),
        Bounds::NotEmpty => "not empty".to_owned(),
        Bounds::AtLeast(min) => format!("at least {min}"),
        Bounds::Between(min, max) => format!("{min} to {max}"),
        Bounds::MinusOneOrBetween(min, max) => format!("-1 or {min} to {max}"),
        Bounds::Ratio(min, max) => format!("{min} to {max}"),
        Bounds::OneOf(words) | Bounds::OneOfAnyCase(words) => {
            format!("one of {}", words.join(", "))
        }
        Bounds::EachOf(words) => format!("a list of {}", words.join(", ")),
        Bounds::Replicas => "* or a list of partition:broker".to_owned(),
        Bounds::OffsetReset => "earliest, latest or by_duration:<ISO 8601 duration>".to_owned(),
    }
}

/// What of the value breaks the key's bounds, and which rule, in Kafka's words.
fn broken_rule(key: &Key, number: Option<i64>, raw: &str) -> Option<(String, String)> {
    let whole = || shown(key, raw);
    let too_small = |min: &dyn std::fmt::Display| format!("Value must be at least {min}");
    let too_large = |max: &dyn std::fmt::Display| format!("Value must be no more than {max}");
    match (key.bounds, number) {
        (Bounds::NotEmpty, _) if raw.is_empty() => {
            Some((whole(), "String must be non-empty".to_owned()))
        }
        (Bounds::AtLeast(min) | Bounds::Between(min, _), Some(n)) if n < min => {
            Some((whole(), too_small(&min)))
        }
        (Bounds::Between(_, max), Some(n)) if n > max => Some((whole(), too_large(&max))),
        (Bounds::MinusOneOrBetween(min, max), Some(n)) if n != -1 && !(min..=max).contains(&n) => {
            let rule = format!("Value must be between {min} and {max} or equal to -1");
            Some((whole(), rule))
        }
        (Bounds::Ratio(min, max), _) => match parse_double(raw) {
            Some(n) if n < min => Some((format!("{n:?}"), too_small(&min))),
            Some(n) if n > max => Some((format!("{n:?}"), too_large(&max))),
            _ => None,
        },
        (Bounds::OneOf(words), _) if !words.contains(&raw) => Some((whole(), one_of(words))),
        (Bounds::OneOfAnyCase(words), _) if !words.iter().any(|w| w.eq_ignore_ascii_case(raw)) => {
            let words = words.join(", ");
            let rule = format!("String must be one of (case insensitive): {words}");
            Some((whole(), rule))
        }
        (Bounds::EachOf(words), _) => items(raw)
            .find(|item| !words.contains(item))
            .map(|item| (item.to_owned(), one_of(words))),
        (Bounds::Replicas, _) if raw != "*" && !items(raw).all(is_partition_and_broker) => {
            let form = "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
            let rule = format!(
                "{} must be the literal '*' or a list of replicas in the following format: {form}",
                key.name
            );
            Some((
                format!("[{}]", items(raw).collect::<Vec<_>>().join(", ")),
                rule,
            ))
        }
        (Bounds::OffsetReset, _) if !is_offset_reset(raw) => {
            let rule = format!(
                "Invalid value `{raw}` for configuration {}. The value must be either 'earliest', \
                 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
                key.name
            );
            Some((whole(), rule))
        }
        _ => None,
    }
}

fn one_of(words: &[&str]) -> String {
    format!("String must be one of: {}", words.join(", "))
}

fn type_in_words(kind: Kind) -> String {
    match kind {
        Kind::Boolean => "Expected value to be either true or false".to_owned(),
        kind => format!("Not a number of type {}", kind.name().to_ascii_uppercase()),
    }
}

fn is_offset_reset(raw: &str) -> bool {
    let duration = raw.strip_prefix("by_duration:");
    matches!(raw, "earliest" | "latest") || duration.is_some_and(is_duration)
}

/// A duration of ISO 8601 without months and years, not negative: `P1DT2H3M4.5S`.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix(['P', 'p']) else {
        return false;
    };
    let (days, time) = match text.split_once(['T', 't']) {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    let days_are_good = days.is_empty() || has_units(days, "D");
    let time_is_good = time.is_none_or(|time| has_units(time, "HMS"));
    days_are_good && time_is_good && !(days.is_empty() && time.is_none())
}

/// Numbers each followed by one of `units`, in that order; only the seconds have decimals.
fn has_units(mut text: &str, units: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    for unit in units.chars() {
        let ends = text.find(|c: char| c.eq_ignore_ascii_case(&unit));
        let Some(end) = ends else {
            continue;
        };
        let number = &text[..end];
        let is_good = match unit {
            'S' => number.parse::<f64>().is_ok() && !number.contains(['-', 'e', 'E']),
            _ => number.parse::<u32>().is_ok(),
        };
        if !is_good {
            return false;
        }
        text = &text[end + 1..];
    }
    text.is_empty()
}

fn is_partition_and_broker(item: &str) -> bool {
    item.split_once(':')
        .is_some_and(|(p, b)| p.parse::<u32>().is_ok() && b.parse::<u32>().is_ok())
}

/// A password is never echoed.
fn shown(key: &Key, raw: &str) -> String {
    if key.kind == Kind::Password {
        "(hidden)".to_owned()
    } else {
        raw.to_owned()
    }
}
