//! Latency distributions: HdrHistogram to three digits, merged over threads, and percentiles that
//! are withheld when there are too few samples to know them.

use hdrhistogram::Histogram;

/// A distribution of latencies, recorded in nanoseconds and kept in microseconds, to three
/// significant digits from 1 µs to 10 minutes.
#[derive(Clone, Debug)]
pub struct Latency {
    histogram: Histogram<u64>,
    sum_us: f64,
}

impl Default for Latency {
    fn default() -> Self {
        // It grows with the largest sample: a few ms take 40 KB, ten minutes 170 KB.
        let histogram = Histogram::new(3).expect("three digits are within what the crate allows");
        Self {
            histogram,
            sum_us: 0.0,
        }
    }
}

impl Latency {
    /// Records `count` samples of `nanos`.
    pub fn record(&mut self, nanos: u64, count: u64) {
        let micros = (nanos.div_ceil(1_000)).clamp(1, HIGHEST_US);
        self.histogram
            .record_n(micros, count)
            .expect("a histogram grows as far as the clamped value");
        self.sum_us += nanos as f64 / 1e3 * count as f64;
    }

    /// Adds another thread's samples.
    pub fn merge(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("a histogram grows as far as the other did");
        self.sum_us += other.sum_us;
    }

    /// Forgets every sample, keeps the memory.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.sum_us = 0.0;
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The value below which `quantile` (0 to 1) of the samples lie, in µs; `None` where the
    /// samples do not support it.
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        supported(quantile, self.count()).then(|| self.histogram.value_at_quantile(quantile))
    }

    /// The largest sample in µs, `None` without samples.
    pub fn max_us(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.histogram.max())
    }

    /// The mean in µs, `None` without samples.
    pub fn mean_us(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum_us / self.count() as f64)
    }

    /// The histogram itself, in µs, for logs and curves.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// The figures that reports show.
    pub fn summary(&self) -> Summary {
        let at = |quantile| Percentile {
            quantile,
            micros: self.quantile_us(quantile),
        };
        Summary {
            count: self.count(),
            mean_us: self.mean_us(),
            percentiles: QUANTILES.map(at),
            max_us: self.max_us(),
        }
    }
}

/// A distribution in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Samples.
    pub count: u64,
    /// Mean in µs.
    pub mean_us: Option<f64>,
    /// p50, p75, p95, p99, p99.9, p99.99.
    pub percentiles: [Percentile; 6],
    /// Largest in µs.
    pub max_us: Option<u64>,
}

impl Summary {
    /// The percentile at `quantile`, if it is among those kept and supported.
    pub fn at(&self, quantile: f64) -> Option<u64> {
        self.percentiles
            .iter()
            .find(|p| (p.quantile - quantile).abs() < 1e-9)?
            .micros
    }
}

/// One point of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// 0 to 1.
    pub quantile: f64,
    /// The value in µs, withheld where the samples do not support it.
    pub micros: Option<u64>,
}

/// True if `count` samples say anything about `quantile`: at least ten of them must lie above it
/// (p99 wants 1,000 samples, p99.9 10,000).
pub fn supported(quantile: f64, count: u64) -> bool {
    let above = (1.0 - quantile) * count as f64;
    count > 0 && above >= 10.0 - 1e-6
}

const QUANTILES: [f64; 6] = [0.5, 0.75, 0.95, 0.99, 0.999, 0.9999];
const HIGHEST_US: u64 = 600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_hold_and_threads_merge() {
        let (mut a, mut b) = (Latency::default(), Latency::default());
        for micros in 1..=100_000_u64 {
            let half = if micros % 2 == 0 { &mut a } else { &mut b };
            half.record(micros * 1_000, 1);
        }
        a.merge(&b);
        assert_eq!(a.count(), 100_000);
        for (quantile, expected) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0)] {
            let got = a.quantile_us(quantile).unwrap() as f64;
            assert!((got / expected - 1.0).abs() < 0.001, "{quantile}: {got}");
        }
        assert!((a.mean_us().unwrap() - 50_000.5).abs() < 0.01);
        a.clear();
        assert_eq!((a.count(), a.max_us(), a.mean_us()), (0, None, None));
    }

    #[test]
    fn percentiles_without_support_are_withheld() {
        let mut latency = Latency::default();
        latency.record(5_000, 9_999);
        let few = latency.summary();
        assert_eq!((few.at(0.99), few.at(0.999)), (Some(5), None));
        latency.record(5_000, 1);
        assert_eq!(latency.summary().at(0.999), Some(5));
        assert_eq!(latency.summary().at(0.9999), None);
        assert!(supported(0.99, 1_000) && !supported(0.99, 999) && !supported(0.5, 19));
    }

    #[test]
    fn extremes_are_kept_in_range() {
        let mut latency = Latency::default();
        latency.record(0, 1);
        latency.record(u64::MAX / 2, 1);
        assert_eq!(latency.count(), 2);
        assert!(latency.max_us().unwrap() >= HIGHEST_US);
    }
}
