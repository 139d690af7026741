//! Large appends go straight into their segment; the journal holds only a fact about them.
//!
//! A partition with a large pending append has its whole unwritten tail written first, full pages
//! only; then its pending items become facts, with the last part of a page as bytes, and go into
//! the next frame. So large streams are written once. The sync that covers the frame covers the
//! segments too.

use super::{
    PartitionKey, Store,
    entry::{Entry, Folder, Pending},
    ops::Owner,
};
use crate::{
    disk::{DiskError, DiskOp, DiskOutput},
    journal::ItemKind,
    log::SyncPoint,
};

impl Store {
    /// Notes that a partition has a large append pending.
    pub(super) fn note_large(&mut self, key: PartitionKey) {
        let threshold = self.options.bypass_bytes;
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let newest = entry
            .pending
            .back()
            .map_or(0, |pending| pending.payload.len());
        if threshold > 0 && newest >= threshold && !entry.is_large {
            entry.is_large = true;
            self.lines[entry.line].large.push(key);
        }
    }

    /// Starts bypasses; who finds no place goes through the journal.
    pub(super) fn pump_bypasses(&mut self, index: usize) {
        let line = &mut self.lines[index];
        let mut large = std::mem::take(&mut line.large);
        let is_open = !line.room.is_short() && !line.journal.is_failed();
        for key in large.drain(..) {
            let line = &mut self.lines[index];
            let Some(entry) = self.entries.get_mut(key.0) else {
                continue;
            };
            entry.is_large = false;
            let is_free = entry.bypass.is_none();
            let is_sound = entry.folder == Folder::Ready && !entry.fenced && !entry.dropped;
            let has_place = line.bypassing.len() < self.options.bypasses_max;
            if is_open && is_free && is_sound && has_place {
                self.begin_bypass(key);
            }
        }
        self.lines[index].large = large;
    }

    fn begin_bypass(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let line = &mut self.lines[entry.line];
        line.pending_bytes -= entry.pending_bytes();
        entry.bypass = Some(entry.log.end());
        line.pending_bytes += entry.pending_bytes();
        line.bypassing.push(key);
        self.advance_sweep(key);
    }

    /// What could be written is: pending items become facts as far as it reaches, and go on to the
    /// next frame.
    pub(super) fn finish_bypass(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if entry.bypass.take().is_none() {
            return;
        }
        let line = &mut self.lines[entry.line];
        line.bypassing.retain(|other| *other != key);
        if entry.dropped || entry.fenced {
            return;
        }
        // Facts that still wait were counted all along.
        let counted: usize = {
            let facts = entry
                .pending
                .iter()
                .filter(|p| p.item.kind == ItemKind::Fact);
            facts.map(Pending::frame_bytes).sum()
        };
        let any = make_facts(entry);
        if any && !line.bypassed.contains(&key) {
            line.bypassed.push(key);
        }
        line.pending_bytes = line.pending_bytes + entry.pending_bytes() - counted;
        if !entry.is_dirty && !entry.pending.is_empty() {
            entry.is_dirty = true;
            line.dirty.push_front(key);
        }
        let newest = entry
            .pending
            .back()
            .filter(|p| p.item.kind == ItemKind::Append);
        let more = newest.is_some_and(|p| p.payload.len() >= self.options.bypass_bytes);
        // A sweep or a checkpoint of the partition has its turn between two bypasses.
        let must_yield = entry.is_sweeping || entry.advance.is_some();
        let must_yield = must_yield || entry.checkpoint.is_ready(entry.recovery.offset);
        if any && more && entry.in_flight == 0 && !must_yield {
            self.begin_bypass(key);
        }
    }

    /// The segments that a sync of the journal must cover.
    pub(super) fn sync_bypassed(&mut self, index: usize) {
        let Self {
            lines,
            entries,
            ops,
            ..
        } = self;
        let line = &mut lines[index];
        for key in line.bypassed.drain(..) {
            let Some(entry) = entries.get_mut(key.0).filter(|entry| !entry.dropped) else {
                continue;
            };
            let bases: Vec<_> = entry.log.unsynced_segments().collect();
            for base in bases {
                let Some(point) = entry.log.sync_point(base) else {
                    continue;
                };
                let file = entry.file(ops, base).name.clone();
                line.syncs_left += 1;
                entry.syncs += 1;
                let owner = Owner::BypassSync {
                    line: index,
                    key,
                    point,
                };
                ops.issue(owner, DiskOp::Sync { file });
            }
        }
    }

    /// A segment's part of the journal's sync is done.
    pub(super) fn bypass_synced(
        &mut self,
        index: usize,
        key: PartitionKey,
        point: SyncPoint,
        result: Result<DiskOutput, DiskError>,
    ) {
        if let Some(entry) = self.entries.get_mut(key.0) {
            entry.syncs -= 1;
            match &result {
                // Once a sync of a file has failed, none that succeeds says anything.
                Ok(_) if entry.fenced => {}
                Ok(_) => {
                    entry.log.segment_synced(point);
                    entry.advance_recovery();
                }
                // Its own records are not durable; those of others are.
                Err(error) => self.fence(key, error),
            }
        }
        self.journal_synced(index);
    }
}

/// What is left of a page when all full ones are written is less than a page.
const REMAINDER_BYTES_MAX: u32 = 4096;

/// Turns pending appends into facts as far as their bytes are in the segment; says whether there
/// was any.
fn make_facts(entry: &mut Entry) -> bool {
    let mut any = false;
    for pending in &mut entry.pending {
        let item = &mut pending.item;
        if item.kind != ItemKind::Append {
            continue;
        }
        let file = entry
            .files
            .iter()
            .find(|file| file.base == item.segment_base);
        let written_to = file.map_or(0, |file| file.written_to);
        let there = written_to
            .saturating_sub(item.position)
            .min(u64::from(item.len)) as u32;
        // What only begins in the segment goes there whole with the next write.
        if there > 0 && item.len - there < REMAINDER_BYTES_MAX {
            item.kind = ItemKind::Fact;
            item.framed = item.len - there;
            any = true;
        }
    }
    any
}
