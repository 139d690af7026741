//! The checks of one partition's records, made on the shard that received them.

use logmill_engine::format::batch::{BatchHeader, HeaderError};
use logmill_engine::format::validate::{
    BatchError, RecordFault, ValidationMode, ValidationPolicy, Validator,
};
use logmill_engine::log::{LogConfig, TimestampType};
use logmill_wire::ErrorCode;

use super::Scope;
use crate::partitions::options::ShardOptions;

/// A batch that may be appended.
#[derive(Debug)]
pub struct CheckedBatch<'a> {
    /// Its head, as it is to be appended.
    pub header: BatchHeader,
    /// All of it.
    pub bytes: &'a [u8],
    /// The bytes to append instead, in the topic's own codec.
    pub recompressed: Option<Vec<u8>>,
}

/// Why a partition's records are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Kafka's code.
    pub code: ErrorCode,
    /// What is wrong, for people (from version 8 on).
    pub text: Option<String>,
    /// The records that are wrong (KIP-467).
    pub faults: Vec<RecordFault>,
}

impl Refusal {
    /// A code that says all.
    pub fn code(code: ErrorCode) -> Self {
        Self {
            code,
            text: None,
            faults: Vec::new(),
        }
    }

    /// A code with a text.
    pub fn text(code: ErrorCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: Some(text.into()),
            faults: Vec::new(),
        }
    }
}

/// Checks that `records` are exactly one batch that the topic accepts, in a codec that the
/// request's version may use.
pub(super) fn check<'a>(
    scope: &Scope<'_>,
    validator: &mut Validator,
    options: &ShardOptions,
    config: &LogConfig,
    records: Option<&'a [u8]>,
) -> Result<CheckedBatch<'a>, Refusal> {
    let bytes = records.unwrap_or_default();
    if let Ok(header) = BatchHeader::parse(bytes) {
        if header.attributes.codec_id() == ZSTD && scope.version < FIRST_VERSION_WITH_ZSTD {
            let text = "zstd needs produce version 7";
            return Err(Refusal::text(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, text));
        }
        if header.attributes.is_transactional() {
            let text = "transactions are not served yet";
            return Err(Refusal::text(ErrorCode::INVALID_TXN_STATE, text));
        }
    }
    let mode = match options.validate_every_record {
        true => ValidationMode::Kafka,
        false => ValidationMode::Auto,
    };
    let policy = ValidationPolicy {
        mode,
        now_ms: scope.now.wall_ms,
        log_append_time: config.timestamps.timestamp_type == TimestampType::LogAppendTime,
        timestamp_before_max_ms: config.timestamps.before_max_ms,
        timestamp_after_max_ms: config.timestamps.after_max_ms,
        compacted: config.retention.compact,
        codec: config.compression,
        level: config.compression_level,
        control_allowed: false,
        decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
    };
    let validated = validator.validate(bytes, &policy).map_err(refusal)?;
    // What may follow is the beginning of another batch, which is left away. (The head of other
    // bytes tells nothing of these.)
    let end = match validated.recompressed {
        Some(_) => bytes.len(),
        None => validated.header.size(),
    };
    Ok(CheckedBatch {
        header: validated.header,
        bytes: &bytes[..end],
        recompressed: validated.recompressed,
    })
}

fn refusal(error: BatchError) -> Refusal {
    let code = match &error {
        BatchError::Header(
            HeaderError::Length { .. } | HeaderError::Magic { magic: ..0 | 3.. },
        )
        | BatchError::Crc { .. }
        | BatchError::Compression(_) => ErrorCode::CORRUPT_MESSAGE,
        BatchError::UnknownCodec { .. } => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        BatchError::Faults(faults) if faults.iter().any(|fault| fault.kind.is_timestamp()) => {
            ErrorCode::INVALID_TIMESTAMP
        }
        _ => ErrorCode::INVALID_RECORD,
    };
    let text = Some(error.to_string());
    let faults = if let BatchError::Faults(faults) = error {
        faults
    } else {
        Vec::new()
    };
    Refusal { code, text, faults }
}

const ZSTD: u8 = 4;
const FIRST_VERSION_WITH_ZSTD: i16 = 7;
/// What a batch may grow to when it has to be opened: a hundred times the default limit of a
/// compressed one.
const DECOMPRESSED_BYTES_MAX: usize = 100 << 20;
