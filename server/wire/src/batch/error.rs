//! What can be wrong with a batch.

use crate::error::DecodeError;

/// A batch, or a record of it, that is malformed; or too much for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Fewer bytes than a batch has before its records.
    #[error("{have} bytes are no batch, its header alone takes 61")]
    Short {
        /// Bytes at hand.
        have: usize,
    },
    /// A message format of before Kafka 0.11, or none at all.
    #[error("magic {magic}, only 2 is known")]
    Magic {
        /// The byte as it was read.
        magic: i8,
    },
    /// A length that is less than the header's, or more than the bytes at hand.
    #[error("batch length {length} where {have} bytes are at hand")]
    Length {
        /// The length field: bytes of the batch behind it.
        length: i32,
        /// Bytes at hand behind the length field.
        have: usize,
    },
    /// The checksum does not match.
    #[error("CRC-32C is {computed:#010x}, the batch says {stored:#010x}")]
    Crc {
        /// What the batch says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// A codec that has no name.
    #[error("unknown compression codec {0}")]
    UnknownCompression(u8),
    /// A record that does not end where it says, or runs beyond the batch.
    #[error("record {index}: {error}")]
    Record {
        /// Its place in the batch, from 0.
        index: u32,
        /// What is wrong.
        error: DecodeError,
    },
    /// Bytes behind the last record.
    #[error("{left} bytes behind the last record")]
    Trailing {
        /// Bytes left over.
        left: usize,
    },
    /// A number of records that is negative.
    #[error("record count {0}")]
    RecordCount(i32),
    /// A batch that would exceed what its 32-bit length can say.
    #[error("a batch of {bytes} bytes, at most {} are possible", i32::MAX)]
    TooLarge {
        /// Bytes it would have.
        bytes: usize,
    },
    /// A control record whose key is too short, of an unknown layout or type.
    #[error("not the key of a control record")]
    ControlKey,
}
