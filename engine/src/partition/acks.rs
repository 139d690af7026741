//! Group commit of acknowledgements: who waits for which offset to be how durable.

use std::collections::VecDeque;

use crate::base::{Offset, Watermarks};

/// What an acknowledgement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AckLevel {
    /// The leader's own write.
    Written,
    /// The leader's own sync.
    Synced,
    /// The high watermark: as durable as the topic says, on every in-sync replica.
    Visible,
}

/// The waiting acknowledgements of one partition, answered in the order of their offsets. Bounded
/// by the requests in flight, which the caller bounds; empty it holds no memory.
#[derive(Debug)]
pub struct AckQueue<T> {
    queues: [VecDeque<(Offset, T)>; LEVELS],
}

impl<T> AckQueue<T> {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self {
            queues: [const { VecDeque::new() }; LEVELS],
        }
    }

    /// `waiter` waits until the records below `end` have reached `level`. A duplicate waits for
    /// its original's end, so ends need not come in order.
    pub fn push(&mut self, level: AckLevel, end: Offset, waiter: T) {
        let queue = &mut self.queues[level as usize];
        let at = if queue.back().is_none_or(|(last, _)| *last <= end) {
            queue.len()
        } else {
            queue.partition_point(|(other, _)| *other <= end)
        };
        queue.insert(at, (end, waiter));
    }

    /// Takes one waiter that the marks satisfy; call it until there is none.
    pub fn pop_ready(&mut self, marks: &Watermarks) -> Option<T> {
        let reached = [marks.written(), marks.synced(), marks.high()];
        for (queue, reached) in self.queues.iter_mut().zip(reached) {
            if queue.front().is_some_and(|(end, _)| *end <= reached) {
                return queue.pop_front().map(|(_, waiter)| waiter);
            }
        }
        None
    }

    /// Takes any waiter, for a partition that stops.
    pub fn pop_any(&mut self) -> Option<T> {
        self.queues
            .iter_mut()
            .find_map(VecDeque::pop_front)
            .map(|(_, waiter)| waiter)
    }

    /// The highest end that waits for more than a write: how far a sync is asked for.
    pub fn sync_wanted(&self) -> Option<Offset> {
        let ends = self.queues[AckLevel::Synced as usize..].iter();
        ends.filter_map(|queue| queue.back().map(|(end, _)| *end))
            .max()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives memory back while nobody waits.
    pub fn release(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }
}

impl<T> Default for AckQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

const LEVELS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_waits_for_its_mark() {
        let mut queue = AckQueue::new();
        queue.push(AckLevel::Visible, Offset(5), "visible 5");
        queue.push(AckLevel::Written, Offset(9), "written 9");
        queue.push(AckLevel::Synced, Offset(9), "synced 9");
        queue.push(AckLevel::Written, Offset(4), "duplicate of 4");
        assert_eq!(queue.sync_wanted(), Some(Offset(9)));
        let mut marks = Watermarks::restored(Offset(0), Offset(0));
        marks.set_appended(Offset(9));
        assert_eq!(queue.pop_ready(&marks), None);
        marks.set_written(Offset(8));
        assert_eq!(queue.pop_ready(&marks), Some("duplicate of 4"));
        assert_eq!(queue.pop_ready(&marks), None);
        marks.set_written(Offset(9));
        marks.set_synced(Offset(9));
        assert_eq!(queue.pop_ready(&marks), Some("written 9"));
        assert_eq!(queue.pop_ready(&marks), Some("synced 9"));
        marks.set_high(Offset(5));
        assert_eq!(queue.pop_ready(&marks), Some("visible 5"));
        assert!(queue.is_empty() && queue.sync_wanted().is_none());
        queue.push(AckLevel::Written, Offset(1), "dropped");
        assert_eq!((queue.pop_any(), queue.pop_any()), (Some("dropped"), None));
    }
}
