//! What a produced batch must satisfy before it may be appended (`LogValidator.java`,
//! `UnifiedLog.analyzeAndValidateRecords`, `ProduceRequest.validateRecords`).
//!
//! The head and the CRC are checked always. Records are walked where they lie open; those of a
//! compressed batch where the topic needs it, or always in Kafka's mode.

use super::batch::{BatchHeader, HeaderError};
use super::builder::seal;
use super::compression::{Codec, CompressionError, Compressor, Decompressor};
use super::records::{Record, RecordError, Records};
use crate::base::Sequence;

/// `logmill.validation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValidationMode {
    /// Compressed batches are opened only where the topic needs it.
    #[default]
    Auto,
    /// Every record of every batch is looked at, as Kafka does.
    Kafka,
}

/// What the topic asks of a batch, and the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationPolicy {
    /// How much is opened.
    pub mode: ValidationMode,
    /// The broker's clock.
    pub now_ms: i64,
    /// The topic stamps by the broker's clock.
    pub log_append_time: bool,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// Keys must not be null.
    pub compacted: bool,
    /// The topic's own codec; `None` keeps the producer's.
    pub codec: Option<Codec>,
    /// The level of that codec; `None` is its default.
    pub level: Option<i32>,
    /// Control batches are allowed: this broker's own coordinators only.
    pub control_allowed: bool,
    /// What a batch may decompress to.
    pub decompressed_bytes_max: usize,
}

/// A batch that may be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// Its head, as it is to be appended: the append writes this, not the one in the bytes. Its
    /// largest timestamp is the records' where they were walked.
    pub header: BatchHeader,
    /// Other bytes to append instead, if the topic's codec is another one.
    pub recompressed: Option<Vec<u8>>,
}

/// What is kept between batches, so that validating allocates nothing once it is warm.
#[derive(Debug, Default)]
pub struct Validator {
    decompressor: Decompressor,
    open: Vec<u8>,
}

impl Validator {
    /// A validator without memory of its own yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks that `bytes` are exactly one batch that the topic accepts. A cut-off batch behind it
    /// is no part of it: the caller appends [`BatchHeader::size`] bytes.
    pub fn validate(
        &mut self,
        bytes: &[u8],
        policy: &ValidationPolicy,
    ) -> Result<Validated, BatchError> {
        let mut header = check_frame(bytes)?;
        let bytes = &bytes[..header.size()];
        check_crc(&header, bytes)?;
        check_header(&header, policy)?;
        let codec = codec_of(&header)?;
        let records = &bytes[BatchHeader::SIZE..];
        let recompress = policy.codec.filter(|target| *target != codec);
        let mut changed = header;
        if codec == Codec::None {
            walk(&mut changed, records, policy)?;
        } else if recompress.is_some() || must_open(&header, policy) {
            self.open.clear();
            let limit = policy.decompressed_bytes_max;
            self.decompressor
                .decompress(codec, records, limit, &mut self.open)?;
            walk(&mut changed, &self.open, policy)?;
        }
        if changed.attributes.is_log_append_time() && !policy.log_append_time {
            changed.attributes = changed.attributes.with_log_append_time(false);
        }
        if changed != header {
            changed.crc = changed.compute_crc(records);
            header = changed;
        }
        let Some(target) = recompress else {
            return Ok(Validated {
                header,
                recompressed: None,
            });
        };
        let open = if codec == Codec::None {
            records
        } else {
            &self.open
        };
        let mut recompressed = vec![0; BatchHeader::SIZE];
        let level = policy.level.filter(|_| policy.codec == Some(target));
        Compressor::new(target, level)?.compress(open, &mut recompressed)?;
        header.attributes = header.attributes.with_codec_id(target.id());
        seal(&mut header, &mut recompressed);
        // A large batch should not be remembered by every shard for ever.
        if self.open.capacity() > KEPT_BYTES_MAX {
            self.open = Vec::new();
        }
        Ok(Validated {
            header,
            recompressed: Some(recompressed),
        })
    }
}

