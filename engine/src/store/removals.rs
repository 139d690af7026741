//! Files that go: those of deleted segments and the folders of deleted partitions. They are renamed
//! as Kafka does, and removed some time later, one after another.

use std::collections::BTreeMap;

use super::{
    PartitionKey, Store,
    entry::{Entry, Folder},
    ops::Owner,
    stop::StopState,
};
use crate::{
    base::{Micros, Now},
    disk::{ControlOp, DirectoryPath},
    format::names,
};

/// What is to be removed in a log directory, and when. As much as stands on the disk.
#[derive(Debug, Default)]
pub(super) struct Removals {
    due: BTreeMap<(Micros, u64), ControlOp>,
    /// Makes keys unique.
    count: u64,
    is_busy: bool,
}

impl Removals {
    /// When the next one is due.
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let next = self.due.first_key_value().filter(|_| !self.is_busy);
        next.map(|((at, _), _)| *at)
    }

    /// Whether all is gone.
    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty() && !self.is_busy
    }

    /// A folder that is to go at once.
    pub(super) fn add_folder(&mut self, folder: DirectoryPath) {
        let DirectoryPath { directory, path } = folder;
        self.schedule(Micros(0), ControlOp::RemoveTree { directory, path });
    }

    fn schedule(&mut self, at: Micros, op: ControlOp) {
        self.count += 1;
        self.due.insert((at, self.count), op);
    }
}

impl Store {
    /// Removes what is due; at a stop all that is left.
    pub(super) fn pump_removals(&mut self, now: Now, index: usize) {
        let is_stopping = !matches!(self.stop, StopState::Running);
        let removals = &mut self.lines[index].removals;
        let is_due = |at: Micros| at <= now.monotonic || is_stopping;
        if removals.next_deadline().is_none_or(|at| !is_due(at)) {
            return;
        }
        if let Some((_, op)) = removals.due.pop_first() {
            removals.is_busy = true;
            self.ops.control(Owner::Removal(index), op);
        }
    }

    /// A removal ended. Should it have failed, the next start tries again.
    pub(super) fn removed(&mut self, index: usize) {
        self.lines[index].removals.is_busy = false;
    }

    /// Removes files of a partition in a while.
    pub(super) fn schedule_removal(
        &mut self,
        now: Now,
        key: PartitionKey,
        delay_ms: i64,
        steps: Vec<ControlOp>,
    ) {
        if let Some(entry) = self.entries.get(key.0) {
            let at = after(now, delay_ms);
            let removals = &mut self.lines[entry.line].removals;
            removals.schedule(at, ControlOp::Sequence(steps));
        }
    }

    /// Folders of dropped partitions are renamed once the drop is durable, nothing is in flight for
    /// them and nobody sends from their files.
    pub(super) fn drop_folders(&mut self, now: Now, index: usize) {
        let synced = self.lines[index].journal.synced();
        self.lines[index].drop_retry = None;
        let mut at = 0;
        while at < self.lines[index].drops.len() {
            let (sequence, key) = self.lines[index].drops[at];
            let entry = self.entries.get(key.0);
            let is_idle = entry.is_some_and(|entry| entry.in_flight + entry.syncs == 0);
            if sequence > synced || !is_idle {
                at += 1;
                continue;
            }
            let is_stopping = !matches!(self.stop, StopState::Running);
            let is_leased = entry.is_some_and(|it| it.files.iter().any(|f| f.name.is_leased()));
            if is_leased && !is_stopping {
                self.lines[index].drop_retry = Some(now.monotonic.saturating_add(LEASE_POLL));
                at += 1;
                continue;
            }
            self.lines[index].drops.swap_remove(at);
            self.rename_folder(key);
        }
    }

    fn rename_folder(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get(key.0) else {
            return;
        };
        if entry.folder != Folder::Ready {
            // It never had one: what stands there under that name is another's.
            if let Some(entry) = self.entries.remove(key.0) {
                self.forget_kept(&entry);
                self.bury(&entry);
            }
            return;
        }
        let (directory, identity) = (entry.directory(), entry.log.identity());
        let from = identity.folder();
        let to = names::deleted_folder(&identity.topic, identity.index, identity.topic_id);
        let (path, rename) = (
            to.clone(),
            ControlOp::Rename {
                directory,
                from,
                to,
            },
        );
        let sync = ControlOp::SyncDirectory {
            directory,
            path: String::new(),
        };
        let steps = ControlOp::Sequence(vec![rename, sync]);
        self.ops.control(Owner::DropFolder { key, path }, steps);
    }

    /// A dropped partition's folder has its new name.
    pub(super) fn folder_dropped(&mut self, now: Now, key: PartitionKey, path: String) {
        let Some(entry) = self.entries.remove(key.0) else {
            return;
        };
        self.forget_kept(&entry);
        self.bury(&entry);
        let directory = entry.directory();
        let at = after(now, entry.config().file_delete_delay_ms);
        let removals = &mut self.lines[entry.line].removals;
        removals.schedule(at, ControlOp::RemoveTree { directory, path });
    }
}

impl Store {
    /// Every head says that it is gone if anything may tell of it for longer than the journal.
    fn bury(&mut self, entry: &Entry) {
        if entry.is_known || entry.is_copied {
            let identity = entry.log.identity();
            let id = (identity.topic_id, identity.index);
            self.lines[entry.line].buried.push(id);
        }
    }
}

fn after(now: Now, delay_ms: i64) -> Micros {
    let delay = u64::try_from(delay_ms).unwrap_or(0);
    now.monotonic
        .saturating_add(Micros(delay.saturating_mul(1_000)))
}

/// How often leases are looked at.
const LEASE_POLL: Micros = Micros::from_millis(100);
