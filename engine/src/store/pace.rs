//! How fast segments are written behind the journal where there is time: a little faster than the
//! journal fills, in pieces after which a frame need not wait long for the device.

use std::collections::VecDeque;

use super::PartitionKey;
use crate::base::Micros;

/// The pace of a journal's sweeps.
#[derive(Debug)]
pub(super) struct SweepPace {
    /// Bytes that may be written now; may be overdrawn by one write for each sweep.
    credit: i64,
    credit_max: i64,
    refilled: Micros,
    is_urgent: bool,
    /// Sweeps that wait for credit.
    held: VecDeque<PartitionKey>,
}

impl SweepPace {
    /// So many bytes may be in flight beyond what is earned.
    pub(super) fn new(ahead_bytes_max: usize) -> Self {
        let credit_max = i64::try_from(ahead_bytes_max).unwrap_or(i64::MAX);
        Self {
            credit: credit_max,
            credit_max,
            refilled: Micros(0),
            is_urgent: false,
            held: VecDeque::new(),
        }
    }

    /// Time has passed. Urgent sweeps go as fast as the device does.
    pub(super) fn refill(&mut self, now: Micros, is_urgent: bool) {
        let passed = now.0.saturating_sub(self.refilled.0);
        self.refilled = now;
        self.is_urgent = is_urgent;
        let bytes = passed.saturating_mul(IDLE_BYTES_PER_MS) / 1_000;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_add(bytes).min(self.credit_max);
    }

    /// A frame of so many bytes goes into the journal.
    pub(super) fn earn(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.credit = self
            .credit
            .saturating_add(bytes.saturating_mul(SWEPT_PER_FRAMED))
            .min(self.credit_max);
    }

    /// A write of so many bytes, or a sync, is issued.
    pub(super) fn spend(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_sub(bytes.max(OPERATION_COST));
    }

    /// Whether a sweep may go on.
    pub(super) fn may_go(&self) -> bool {
        self.is_urgent || self.credit > 0
    }

    /// The longest write.
    pub(super) fn write_bytes_max(&self, most: usize) -> usize {
        match self.is_urgent {
            true => most,
            false => most.min(PIECE_BYTES_MAX),
        }
    }

    /// A sweep waits for credit.
    pub(super) fn hold(&mut self, key: PartitionKey) {
        self.held.push_back(key);
    }

    /// How many wait.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// The next sweep that may go on. What it does is to be spent before the next is asked for.
    pub(super) fn next_held(&mut self) -> Option<PartitionKey> {
        if self.may_go() {
            return self.held.pop_front();
        }
        None
    }

    /// When there is credit for sweeps that wait.
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let missing = u64::try_from(1 - self.credit).unwrap_or(0);
        let wait = Micros(missing * 1_000 / IDLE_BYTES_PER_MS + 1);
        (!self.held.is_empty()).then(|| self.refilled.saturating_add(wait))
    }
}

/// The longest write of a paced sweep: about 0.2 ms of a device.
const PIECE_BYTES_MAX: usize = 256 << 10;
/// What a write or a sync takes at least, in bytes that would take the device as long.
const OPERATION_COST: i64 = 16 << 10;
/// Bytes swept for each that is framed: a sweep gains on the journal.
const SWEPT_PER_FRAMED: i64 = 2;
/// The pace while nothing is appended: 32 MB/s.
const IDLE_BYTES_PER_MS: u64 = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SlabKey;

    fn key(bits: u64) -> PartitionKey {
        PartitionKey(SlabKey::from_bits(bits))
    }

    #[test]
    fn sweeps_gain_on_the_journal_and_no_more() {
        let mut pace = SweepPace::new(512 << 10);
        let (mut framed, mut swept) = (0, 0);
        let now = Micros(1_000_000);
        pace.refill(now, false);
        for _ in 0..1_000 {
            pace.earn(100_000);
            framed += 100_000;
            while pace.may_go() {
                pace.spend(PIECE_BYTES_MAX);
                swept += PIECE_BYTES_MAX;
            }
        }
        assert!(
            swept >= 2 * framed && swept < 2 * framed + (1 << 20),
            "{swept}"
        );
    }

    #[test]
    fn a_held_sweep_goes_on_when_it_says() {
        let mut pace = SweepPace::new(512 << 10);
        let now = Micros(1_000_000);
        pace.refill(now, false);
        while pace.may_go() {
            pace.spend(1 << 20);
        }
        pace.hold(key(7));
        assert!(pace.next_held().is_none());
        let at = pace.next_deadline().unwrap();
        assert!(at > now);
        pace.refill(Micros(at.0 - 100), false);
        assert!(pace.next_held().is_none());
        pace.refill(at, false);
        assert_eq!(pace.next_held(), Some(key(7)));
        assert_eq!(pace.next_deadline(), None);
    }

    #[test]
    fn urgent_sweeps_wait_for_nothing() {
        let mut pace = SweepPace::new(512 << 10);
        pace.spend(100 << 20);
        pace.hold(key(1));
        pace.refill(Micros(1), true);
        assert_eq!(pace.next_held(), Some(key(1)));
        assert_eq!(pace.write_bytes_max(1 << 20), 1 << 20);
    }
}