/// Why a batch is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// There is no whole batch: INVALID_RECORD.
    #[error("the records of a partition must be exactly one batch; there is none")]
    NoBatch,
    /// There are several: INVALID_RECORD.
    #[error("the records of a partition must be exactly one batch; {left} bytes follow it")]
    SeveralBatches {
        /// Bytes behind the first.
        left: usize,
    },
    /// The head is none: CORRUPT_MESSAGE, or INVALID_RECORD for magic 0 and 1 and a missing one.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// CORRUPT_MESSAGE.
    #[error("record batch with CRC {stored:#010x}, computed {computed:#010x}")]
    Crc {
        /// What the batch says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The base offset of a produced batch must be 0: INVALID_RECORD.
    #[error("the base offset of a produced batch must be 0, it is {base_offset}")]
    BaseOffset {
        /// What it is.
        base_offset: i64,
    },
    /// INVALID_RECORD.
    #[error(
        "the batch counts {record_count} records, its last offset delta is {last_offset_delta}"
    )]
    Count {
        /// The head's count.
        record_count: i32,
        /// The head's delta.
        last_offset_delta: i32,
    },
    /// INVALID_RECORD.
    #[error("clients may not write control batches")]
    Control,
    /// INVALID_RECORD.
    #[error("a batch of producer {producer} with base sequence {sequence}")]
    Sequence {
        /// The producer's id.
        producer: i64,
        /// Its sequence.
        sequence: i32,
    },
    /// UNSUPPORTED_COMPRESSION_TYPE.
    #[error("unknown compression codec number {id}")]
    UnknownCodec {
        /// The attributes' number.
        id: u8,
    },
    /// CORRUPT_MESSAGE.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// INVALID_RECORD.
    #[error("record {index} of the batch is malformed: {error}")]
    Record {
        /// Which, from 0.
        index: usize,
        /// How.
        error: RecordError,
    },
    /// INVALID_RECORD.
    #[error("the batch counts {expected} records and holds {found}")]
    RecordCount {
        /// The head's count.
        expected: i32,
        /// How many there are.
        found: usize,
    },
    /// Records that the topic does not accept (KIP-467): INVALID_TIMESTAMP if any fault is one
    /// of a timestamp, else INVALID_RECORD.
    #[error("{} of the batch's records are not accepted, the first is {}", .0.len(), .0[0])]
    Faults(Vec<RecordFault>),
}

/// One record that the topic does not accept. At most [`FAULTS_MAX`] are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFault {
    /// Which, from 0.
    pub index: i32,
    /// Why.
    pub kind: FaultKind,
}

/// Why a record is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Its timestamp is out of the topic's bounds.
    Timestamp {
        /// The record's.
        timestamp: i64,
        /// The lowest allowed.
        from: i64,
        /// The highest allowed.
        to: i64,
    },
    /// The batch claims the broker's clock.
    TimestampType,
    /// A compacted topic needs keys.
    NullKey,
    /// The offset deltas must count up from 0.
    OffsetDelta {
        /// What it is.
        found: i32,
    },
}

impl FaultKind {
    /// Whether the answer is INVALID_TIMESTAMP rather than INVALID_RECORD.
    pub fn is_timestamp(self) -> bool {
        matches!(self, Self::Timestamp { .. } | Self::TimestampType)
    }
}

impl std::fmt::Display for RecordFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let index = self.index;
        match self.kind {
            FaultKind::Timestamp {
                timestamp,
                from,
                to,
            } => write!(
                f,
                "record {index}: timestamp {timestamp} is out of range, which is [{from}, {to}]"
            ),
            FaultKind::TimestampType => {
                write!(
                    f,
                    "record {index}: a producer may not set the type LogAppendTime"
                )
            }
            FaultKind::NullKey => {
                write!(
                    f,
                    "record {index}: a compacted topic cannot accept a record without key"
                )
            }
            FaultKind::OffsetDelta { found } => {
                write!(f, "record {index}: its offset delta is {found}")
            }
        }
    }
}

/// Checks that `bytes` are exactly one batch, by its head alone. What follows may be the beginning
/// of another, as fetch answers end with: Kafka cuts it off, and so do we.
pub fn check_frame(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
    if bytes.is_empty() {
        return Err(BatchError::NoBatch);
    }
    let header = BatchHeader::parse(bytes)?;
    match bytes.len().checked_sub(header.size()) {
        None => Err(BatchError::NoBatch),
        Some(_) if is_cut_off(&bytes[header.size()..]) => Ok(header),
        Some(left) => Err(BatchError::SeveralBatches { left }),
    }
}

/// Whether `rest` is less than the batch that it begins, or nothing.
fn is_cut_off(rest: &[u8]) -> bool {
    let length = rest
        .get(8..12)
        .and_then(|field| field.first_chunk())
        .map(|field| i32::from_be_bytes(*field));
    length.is_none_or(|length| {
        i64::from(length) > rest.len() as i64 - BatchHeader::LOG_OVERHEAD as i64
    })
}

