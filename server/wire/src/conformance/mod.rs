//! Tests over all messages in all versions: against an independent codec, and for properties.

mod golden;
mod named;
mod other_codec;
mod properties;
mod table;

use table::Codec;

use crate::sample::Rng;

/// Runs `check` with some seeds for every version of a message. A failure names the seed.
fn for_each_sample(codec: &Codec, mut check: impl FnMut(&str, Rng, i16)) {
    for version in codec.versions.clone() {
        for seed in 0..ROUNDS {
            let case = format!("{} version {version}, seed {seed}", codec.name);
            // Neighbouring seeds must not make neighbouring values.
            let mut rng = Rng(seed << 32 | u64::from(version.cast_unsigned()));
            rng.next();
            check(&case, rng, version);
        }
    }
}

/// Values per message and version.
const ROUNDS: u64 = 24;
