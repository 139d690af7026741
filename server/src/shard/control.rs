//! Requests that are neither produce nor fetch have a bounded share of each turn, so that whoever
//! floods a shard with commits, joins or questions makes itself wait, not those who move data.

use std::collections::VecDeque;

use logmill_engine::sys::region::Slice;
use logmill_wire::ApiKey;

use crate::connection::{ConnectionKey, RequestNumber};

/// A request that waits for a later turn.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) connection: ConnectionKey,
    pub(super) number: RequestNumber,
    pub(super) frame: Slice,
}

/// What was spent of this turn's share, and what waits for the next.
#[derive(Debug, Default)]
pub(super) struct Control {
    spent: usize,
    waiting: VecDeque<Waiting>,
    /// The first of them is being served.
    is_resuming: bool,
}

impl Control {
    /// Whether a request may be served now, which then counts. Such requests are served in the
    /// order they came in.
    pub(super) fn admits(&mut self, api: ApiKey, frame: &Slice) -> bool {
        if matches!(api, ApiKey::Produce | ApiKey::Fetch) {
            return true;
        }
        let is_next = self.is_resuming || self.waiting.is_empty();
        let cost = cost(frame);
        if !is_next || (self.spent > 0 && self.spent + cost > TURN_COST_MAX) {
            return false;
        }
        self.spent += cost;
        true
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// A new turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.spent = 0;
    }

    /// The next that waits, if there is room for it in this turn; it is to be served at once.
    pub(super) fn resume(&mut self) -> Option<Waiting> {
        let cost = cost(&self.waiting.front()?.frame);
        self.is_resuming = self.spent == 0 || self.spent + cost <= TURN_COST_MAX;
        if self.is_resuming {
            return self.waiting.pop_front();
        }
        None
    }

    /// It was served.
    pub(super) fn resumed(&mut self) {
        self.is_resuming = false;
    }

    pub(super) fn is_anyone_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// What serving a request takes, in the time that a byte of one takes.
fn cost(frame: &Slice) -> usize {
    REQUEST_COST + frame.len()
}

/// A short request takes 1 to 3 µs, and a byte of a commit with metadata, which is copied into a
/// record, a batch and a frame, about 5 ns.
const REQUEST_COST: usize = 400;
/// About a third of a millisecond: heartbeats of a hundred members, or eight commits of 8 KiB.
const TURN_COST_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use logmill_engine::sys::region::{RegionClass, RegionPool};

    use super::*;

    fn frame(len: usize) -> Slice {
        let mut writer = RegionPool::new(4 << 20).take(RegionClass::Huge).unwrap();
        writer.append(&vec![0; len]);
        writer.slice(0..len)
    }

    fn waiting(number: u64, len: usize) -> Waiting {
        Waiting {
            connection: ConnectionKey::from_bits(0),
            number: RequestNumber(number),
            frame: frame(len),
        }
    }

    #[test]
    fn what_a_turn_has_no_room_for_is_served_in_order_in_the_next_ones() {
        let (mut control, half) = (Control::default(), frame(TURN_COST_MAX / 2 - 100));
        assert!(control.admits(ApiKey::OffsetCommit, &half));
        assert!(!control.admits(ApiKey::OffsetCommit, &half));
        control.wait(waiting(1, half.len()));
        // However short, it came later.
        assert!(!control.admits(ApiKey::Heartbeat, &frame(1)));
        control.wait(waiting(2, 1));
        assert!(control.admits(ApiKey::Produce, &half), "data goes on");
        assert!(control.resume().is_none());
        control.begin_turn();
        for number in [1, 2] {
            let next = control.resume().unwrap();
            assert_eq!(next.number, RequestNumber(number));
            assert!(control.admits(ApiKey::OffsetCommit, &next.frame));
            control.resumed();
        }
        assert!(control.resume().is_none() && !control.is_anyone_waiting());
    }

    #[test]
    fn the_first_of_a_turn_may_be_as_large_as_it_likes() {
        let (mut control, large) = (Control::default(), frame(4 * TURN_COST_MAX));
        assert!(control.admits(ApiKey::OffsetCommit, &large));
        assert!(!control.admits(ApiKey::Heartbeat, &frame(1)));
        control.wait(waiting(1, large.len()));
        control.begin_turn();
        assert!(control.resume().is_some());
    }
}
