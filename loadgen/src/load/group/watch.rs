//! How long partitions are not read while a group rebalances.

use std::collections::BTreeSet;
use std::time::Duration;

use super::figures::Rebalance;
use super::plan::Step;

/// Watches the partitions of one group.
#[derive(Debug, Default)]
pub(super) struct Watch {
    partitions: Vec<Pulse>,
    going_on: Option<GoingOn>,
    /// Records delivered again.
    pub(super) redelivered: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    /// When it was last read, ns; 0 never.
    last_ns: u64,
    /// Behind the highest offset that was delivered.
    next: i64,
}

#[derive(Debug)]
struct GoingOn {
    step: Step,
    begun_ns: u64,
    /// Given up or orphaned, and not read again yet.
    awaited: BTreeSet<u32>,
    moved: BTreeSet<u32>,
    noticed_ns: Option<u64>,
    resumed_ns: Option<u64>,
    longest_pause_ns: u64,
}

impl Watch {
    /// A member's fate changes; `orphans` are the partitions that it takes with it.
    pub(super) fn begin(&mut self, step: Step, now: u64, orphans: impl Iterator<Item = u32>) {
        let moved: BTreeSet<u32> = orphans.collect();
        self.going_on = Some(GoingOn {
            step,
            begun_ns: now,
            awaited: moved.clone(),
            moved,
            noticed_ns: None,
            resumed_ns: None,
            longest_pause_ns: 0,
        });
    }

    /// A member has heard that there is a rebalance.
    pub(super) fn noticed(&mut self, now: u64) {
        if let Some(going_on) = &mut self.going_on {
            going_on.noticed_ns.get_or_insert(now);
        }
    }

    /// Partitions are not read any more by whom they were read.
    pub(super) fn given_up(&mut self, partitions: &[u32]) {
        if let Some(going_on) = &mut self.going_on {
            going_on.awaited.extend(partitions);
            going_on.moved.extend(partitions);
        }
    }

    /// A record was delivered.
    pub(super) fn record(&mut self, partition: u32, offset: i64, now: u64) {
        let index = partition as usize;
        if self.partitions.len() <= index {
            self.partitions.resize(index + 1, Pulse::default());
        }
        let pulse = &mut self.partitions[index];
        if offset < pulse.next {
            self.redelivered += 1;
        }
        pulse.next = pulse.next.max(offset + 1);
        if pulse.last_ns == now {
            return;
        }
        let last = std::mem::replace(&mut pulse.last_ns, now);
        if let Some(going_on) = &mut self.going_on {
            if going_on.awaited.remove(&partition) {
                going_on.resumed_ns = Some(now);
            } else if !going_on.moved.contains(&partition) && last > 0 {
                let pause = now - last;
                going_on.longest_pause_ns = going_on.longest_pause_ns.max(pause);
            }
        }
    }

    /// All is read and owned again, and nothing more will come that could be read.
    pub(super) fn read_out(&mut self) {
        if let Some(going_on) = &mut self.going_on {
            going_on.awaited.clear();
        }
    }

    /// Ends what goes on, if every partition is read again and `is_settled`; times are told from
    /// `start` on. A step that nobody has to hear of ends when its `patience` does.
    pub(super) fn end(
        &mut self,
        is_settled: bool,
        now: u64,
        start: u64,
        patience: Duration,
    ) -> Option<Rebalance> {
        let going_on = self.going_on.as_ref()?;
        let waits = !going_on.awaited.is_empty() || !is_settled;
        let heard = going_on.noticed_ns.is_some() || going_on.resumed_ns.is_some();
        let since = |ns: u64| Duration::from_nanos(ns.saturating_sub(going_on.begun_ns));
        if waits || !(heard || since(now) > patience) {
            return None;
        }
        let rebalance = Rebalance {
            step: going_on.step,
            at: Duration::from_nanos(going_on.begun_ns.saturating_sub(start)),
            moved: going_on.moved.len() as u32,
            noticed_after: going_on.noticed_ns.map(since),
            resumed_after: going_on.resumed_ns.map(since),
            longest_pause: Duration::from_nanos(going_on.longest_pause_ns),
        };
        self.going_on = None;
        Some(rebalance)
    }

    /// What goes on, in words, if anything does.
    pub(super) fn going_on(&self) -> Option<String> {
        let going_on = self.going_on.as_ref()?;
        let awaited: Vec<String> = going_on.awaited.iter().map(ToString::to_string).collect();
        Some(format!(
            "after a member's {}, partitions [{}] are not read yet",
            going_on.step,
            awaited.join(" ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const PATIENCE: Duration = Duration::from_secs(1);

    #[test]
    fn a_rebalance_lasts_until_the_last_partition_is_read_again() {
        let mut watch = Watch::default();
        for partition in 0..3 {
            watch.record(partition, 10, 5 * MS);
        }
        watch.begin(Step::Kill, 10 * MS, [0, 1].into_iter());
        assert_eq!(watch.end(true, 11 * MS, 0, PATIENCE), None);
        watch.noticed(12 * MS);
        watch.record(2, 11, 13 * MS);
        watch.record(0, 9, 20 * MS);
        watch.record(0, 11, 21 * MS);
        assert_eq!(watch.end(true, 21 * MS, 0, PATIENCE), None);
        watch.record(1, 11, 30 * MS);
        assert_eq!(watch.end(false, 31 * MS, 0, PATIENCE), None);
        let rebalance = watch.end(true, 31 * MS, 4 * MS, PATIENCE).unwrap();
        let ms = Duration::from_millis;
        assert_eq!(
            rebalance,
            Rebalance {
                step: Step::Kill,
                at: ms(6),
                moved: 2,
                noticed_after: Some(ms(2)),
                resumed_after: Some(ms(20)),
                longest_pause: ms(8),
            }
        );
        assert_eq!(watch.redelivered, 1);
        assert!(watch.going_on().is_none());
    }

    #[test]
    fn a_rebalance_at_the_end_of_a_load_waits_for_no_records() {
        let mut watch = Watch::default();
        watch.begin(Step::Leave, 0, [0, 1].into_iter());
        watch.noticed(MS);
        watch.record(0, 5, 2 * MS);
        assert_eq!(watch.end(true, 3 * MS, 0, PATIENCE), None);
        watch.read_out();
        let rebalance = watch.end(true, 4 * MS, 0, PATIENCE).unwrap();
        assert_eq!(rebalance.moved, 2);
        assert_eq!(rebalance.resumed_after, Some(Duration::from_millis(2)));
    }

    #[test]
    fn a_restart_that_nobody_hears_of_ends_with_patience() {
        let mut watch = Watch::default();
        watch.begin(Step::Restart, 0, [].into_iter());
        assert_eq!(watch.end(true, 900 * MS, 0, PATIENCE), None);
        let rebalance = watch.end(true, 1_100 * MS, 0, PATIENCE).unwrap();
        assert_eq!((rebalance.moved, rebalance.noticed_after), (0, None));
    }
}
