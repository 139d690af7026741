//! Options that several subcommands share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use logmill_engine::format::compression::Codec;

use super::folder::Folder;
use crate::consumer::{ConsumerConfig, Isolation};
use crate::load::Arrivals;
use crate::payload::{Arena, Filler, Input, KeyPlan, SizePlan, Source};
use crate::producer::{Acks, PartitionPlan, ProducerConfig};
use crate::quantity;

/// What the records are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Records")]
pub(super) struct RecordArgs {
    /// Length of the values: 1KiB, 100..4KiB, exp:1KiB, mix:100=9,64KiB=1
    #[arg(long, value_name = "PLAN", default_value = "1KiB")]
    pub(super) record_size: SizePlan,
    /// Keys: none, uniform:N, zipf:N[:EXPONENT], sequence:N
    #[arg(long, value_name = "PLAN", default_value = "none")]
    pub(super) keys: KeyPlan,
    /// What values are filled with
    #[arg(long, value_enum, default_value = "random")]
    pub(super) payload: PayloadKind,
    /// Send this file's lines (plain, gzip, zstd or lz4) as records, in a loop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record_size", "payload"])]
    pub(super) input: Option<PathBuf>,
    /// Makes sizes, keys and arrivals repeatable [default: the time]
    #[arg(long, default_value_t = crate::clock::Clock::start().now(), hide_default_value = true)]
    pub(super) seed: u64,
}

/// What values are filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PayloadKind {
    /// No codec gains anything
    Random,
    /// Codecs gain about what they gain on logs
    Text,
    /// Codecs gain everything
    Zero,
}

/// How producers behave; the names are Kafka's.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Producer")]
pub(super) struct ProducerArgs {
    /// Bytes of records after which a batch is closed
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "256KiB")]
    pub(super) batch_size: u64,
    /// How long a batch waits for more records
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1ms")]
    pub(super) linger: Duration,
    /// Bytes of records that are not settled yet
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "16MiB")]
    pub(super) buffer_memory: u64,
    /// How long a sender waits for room in the buffer
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "60s")]
    pub(super) max_block: Duration,
    /// none, gzip, snappy, lz4 or zstd
    #[arg(long, value_name = "CODEC", default_value = "none")]
    pub(super) compression: Codec,
    /// The codec's level
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) compression_level: Option<i32>,
    /// Bytes of a request, but for one batch that is larger
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "4MiB")]
    pub(super) max_request_size: u64,
    /// Requests in flight per connection
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(super) max_in_flight: usize,
    /// How long a broker may take to answer
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "30s")]
    pub(super) request_timeout: Duration,
    /// How long a record may take in all, retries included
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "120s")]
    pub(super) delivery_timeout: Duration,
    /// Pause before a retry, doubled each time up to a second
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "100ms")]
    pub(super) retry_backoff: Duration,
    /// How old metadata may get before it is asked for again
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "300s")]
    pub(super) metadata_max_age: Duration,
    /// default (murmur2 of the key, sticky without), round-robin, sticky, or a partition
    #[arg(long, value_name = "HOW", default_value = "default")]
    pub(super) partitioner: PartitionPlan,
    /// Producers, each a thread and a connection per broker
    #[arg(long, value_name = "COUNT", default_value_t = 1, 
        value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) producers: u32,
}

/// How consumers behave; the names are Kafka's.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Consumer")]
pub(super) struct ConsumerArgs {
    #[command(flatten)]
    pub(super) fetch: FetchArgs,
    /// Consumers, each a thread; they share the partitions. 0: nothing is read or checked
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(super) consumers: u32,
}

/// How records are fetched.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Consumer")]
pub(super) struct FetchArgs {
    /// Bytes that a fetch waits for
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "1")]
    pub(super) fetch_min_bytes: u64,
    /// How long a fetch waits for them
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "500ms")]
    pub(super) fetch_max_wait: Duration,
    /// Bytes of a fetch
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "8MiB")]
    pub(super) fetch_max_bytes: u64,
    /// Bytes of one partition in a fetch
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes, default_value = "2MiB")]
    pub(super) max_partition_fetch_bytes: u64,
    /// Read only what committed transactions wrote
    #[arg(long)]
    pub(super) read_committed: bool,
}

