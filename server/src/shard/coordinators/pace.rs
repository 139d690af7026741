//! How much of coordinators is on its way to the disk at once: whatever their members do, records
//! of groups take a small share of each journal frame. Coordinators that have more take turns.

use std::collections::VecDeque;

use logmill_engine::base::Micros;

/// What all coordinators of a shard have on its way, and who waits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    unsynced_bytes: usize,
    /// What went so far would have taken until then, at the highest rate.
    busy_until: Micros,
    /// Each at most once.
    waiting: VecDeque<i32>,
    /// The first of them finds no room before an ack comes.
    needs_ack: bool,
}

impl Pace {
    /// Whether a batch may go now. One always may, however large it is, when none is on its way and
    /// none went lately.
    pub(super) fn has_room(&mut self, now: Micros, bytes: usize) -> bool {
        let fits = self.unsynced_bytes == 0 || self.unsynced_bytes + bytes <= UNSYNCED_BYTES_MAX;
        self.needs_ack = !fits;
        fits && self.busy_until <= now
    }

    /// The store took a batch.
    pub(super) fn began(&mut self, now: Micros, bytes: usize) {
        self.unsynced_bytes += bytes;
        let idle_since = Micros(now.0.saturating_sub(time(UNSYNCED_BYTES_MAX)));
        self.busy_until = Micros(self.busy_until.max(idle_since).0 + time(bytes));
    }

    /// Batches are synced, or nobody waits for them any more.
    pub(super) fn ended(&mut self, bytes: usize) {
        self.unsynced_bytes -= bytes;
        self.needs_ack = false;
    }

    pub(super) fn is_anyone_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When somebody who waits may go on, unless an ack has to come before.
    pub(super) fn next_turn_at(&self) -> Option<Micros> {
        (self.is_anyone_waiting() && !self.needs_ack).then_some(self.busy_until)
    }

    /// A coordinator waits for room.
    pub(super) fn wait(&mut self, index: i32) {
        if !self.waiting.contains(&index) {
            self.waiting.push_back(index);
        }
    }

    /// Whose turn it is.
    pub(super) fn first_waiting(&self) -> Option<i32> {
        self.waiting.front().copied()
    }

    /// The first has had its turn, and comes again after all others.
    pub(super) fn next_turn(&mut self) {
        self.waiting.rotate_left(1);
    }

    /// The first has nothing more to append.
    pub(super) fn leave_turn(&mut self) {
        self.waiting.pop_front();
    }
}

/// How long so many bytes take at the highest rate, in microseconds.
fn time(bytes: usize) -> u64 {
    bytes as u64 * 1_000_000 / BYTES_PER_SECOND_MAX
}

/// Above this batches of coordinators wait. A device writes so much in about the time that a sync
/// takes.
const UNSYNCED_BYTES_MAX: usize = 128 << 10;
/// The highest rate of all coordinators of a shard: 50,000 commits without metadata. Above it
/// journal files would be filled, and segments written behind them, at produce's cost.
const BYTES_PER_SECOND_MAX: u64 = 8 << 20;
/// A coordinator cuts its records into batches of at most so many bytes, or of one record.
pub(super) const BATCH_BYTES_MAX: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_when_there_is_room_or_nothing_before_it() {
        let (mut pace, now) = (Pace::default(), Micros(1_000_000));
        assert!(pace.has_room(now, 10 << 20));
        pace.began(now, UNSYNCED_BYTES_MAX - 10);
        pace.wait(1);
        assert!(pace.has_room(now, 10) && pace.next_turn_at().is_some());
        assert!(!pace.has_room(now, 11) && pace.next_turn_at().is_none());
        pace.ended(UNSYNCED_BYTES_MAX - 10);
        assert!(pace.next_turn_at().is_some());
        assert!(pace.has_room(now, 10 << 20));
    }

    #[test]
    fn in_the_long_run_there_is_a_highest_rate() {
        let (mut pace, begin) = (Pace::default(), Micros(1_000_000));
        let (mut now, mut bytes) = (begin, 0);
        pace.wait(1);
        while bytes < BYTES_PER_SECOND_MAX as usize {
            if pace.has_room(now, 10_000) {
                pace.began(now, 10_000);
                pace.ended(10_000);
                bytes += 10_000;
            } else {
                now = pace.next_turn_at().unwrap();
            }
        }
        let took = now.0 - begin.0;
        assert!((980_000..1_000_000).contains(&took), "{took} us");
    }

    #[test]
    fn who_waits_takes_turns() {
        let mut pace = Pace::default();
        for index in [3, 1, 3, 2, 1] {
            pace.wait(index);
        }
        let mut turns = Vec::new();
        while let Some(index) = pace.first_waiting() {
            turns.push(index);
            if index == 1 && turns.len() < 6 {
                pace.next_turn();
            } else {
                pace.leave_turn();
            }
        }
        assert_eq!(turns, [3, 1, 2, 1, 1, 1]);
        assert!(!pace.is_anyone_waiting());
    }
}
