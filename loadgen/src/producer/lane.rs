//! The batches of one partition, in the order of their records.

use std::collections::VecDeque;

use logmill_engine::base::Sequence;

use super::batch::Batch;

/// One partition's batches: being filled, closed and waiting, sent and unanswered.
#[derive(Debug)]
pub(super) struct LaneState {
    /// Takes records.
    pub(super) open: Option<Batch>,
    /// Closed, to be sent (again), in order.
    pub(super) queue: VecDeque<Batch>,
    /// Sent, with the request they went in, in order.
    pub(super) flying: VecDeque<(u64, Batch)>,
    /// The next record's number.
    pub(super) next_record: u64,
    /// The next batch's sequence under the current identity.
    pub(super) next_sequence: Sequence,
}

impl LaneState {
    pub(super) fn new() -> Self {
        Self {
            open: None,
            queue: VecDeque::new(),
            flying: VecDeque::new(),
            next_record: 0,
            next_sequence: Sequence(0),
        }
    }

    /// The batch at the front of the queue, if it may be sent now. A batch that was sent before
    /// goes alone: nothing else may overtake it, and it may overtake nothing.
    pub(super) fn sendable(&self, now: u64, in_flight_max: usize) -> Option<&Batch> {
        let front = self.queue.front()?;
        let alone = front.attempts == 0 || self.flying.is_empty();
        let retrying = self.flying.iter().any(|(_, batch)| batch.attempts > 1);
        let room = self.flying.len() < in_flight_max;
        (front.not_before_ns <= now && alone && !retrying && room).then_some(front)
    }

    /// Puts a batch back to where it belongs.
    pub(super) fn requeue(&mut self, batch: Batch) {
        let at = self
            .queue
            .partition_point(|other| other.first < batch.first);
        self.queue.insert(at, batch);
    }

    /// Takes the batch that went in `request` out of flight.
    pub(super) fn land(&mut self, request: u64) -> Option<Batch> {
        let at = self.flying.iter().position(|(id, _)| *id == request)?;
        self.flying.remove(at).map(|(_, batch)| batch)
    }

    /// True if a batch with earlier records than `first` is not settled yet.
    pub(super) fn has_unsettled_before(&self, first: u64) -> bool {
        let flying = self.flying.iter().map(|(_, batch)| batch);
        flying.chain(&self.queue).any(|batch| batch.first < first)
    }

    /// True if nothing waits for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.open.as_ref().is_none_or(Batch::is_empty)
            && self.queue.is_empty()
            && self.flying.is_empty()
    }
}
