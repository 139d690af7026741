//! The five codecs of a batch's records, in the framings that Kafka's Java client reads and
//! writes: gzip members, snappy-java's ("xerial") blocks or one bare snappy block, LZ4 frames of
//! independent blocks, zstd frames.
//!
//! Decompression is bounded by the caller: no byte beyond its limit is produced, and nothing is
//! allocated from a length that a frame merely claims.

mod compress;
mod decompress;
mod snappy;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use compress::Compressor;
pub use decompress::Decompressor;

/// A batch's codec: bits 0 to 2 of its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Records as they are.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4 frame format.
    Lz4,
    /// RFC 8878 (KIP-110).
    Zstd,
}

impl Codec {
    /// All of them, by number.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec with that number in the attributes; `None` for 5 to 7.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// Its number in the attributes.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Its name in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    /// Reads a `compression.type`; `uncompressed` is the topic setting's name for none.
    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        if name == "uncompressed" {
            return Ok(Self::None);
        }
        let known = Self::ALL.into_iter().find(|codec| codec.name() == name);
        known.ok_or_else(|| UnknownCodec(name.to_owned()))
    }
}

/// A name that is none of the codecs'.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression codec {0:?}: it is none, gzip, snappy, lz4 or zstd")]
pub struct UnknownCodec(String);

/// Why bytes could not be compressed or decompressed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// More than the caller allows would come out.
    #[error("the {codec} data decompresses to more than the {limit} bytes allowed")]
    TooLarge {
        /// Which codec.
        codec: Codec,
        /// The caller's bound.
        limit: usize,
    },
    /// The bytes are not of this codec.
    #[error("not valid {codec} data: {reason}")]
    Corrupt {
        /// Which codec.
        codec: Codec,
        /// What the codec says.
        reason: String,
    },
    /// A level that the codec does not have.
    #[error("{codec} has no level {level}: {allowed}")]
    Level {
        /// Which codec.
        codec: Codec,
        /// What was asked.
        level: i32,
        /// What it has.
        allowed: &'static str,
    },
}

/// Compresses once; keep a [`Compressor`] where it happens often. Appends to `out`.
pub fn compress(
    codec: Codec,
    level: Option<i32>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    Compressor::new(codec, level)?.compress(input, out)
}

/// Decompresses once; keep a [`Decompressor`] where it happens often. Appends at most `limit`
/// bytes to `out`.
pub fn decompress(
    codec: Codec,
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    Decompressor::new().decompress(codec, input, limit, out)
}
