//! Amounts as people read them.

use std::fmt;

use serde::Serialize;

/// A limit of the kernel: a number, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most this many units.
    At(u64),
    /// No limit. Greater than every number.
    Unlimited,
}

impl Limit {
    /// Whether `amount` fits.
    pub fn allows(self, amount: u64) -> bool {
        self >= Limit::At(amount)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::At(amount) => amount.fmt(f),
            Limit::Unlimited => "unlimited".fmt(f),
        }
    }
}

/// A number of bytes, displayed in the largest binary unit that keeps it at 1 or above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut amount = self.0 as f64;
        let mut unit = "";
        for next in UNITS {
            if amount < 1024.0 {
                break;
            }
            amount /= 1024.0;
            unit = next;
        }
        let text = format!("{amount:.1}");
        f.pad(&format!("{} {unit}", text.trim_end_matches(".0")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_choose_their_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (8 << 20, "8 MiB"),
            (25_276_510_208, "23.5 GiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn no_limit_allows_everything() {
        assert!(Limit::Unlimited.allows(u64::MAX));
        assert!(Limit::At(10).allows(10));
        assert!(!Limit::At(10).allows(11));
    }
}
