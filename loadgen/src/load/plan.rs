//! What is to be done, and what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use super::group::{GroupFigures, GroupPlan};
use super::schedule::Arrivals;
use super::trouble::{TroubleFigures, TroublePlan};
use crate::consumer::ConsumerConfig;
use crate::history::{Findings, Ledger};
use crate::measure::{CpuUse, Timeline};
use crate::payload::{KeyPlan, SizePlan, Source};
use crate::producer::{Counters, ProducerConfig};

/// How fast records are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the producer takes them.
    Closed,
    /// So many records a second over all producers, whatever the broker does.
    Open {
        /// Records per second.
        rate: f64,
        /// The shape of the arrivals.
        arrivals: Arrivals,
    },
}

/// A run.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where the cluster is.
    pub bootstrap: Vec<SocketAddr>,
    /// The topic; it exists.
    pub topic: String,
    /// The producers' settings.
    pub producer: ProducerConfig,
    /// The consumers' settings.
    pub consumer: ConsumerConfig,
    /// Threads that produce, each with its own producer; 0 to only consume.
    pub producers: u32,
    /// Threads that consume, sharing the partitions; 0 to only produce (and check nothing).
    pub consumers: u32,
    /// Consumers in groups instead of those; `consumers` is above zero if they read.
    pub group: Option<GroupPlan>,
    /// Groups in trouble beside all that.
    pub trouble: Option<TroublePlan>,
    /// Without producers: read on when the end is reached, for the whole duration.
    pub follow: bool,
    /// Begin at the first record of the topic instead of behind the last.
    pub from_start: bool,
    /// How fast.
    pub pace: Pace,
    /// Where values come from.
    pub source: Source,
    /// How long they are.
    pub sizes: SizePlan,
    /// Which keys they have.
    pub keys: KeyPlan,
    /// Sent before measuring begins.
    pub warmup: Duration,
    /// How long is measured.
    pub duration: Duration,
    /// How long the end may take: what is in flight to be answered, what was sent to be read.
    pub drain: Duration,
    /// Stop sending after so many bytes of values.
    pub bytes_max: u64,
    /// Makes sizes, keys and arrivals repeatable, and streams different from other runs'.
    pub seed: u64,
    /// The broker's process id, if it is on this host and known.
    pub broker_pid: Option<u32>,
}

/// A run's result.
#[derive(Clone, Debug)]
pub struct LoadResult {
    /// What was measured, second by second.
    pub timeline: Timeline,
    /// How long was measured.
    pub window: Duration,
    /// CPU time used while measuring.
    pub cpu: CpuUse,
    /// What the checks found.
    pub findings: Findings,
    /// True if consumers read to the end, so that the findings are final. If not, what was found
    /// is certain, and what was not read is told as unchecked.
    pub checked: bool,
    /// What the producers counted.
    pub counters: Counters,
    /// Records that were due at the end of an open loop and not sent yet.
    pub unsent: u64,
    /// Records that were sent and whose fate was not learned before the run failed.
    pub unsettled: u64,
    /// Records of others that were read.
    pub foreign: u64,
    /// What was measured of groups, where there were any.
    pub group: Option<GroupFigures>,
    /// What was measured of groups in trouble, where that was the question.
    pub trouble: Option<TroubleFigures>,
    /// The books behind the findings, for a second reading.
    pub ledger: Ledger,
    /// Why the run ended early, if it did.
    pub failure: Option<String>,
}

impl LoadResult {
    /// Records acknowledged (or sent, with acks=0) per second; read, where nobody produced.
    pub fn records_per_second(&self) -> f64 {
        let total = self.timeline.total();
        let count = if total.published > 0 {
            total.published
        } else {
            total.consumed
        };
        per_second(count, self.window)
    }

    /// Bytes of their keys and values per second.
    pub fn bytes_per_second(&self) -> f64 {
        per_second(self.bytes(), self.window)
    }

    /// Bytes of keys and values acknowledged while measuring; read, where nobody produced.
    pub fn bytes(&self) -> u64 {
        let total = self.timeline.total();
        if total.published > 0 {
            total.published_bytes
        } else {
            total.consumed_bytes
        }
    }

    /// True if nothing was violated and nothing failed.
    pub fn is_good(&self) -> bool {
        self.failure.is_none() && self.findings.is_clean()
    }
}

fn per_second(count: u64, window: Duration) -> f64 {
    if window.is_zero() {
        0.0
    } else {
        count as f64 / window.as_secs_f64()
    }
}
