//! The 61 bytes before the records of a batch.
//!
//! | at | field | at | field |
//! |---|---|---|---|
//! | 0 | base offset i64 | 27 | base timestamp i64 |
//! | 8 | length i32, counted from here on | 35 | largest timestamp i64 |
//! | 12 | partition leader epoch i32 | 43 | producer id i64 |
//! | 16 | magic i8 | 51 | producer epoch i16 |
//! | 17 | CRC-32C u32, of all that follows | 53 | base sequence i32 |
//! | 21 | attributes i16 | 57 | number of records i32 |
//! | 23 | last offset delta i32 | 61 | records |
//!
//! Offset and leader epoch are the broker's to set, and stand outside of the checksum for that.
//! Source: `DefaultRecordBatch.java`.

use crate::batch::error::BatchError;
use crate::reader::Reader;

/// The fixed part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record, or of where it was before compaction.
    pub base_offset: i64,
    /// Bytes of the batch behind this field.
    pub length: i32,
    /// The epoch of the leader that appended the batch; -1 from a producer.
    pub leader_epoch: i32,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, kind of timestamps, transactional, control.
    pub attributes: Attributes,
    /// Offset of the last record, less the base offset.
    pub last_offset_delta: i32,
    /// What the records' timestamps count from, in milliseconds since 1970.
    pub base_timestamp: i64,
    /// The latest timestamp, or the time of the append if the attributes say so.
    pub max_timestamp: i64,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Number of records; fewer than offsets after compaction.
    pub record_count: i32,
}

/// The attributes of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None = 0,
    /// gzip.
    Gzip = 1,
    /// Snappy, in the framing of snappy-java.
    Snappy = 2,
    /// The LZ4 frame format.
    Lz4 = 3,
    /// Zstandard.
    Zstd = 4,
}

impl BatchHeader {
    /// Bytes before the records.
    pub const BYTES: usize = 61;
    /// Bytes before what the length counts.
    pub const BYTES_BEFORE_LENGTH: usize = 12;

    /// Reads the header of the batch that `bytes` begin with. Of the batch's end nothing is
    /// asked: see [`total_bytes`](Self::total_bytes).
    ///
    /// # Errors
    /// `Short`, `Magic`, `Length` below the header's own, `RecordCount` below zero.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        let short = |_| BatchError::Short { have: bytes.len() };
        let mut r = Reader::new(bytes);
        let base_offset = r.i64().map_err(short)?;
        let length = r.i32().map_err(short)?;
        let leader_epoch = r.i32().map_err(short)?;
        let magic = r.i8().map_err(short)?;
        if magic != MAGIC {
            return Err(BatchError::Magic { magic });
        }
        let header = BatchHeader {
            base_offset,
            length,
            leader_epoch,
            crc: r.u32().map_err(short)?,
            attributes: Attributes(r.i16().map_err(short)?),
            last_offset_delta: r.i32().map_err(short)?,
            base_timestamp: r.i64().map_err(short)?,
            max_timestamp: r.i64().map_err(short)?,
            producer_id: r.i64().map_err(short)?,
            producer_epoch: r.i16().map_err(short)?,
            base_sequence: r.i32().map_err(short)?,
            record_count: r.i32().map_err(short)?,
        };
        if length < (Self::BYTES - Self::BYTES_BEFORE_LENGTH) as i32 {
            let have = bytes.len() - Self::BYTES_BEFORE_LENGTH;
            return Err(BatchError::Length { length, have });
        }
        if header.record_count < 0 {
            return Err(BatchError::RecordCount(header.record_count));
        }
        Ok(header)
    }

    /// The header as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.leader_epoch.to_be_bytes());
        bytes[16..17].copy_from_slice(&MAGIC.to_be_bytes());
        bytes[17..21].copy_from_slice(&self.crc.to_be_bytes());
        bytes[21..23].copy_from_slice(&self.attributes.0.to_be_bytes());
        bytes[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        bytes[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        bytes[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        bytes[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&self.record_count.to_be_bytes());
        bytes
    }

    /// Bytes of the whole batch.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        usize::try_from(self.length).unwrap_or_default() + Self::BYTES_BEFORE_LENGTH
    }

    /// The offset of the last record; the next batch's begins one later at the least.
    #[must_use]
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .wrapping_add(i64::from(self.last_offset_delta))
    }
}

impl Attributes {
    const COMPRESSION: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 1 << 3;
    const TRANSACTIONAL: i16 = 1 << 4;
    const CONTROL: i16 = 1 << 5;
    const DELETE_HORIZON: i16 = 1 << 6;

    /// The codec.
    ///
    /// # Errors
    /// `UnknownCompression`.
    pub fn compression(self) -> Result<Compression, BatchError> {
        Compression::from_code((self.0 & Self::COMPRESSION) as u8)
    }

    /// Whether `max_timestamp` is when the broker appended the batch, for all its records.
    #[must_use]
    pub fn is_log_append_time(self) -> bool {
        self.0 & Self::LOG_APPEND_TIME != 0
    }

    /// Whether the batch is part of a transaction.
    #[must_use]
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether Kafka wrote the records for itself.
    #[must_use]
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether `base_timestamp` is when compaction may drop the batch's tombstones.
    #[must_use]
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    pub(crate) fn of(compression: Compression, transactional: bool, control: bool) -> Attributes {
        let flag = |set, bit| if set { bit } else { 0 };
        Attributes(
            compression as i16
                | flag(transactional, Self::TRANSACTIONAL)
                | flag(control, Self::CONTROL),
        )
    }
}

impl Compression {
    /// All codecs, by their codes.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// The codec of a code, as batches have it.
    ///
    /// # Errors
    /// `UnknownCompression`.
    pub fn from_code(code: u8) -> Result<Compression, BatchError> {
        let known = Compression::ALL.get(usize::from(code));
        known.copied().ok_or(BatchError::UnknownCompression(code))
    }

    /// The name that `compression.type` has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

/// The checksum of a whole batch: of what stands behind it.
///
/// # Errors
/// `Short`.
pub fn compute_crc(batch: &[u8]) -> Result<u32, BatchError> {
    match batch.get(CRC_END..) {
        Some(covered) if batch.len() >= BatchHeader::BYTES => Ok(crc32c::crc32c(covered)),
        _ => Err(BatchError::Short { have: batch.len() }),
    }
}

/// Sets the offset of a batch's first record, which the checksum does not cover.
///
/// # Errors
/// `Short`.
pub fn set_base_offset(batch: &mut [u8], base_offset: i64) -> Result<(), BatchError> {
    patch(batch, 0, base_offset.to_be_bytes())
}

/// Sets the epoch of the leader that appends a batch, which the checksum does not cover.
///
/// # Errors
/// `Short`.
pub fn set_leader_epoch(batch: &mut [u8], leader_epoch: i32) -> Result<(), BatchError> {
    patch(batch, 12, leader_epoch.to_be_bytes())
}

fn patch<const N: usize>(batch: &mut [u8], at: usize, bytes: [u8; N]) -> Result<(), BatchError> {
    if batch.len() < BatchHeader::BYTES {
        return Err(BatchError::Short { have: batch.len() });
    }
    batch[at..at + N].copy_from_slice(&bytes);
    Ok(())
}

const MAGIC: i8 = 2;
/// Where the part that the checksum covers begins.
const CRC_END: usize = 21;
