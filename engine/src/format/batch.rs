//! The head of a record batch, magic 2 (KIP-98; `DefaultRecordBatch.java`).
//!
//! | at | field | | at | field |
//! |---|---|---|---|---|
//! | 0 | base offset, i64 | | 27 | base timestamp, i64 |
//! | 8 | length of what follows, i32 | | 35 | largest timestamp, i64 |
//! | 12 | partition leader epoch, i32 | | 43 | producer id, i64 |
//! | 16 | magic, i8 | | 51 | producer epoch, i16 |
//! | 17 | CRC-32C of bytes 21.., u32 | | 53 | base sequence, i32 |
//! | 21 | attributes, i16 | | 57 | record count, i32 |
//! | 23 | last offset delta, i32 | | 61 | records |
//!
//! Base offset and leader epoch stand outside the CRC, so that a leader sets them without
//! touching it.

use std::fmt;

use crate::base::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};

/// The fixed part of a batch, decoded. Field for field what the bytes say, nothing is checked but
/// what [`BatchHeader::parse`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record.
    pub base_offset: Offset,
    /// Bytes behind the length field: the whole batch less 12.
    pub length: i32,
    /// The term of the leader that appended the batch; -1 from a producer.
    pub leader_epoch: LeaderEpoch,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type, transactional, control.
    pub attributes: Attributes,
    /// The last record's offset less the base offset.
    pub last_offset_delta: i32,
    /// Milliseconds that the records' deltas count from.
    pub base_timestamp: i64,
    /// The largest timestamp of the records; -1 for none.
    pub max_timestamp: i64,
    /// The idempotent producer, or none.
    pub producer_id: ProducerId,
    /// The producer's epoch.
    pub producer_epoch: ProducerEpoch,
    /// The sequence of the first record.
    pub base_sequence: Sequence,
    /// How many records the batch says it holds.
    pub record_count: i32,
}

impl BatchHeader {
    /// Bytes before the records.
    pub const SIZE: usize = 61;
    /// Bytes before what the length field counts.
    pub const LOG_OVERHEAD: usize = 12;
    /// Where the part that the CRC covers begins.
    pub const CRC_START: usize = 21;
    /// The only message format that is served (KIP-724).
    pub const MAGIC: i8 = 2;

    /// Reads the head of the batch that `bytes` begin with; more may follow, and the batch's end
    /// may be missing. Checked: that 61 bytes are there, the magic, and that the length is not
    /// less than the head's and not beyond 2^31-1 in all.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let Some(head) = bytes.first_chunk::<{ Self::SIZE }>() else {
            return Err(HeaderError::Short { have: bytes.len() });
        };
        let magic = head[16] as i8;
        let length = i32::from_be_bytes(field(head, 8));
        if magic != Self::MAGIC {
            return Err(HeaderError::Magic { magic });
        }
        if length < (Self::SIZE - Self::LOG_OVERHEAD) as i32
            || length > i32::MAX - Self::LOG_OVERHEAD as i32
        {
            return Err(HeaderError::Length { length });
        }
        Ok(Self {
            base_offset: Offset(i64::from_be_bytes(field(head, 0))),
            length,
            leader_epoch: LeaderEpoch(i32::from_be_bytes(field(head, 12))),
            crc: u32::from_be_bytes(field(head, 17)),
            attributes: Attributes(i16::from_be_bytes(field(head, 21))),
            last_offset_delta: i32::from_be_bytes(field(head, 23)),
            base_timestamp: i64::from_be_bytes(field(head, 27)),
            max_timestamp: i64::from_be_bytes(field(head, 35)),
            producer_id: ProducerId(i64::from_be_bytes(field(head, 43))),
            producer_epoch: ProducerEpoch(i16::from_be_bytes(field(head, 51))),
            base_sequence: Sequence(i32::from_be_bytes(field(head, 53))),
            record_count: i32::from_be_bytes(field(head, 57)),
        })
    }

    /// The head's bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut head = [0; Self::SIZE];
        head[0..8].copy_from_slice(&self.base_offset.0.to_be_bytes());
        head[8..12].copy_from_slice(&self.length.to_be_bytes());
        head[12..16].copy_from_slice(&self.leader_epoch.0.to_be_bytes());
        head[16] = Self::MAGIC as u8;
        head[17..21].copy_from_slice(&self.crc.to_be_bytes());
        head[21..23].copy_from_slice(&self.attributes.0.to_be_bytes());
        head[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        head[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        head[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        head[43..51].copy_from_slice(&self.producer_id.0.to_be_bytes());
        head[51..53].copy_from_slice(&self.producer_epoch.0.to_be_bytes());
        head[53..57].copy_from_slice(&self.base_sequence.0.to_be_bytes());
        head[57..61].copy_from_slice(&self.record_count.to_be_bytes());
        head
    }

    /// The CRC-32C that the batch with this head and these `records` (everything behind the
    /// head) must carry.
    pub fn compute_crc(&self, records: &[u8]) -> u32 {
        let head = self.to_bytes();
        crc32c::crc32c_append(crc32c::crc32c(&head[Self::CRC_START..]), records)
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        self.length as usize + Self::LOG_OVERHEAD
    }

    /// The offset of the last record. Wraps on nonsense, which validation refuses.
    pub fn last_offset(&self) -> Offset {
        Offset(
            self.base_offset
                .0
                .wrapping_add(i64::from(self.last_offset_delta)),
        )
    }

    /// The sequence of the last record, or none.
    pub fn last_sequence(&self) -> Sequence {
        if self.base_sequence == Sequence::NONE {
            return Sequence::NONE;
        }
        self.base_sequence.advance(self.last_offset_delta as u32)
    }

    /// Whether an idempotent producer wrote the batch.
    pub fn is_idempotent(&self) -> bool {
        self.producer_id.is_some()
    }
}

/// The batch's attribute bits: 0-2 codec, 3 timestamp type, 4 transactional, 5 control,
/// 6 delete horizon (KIP-534).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    /// The number of the compression codec, known or not.
    pub fn codec_id(self) -> u8 {
        (self.0 & CODEC) as u8
    }

    /// The same attributes with another codec's number.
    #[must_use]
    pub fn with_codec_id(self, codec_id: u8) -> Self {
        Self(self.0 & !CODEC | i16::from(codec_id) & CODEC)
    }

    /// Whether the broker's append time is every record's timestamp.
    pub fn is_log_append_time(self) -> bool {
        self.0 & LOG_APPEND_TIME != 0
    }

    /// The same attributes with the timestamp type set.
    #[must_use]
    pub fn with_log_append_time(self, on: bool) -> Self {
        Self(if on {
            self.0 | LOG_APPEND_TIME
        } else {
            self.0 & !LOG_APPEND_TIME
        })
    }

    /// Whether the batch belongs to a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & TRANSACTIONAL != 0
    }

    /// Whether the batch holds a control record (a transaction's marker, a change of leader).
    pub fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// Whether the base timestamp is a delete horizon.
    pub fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON != 0
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({:#06x})", self.0)
    }
}

