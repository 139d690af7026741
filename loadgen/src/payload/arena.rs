//! A block of filler made once, from which records are cut.

use super::random::SplitMix64;

/// What the filler is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filler {
    /// Uniform random bytes: no codec gains anything.
    Random,
    /// Words with the frequencies of text, in lines: codecs gain about what they gain on logs.
    Text,
    /// Zeros: codecs gain everything.
    Zero,
}

impl Filler {
    /// The byte that stands for it in a stamp.
    #[inline]
    pub fn code(self) -> u8 {
        match self {
            Self::Random => 0,
            Self::Text => 1,
            Self::Zero => 2,
        }
    }

    /// The filler that `code` stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Random),
            1 => Some(Self::Text),
            2 => Some(Self::Zero),
            _ => None,
        }
    }
}

/// Filler, the same in every process for the same kind and size. Its memory is 2^`bits` bytes and
/// the longest record more.
#[derive(Debug)]
pub struct Arena {
    filler: Filler,
    bits: u8,
    bytes: Vec<u8>,
}

impl Arena {
    /// Makes an arena with 2^`bits` places to cut at; `bits` is clamped to [`BITS_MIN`] ..=
    /// [`BITS_MAX`].
    pub fn new(filler: Filler, bits: u8) -> Self {
        let bits = bits.clamp(BITS_MIN, BITS_MAX);
        let length = (1_usize << bits) + LONGEST;
        let mut random = SplitMix64::new(SEED);
        let bytes = match filler {
            Filler::Random => random_bytes(&mut random, length),
            Filler::Text => text(&mut random, length),
            Filler::Zero => vec![0; length],
        };
        Self {
            filler,
            bits,
            bytes,
        }
    }

    /// The filler of the record `sequence` of `stream`; `length` is at most [`Arena::longest`].
    #[inline]
    pub fn slice(&self, stream: u32, sequence: u64, length: usize) -> &[u8] {
        let mixed = (sequence ^ (u64::from(stream) << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let at = (mixed >> (64 - u32::from(self.bits))) as usize;
        &self.bytes[at..at + length]
    }

    /// What the filler is like.
    pub fn filler(&self) -> Filler {
        self.filler
    }

    /// Log2 of the number of places.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The longest slice that can be cut, in bytes.
    pub fn longest(&self) -> usize {
        LONGEST
    }
}

fn random_bytes(random: &mut SplitMix64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn text(random: &mut SplitMix64, length: usize) -> Vec<u8> {
    let words: Vec<Vec<u8>> = (0..VOCABULARY)
        .map(|_| {
            let letters = 2 + random.below(9);
            (0..letters)
                .map(|_| b'a' + random.below(26) as u8)
                .collect()
        })
        .collect();
    let mut bytes = Vec::with_capacity(length + 64);
    let mut in_line = 0;
    while bytes.len() < length {
        // The rank of a word falls off as in text: exp(uniform) is close to Zipf's law.
        let rank = (VOCABULARY as f64).powf(random.unit()) as usize;
        match random.below(12) {
            0 => bytes.extend_from_slice(random.below(100_000).to_string().as_bytes()),
            _ => bytes.extend_from_slice(&words[rank.min(VOCABULARY) - 1]),
        }
        in_line += 1;
        let end = in_line >= 14;
        bytes.push(if end { b'\n' } else { b' ' });
        if end {
            in_line = 0;
        }
    }
    bytes.truncate(length);
    bytes
}

/// The smallest arena: 4 KiB of places.
pub const BITS_MIN: u8 = 12;
/// The largest arena: 64 MiB of places.
pub const BITS_MAX: u8 = 26;
/// The longest record, above Kafka's default limit for a batch.
const LONGEST: usize = 4 << 20;
const VOCABULARY: usize = 4_000;
const SEED: u64 = 0x4C6F_676D_696C_6C21;

#[cfg(test)]
mod tests {
    use super::*;

    fn zstd_ratio(bytes: &[u8]) -> f64 {
        let packed = zstd::bulk::compress(bytes, 3).unwrap();
        bytes.len() as f64 / packed.len() as f64
    }

    #[test]
    fn is_the_same_in_every_process() {
        let (a, b) = (Arena::new(Filler::Text, 13), Arena::new(Filler::Text, 13));
        assert_eq!(a.bytes, b.bytes);
        assert_eq!(a.slice(3, 99, 500), b.slice(3, 99, 500));
        assert_ne!(a.slice(3, 99, 500), a.slice(3, 100, 500));
        assert_ne!(a.slice(3, 99, 500), a.slice(4, 99, 500));
    }

    #[test]
    fn compresses_as_it_says() {
        let at = |filler| zstd_ratio(&Arena::new(filler, 20).bytes[..1 << 20]);
        assert!(at(Filler::Random) < 1.01);
        let ratio = at(Filler::Text);
        assert!((2.0..6.0).contains(&ratio), "{ratio}");
        assert!(at(Filler::Zero) > 100.0);
    }

    #[test]
    fn the_longest_slice_fits_everywhere() {
        let arena = Arena::new(Filler::Zero, 1);
        assert_eq!(arena.bits(), BITS_MIN);
        for sequence in 0..1_000 {
            assert_eq!(arena.slice(1, sequence, arena.longest()).len(), LONGEST);
        }
    }
}
