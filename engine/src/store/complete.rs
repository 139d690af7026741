//! Completions find their owners.

use super::{PartitionKey, Store, StoreError, StoreEvent, entry::SegmentFile, ops::Owner};
use crate::{
    base::{Now, Offset},
    disk::{Completion, DiskError, DiskOutput},
};

impl Store {
    /// An operation that [`Store::pump`] handed out has ended.
    pub fn complete(&mut self, now: Now, completion: Completion) {
        let Some(owner) = self.ops.finish(completion.key) else {
            return;
        };
        let result = completion.result;
        match owner {
            Owner::Frame(line) => match result {
                Ok(_) => self.frame_written(line),
                Err(error) => self.fail_line(line, &error),
            },
            Owner::JournalSync(line) => match result {
                Ok(_) => self.journal_synced(line),
                Err(error) => self.fail_line(line, &error),
            },
            Owner::BypassSync { line, key, point } => {
                self.bypass_synced(line, key, point, result);
            }
            Owner::Prepare { line, file, len } => self.prepared(now, line, file, len, result),
            Owner::Header(line) => match result {
                Ok(_) => self.lines[line].journal.header_written(),
                Err(error) => self.fail_line(line, &error),
            },
            Owner::HeaderSync(line) => match result {
                Ok(_) => self.lines[line].journal.header_synced(),
                Err(error) => self.fail_line(line, &error),
            },
            Owner::Forgotten => {}
            Owner::DropFolder { key, path } => self.folder_dropped(now, key, path),
            Owner::Copy { line, number, keys } => {
                self.copied(now, line, number, &keys, &result.map(drop));
            }
            Owner::Modified { key, base, answer } => self.modified_told(key, base, &answer),
            Owner::Removal(line) => self.removed(line),
            Owner::Claim { key, is_durable } => {
                self.folder_claimed(now, key, is_durable, result.map(drop));
            }
            Owner::Folders { line, keys } => {
                self.folders_synced(line, &keys, &result.map(drop));
            }
            Owner::Load { key, load } => self.loaded(key, load, result),
            owner => self.complete_segment(now, owner, result),
        }
    }

    fn prepared(
        &mut self,
        now: Now,
        line: usize,
        file: crate::disk::FileName,
        len: u64,
        result: Result<DiskOutput, DiskError>,
    ) {
        match result {
            Ok(_) => {
                self.lines[line].room.taken();
                self.lines[line].journal.prepared(file, len);
            }
            Err(error) if error.is_no_space() => {
                let short = &mut self.lines[line];
                short.journal.prepare_refused();
                short.room.refuse_journal(now, error);
            }
            Err(error) => self.fail_line(line, &error),
        }
    }

    /// Completions of operations on a partition's files.
    fn complete_segment(&mut self, now: Now, owner: Owner, result: Result<DiskOutput, DiskError>) {
        let key = match &owner {
            Owner::CreateSegment { key, .. }
            | Owner::Allocate { key, .. }
            | Owner::SegmentWrite { key, .. }
            | Owner::SegmentSync { key, .. }
            | Owner::LoadPage { key, .. }
            | Owner::Seal { key, .. }
            | Owner::Checkpoint { key, .. }
            | Owner::Cut { key }
            | Owner::Clear { key }
            | Owner::CutLoad { key, .. }
            | Owner::LastFiles { key, .. } => *key,
            _ => return,
        };
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        entry.in_flight -= 1;
        let line = entry.line;
        let is_of_stop = matches!(owner, Owner::LastFiles { .. });
        // Once a write or sync of a file has failed, none that succeeds says anything.
        let is_over = entry.dropped || entry.fenced;
        let is_done = result.is_ok() && !is_over;
        match result {
            _ if is_over => self.end_sweep(key),
            Ok(output) => self.segment_done(key, owner, output),
            Err(error) if error.is_no_space() && self.can_wait_for_room(line) => {
                self.wait_for_room(now, key, &owner, &error);
            }
            Err(error) => self.fence(key, &error),
        }
        if is_of_stop && !is_done {
            self.last_files_done(key, true);
        }
    }

    fn segment_done(&mut self, key: PartitionKey, owner: Owner, output: DiskOutput) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        match owner {
            Owner::CreateSegment { base, .. } => {
                if let Some(file) = file_of(&mut entry.files, base) {
                    file.is_created = true;
                }
            }
            Owner::Allocate { base, to, .. } => {
                self.lines[entry.line].room.taken();
                if let Some(file) = file_of(&mut entry.files, base) {
                    file.allocated = to;
                }
            }
            Owner::SegmentWrite {
                base,
                position,
                valid_to,
                ..
            } => {
                entry.log.segment_write_completed(base, position);
                let left = entry.log.unwritten_bytes();
                self.unwritten_bytes -= entry.unwritten_bytes - left;
                entry.unwritten_bytes = left;
                if let Some(file) = file_of(&mut entry.files, base) {
                    file.written_to = file.written_to.max(valid_to);
                }
            }
            Owner::SegmentSync { point, .. } => {
                entry.log.segment_synced(point);
                entry.advance_recovery();
            }
            Owner::LoadPage { base, position, .. } => {
                let DiskOutput::Bytes(bytes) = output else {
                    return;
                };
                if !entry.log.page_loaded(base, position, &bytes) {
                    let path = entry.log.identity().folder();
                    let error = DiskError::of(
                        crate::disk::DiskErrorKind::UnexpectedEnd,
                        "load a page",
                        &path,
                    );
                    return self.fence(key, &error);
                }
            }
            Owner::Seal { sealing, .. } => sealing.done(entry),
            Owner::Checkpoint { saved, .. } => self.checkpoint_written(key, &saved),
            Owner::Cut { .. } => self.files_cut(key),
            Owner::Clear { .. } => self.cleared(key),
            Owner::CutLoad { index, .. } => self.cut_loaded(key, index, output),
            Owner::LastFiles {
                sealing, is_active, ..
            } => {
                sealing.saved(entry);
                return self.last_files_done(key, is_active);
            }
            _ => {}
        }
        self.advance_sweep(key);
    }

    /// The first failed write or sync of its files fences a partition for the life of the process:
    /// nothing more is appended or written; what is in memory and below the high watermark is read.
    pub(super) fn fence(&mut self, key: PartitionKey, error: &DiskError) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if !entry.fenced {
            entry.fenced = true;
            let line = &mut self.lines[entry.line];
            line.pending_bytes -= entry.pending_bytes();
            line.bypassing.retain(|other| *other != key);
            entry.bypass = None;
            entry.pending.clear();
            entry.stashed = None;
            line.acks.fail_partition(key, &mut self.events);
            let reason = error.to_string();
            self.events.push(StoreEvent::Fenced { key, reason });
        }
        self.end_cut(key, Err(StoreError::Fenced));
        self.end_advance(key);
        self.end_sweep(key);
    }
}

fn file_of(files: &mut [SegmentFile], base: Offset) -> Option<&mut SegmentFile> {
    files.iter_mut().find(|file| file.base == base)
}
