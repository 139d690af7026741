//! How a run went, second by second.

use super::latency::Latency;

/// One second of a run.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// Records acknowledged.
    pub published: u64,
    /// Their bytes (keys and values).
    pub published_bytes: u64,
    /// Records that failed.
    pub failed: u64,
    /// Records read.
    pub consumed: u64,
    /// Their bytes (keys and values).
    pub consumed_bytes: u64,
    /// From the intended time to the acknowledgement.
    pub publish: Latency,
    /// From the intended time until the record entered the producer.
    pub delay: Latency,
    /// From the intended time until a consumer had it.
    pub end_to_end: Latency,
}

impl Second {
    /// Adds what another thread saw in the same second.
    pub fn merge(&mut self, other: &Self) {
        self.published += other.published;
        self.published_bytes += other.published_bytes;
        self.failed += other.failed;
        self.consumed += other.consumed;
        self.consumed_bytes += other.consumed_bytes;
        self.publish.merge(&other.publish);
        self.delay.merge(&other.delay);
        self.end_to_end.merge(&other.end_to_end);
    }
}

/// The seconds of a run, from its start. A second's histograms take some 100 KB, so that only
/// [`Timeline::DETAILED_MAX`] of them are kept apart.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    seconds: Vec<Second>,
    total: Second,
}

impl Timeline {
    /// Seconds that are kept apart; what comes later only adds to the last one and the total.
    pub const DETAILED_MAX: usize = 300;

    /// Adds what a thread saw in the second number `index` of the run.
    pub fn add(&mut self, index: usize, seen: &Second) {
        let index = index.min(Self::DETAILED_MAX - 1);
        if self.seconds.len() <= index {
            self.seconds.resize_with(index + 1, Second::default);
        }
        self.seconds[index].merge(seen);
        self.total.merge(seen);
    }

    /// The seconds, oldest first.
    pub fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// A percentile of the median second, in µs: a hiccup of the disk moves it less than one of all
    /// seconds together. `None` where no second has enough samples.
    pub fn median_second_us(&self, of: fn(&Second) -> &Latency, quantile: f64) -> Option<u64> {
        let seconds = self.seconds.iter();
        let mut found: Vec<u64> = seconds
            .filter_map(|second| of(second).quantile_us(quantile))
            .collect();
        found.sort_unstable();
        found.get(found.len() / 2).copied()
    }

    /// All seconds together.
    pub fn total(&self) -> &Second {
        &self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_meet_in_their_second() {
        let mut timeline = Timeline::default();
        let mut seen = Second {
            published: 3,
            ..Second::default()
        };
        seen.publish.record(2_000, 3);
        timeline.add(1, &seen);
        timeline.add(1, &seen);
        timeline.add(Timeline::DETAILED_MAX + 5, &seen);
        assert_eq!(timeline.seconds().len(), Timeline::DETAILED_MAX);
        assert_eq!(timeline.seconds()[1].publish.count(), 6);
        assert_eq!(timeline.seconds()[Timeline::DETAILED_MAX - 1].published, 3);
        assert_eq!(timeline.total().published, 9);
    }

    #[test]
    fn the_median_second_shrugs_off_a_hiccup() {
        let mut timeline = Timeline::default();
        for (index, micros) in [20, 90_000, 10, 30, 40].into_iter().enumerate() {
            let mut seen = Second::default();
            seen.publish.record(micros * 1_000, 1_000);
            timeline.add(index, &seen);
        }
        let median = |quantile| timeline.median_second_us(|second| &second.publish, quantile);
        assert_eq!((median(0.99), median(0.999)), (Some(30), None));
        assert_eq!(timeline.total().publish.quantile_us(0.99), Some(90_047));
    }
}