/// How long, and how fast.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArgs {
    /// How long is measured
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "10s")]
    pub(super) duration: Duration,
    /// How long is sent before that
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s")]
    pub(super) warmup: Duration,
    /// How long the end may take: answers, and reading what was sent
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "60s")]
    pub(super) drain: Duration,
    /// How often the run is made
    #[arg(long, value_name = "COUNT", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeats: u32,
    /// Bytes of values after which sending ends early
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    pub(super) max_bytes: Option<u64>,
}

/// The rate of an open loop.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RateArgs {
    /// Records a second, whatever the broker does: an open loop. Without: as fast as it goes
    #[arg(long, value_name = "RATE", value_parser = quantity::rate)]
    pub(super) rate: Option<u64>,
    /// The arrivals of an open loop: constant or poisson
    #[arg(long, value_name = "SHAPE", default_value = "constant")]
    pub(super) arrivals: Arrivals,
}

/// Where the report goes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct OutputArgs {
    /// Folder for report.html, report.json and the histograms [default: loadgen-TIME]
    #[arg(long, value_name = "FOLDER")]
    pub(super) output: Option<PathBuf>,
    /// Write no folder
    #[arg(long, conflicts_with = "output")]
    pub(super) no_report: bool,
}

impl RecordArgs {
    /// The source of values, and their sizes.
    pub(super) fn source(&self, codec: Codec) -> Result<(Source, SizePlan), String> {
        if let Some(path) = &self.input {
            let input = Input::open(path).map_err(|error| error.to_string())?;
            let mean = u32::try_from(input.mean_bytes()).unwrap_or(u32::MAX);
            return Ok((Source::Lines(Arc::new(input)), SizePlan::Fixed(mean)));
        }
        let filler = match self.payload {
            PayloadKind::Random => Filler::Random,
            PayloadKind::Text => Filler::Text,
            PayloadKind::Zero => Filler::Zero,
        };
        // A codec must not find its window's content again; without one, the cache should hold it.
        let bits = if codec == Codec::None { 18 } else { 24 };
        Ok((
            Source::Synthetic(Arc::new(Arena::new(filler, bits))),
            self.record_size.clone(),
        ))
    }
}

impl ProducerArgs {
    /// The settings at a level of acknowledgement.
    pub(super) fn config(&self, acks: Acks, idempotent: bool) -> ProducerConfig {
        ProducerConfig {
            acks,
            idempotent,
            batch_size: self.batch_size as usize,
            linger: self.linger,
            buffer_memory: self.buffer_memory as usize,
            max_block: self.max_block,
            codec: self.compression,
            level: self.compression_level,
            request_bytes_max: self.max_request_size as usize,
            in_flight_max: self.max_in_flight,
            request_timeout: self.request_timeout,
            delivery_timeout: self.delivery_timeout,
            retry_backoff: self.retry_backoff,
            metadata_max_age: self.metadata_max_age,
            partitioner: self.partitioner,
            ..ProducerConfig::default()
        }
    }
}

impl FetchArgs {
    /// The settings.
    pub(super) fn config(&self) -> ConsumerConfig {
        let bytes = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
        ConsumerConfig {
            fetch_min_bytes: bytes(self.fetch_min_bytes),
            fetch_max_wait: self.fetch_max_wait,
            fetch_max_bytes: bytes(self.fetch_max_bytes),
            partition_bytes_max: bytes(self.max_partition_fetch_bytes),
            isolation: if self.read_committed {
                Isolation::ReadCommitted
            } else {
                Isolation::ReadUncommitted
            },
            ..ConsumerConfig::default()
        }
    }
}

impl OutputArgs {
    /// The report's folder, if one is wanted; to be opened before the first run.
    pub(super) fn folder(&self) -> Result<Option<Folder>, String> {
        if self.no_report {
            return Ok(None);
        }
        let path = self.output.clone().unwrap_or_else(|| {
            let seconds = crate::clock::Clock::start().now() / 1_000_000_000;
            PathBuf::from(format!("loadgen-{}", timestamp(seconds)))
        });
        Folder::open(path).map(Some)
    }
}

/// Seconds since the epoch as YYYYMMDD-HHMMSS, UTC (Howard Hinnant's civil-from-days).
fn timestamp(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 {
        (month + 3, year_of_era + era * 400)
    } else {
        (month - 9, year_of_era + era * 400 + 1)
    };
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        assert_eq!(timestamp(0), "19700101-000000");
        assert_eq!(timestamp(951_782_400), "20000229-000000");
        assert_eq!(timestamp(1_795_361_999), "20261122-153959");
    }
}
