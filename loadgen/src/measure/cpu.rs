//! CPU time of the broker and of this process.

use std::time::Duration;

use crate::sys;

/// Reads CPU times before and after a run.
#[derive(Clone, Copy, Debug)]
pub struct CpuMeter {
    broker: Option<u32>,
    broker_before: Option<Duration>,
    own_before: Duration,
}

/// CPU time used between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuUse {
    /// The broker's, where its process runs on this host and is known. Steps of 10 ms as a rule.
    pub broker: Option<Duration>,
    /// This process's.
    pub generator: Duration,
}

impl CpuMeter {
    /// Starts a reading; `broker` is its process id, if it is known.
    pub fn start(broker: Option<u32>) -> Self {
        Self {
            broker,
            broker_before: broker.and_then(of_process),
            own_before: sys::process_cpu(),
        }
    }

    /// What was used since the start.
    pub fn stop(&self) -> CpuUse {
        let after = self.broker.and_then(of_process);
        CpuUse {
            broker: self
                .broker_before
                .zip(after)
                .map(|(b, a)| a.saturating_sub(b)),
            generator: sys::process_cpu().saturating_sub(self.own_before),
        }
    }
}

impl CpuUse {
    /// CPU-seconds per GB (10^9 bytes) that the broker took in, `None` if it is not known, or if a
    /// MB was not reached: the system counts a process's time in hundredths of a second.
    pub fn broker_per_gb(&self, bytes: u64) -> Option<f64> {
        self.broker.and_then(|used| per_gb(used, bytes))
    }

    /// CPU-seconds per GB that this process used, with the same condition.
    pub fn generator_per_gb(&self, bytes: u64) -> Option<f64> {
        per_gb(self.generator, bytes)
    }
}

/// User and system time of a process, all threads; `None` once it has gone.
pub fn of_process(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat, sys::clock_ticks_per_second())
}

fn parse_stat(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    // The command name may hold spaces and parentheses: fields are counted behind the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_secs_f64(
        (user + system) as f64 / ticks_per_second as f64,
    ))
}

fn per_gb(used: Duration, bytes: u64) -> Option<f64> {
    (bytes >= MEASURABLE_BYTES).then(|| used.as_secs_f64() / (bytes as f64 / 1e9))
}

const MEASURABLE_BYTES: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_right_fields() {
        let stat = "77 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 9 9 20 0 3 0 1 2 3";
        assert_eq!(parse_stat(stat, 100), Some(Duration::from_secs(3)));
        assert_eq!(parse_stat("nonsense", 100), None);
    }

    #[test]
    fn a_process_that_is_gone_has_no_time() {
        assert!(of_process(std::process::id()).is_some());
        assert!(of_process(u32::MAX - 1).is_none());
        let used = CpuMeter::start(None).stop();
        assert_eq!(used.broker, None);
        assert_eq!(used.broker_per_gb(5), None);
        let used = CpuUse {
            broker: Some(Duration::from_secs(2)),
            ..CpuUse::default()
        };
        assert_eq!(used.broker_per_gb(4_000_000_000), Some(0.5));
        assert_eq!(used.generator_per_gb(0), None);
        assert_eq!(used.broker_per_gb(999_999), None);
    }
}
