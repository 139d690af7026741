//! Which keys the records have.

use std::str::FromStr;

use rand::SeedableRng;
use rand::distr::Distribution;
use rand::rngs::SmallRng;
use rand_distr::Zipf;

use super::random::SplitMix64;
use crate::quantity;

/// Length of a generated key, in bytes.
pub const KEY_BYTES: usize = 16;

/// A distribution of keys.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyPlan {
    /// Records without a key.
    None,
    /// One of so many keys, each as likely as the others.
    Uniform(u64),
    /// One of so many keys, the n-th with a likelihood of 1/n^exponent.
    Zipf(u64, f64),
    /// Keys one after the other, in a loop over so many.
    Sequence(u64),
}

impl FromStr for KeyPlan {
    type Err = String;

    /// `none`, `uniform:1M`, `zipf:1M`, `zipf:1M:1.2`, `sequence:10k`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (count, exponent) = rest.split_once(':').unwrap_or((rest, "1.0"));
        let number = || match quantity::count(count) {
            _ if count.is_empty() => Err(format!("'{kind}' needs a number of keys: {kind}:10k")),
            Ok(0) => Err("a key space has at least one key".to_owned()),
            counted => counted,
        };
        match kind {
            "none" => Ok(Self::None),
            "uniform" => number().map(Self::Uniform),
            "sequence" => number().map(Self::Sequence),
            "zipf" => {
                let exponent: f64 = exponent
                    .parse()
                    .map_err(|_| format!("bad exponent '{exponent}'"))?;
                Zipf::new(number()? as f64, exponent).map_err(|e| format!("'{text}': {e}"))?;
                Ok(Self::Zipf(number()?, exponent))
            }
            _ => Err(format!(
                "'{kind}' is no key plan; use none, uniform:N, zipf:N, sequence:N"
            )),
        }
    }
}

/// Draws keys from a plan.
#[derive(Clone, Debug)]
pub struct Keys {
    source: Draw,
    key: [u8; KEY_BYTES],
}

#[derive(Clone, Debug)]
enum Draw {
    None,
    Uniform(u64, SplitMix64),
    Zipf(Zipf<f64>, Box<SmallRng>),
    Sequence { next: u64, count: u64 },
}

impl Keys {
    /// Draws from `plan` with a sequence that belongs to `seed`.
    pub fn new(plan: &KeyPlan, seed: u64) -> Self {
        let source = match *plan {
            KeyPlan::None => Draw::None,
            KeyPlan::Uniform(count) => Draw::Uniform(count, SplitMix64::new(seed ^ 0x6B65_7973)),
            KeyPlan::Zipf(count, exponent) => Draw::Zipf(
                Zipf::new(count as f64, exponent).expect("checked when the plan was parsed"),
                Box::new(SmallRng::seed_from_u64(seed)),
            ),
            KeyPlan::Sequence(count) => Draw::Sequence { next: 0, count },
        };
        Self {
            source,
            key: *b"key-000000000000",
        }
    }

    /// The next key: `key-` and twelve hexadecimal digits, or none.
    pub fn draw(&mut self) -> Option<&[u8]> {
        let mut number = match &mut self.source {
            Draw::None => return None,
            Draw::Uniform(count, random) => random.below(*count),
            Draw::Zipf(zipf, random) => zipf.sample(random) as u64 - 1,
            Draw::Sequence { next, count } => {
                let number = *next;
                *next = (number + 1) % *count;
                number
            }
        };
        for place in self.key[4..].iter_mut().rev() {
            *place = b"0123456789abcdef"[(number & 15) as usize];
            number >>= 4;
        }
        Some(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn drawn(plan: &str) -> HashMap<Vec<u8>, u32> {
        let mut keys = Keys::new(&plan.parse().unwrap(), 5);
        let mut seen = HashMap::new();
        for _ in 0..10_000 {
            *seen.entry(keys.draw().unwrap().to_vec()).or_default() += 1;
        }
        seen
    }

    #[test]
    fn distributions_have_their_shapes() {
        assert!(Keys::new(&KeyPlan::None, 1).draw().is_none());
        let uniform = drawn("uniform:100");
        assert_eq!(uniform.len(), 100);
        assert!(uniform.values().all(|&n| n < 200));
        let zipf = drawn("zipf:100");
        assert!(zipf[b"key-000000000000".as_slice()] > 1_500);
        let sequence = drawn("sequence:1k");
        assert!(sequence.len() == 1_000 && sequence.values().all(|&n| n == 10));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["uniform", "uniform:0", "gauss:4", "zipf:10:x", "zipf:10:-1"] {
            assert!(bad.parse::<KeyPlan>().is_err(), "{bad}");
        }
    }
}
