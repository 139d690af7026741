//! Time as the load generator uses it: nanoseconds since the Unix epoch that never step back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads a monotonic clock, anchored once to the wall clock, so that a stamp made by a producer can
/// be compared with a consumer's time in the same process to the nanosecond, and by another process
/// on the same host as well as the host keeps time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Instant,
    epoch_ns: u64,
}

impl Clock {
    /// Anchors the clock to the wall clock now.
    pub fn start() -> Self {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self {
            anchor: Instant::now(),
            epoch_ns: epoch.as_nanos() as u64,
        }
    }

    /// Nanoseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.epoch_ns + self.anchor.elapsed().as_nanos() as u64
    }
}

/// A span in the unit of [`Clock::now`], saturating far beyond any run.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

/// The time left from `now` until `deadline`, zero if it has passed.
pub fn until(now: u64, deadline: u64) -> Duration {
    Duration::from_nanos(deadline.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_is_anchored() {
        let clock = Clock::start();
        let first = clock.now();
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64;
        assert!(clock.now() >= first);
        assert!(wall.abs_diff(clock.now()) < 1_000_000_000);
        assert_eq!(until(5, 3), Duration::ZERO);
        assert_eq!(until(3, 5), Duration::from_nanos(2));
    }
}
