//! How much of coordinators is on its way to the disk at once: whatever their members do, records
//! of groups take a small share of each journal frame. Coordinators that have more take turns.

use std::collections::VecDeque;

/// What all coordinators of a shard have on its way, and who waits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    unsynced_bytes: usize,
    /// Each at most once.
    waiting: VecDeque<i32>,
}

impl Pace {
    /// Whether a batch may go now. One always may, however large it is.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.unsynced_bytes == 0 || self.unsynced_bytes + bytes <= UNSYNCED_BYTES_MAX
    }

    /// The store took a batch.
    pub(super) fn began(&mut self, bytes: usize) {
        self.unsynced_bytes += bytes;
    }

    /// Batches are synced, or nobody waits for them any more.
    pub(super) fn ended(&mut self, bytes: usize) {
        self.unsynced_bytes -= bytes;
    }

    pub(super) fn is_anyone_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Somebody waits, and no ack will come that lets it go on.
    pub(super) fn is_ready(&self) -> bool {
        self.unsynced_bytes == 0 && self.is_anyone_waiting()
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

/// Above this batches of coordinators wait. A device writes so much in about the time that a sync
/// takes, and a commit has some 150 bytes.
const UNSYNCED_BYTES_MAX: usize = 128 << 10;
/// A coordinator cuts its records into batches of at most so many bytes, or of one record.
pub(super) const BATCH_BYTES_MAX: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_when_there_is_room_or_nothing_before_it() {
        let mut pace = Pace::default();
        assert!(pace.has_room(10 << 20));
        pace.began(UNSYNCED_BYTES_MAX - 10);
        assert!(pace.has_room(10) && !pace.has_room(11));
        pace.ended(UNSYNCED_BYTES_MAX - 10);
        assert!(pace.has_room(10 << 20));
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
