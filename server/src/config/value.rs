//! Checks a written value against its key's type and bounds.

use crate::config::key::{Bounds, Key, Kind};

/// A value of the wrong type or outside its bounds.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValueError {
    /// It cannot be read as the key's type.
    #[error("invalid value {value:?} for {key}: it is not a {kind}")]
    Type {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// The type that is asked for.
        kind: &'static str,
    },
    /// It can be read, and is not allowed.
    #[error("invalid value {value:?} for {key}: it must be {bounds}")]
    Bounds {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// What is allowed, in words.
        bounds: String,
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
        kind: key.kind.name(),
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
    if allowed(key.bounds, number, raw) {
        return Ok(());
    }
    Err(ValueError::Bounds {
        key: key.name,
        value: shown(key, raw),
        bounds: in_words(key.bounds),
    })
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
    }
}

fn allowed(bounds: Bounds, number: Option<i64>, raw: &str) -> bool {
    match (bounds, number) {
        (Bounds::Any, _) => true,
        (Bounds::NotEmpty, _) => !raw.is_empty(),
        (Bounds::AtLeast(min), Some(n)) => n >= min,
        (Bounds::Between(min, max), Some(n)) => (min..=max).contains(&n),
        (Bounds::MinusOneOrBetween(min, max), Some(n)) => n == -1 || (min..=max).contains(&n),
        (Bounds::Ratio(min, max), _) => parse_double(raw).is_some_and(|n| (min..=max).contains(&n)),
        (Bounds::OneOf(words), _) => words.contains(&raw),
        (Bounds::OneOfAnyCase(words), _) => words.iter().any(|w| w.eq_ignore_ascii_case(raw)),
        (Bounds::EachOf(words), _) => items(raw).all(|item| words.contains(&item)),
        (Bounds::Replicas, _) => raw == "*" || items(raw).all(is_partition_and_broker),
        (Bounds::AtLeast(_) | Bounds::Between(..) | Bounds::MinusOneOrBetween(..), None) => false,
    }
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
