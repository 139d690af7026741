//! From single operations to a figure: percentiles of a run, medians over rounds, spread.

use std::time::Duration;

use serde::Serialize;

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Writes into a pre-zeroed file.
    Write,
    /// Reads at random places.
    Read,
    /// Making writes durable.
    Sync,
    /// A shard's journal: many small appends, one frame.
    JournalTick,
    /// TCP to this machine itself.
    Loopback,
    /// Copying and checksums.
    Memory,
}

impl Group {
    /// All groups, in the order they are shown.
    pub const ALL: [Group; 6] = [
        Group::Write,
        Group::Read,
        Group::Sync,
        Group::JournalTick,
        Group::Loopback,
        Group::Memory,
    ];

    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Group::Write => "disk write",
            Group::Read => "disk read",
            Group::Sync => "sync",
            Group::JournalTick => "journal tick",
            Group::Loopback => "loopback",
            Group::Memory => "memory",
        }
    }
}

/// A figure: the medians of its rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// What it is about.
    pub group: Group,
    /// The case.
    pub name: String,
    /// Bytes per operation.
    pub bytes: u64,
    /// Operations measured, all rounds together.
    pub operations: u64,
    /// Half of the operations took at most this long, microseconds.
    pub p50_us: f64,
    /// 99 in 100 took at most this long; `None` when a round had fewer than 100 operations.
    pub p99_us: Option<f64>,
    /// Bytes per second over the whole of a round.
    pub bytes_per_second: f64,
    /// How far the rounds' medians lay apart: (largest - smallest) / median.
    pub spread: f64,
}

impl Measurement {
    /// Sums up the rounds of a case. Panics without a round or with an empty one: a case runs at
    /// least one operation.
    pub(super) fn of_runs(group: Group, name: String, bytes: u64, runs: &[Run]) -> Measurement {
        let p50s: Vec<f64> = runs.iter().map(|run| run.percentile_us(0.5)).collect();
        let enough = runs.iter().all(|run| run.latencies.len() >= 100);
        let p99s = enough.then(|| runs.iter().map(|run| run.percentile_us(0.99)).collect());
        let rates = runs.iter().map(|run| run.bytes_per_second(bytes)).collect();
        let p50_us = median(p50s.clone());
        let largest = p50s.iter().copied().fold(f64::MIN, f64::max);
        let smallest = p50s.iter().copied().fold(f64::MAX, f64::min);
        Measurement {
            group,
            name,
            bytes,
            operations: runs.iter().map(|run| run.latencies.len() as u64).sum(),
            p50_us,
            p99_us: p99s.map(median),
            bytes_per_second: median(rates),
            spread: if p50_us > 0.0 {
                (largest - smallest) / p50_us
            } else {
                0.0
            },
        }
    }
}

/// The operations of one case in one round.
#[derive(Debug)]
pub(super) struct Run {
    /// Nanoseconds of each operation, ascending.
    latencies: Vec<u64>,
    elapsed: Duration,
}

impl Run {
    /// A finished run; at least one operation, over a time that is not nothing.
    pub(super) fn new(mut latencies: Vec<u64>, elapsed: Duration) -> Run {
        assert!(!latencies.is_empty(), "a run has at least one operation");
        latencies.sort_unstable();
        Run {
            latencies,
            elapsed: elapsed.max(Duration::from_nanos(1)),
        }
    }

    fn percentile_us(&self, share: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies[rank.clamp(1, self.latencies.len()) - 1] as f64 / 1_000.0
    }

    fn bytes_per_second(&self, bytes: u64) -> f64 {
        (self.latencies.len() as u64 * bytes) as f64 / self.elapsed.as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let run = Run::new(
            (1..=1000).rev().map(|n| n * 1_000).collect(),
            Duration::from_secs(1),
        );
        assert_eq!(run.percentile_us(0.5), 500.0);
        assert_eq!(run.percentile_us(0.99), 990.0);
        assert_eq!(run.percentile_us(1.0), 1000.0);
        assert_eq!(run.bytes_per_second(10), 10_000.0);
        let one = Run::new(vec![7_000], Duration::ZERO);
        assert_eq!(
            (one.percentile_us(0.0), one.percentile_us(0.99)),
            (7.0, 7.0)
        );
    }

    #[test]
    fn rounds_give_their_median_and_spread() {
        let round = |micros: u64| Run::new(vec![micros * 1_000; 100], Duration::from_secs(1));
        let rounds = [round(30), round(10), round(20)];
        let one = Measurement::of_runs(Group::Sync, "sync".to_owned(), 4, &rounds);
        assert_eq!((one.p50_us, one.p99_us), (20.0, Some(20.0)));
        assert_eq!((one.spread, one.operations), (1.0, 300));
        assert_eq!(one.bytes_per_second, 400.0);
    }

    #[test]
    fn a_percentile_that_the_samples_do_not_support_is_withheld() {
        let rounds = [Run::new(vec![5_000; 99], Duration::from_secs(1))];
        assert_eq!(
            Measurement::of_runs(Group::Read, String::new(), 1, &rounds).p99_us,
            None
        );
    }
}
