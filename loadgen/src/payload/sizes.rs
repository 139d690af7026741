//! How long the values are.

use std::str::FromStr;

use super::random::SplitMix64;
use super::stamp::STAMP_BYTES;
use crate::quantity;

/// A distribution of value lengths, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum SizePlan {
    /// Always the same.
    Fixed(u32),
    /// Any length between two bounds, both included.
    Uniform(u32, u32),
    /// Exponential with this mean, cut off at ten times the mean.
    Exponential(u32),
    /// Lengths with weights.
    Mix(Vec<(u32, u32)>),
}

impl SizePlan {
    /// The longest value that it can give, in bytes.
    pub fn longest(&self) -> u32 {
        match self {
            Self::Fixed(bytes) => *bytes,
            Self::Uniform(_, high) => *high,
            Self::Exponential(mean) => mean.saturating_mul(10),
            Self::Mix(parts) => parts.iter().map(|&(bytes, _)| bytes).max().unwrap_or(0),
        }
        .max(STAMP_BYTES as u32)
    }

    /// The mean length, in bytes.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(bytes) => f64::from(*bytes),
            Self::Uniform(low, high) => f64::midpoint(f64::from(*low), f64::from(*high)),
            Self::Exponential(mean) => f64::from(*mean),
            Self::Mix(parts) => {
                let weight: f64 = parts.iter().map(|&(_, w)| f64::from(w)).sum();
                parts
                    .iter()
                    .map(|&(b, w)| f64::from(b) * f64::from(w))
                    .sum::<f64>()
                    / weight
            }
        }
    }
}

impl FromStr for SizePlan {
    type Err = String;

    /// `1KiB`, `100..4KiB`, `exp:1KiB`, `mix:100=9,64KiB=1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let size = |part: &str| -> Result<u32, String> {
            let bytes = quantity::bytes(part)?;
            if (STAMP_BYTES as u64..=SIZE_MAX).contains(&bytes) {
                Ok(bytes as u32)
            } else {
                Err(format!(
                    "a value has {STAMP_BYTES} bytes (its stamp) to {}; '{part}' has not",
                    quantity::show_bytes(SIZE_MAX)
                ))
            }
        };
        if let Some(mean) = text.strip_prefix("exp:") {
            return size(mean).map(Self::Exponential);
        }
        if let Some(parts) = text.strip_prefix("mix:") {
            let parse = |part: &str| {
                let (bytes, weight) = part
                    .split_once('=')
                    .ok_or("a mix is SIZE=WEIGHT,SIZE=WEIGHT")?;
                let weight: u32 = weight
                    .parse()
                    .map_err(|_| format!("bad weight '{weight}'"))?;
                Ok((size(bytes)?, weight.max(1)))
            };
            return parts
                .split(',')
                .map(parse)
                .collect::<Result<_, String>>()
                .map(Self::Mix);
        }
        if let Some((low, high)) = text.split_once("..") {
            let (low, high) = (size(low)?, size(high)?);
            if low > high {
                return Err(format!("'{text}' ends before it begins"));
            }
            return Ok(Self::Uniform(low, high));
        }
        size(text).map(Self::Fixed)
    }
}

/// Draws lengths from a plan.
#[derive(Clone, Debug)]
pub struct Sizes {
    plan: SizePlan,
    random: SplitMix64,
}

impl Sizes {
    /// Draws from `plan` with a sequence that belongs to `seed`.
    pub fn new(plan: SizePlan, seed: u64) -> Self {
        Self {
            plan,
            random: SplitMix64::new(seed ^ 0x5153_5A45),
        }
    }

    /// The next length, in bytes.
    pub fn draw(&mut self) -> usize {
        let bytes = match &self.plan {
            SizePlan::Fixed(bytes) => return *bytes as usize,
            SizePlan::Uniform(low, high) => {
                low + self.random.below(u64::from(high - low) + 1) as u32
            }
            SizePlan::Exponential(mean) => {
                let drawn = -self.random.unit().ln() * f64::from(*mean);
                (drawn as u32).min(self.plan.longest())
            }
            SizePlan::Mix(parts) => {
                let total: u64 = parts.iter().map(|&(_, w)| u64::from(w)).sum();
                let mut at = self.random.below(total);
                let mut chosen = 0;
                for &(bytes, weight) in parts {
                    chosen = bytes;
                    if at < u64::from(weight) {
                        break;
                    }
                    at -= u64::from(weight);
                }
                chosen
            }
        };
        (bytes as usize).max(STAMP_BYTES)
    }
}

/// The longest value: what an arena can fill.
const SIZE_MAX: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(plan: &str) -> (f64, f64) {
        let plan: SizePlan = plan.parse().unwrap();
        let mut sizes = Sizes::new(plan.clone(), 1);
        let total: usize = (0..20_000).map(|_| sizes.draw()).sum();
        (total as f64 / 20_000.0, plan.mean())
    }

    #[test]
    fn draws_have_the_planned_mean() {
        for plan in ["1KiB", "100..4KiB", "exp:1000", "mix:100=9,10000=1"] {
            let (drawn, planned) = mean_of(plan);
            assert!(
                (drawn / planned - 1.0).abs() < 0.05,
                "{plan}: {drawn} against {planned}"
            );
        }
    }

    #[test]
    fn bounds_hold_and_nonsense_is_refused() {
        let mut sizes = Sizes::new("100..101".parse().unwrap(), 9);
        assert!(
            (0..1_000)
                .map(|_| sizes.draw())
                .all(|n| n == 100 || n == 101)
        );
        for bad in ["8", "5MiB", "mix:100", "200..100", "exp:x"] {
            assert!(bad.parse::<SizePlan>().is_err(), "{bad}");
        }
        assert_eq!(
            "mix:100=1,64KiB=1".parse::<SizePlan>().unwrap().longest(),
            65_536
        );
    }
}