/// Checks the CRC of a whole batch.
pub fn check_crc(header: &BatchHeader, bytes: &[u8]) -> Result<(), BatchError> {
    let computed = crc32c::crc32c(&bytes[BatchHeader::CRC_START..]);
    match header.crc == computed {
        true => Ok(()),
        false => Err(BatchError::Crc {
            stored: header.crc,
            computed,
        }),
    }
}

fn codec_of(header: &BatchHeader) -> Result<Codec, BatchError> {
    let id = header.attributes.codec_id();
    Codec::from_id(id).ok_or(BatchError::UnknownCodec { id })
}

fn check_header(header: &BatchHeader, policy: &ValidationPolicy) -> Result<(), BatchError> {
    let &BatchHeader {
        record_count,
        last_offset_delta,
        base_sequence,
        ..
    } = header;
    if header.base_offset.0 != 0 {
        return Err(BatchError::BaseOffset {
            base_offset: header.base_offset.0,
        });
    }
    if record_count <= 0 || last_offset_delta != record_count - 1 {
        return Err(BatchError::Count {
            record_count,
            last_offset_delta,
        });
    }
    if header.attributes.is_control() && !policy.control_allowed {
        return Err(BatchError::Control);
    }
    if header.is_idempotent() && base_sequence < Sequence(0) && !header.attributes.is_control() {
        let (producer, sequence) = (header.producer_id.0, base_sequence.0);
        return Err(BatchError::Sequence { producer, sequence });
    }
    Ok(())
}

/// Whether the topic can be satisfied only by looking at each record.
fn must_open(header: &BatchHeader, policy: &ValidationPolicy) -> bool {
    let late = policy.timestamp_before_max_ms != i64::MAX;
    let early = header.max_timestamp.saturating_sub(policy.now_ms) > policy.timestamp_after_max_ms;
    policy.mode == ValidationMode::Kafka
        || policy.compacted
        || header.attributes.is_log_append_time()
        || (!policy.log_append_time && (late || early))
}

/// Looks at every record; sets the head's largest timestamp to theirs.
fn walk(
    header: &mut BatchHeader,
    open: &[u8],
    policy: &ValidationPolicy,
) -> Result<(), BatchError> {
    let mut faults = Vec::new();
    let mut max_timestamp = NO_TIMESTAMP;
    let mut found = 0;
    for (index, record) in Records::new(open).enumerate() {
        let record = record.map_err(|error| BatchError::Record { index, error })?;
        let timestamp = match header.attributes.is_log_append_time() {
            true => header.max_timestamp,
            false => header.base_timestamp.wrapping_add(record.timestamp_delta),
        };
        max_timestamp = max_timestamp.max(timestamp);
        found = index + 1;
        if let Some(kind) = fault(header, index, &record, timestamp, policy)
            && faults.len() < FAULTS_MAX
        {
            faults.push(RecordFault {
                index: index as i32,
                kind,
            });
        }
    }
    if found != header.record_count as usize {
        return Err(BatchError::RecordCount {
            expected: header.record_count,
            found,
        });
    }
    if !faults.is_empty() {
        return Err(BatchError::Faults(faults));
    }
    header.max_timestamp = max_timestamp;
    Ok(())
}

fn fault(
    header: &BatchHeader,
    index: usize,
    record: &Record<'_>,
    timestamp: i64,
    policy: &ValidationPolicy,
) -> Option<FaultKind> {
    if policy.compacted && record.key.is_none() {
        return Some(FaultKind::NullKey);
    }
    if record.offset_delta as usize != index {
        return Some(FaultKind::OffsetDelta {
            found: record.offset_delta,
        });
    }
    if !policy.log_append_time && timestamp != NO_TIMESTAMP {
        let from = policy.now_ms.saturating_sub(policy.timestamp_before_max_ms);
        let to = policy.now_ms.saturating_add(policy.timestamp_after_max_ms);
        let within = (from..=to).contains(&timestamp);
        return (!within).then_some(FaultKind::Timestamp {
            timestamp,
            from,
            to,
        });
    }
    header
        .attributes
        .is_log_append_time()
        .then_some(FaultKind::TimestampType)
}

/// As many faulty records as one answer names.
pub const FAULTS_MAX: usize = 1_000;
const KEPT_BYTES_MAX: usize = 4 << 20;
const NO_TIMESTAMP: i64 = -1;

#[cfg(test)]
mod tests;
