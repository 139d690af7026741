//! When records are meant to be sent.

use std::str::FromStr;

use crate::payload::SplitMix64;

/// The shape of an open loop's arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// A Poisson process: exponential gaps, as independent users make them.
    Poisson,
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "constant" => Ok(Self::Constant),
            "poisson" => Ok(Self::Poisson),
            _ => Err(format!(
                "'{text}' is no arrival process; use constant or poisson"
            )),
        }
    }
}

/// An open loop's schedule. It does not know how the sender fares: a stalled broker does not delay
/// the intended times, so that the latency taken from them holds what users would have waited.
#[derive(Clone, Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    gap_ns: f64,
    /// The next arrival since `origin_ns`; kept apart from it so that f64 stays exact enough.
    offset_ns: f64,
    origin_ns: u64,
    random: SplitMix64,
}

impl Schedule {
    /// `rate` records a second (above zero) from `origin_ns` on.
    pub fn new(arrivals: Arrivals, rate: f64, origin_ns: u64, seed: u64) -> Self {
        assert!(rate > 0.0, "an open loop has a rate");
        let gap_ns = 1e9 / rate;
        let mut random = SplitMix64::new(seed ^ 0x0A77_1BA1);
        // Several senders start at different points of their first gap.
        let offset_ns = gap_ns * random.unit();
        Self {
            arrivals,
            gap_ns,
            offset_ns,
            origin_ns,
            random,
        }
    }

    /// When the next record is meant to be sent.
    pub fn next_ns(&self) -> u64 {
        self.origin_ns + self.offset_ns as u64
    }

    /// How many arrivals are left before `end`; of a Poisson process, how many are to be expected.
    /// Takes no longer for many than for one.
    pub fn left_before(&self, end: u64) -> u64 {
        let next = self.next_ns();
        if next >= end {
            return 0;
        }
        // The next one, and those that are at most a whole number of gaps behind it.
        1 + ((end - 1 - next) as f64 / self.gap_ns) as u64
    }

    /// Takes the next arrival if it is due.
    pub fn take_due(&mut self, now: u64) -> Option<u64> {
        let due = self.next_ns();
        if due > now {
            return None;
        }
        self.offset_ns += match self.arrivals {
            Arrivals::Constant => self.gap_ns,
            Arrivals::Poisson => -self.random.unit().ln() * self.gap_ns,
        };
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(arrivals: Arrivals) -> Vec<f64> {
        let mut schedule = Schedule::new(arrivals, 10_000.0, 1_000, 3);
        let times: Vec<u64> = (0..50_001)
            .map(|_| schedule.take_due(u64::MAX).unwrap())
            .collect();
        times.windows(2).map(|w| (w[1] - w[0]) as f64).collect()
    }

    #[test]
    fn rates_and_shapes_are_as_asked() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            let gaps = gaps(arrivals);
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            assert!(
                (mean / 100_000.0 - 1.0).abs() < 0.02,
                "{arrivals:?}: {mean}"
            );
            let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
            let deviation = variance.sqrt() / mean;
            match arrivals {
                Arrivals::Constant => assert!(deviation < 0.001, "{deviation}"),
                // An exponential distribution's deviation equals its mean.
                Arrivals::Poisson => assert!((deviation - 1.0).abs() < 0.03, "{deviation}"),
            }
        }
    }

    #[test]
    fn what_is_left_is_counted_without_taking_it() {
        let mut schedule = Schedule::new(Arrivals::Constant, 1_000.0, 0, 1);
        let end = 50_000_000;
        for taken in 0..50 {
            assert_eq!(schedule.left_before(end), 50 - taken);
            schedule.take_due(end - 1).unwrap();
        }
        assert_eq!(schedule.left_before(end), 0);
        assert_eq!(schedule.take_due(end - 1), None);
        // An hour at a rate that nobody reaches is counted at once.
        let fast = Schedule::new(Arrivals::Poisson, 1e11, 0, 1);
        let left = fast.left_before(3_600_000_000_000) as f64;
        assert!((left / 3.6e14 - 1.0).abs() < 1e-6, "{left}");
    }

    #[test]
    fn a_stall_does_not_move_intended_times() {
        let mut schedule = Schedule::new(Arrivals::Constant, 1_000.0, 0, 1);
        let first = schedule.next_ns();
        assert_eq!(schedule.take_due(first - 1), None);
        let late: Vec<u64> = std::iter::from_fn(|| schedule.take_due(first + 10_000_000)).collect();
        assert_eq!(late.len(), 11);
        assert_eq!(late[0], first);
        assert!(late.windows(2).all(|w| w[1] - w[0] == 1_000_000));
    }
}
