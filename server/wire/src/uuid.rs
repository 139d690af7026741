//! UUIDs in Kafka's text form: 22 characters of base64url without padding.

use std::fmt;
use std::str::FromStr;

/// The id of a topic, a log directory, a member. Made elsewhere: this crate has no randomness.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// A text that is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID: 22 characters of base64url without padding are needed")]
pub struct ParseUuidError;

impl Uuid {
    /// All zeros: no id.
    pub const ZERO: Uuid = Uuid([0; 16]);
    /// The metadata topic's id, Kafka's `Uuid.ONE_UUID`.
    pub const METADATA_TOPIC: Uuid = Uuid(1u128.to_be_bytes());

    /// Whether this is no id.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Uuid::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 128 bits are 21 groups of six, and two bits that lead the last one.
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0u8; TEXT_BYTES];
        for (index, character) in text.iter_mut().enumerate() {
            let group = match 122_usize.checked_sub(6 * index) {
                Some(shift) => bits >> shift,
                None => bits << 4,
            };
            *character = ALPHABET[(group & 0x3f) as usize];
        }
        f.pad(str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = ParseUuidError;

    /// Reads the text form; a trailing `==` is allowed.
    fn from_str(text: &str) -> Result<Uuid, ParseUuidError> {
        let text = text.strip_suffix("==").unwrap_or(text).as_bytes();
        if text.len() != TEXT_BYTES {
            return Err(ParseUuidError);
        }
        let mut bits = 0u128;
        for (index, character) in text.iter().enumerate() {
            let group = ALPHABET.iter().position(|known| known == character);
            let group = group.ok_or(ParseUuidError)? as u128;
            bits = if index + 1 < TEXT_BYTES {
                bits << 6 | group
            } else {
                bits << 2 | group >> 4
            };
        }
        Ok(Uuid(bits.to_be_bytes()))
    }
}

const TEXT_BYTES: usize = 22;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_kafkas() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(Uuid([0xff; 16]).to_string(), "_____________________w");
        let counted = Uuid(std::array::from_fn(|index| index as u8));
        assert_eq!(counted.to_string(), "AAECAwQFBgcICQoLDA0ODw");
        assert_eq!("AAECAwQFBgcICQoLDA0ODw".parse(), Ok(counted));
        assert_eq!("AAECAwQFBgcICQoLDA0ODw==".parse(), Ok(counted));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "AAECAwQFBgcICQoLDA0OD", "AAECAwQFBgcICQoLDA0OD+", "é"] {
            assert_eq!(text.parse::<Uuid>(), Err(ParseUuidError), "{text}");
        }
    }
}
