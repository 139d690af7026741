//! What coordinators answered to those who make trouble.

use std::collections::BTreeMap;

use logmill_wire::{ApiKey, ErrorCode};

use crate::measure::Latency;

/// A run's trouble in figures, while measuring.
#[derive(Clone, Debug, Default)]
pub struct TroubleFigures {
    /// Requests that were answered, by what was asked and the worst code in the answer.
    pub answers: BTreeMap<(ApiKey, ErrorCode), u64>,
    /// From the request to the answer, of those that wait for no other member: all but JoinGroup
    /// and SyncGroup.
    pub latency: Latency,
    /// Requests of clients that read no answer.
    pub unread: u64,
    /// Connections that the broker closed, or that timed out.
    pub lost: u64,
}

impl TroubleFigures {
    /// Requests that were answered.
    pub fn answered(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Answers that were errors, by code.
    pub fn errors(&self) -> BTreeMap<ErrorCode, u64> {
        let mut errors = BTreeMap::new();
        for (&(_, code), count) in &self.answers {
            if code != ErrorCode::NONE {
                *errors.entry(code).or_default() += count;
            }
        }
        errors
    }
}

/// Counts what happens in the measured window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When measuring begins and ends; both 0 until that is known.
    pub(super) window: (u64, u64),
    pub(super) figures: TroubleFigures,
}

impl Tally {
    /// A request was answered at `now`, after so many ns.
    pub(super) fn answered(&mut self, now: u64, api: ApiKey, code: ErrorCode, took_ns: u64) {
        if !self.measures(now) {
            return;
        }
        *self.figures.answers.entry((api, code)).or_default() += 1;
        if !matches!(api, ApiKey::JoinGroup | ApiKey::SyncGroup) {
            self.figures.latency.record(took_ns, 1);
        }
    }

    /// A request was sent whose answer nobody reads.
    pub(super) fn unread(&mut self, now: u64) {
        self.figures.unread += u64::from(self.measures(now));
    }

    /// A connection is gone that was not closed here.
    pub(super) fn lost(&mut self, now: u64) {
        self.figures.lost += u64::from(self.measures(now));
    }

    fn measures(&self, now: u64) -> bool {
        self.window.0 <= now && now < self.window.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_counts_and_errors_add_up_by_code() {
        let mut tally = Tally::default();
        let (join, heartbeat) = (ApiKey::JoinGroup, ApiKey::Heartbeat);
        let again = ErrorCode::REBALANCE_IN_PROGRESS;
        tally.answered(5, join, again, 1);
        tally.window = (10, 20);
        tally.answered(9, join, again, 1);
        tally.answered(10, join, again, 1);
        tally.answered(19, heartbeat, again, 1);
        tally.answered(19, heartbeat, ErrorCode::NONE, 1);
        tally.answered(20, join, again, 1);
        tally.lost(20);
        let figures = tally.figures;
        assert_eq!((figures.answered(), figures.lost), (3, 0));
        assert_eq!(figures.errors(), BTreeMap::from([(again, 2)]));
        assert_eq!(figures.latency.count(), 2);
    }
}
