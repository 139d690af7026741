//! The producer's settings, under Kafka's names, with the Java producer's rules.

use std::str::FromStr;
use std::time::Duration;

use logmill_engine::format::compression::{Codec, CompressionError, Compressor};
use thiserror::Error;

use super::partitioner::PartitionPlan;

/// How many replicas must have a record before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acks {
    /// The broker does not answer at all.
    None,
    /// The leader.
    Leader,
    /// Every in-sync replica.
    All,
}

impl Acks {
    /// The number in a produce request.
    pub fn wire(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Leader => "1",
            Self::All => "all",
        }
    }
}

impl FromStr for Acks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "0" => Ok(Self::None),
            "1" => Ok(Self::Leader),
            "all" | "-1" => Ok(Self::All),
            _ => Err(format!("acks is 0, 1 or all, not '{text}'")),
        }
    }
}

/// A producer's settings.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// `client.id`.
    pub client_id: String,
    /// `acks`.
    pub acks: Acks,
    /// `enable.idempotence`.
    pub idempotent: bool,
    /// `batch.size`: bytes of records after which a batch is closed.
    pub batch_size: usize,
    /// `linger.ms`: how long a batch may wait for more records.
    pub linger: Duration,
    /// `buffer.memory`: bytes of batches that are not settled yet.
    pub buffer_memory: usize,
    /// `max.block.ms`: how long a sender waits for room.
    pub max_block: Duration,
    /// `compression.type`.
    pub codec: Codec,
    /// `compression.<codec>.level`.
    pub level: Option<i32>,
    /// `max.request.size`.
    pub request_bytes_max: usize,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight_max: usize,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `delivery.timeout.ms`.
    pub delivery_timeout: Duration,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// `partitioner.class`.
    pub partitioner: PartitionPlan,
    /// `send.buffer.bytes`, 0 for the system's default.
    pub socket_buffer_bytes: usize,
}

impl Default for ProducerConfig {
    /// The Java producer's defaults, but for idempotence, which is off.
    fn default() -> Self {
        Self {
            client_id: "loadgen-producer".to_owned(),
            acks: Acks::All,
            idempotent: false,
            batch_size: 16 << 10,
            linger: Duration::from_millis(5),
            buffer_memory: 32 << 20,
            max_block: Duration::from_secs(60),
            codec: Codec::None,
            level: None,
            request_bytes_max: 1 << 20,
            in_flight_max: 5,
            request_timeout: Duration::from_secs(30),
            delivery_timeout: Duration::from_secs(120),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
            partitioner: PartitionPlan::Default,
            socket_buffer_bytes: 0,
        }
    }
}

/// Settings that do not go together.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Idempotence has conditions.
    #[error("enable.idempotence needs acks=all; acks is {0}")]
    IdempotenceAcks(&'static str),
    /// Idempotence has conditions.
    #[error(
        "enable.idempotence needs max.in.flight.requests.per.connection of at most 5, not {0}: \
         a broker remembers five batches of a producer"
    )]
    IdempotenceInFlight(usize),
    /// A batch has to be sent and answered before it is given up.
    #[error("delivery.timeout.ms has to be at least linger.ms + request.timeout.ms")]
    DeliveryTimeout,
    /// Something is zero that cannot be.
    #[error("{0} has to be above zero")]
    Zero(&'static str),
    /// The buffer has to hold a batch.
    #[error("buffer.memory ({memory}) is less than batch.size ({batch})")]
    Memory {
        /// `buffer.memory`.
        memory: usize,
        /// `batch.size`.
        batch: usize,
    },
    /// The codec has no such level.
    #[error(transparent)]
    Level(#[from] CompressionError),
}

impl ProducerConfig {
    /// Checks that the settings go together.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.idempotent && self.acks != Acks::All {
            return Err(ConfigError::IdempotenceAcks(self.acks.name()));
        }
        if self.idempotent && self.in_flight_max > 5 {
            return Err(ConfigError::IdempotenceInFlight(self.in_flight_max));
        }
        let least = self.linger + self.request_timeout;
        if self.delivery_timeout < least {
            return Err(ConfigError::DeliveryTimeout);
        }
        for (value, name) in [
            (self.batch_size, "batch.size"),
            (self.request_bytes_max, "max.request.size"),
            (self.in_flight_max, "max.in.flight.requests.per.connection"),
        ] {
            if value == 0 {
                return Err(ConfigError::Zero(name));
            }
        }
        if self.buffer_memory < self.batch_size {
            let (memory, batch) = (self.buffer_memory, self.batch_size);
            return Err(ConfigError::Memory { memory, batch });
        }
        Compressor::new(self.codec, self.level)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_go_together_is_refused() {
        let base = ProducerConfig::default();
        assert_eq!(base.check(), Ok(()));
        let acks = ProducerConfig {
            idempotent: true,
            acks: Acks::Leader,
            ..base.clone()
        };
        assert_eq!(acks.check(), Err(ConfigError::IdempotenceAcks("1")));
        let deep = ProducerConfig {
            idempotent: true,
            in_flight_max: 6,
            ..base.clone()
        };
        assert_eq!(deep.check(), Err(ConfigError::IdempotenceInFlight(6)));
        let short = ProducerConfig {
            delivery_timeout: Duration::from_secs(1),
            ..base.clone()
        };
        assert_eq!(short.check(), Err(ConfigError::DeliveryTimeout));
        let level = ProducerConfig {
            codec: Codec::Gzip,
            level: Some(77),
            ..base.clone()
        };
        assert!(matches!(level.check(), Err(ConfigError::Level(_))));
        let small = ProducerConfig {
            buffer_memory: 1,
            ..base
        };
        assert!(matches!(small.check(), Err(ConfigError::Memory { .. })));
        assert_eq!("-1".parse(), Ok(Acks::All));
        assert!("2".parse::<Acks>().is_err());
    }
}
