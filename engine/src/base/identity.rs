//! Who and where: topics, partitions, shards and log directories.

use std::fmt;

/// A topic's UUID (KIP-516), the only name of a topic inside the engine; all zero means "none".
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct TopicId(pub [u8; 16]);

impl TopicId {
    /// The id that stands for "no id" in Kafka's protocol.
    pub const ZERO: Self = Self([0; 16]);

    /// Reads Kafka's text form: 22 characters of base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let text = text.as_bytes();
        if text.len() != TEXT_LEN {
            return None;
        }
        let mut bits: u32 = 0;
        let mut bit_count = 0;
        let mut filled = 0;
        for &character in text {
            bits = (bits << 6) | base64url_value(character)?;
            bit_count += 6;
            if bit_count >= 8 {
                bit_count -= 8;
                if filled == bytes.len() {
                    return None;
                }
                bytes[filled] = (bits >> bit_count) as u8;
                bits &= (1 << bit_count) - 1;
                filled += 1;
            }
        }
        // 22 characters carry 132 bits: the last four must be zero, or two texts name one id.
        (filled == bytes.len() && bits == 0).then_some(Self(bytes))
    }
}

impl fmt::Display for TopicId {
    /// Kafka's text form: base64url without padding, 22 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; TEXT_LEN];
        let mut bits: u32 = 0;
        let mut bit_count = 0;
        let mut filled = 0;
        for byte in self.0 {
            bits = (bits << 8) | u32::from(byte);
            bit_count += 8;
            while bit_count >= 6 {
                bit_count -= 6;
                text[filled] = BASE64URL[(bits >> bit_count) as usize & 63];
                filled += 1;
            }
            bits &= (1 << bit_count) - 1;
        }
        text[filled] = BASE64URL[(bits << (6 - bit_count)) as usize & 63];
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicId({self})")
    }
}

/// The number of a partition within its topic, from 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct PartitionIndex(pub i32);

impl fmt::Display for PartitionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a shard (one per core), from 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct ShardId(pub u16);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which of the `log.dirs` a file lives in, in the order of the configuration.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct DirectoryIndex(pub u16);

impl fmt::Display for DirectoryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn base64url_value(character: u8) -> Option<u32> {
    BASE64URL
        .iter()
        .position(|&known| known == character)
        .map(|value| value as u32)
}

const TEXT_LEN: usize = 22;
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_id_text_is_kafkas() {
        assert_eq!(TopicId::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        // Kafka's Uuid.METADATA_TOPIC_ID.
        let mut one = [0; 16];
        one[15] = 1;
        assert_eq!(TopicId(one).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(TopicId([0xff; 16]).to_string(), "_____________________w");
    }

    #[test]
    fn topic_id_text_round_trips_and_is_canonical() {
        for seed in 0..=255_u8 {
            let id = TopicId(std::array::from_fn(|at| {
                seed.wrapping_mul(31).wrapping_add(at as u8)
            }));
            assert_eq!(TopicId::parse(&id.to_string()), Some(id));
        }
        assert_eq!(
            TopicId::parse("AAAAAAAAAAAAAAAAAAAAAB"),
            None,
            "stray low bits"
        );
        assert_eq!(TopicId::parse("AAAAAAAAAAAAAAAAAAAAA"), None, "too short");
        assert_eq!(
            TopicId::parse("AAAAAAAAAAAAAAAAAAAA+A"),
            None,
            "not base64url"
        );
    }
}
