//! The one place that gives errors their Kafka codes.

use logmill_wire::ErrorCode;

use crate::metadata::MetadataError;

/// An error that a client is told by a code.
pub trait KafkaError {
    /// The code of Apache Kafka 4.1 for it.
    fn code(&self) -> ErrorCode;
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