/// Why bytes are not the head of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer bytes than a head has.
    #[error("{have} bytes where a batch's head of 61 was expected")]
    Short {
        /// Bytes that were there.
        have: usize,
    },
    /// Another message format; those before magic 2 ended with Kafka 4.0.
    #[error("record batch of magic {magic}; only magic 2 is supported")]
    Magic {
        /// The magic byte.
        magic: i8,
    },
    /// The length field cannot be.
    #[error("record batch of length {length}, not between 49 and 2^31-13")]
    Length {
        /// The length field.
        length: i32,
    },
}

/// The batches that stand back to back in `bytes`, as far as they are complete. Ends at the first
/// incomplete batch or at an error; [`Batches::rest`] then says where.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Batches<'a> {
    /// Walks `bytes` from their beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not walked yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<(BatchHeader, &'a [u8]), HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < BatchHeader::SIZE {
            return None;
        }
        let header = match BatchHeader::parse(self.rest) {
            Ok(header) => header,
            Err(error) => return Some(Err(error)),
        };
        let (batch, rest) = self.rest.split_at_checked(header.size())?;
        self.rest = rest;
        Some(Ok((header, batch)))
    }
}

fn field<const N: usize>(head: &[u8; BatchHeader::SIZE], at: usize) -> [u8; N] {
    std::array::from_fn(|index| head[at + index])
}

const CODEC: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const DELETE_HORIZON: i16 = 1 << 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(0x0102_0304_0506_0708),
            length: 49,
            leader_epoch: LeaderEpoch(9),
            crc: 0xdead_beef,
            attributes: Attributes(0x14),
            last_offset_delta: 3,
            base_timestamp: 1_000,
            max_timestamp: 2_000,
            producer_id: ProducerId(77),
            producer_epoch: ProducerEpoch(5),
            base_sequence: Sequence(i32::MAX),
            record_count: 4,
        }
    }

    #[test]
    fn bytes_round_trip() {
        let header = header();
        assert_eq!(BatchHeader::parse(&header.to_bytes()), Ok(header));
        assert_eq!(header.size(), 61);
        assert_eq!(header.last_sequence(), Sequence(2));
        assert_eq!(header.attributes.codec_id(), 4);
        assert!(header.attributes.is_transactional() && !header.attributes.is_control());
    }

    #[test]
    fn nonsense_is_refused() {
        let good = header().to_bytes();
        assert_eq!(
            BatchHeader::parse(&good[..60]),
            Err(HeaderError::Short { have: 60 })
        );
        let mut old = good;
        old[16] = 1;
        assert_eq!(
            BatchHeader::parse(&old),
            Err(HeaderError::Magic { magic: 1 })
        );
        for length in [-1, 0, 48, i32::MAX - 11, i32::MAX] {
            let mut bad = good;
            bad[8..12].copy_from_slice(&length.to_be_bytes());
            assert_eq!(
                BatchHeader::parse(&bad),
                Err(HeaderError::Length { length })
            );
        }
    }

    #[test]
    fn batches_end_at_the_first_incomplete_one() {
        let mut bytes = header().to_bytes().to_vec();
        bytes.extend_from_slice(&header().to_bytes());
        bytes.extend_from_slice(&header().to_bytes()[..30]);
        let mut batches = Batches::new(&bytes);
        assert_eq!(batches.by_ref().count(), 2);
        assert_eq!(batches.rest().len(), 30);
    }
}
