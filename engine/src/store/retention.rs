//! What time brings about: logs lose what `retention.ms` and `retention.bytes` let go, and forget
//! producers that were not heard for long.

use super::{PartitionKey, Store, stop::StopState};
use crate::base::{Micros, Now};

/// When partitions are looked at, and which are left of this time.
#[derive(Debug, Default)]
pub(super) struct Retention {
    next: Option<Micros>,
    left: Vec<PartitionKey>,
}

impl Retention {
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        match self.left.is_empty() {
            true => self.next,
            false => Some(Micros(0)),
        }
    }
}

impl Store {
    /// Looks at some partitions, if it is time.
    pub(super) fn pump_retention(&mut self, now: Now) {
        let Some(interval) = self.options.retention_check else {
            return;
        };
        if !matches!(self.stop, StopState::Running) {
            self.retention = Retention::default();
            return;
        }
        let first = now.monotonic.saturating_add(self.options.retention_delay);
        let next = *self.retention.next.get_or_insert(first);
        if next <= now.monotonic {
            self.retention.next = Some(now.monotonic.saturating_add(interval));
            let keys = self.entries.iter().map(|(key, _)| PartitionKey(key));
            self.retention.left = keys.collect();
        }
        let left = &mut self.retention.left;
        let some = left.len().saturating_sub(AT_A_TIME_MAX);
        for key in left.split_off(some) {
            self.retain(now, key);
        }
    }

    fn retain(&mut self, now: Now, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let is_failed = entry.fenced || self.lines[entry.line].journal.is_failed();
        if is_failed || entry.dropped || entry.cut.is_some() {
            return;
        }
        entry.log.expire_producers(now.wall_ms);
        let start = entry.log.retention_start(now.wall_ms, entry.marks.high());
        if start > entry.log.log_start() || entry.log.has_expired() {
            self.begin_advance(key, start);
        }
    }
}

/// Partitions looked at in one turn: a fraction of a millisecond.
const AT_A_TIME_MAX: usize = 512;
