//! Quantities as people write them on a command line: `64KiB`, `1.5MB`, `10s`, `250ms`, `10k`.

use std::time::Duration;

/// Parses a size in bytes: a number with an optional unit B, KB, MB, GB (powers of 1,000) or
/// KiB, MiB, GiB (powers of 1,024); `K`, `M`, `G` alone mean powers of 1,024.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1_048_576.0,
        "g" | "gib" => 1_073_741_824.0,
        _ => {
            return Err(format!(
                "'{unit}' is no unit of size; use B, KB, KiB, MB, MiB, GB, GiB"
            ));
        }
    };
    whole(number * scale, text)
}

/// Parses a count or a rate: a number with an optional `k`, `M` or `G` (powers of 1,000).
pub fn count(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let scale = match unit {
        "" => 1.0,
        "k" | "K" => 1e3,
        "m" | "M" => 1e6,
        "g" | "G" => 1e9,
        _ => return Err(format!("'{unit}' is no multiple; use k, M or G")),
    };
    whole(number * scale, text)
}

/// Parses a rate: a count of at least 1.
pub fn rate(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("a rate is at least 1 a second".to_owned()),
        rate => Ok(rate),
    }
}

/// Parses how long something is measured: a span of time that is not 0.
pub fn window(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Duration::ZERO => Err("nothing can be measured in no time".to_owned()),
        span => Ok(span),
    }
}

/// Parses a span of time: a number with a unit us, ms, s, m or h; a bare number is seconds.
pub fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3_600.0,
        _ => {
            return Err(format!(
                "'{unit}' is no unit of time; use us, ms, s, m or h"
            ));
        }
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("'{text}' is out of range"))
}

/// A size for people: `1.5 MiB`.
pub fn show_bytes(value: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < units.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    if scaled.fract() == 0.0 {
        format!("{scaled:.0} {}", units[unit])
    } else {
        format!("{scaled:.1} {}", units[unit])
    }
}

/// A whole number with thousands set apart by commas: `1,234,567`.
pub fn show_count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn split(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..end]
        .parse()
        .map_err(|_| format!("'{text}' does not begin with a number, such as 64KiB, 10k or 5s"))?;
    Ok((number, text[end..].trim()))
}

fn whole(value: f64, text: &str) -> Result<u64, String> {
    if value.is_finite() && (0.0..=9e18).contains(&value) {
        Ok(value.round() as u64)
    } else {
        Err(format!("'{text}' is out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_counts_and_spans() {
        assert_eq!(bytes("1KiB"), Ok(1_024));
        assert_eq!(bytes("64k"), Ok(65_536));
        assert_eq!(bytes("1.5 MB"), Ok(1_500_000));
        assert_eq!(bytes("17"), Ok(17));
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("1.5M"), Ok(1_500_000));
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("5"), Ok(Duration::from_secs(5)));
        assert_eq!(span("2m"), Ok(Duration::from_secs(120)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(bytes("12 parsecs").unwrap_err().contains("parsecs"));
        assert!(count("ten").unwrap_err().contains("number"));
        assert!(span("3 fortnights").unwrap_err().contains("fortnights"));
        assert!(span("1e").is_err());
        assert!(rate("0").unwrap_err().contains("at least 1"));
        assert!(window("0ms").unwrap_err().contains("no time"));
    }

    #[test]
    fn shown_for_people() {
        assert_eq!(show_bytes(1_536), "1.5 KiB");
        assert_eq!(show_bytes(1_024), "1 KiB");
        assert_eq!(show_count(1_234_567), "1,234,567");
        assert_eq!(show_count(12), "12");
    }
}
