//! The one place that gives errors their Kafka codes.

use logmill_engine::log::{AppendError, ReadError};
use logmill_engine::store::{AckError, StoreError};
use logmill_wire::ErrorCode;

use crate::metadata::MetadataError;
use crate::partitions::mail::AppendFailure;

/// An error that a client is told by a code.
pub trait KafkaError {
    /// The code of Apache Kafka 4.1 for it.
    fn code(&self) -> ErrorCode;
}

/// The code of a result.
pub fn code_of<T, E: KafkaError>(result: &Result<T, E>) -> ErrorCode {
    result
        .as_ref()
        .err()
        .map_or(ErrorCode::NONE, KafkaError::code)
}

/// What is wrong, in words.
pub fn message_of<T, E: ToString>(result: &Result<T, E>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}

impl KafkaError for MetadataError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::TopicName(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
            Self::TopicExists(_) => ErrorCode::TOPIC_ALREADY_EXISTS,
            Self::UnknownTopic(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::UnknownTopicId(_) => ErrorCode::UNKNOWN_TOPIC_ID,
            Self::Forbidden(_) => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
            Self::Config(_) => ErrorCode::INVALID_CONFIG,
            Self::Partitions(_) => ErrorCode::INVALID_PARTITIONS,
            Self::ReplicationFactor(_) => ErrorCode::INVALID_REPLICATION_FACTOR,
            Self::Assignment(_) => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            Self::DeletionDisabled => ErrorCode::TOPIC_DELETION_DISABLED,
            Self::Limit(_) => ErrorCode::POLICY_VIOLATION,
            Self::Request(_) => ErrorCode::INVALID_REQUEST,
            Self::Unavailable => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl KafkaError for StoreError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::NotLeader | Self::Cutting | Self::Stopping => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::FencedEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::UnknownEpoch { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
            Self::Fenced | Self::NoDirectory(_) | Self::NoRoom { .. } => {
                ErrorCode::KAFKA_STORAGE_ERROR
            }
            Self::Append(error) => error.code(),
            Self::Read(error) => error.code(),
        }
    }
}

impl KafkaError for AppendError {
    fn code(&self) -> ErrorCode {
        match self {
            // The append waits; a client hears of it only if its request times out first.
            Self::Backpressure => ErrorCode::REQUEST_TIMED_OUT,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::LargerThanSegment { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
            Self::StaleLeaderEpoch { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::ProducerFenced { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
            Self::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            Self::NotContinuous { .. } | Self::Malformed => ErrorCode::CORRUPT_MESSAGE,
            Self::OffsetsExhausted { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl KafkaError for ReadError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Corrupt { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl KafkaError for AckError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Storage => ErrorCode::KAFKA_STORAGE_ERROR,
            Self::Dropped => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::NotLeader => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        }
    }
}

impl KafkaError for AppendFailure {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(error) => error.code(),
            Self::Ack(error) => error.code(),
        }
    }
}
