//! What time brings about: logs lose what `retention.ms` and `retention.bytes` let go, and forget
//! producers that were not heard for long.

use std::sync::{Arc, OnceLock};

use super::{PartitionKey, Store, ops::Owner, stop::StopState};
use crate::{
    base::{Micros, Now, Offset},
    disk::{BlockingDisk, BlockingWork, ControlOp, DirectoryPath, DiskError, Work},
    format::names::FileKind,
};

/// When partitions are looked at, and which are left of this time.
#[derive(Debug, Default)]
pub(super) struct Retention {
    next: Option<Micros>,
    left: Vec<PartitionKey>,
}

/// Asks a file when it last changed.
#[derive(Debug)]
pub(super) struct LastModified {
    file: DirectoryPath,
    /// Milliseconds since the Unix epoch; empty if the disk does not say.
    at_ms: OnceLock<i64>,
}

impl BlockingWork for Arc<LastModified> {
    fn run(&self, disk: &dyn BlockingDisk) -> Result<(), DiskError> {
        if let Some(at_ms) = disk.modified_ms(self.file.directory, &self.file.path)? {
            self.at_ms.get_or_init(|| at_ms);
        }
        Ok(())
    }
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
        self.ask_modified(key, start);
    }

    /// Where only its file can say how old the next segment is.
    fn ask_modified(&mut self, key: PartitionKey, start: Offset) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let Some(base) = entry.log.undated_segment(start) else {
            return;
        };
        let answer = Arc::new(LastModified {
            file: entry.path(entry.log.identity().file(base, FileKind::Log)),
            at_ms: OnceLock::new(),
        });
        let work = ControlOp::Work(Work::new(Arc::clone(&answer)));
        self.ops
            .control(Owner::Modified { key, base, answer }, work);
    }

    /// The disk said so, or nothing: then it is asked again when it is time.
    pub(super) fn modified_told(&mut self, key: PartitionKey, base: Offset, answer: &LastModified) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let at_ms = answer.at_ms.get().copied();
        entry.log.note_modified(base, at_ms);
        if at_ms.is_some() {
            self.retention.left.push(key);
        }
    }
}

/// Partitions looked at in one turn: a fraction of a millisecond.
const AT_A_TIME_MAX: usize = 512;
