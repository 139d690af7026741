//! The 32 bytes that every generated record carries.

use thiserror::Error;

use super::arena::Filler;

/// Length of an encoded stamp.
pub const STAMP_BYTES: usize = 32;

/// Who sent a record, which one it is, when it was meant to be sent, and what belongs to it.
///
/// Encoded little-endian: magic u16, content u8, arena bits u8, stream u32, sequence u64, intended
/// time u64, extent u32, and the CRC-32C of these 28 bytes, of the record's key and of the line,
/// where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What the record's other bytes are.
    pub content: Content,
    /// The sender and run.
    pub stream: u32,
    /// The record's number in its stream and partition, from 0 without gaps.
    pub sequence: u64,
    /// When it was meant to be sent, nanoseconds since the epoch.
    pub intended_ns: u64,
    /// The value's length for filler, the line's index for lines.
    pub extent: u32,
}

/// An encoded stamp. It is written, and should be read, in aligned words of eight bytes: a wider
/// read than the writes before it waits until the processor has carried them out, and all that
/// were queued before, such as the last record's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(8))]
pub struct StampBytes([u8; STAMP_BYTES]);

impl StampBytes {
    #[inline]
    fn put(&mut self, at: usize, word: u64) {
        self.0[8 * at..8 * at + 8].copy_from_slice(&word.to_le_bytes());
    }
}

impl std::ops::Deref for StampBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// What stands beside a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Filler out of an arena of this kind and size.
    Filler {
        /// The kind.
        filler: Filler,
        /// Log2 of the arena's places.
        arena_bits: u8,
    },
    /// A line of a file.
    Line,
}

/// Why a record is not what its stamp promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StampError {
    /// It does not begin with the stamp's magic number.
    #[error("no stamp")]
    NoStamp,
    /// The stamp's checksum, which covers the key and the line too, does not match.
    #[error("the checksum over stamp, key and line does not match")]
    Checksum,
    /// The stamp names a kind of content that cannot stand here.
    #[error("the stamp names content that cannot stand here")]
    WrongContent,
    /// The value is shorter or longer than it was.
    #[error("the value has another length than was sent")]
    Length,
    /// The bytes differ.
    #[error("the value holds other bytes than were sent")]
    Content,
}

impl Stamp {
    /// Encodes the stamp of a record with this key; `line` is what it travels beside, empty for
    /// filler.
    #[inline]
    pub fn write(&self, key: Option<&[u8]>, line: &[u8], out: &mut StampBytes) {
        let (code, bits) = match self.content {
            Content::Filler { filler, arena_bits } => (filler.code(), arena_bits),
            Content::Line => (LINE, 0),
        };
        let kind = u64::from(MAGIC) | u64::from(code) << 16 | u64::from(bits) << 24;
        out.put(0, kind | u64::from(self.stream) << 32);
        out.put(1, self.sequence);
        out.put(2, self.intended_ns);
        out.put(3, u64::from(self.extent));
        let check = checksum(&out.0[..28], key, line);
        out.put(3, u64::from(self.extent) | u64::from(check) << 32);
    }

    /// As [`Stamp::write`], into bytes of its own.
    pub fn bytes(&self, key: Option<&[u8]>, line: &[u8]) -> StampBytes {
        let mut out = StampBytes::default();
        self.write(key, line, &mut out);
        out
    }

    /// Decodes a stamp and checks its sum over itself, the record's key and `line`.
    pub fn parse(bytes: &[u8], key: Option<&[u8]>, line: &[u8]) -> Result<Self, StampError> {
        let bytes: &[u8; STAMP_BYTES] = bytes.try_into().map_err(|_| StampError::NoStamp)?;
        if u16::from_le_bytes([bytes[0], bytes[1]]) != MAGIC {
            return Err(StampError::NoStamp);
        }
        let check = checksum(&bytes[..28], key, line);
        if check.to_le_bytes() != bytes[28..32] {
            return Err(StampError::Checksum);
        }
        let content = match (bytes[2], Filler::from_code(bytes[2])) {
            (LINE, _) => Content::Line,
            (_, Some(filler)) => Content::Filler {
                filler,
                arena_bits: bytes[3],
            },
            _ => return Err(StampError::WrongContent),
        };
        Ok(Self {
            content,
            stream: u32::from_le_bytes(array(&bytes[4..8])),
            sequence: u64::from_le_bytes(array(&bytes[8..16])),
            intended_ns: u64::from_le_bytes(array(&bytes[16..24])),
            extent: u32::from_le_bytes(array(&bytes[24..28])),
        })
    }
}

#[inline]
fn checksum(head: &[u8], key: Option<&[u8]>, line: &[u8]) -> u32 {
    // Most records have neither key nor line; a call for nothing costs as much as one for the head.
    [key.unwrap_or_default(), line]
        .into_iter()
        .filter(|part| !part.is_empty())
        .fold(crc32c::crc32c(head), crc32c::crc32c_append)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller cuts exactly N bytes")
}

const MAGIC: u16 = 0x6D4C;
const LINE: u8 = 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_and_any_flipped_bit_is_found(
            stream: u32, sequence: u64, intended_ns: u64, extent: u32,
            line in proptest::collection::vec(any::<u8>(), 0..50), bit in 0_usize..256,
            key in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..20)),
        ) {
            let stamp = Stamp { content: Content::Line, stream, sequence, intended_ns, extent };
            let key = key.as_deref();
            let mut bytes = stamp.bytes(key, &line).to_vec();
            prop_assert_eq!(Stamp::parse(&bytes, key, &line), Ok(stamp));
            let other = if key.is_some() { None } else { Some(b"k".as_slice()) };
            prop_assert_eq!(Stamp::parse(&bytes, other, &line), Err(StampError::Checksum));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Stamp::parse(&bytes, key, &line).is_err());
        }
    }
}
