//! Write-behind: from record memory into segments, paced, oldest journal position first.
//!
//! A sweep of a partition writes all that is written in the journal, seals segments that ended,
//! syncs, and so moves the recovery point. One operation per partition is in flight at a time, so
//! no page is ever in flight twice; several partitions are swept side by side.

use super::{
    PartitionKey, Store, entry::Entry, entry::Folder, ops::Ops, ops::Owner, stop::StopState,
};
use crate::{
    base::{Now, Offset},
    disk::{ControlOp, DirectoryPath, DiskOp, FileName},
    format::names::{self, FileKind},
    log::{IndexWrite, SegmentFiles, SegmentStep, SegmentWrite, SweepMode, SyncPoint},
    sys::region::RegionClass,
};

impl Store {
    /// Starts sweeps while there is reason: a half-full journal, memory, a stop. Where there is
    /// time they are paced, so that nobody waits behind them for the device.
    pub(super) fn pump_sweeps(&mut self, now: Now, index: usize) {
        let stopping = !matches!(self.stop, StopState::Running);
        let tail_bytes = self.options.tail_bytes as u64;
        let line = &mut self.lines[index];
        let needs_memory = self.unwritten_bytes > tail_bytes / 2 || self.memory_short;
        let due = stopping || needs_memory || line.journal.is_half_full();
        let is_short = self.unwritten_bytes > tail_bytes / 4 * 3 || self.memory_short;
        let is_urgent = stopping || is_short || line.journal.is_nearly_full();
        line.pace.refill(now.monotonic, is_urgent);
        while let Some(key) = self.lines[index].pace.next_held() {
            self.advance_sweep(key);
        }
        let line = &mut self.lines[index];
        if due && line.round == 0 && line.sweeps == 0 {
            // Once all of these are swept the oldest journal file is free. What comes behind them
            // meanwhile waits: it would be written in small pieces.
            line.round = line.unswept.len();
        }
        if line.room.is_short() {
            return;
        }
        loop {
            let line = &mut self.lines[index];
            if line.round == 0 || line.sweeps >= self.options.sweep_in_flight_max {
                break;
            }
            line.round -= 1;
            let Some(key) = line.unswept.pop_front() else {
                continue;
            };
            let Some(entry) = self.entries.get_mut(key.0) else {
                continue;
            };
            entry.is_sweeping = true;
            // What is appended while it is swept is left for the next time, or there is no end.
            entry.sweep_to = entry.marks.written();
            line.sweeps += 1;
            self.advance_sweep(key);
        }
    }

    /// The next step of a partition's sweep, if it is being swept and nothing is in flight for it.
    pub(super) fn advance_sweep(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let is_busy = entry.is_sweeping || entry.bypass.is_some();
        if !is_busy || entry.in_flight > 0 {
            return;
        }
        if entry.dropped || entry.fenced || entry.folder != Folder::Ready {
            return self.end_sweep(key);
        }
        let pace = &mut self.lines[entry.line].pace;
        if entry.bypass.is_none() && !pace.may_go() {
            return pace.hold(key);
        }
        let step = match entry.stashed.take() {
            Some(write) => SegmentStep::Write(write),
            None => {
                let (to, mode) = match entry.bypass {
                    Some(to) => (to, SweepMode::FullPages),
                    None => (entry.sweep_to, SweepMode::Partial),
                };
                let max_bytes = match entry.bypass {
                    Some(_) => self.options.segment_write_bytes_max,
                    None => pace.write_bytes_max(self.options.segment_write_bytes_max),
                };
                entry
                    .log
                    .next_segment_write(&mut self.blocks, to, mode, max_bytes)
            }
        };
        match step {
            SegmentStep::Write(write) => self.write_segment(key, write),
            SegmentStep::LoadPage {
                segment_base,
                position,
                len,
            } => {
                let Some(into) = self.blocks.take(RegionClass::Page) else {
                    return self.pause_sweep(key);
                };
                let file = entry.file(&mut self.ops, segment_base).name.clone();
                entry.in_flight += 1;
                let (base, at) = (segment_base, position.0);
                let owner = Owner::LoadPage {
                    key,
                    base,
                    position,
                };
                self.ops.issue(
                    owner,
                    DiskOp::Read {
                        direct: false,
                        file,
                        position: at,
                        len: len as u32,
                        into,
                    },
                );
            }
            SegmentStep::Idle if entry.bypass.is_some() => {
                self.finish_bypass(key);
                self.advance_sweep(key);
            }
            SegmentStep::Idle => self.settle_segments(key),
        }
    }

    /// Carries out a write, after what it needs: the file, room in it.
    fn write_segment(&mut self, key: PartitionKey, write: SegmentWrite) {
        let is_last = self.is_last_sweep(key);
        let Self {
            entries,
            ops,
            options,
            lines,
            ..
        } = self;
        let Some(entry) = entries.get_mut(key.0) else {
            return;
        };
        let base = write.segment_base;
        let (directory, path) = (entry.directory(), entry.log.identity().folder());
        let segment_bytes = u64::from(entry.config().segment_bytes);
        entry.in_flight += 1;
        let room = &lines[entry.line].room;
        let step_max = room.step_max(options);
        let file = entry.file(ops, base);
        let end = write.position.0 + write.parts.len() as u64;
        let name = file.name.clone();
        if !file.is_created {
            file.is_unsynced = is_last;
            let steps = vec![
                ControlOp::CreateFile { file: name },
                ControlOp::SyncDirectory { directory, path },
            ];
            entry.stashed = Some(write);
            let steps = match is_last {
                true => ControlOp::Unsynced(steps),
                false => ControlOp::Sequence(steps),
            };
            return ops.control(Owner::CreateSegment { key, base }, steps);
        }
        if file.allocated < end {
            // Room is taken in steps that double with the file, so idle partitions hold little.
            let step = file.allocated.max(STEP_BYTES_MIN).min(step_max);
            let to = (file.allocated + step)
                .min(segment_bytes.next_multiple_of(4096))
                .max(end);
            let (position, len) = (file.allocated, to - file.allocated);
            entry.stashed = Some(write);
            let op = DiskOp::Allocate {
                file: name,
                position,
                len,
            };
            return ops.issue(Owner::Allocate { key, base, to }, op);
        }
        let owner = Owner::SegmentWrite {
            key,
            base,
            position: write.position,
            valid_to: write.valid_to.0,
        };
        let (position, parts) = (write.position.0, write.parts);
        if entry.bypass.is_none() {
            lines[entry.line].pace.spend(parts.len());
        }
        ops.issue(
            owner,
            DiskOp::Write {
                file: name,
                position,
                parts,
            },
        );
    }

    /// All is written: what is to be sealed or synced, then the sweep is over.
    fn settle_segments(&mut self, key: PartitionKey) {
        let is_last = self.is_last_sweep(key);
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if is_last {
            // One sync of everything follows, and the last files with it.
            return self.end_sweep(key);
        }
        if let Some(base) = entry.log.next_to_seal()
            && seal(entry, &mut self.ops, key, base)
        {
            return;
        }
        if let Some(file) = entry.files.iter_mut().find(|file| file.is_unsynced) {
            // The journal had something to say after all: it must not count on a name that may go.
            file.is_unsynced = false;
            let base = file.base;
            let (directory, path) = (entry.directory(), entry.log.identity().folder());
            entry.in_flight += 1;
            let sync = ControlOp::SyncDirectory { directory, path };
            return self.ops.control(Owner::CreateSegment { key, base }, sync);
        }
        let base = entry.log.unsynced_segments().next();
        if let Some(point) = base.and_then(|base| entry.log.sync_point(base).map(|p| (base, p))) {
            self.lines[entry.line].pace.spend(0);
            return sync_segment(entry, &mut self.ops, key, point.0, point.1);
        }
        self.end_sweep(key);
    }

    /// Whether this is the sweep of a stop, with nothing left for the journal: what it writes need
    /// not be synced one by one.
    fn is_last_sweep(&self, key: PartitionKey) -> bool {
        let line = self.entries.get(key.0).map(|entry| &self.lines[entry.line]);
        let is_settled = line.is_some_and(|line| line.is_settled());
        // A cut and a log start that moved journal what they find durable.
        let is_awaited = self.has_cuts() || self.has_advances();
        is_settled && !is_awaited && !matches!(self.stop, StopState::Running)
    }

    /// The sweep is over; what was written since waits for the next one.
    pub(super) fn end_sweep(&mut self, key: PartitionKey) {
        self.finish_bypass(key);
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if !std::mem::take(&mut entry.is_sweeping) {
            return;
        }
        let line = &mut self.lines[entry.line];
        line.sweeps -= 1;
        let more = entry.log.unwritten_bytes() > 0 && !entry.dropped && !entry.fenced;
        entry.is_unswept = more;
        if more {
            line.unswept.push_back(key);
        }
    }

    /// The sweep cannot go on now: it comes first when it can.
    pub(super) fn pause_sweep(&mut self, key: PartitionKey) {
        self.finish_bypass(key);
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if std::mem::take(&mut entry.is_sweeping) {
            let line = &mut self.lines[entry.line];
            line.sweeps -= 1;
            line.unswept.push_front(key);
            line.round += 1;
        }
    }
}

/// Syncs what was written of a segment.
pub(super) fn sync_segment(
    entry: &mut Entry,
    ops: &mut Ops,
    key: PartitionKey,
    base: Offset,
    point: SyncPoint,
) {
    let file = entry.file(ops, base).name.clone();
    entry.in_flight += 1;
    ops.issue(Owner::SegmentSync { key, point }, DiskOp::Sync { file });
}

/// Brings a segment's files to their final form: length, indexes, the producers' snapshot of the
/// segment after it. `false` if a lease keeps the file as it is for now.
pub(super) fn seal(entry: &mut Entry, ops: &mut Ops, key: PartitionKey, base: Offset) -> bool {
    if entry.file(ops, base).name.is_leased() {
        return false;
    }
    let Some((sealing, steps)) = final_steps(entry, ops, base, Vec::new()) else {
        return false;
    };
    entry.in_flight += 1;
    ops.control(
        Owner::Seal {
            key,
            sealing: Box::new(sealing),
        },
        ControlOp::Sequence(steps),
    );
    true
}

/// What is remembered while a segment's files are brought to their final form.
#[derive(Debug)]
pub(super) struct Sealing {
    files: SegmentFiles,
    point: Option<SyncPoint>,
    /// Snapshots of producers up to here are among what is written.
    snapshots_to: Offset,
}

impl Sealing {
    /// The files are as they must be, and synced.
    pub(super) fn done(&self, entry: &mut Entry) {
        if let Some(point) = self.point {
            entry.log.segment_synced(point);
            entry.advance_recovery();
        }
        self.saved(entry);
    }

    /// The files are as they must be, not yet synced.
    pub(super) fn saved(&self, entry: &mut Entry) {
        entry.snapshots.retain(|(at, _)| *at > self.snapshots_to);
        entry.log.segment_files_saved(&self.files);
    }
}

/// The steps that bring a segment's files to their final form, behind `steps`.
pub(super) fn final_steps(
    entry: &mut Entry,
    ops: &mut Ops,
    base: Offset,
    mut steps: Vec<ControlOp>,
) -> Option<(Sealing, Vec<ControlOp>)> {
    let file = entry.file(ops, base);
    let (name, is_created) = (file.name.clone(), file.is_created);
    let point = entry.log.sync_point(base);
    let files = entry.log.segment_files(base)?;
    if !is_created {
        // A segment that a cut emptied: recovery may have removed its file.
        steps.push(ControlOp::CreateFile { file: name.clone() });
    }
    let (directory, folder) = (entry.directory(), entry.log.identity().folder());
    steps.push(ControlOp::Truncate {
        file: name,
        len: files.log_len,
    });
    steps.push(epoch_step(entry));
    let snapshots_to = files_end(entry, base);
    let due = entry.snapshots.iter().filter(|(at, _)| *at <= snapshots_to);
    // They are kept until they stand in files: the steps may fail for want of room.
    steps.extend(due.map(|(at, bytes)| snapshot_step(entry, *at, bytes.clone())));
    steps.extend(index_steps(entry, ops, &files));
    steps.push(ControlOp::SyncDirectory {
        directory,
        path: folder,
    });
    let sealing = Sealing {
        files,
        point,
        snapshots_to,
    };
    Some((sealing, steps))
}

/// `leader-epoch-checkpoint` as it is now.
pub(super) fn epoch_step(entry: &Entry) -> ControlOp {
    let folder = entry.log.identity().folder();
    ControlOp::WriteWhole {
        directory: entry.directory(),
        path: format!("{folder}/{}", names::LEADER_EPOCH_CHECKPOINT),
        bytes: super::stop::epoch_checkpoint(entry).into_bytes(),
    }
}

/// `<at>.snapshot` with the producers as of that offset.
pub(super) fn snapshot_step(entry: &Entry, at: Offset, bytes: Vec<u8>) -> ControlOp {
    ControlOp::WriteWhole {
        directory: entry.directory(),
        path: entry.log.identity().file(at, FileKind::Snapshot),
        bytes,
    }
}

/// The snapshot before the one of offset `at` goes, unless a segment begins there.
pub(super) fn drop_loose_snapshot(
    entry: &mut Entry,
    ops: &mut Ops,
    at: Offset,
) -> Option<ControlOp> {
    let old = entry.loose_snapshot.replace(at)?;
    let is_loose = old != at && entry.log.segments().all(|segment| segment.base != old);
    is_loose.then(|| ControlOp::Remove {
        file: index_file(entry, ops, old, FileKind::Snapshot),
    })
}

/// The end of the segment with that base: where its successor begins.
fn files_end(entry: &Entry, base: Offset) -> Offset {
    let after = entry.log.segments().find(|segment| segment.base > base);
    after.map_or(entry.log.end(), |segment| segment.base)
}

/// Both index files, which Kafka expects even where they have no entry. The offset index comes
/// last: recovery takes its last entry for a place up to which all else is there.
pub(super) fn index_steps(entry: &Entry, ops: &mut Ops, files: &SegmentFiles) -> Vec<ControlOp> {
    let writes = [
        (FileKind::TimeIndex, &files.time_index),
        (FileKind::Index, &files.index),
    ];
    let step = |(kind, write): (FileKind, &Option<IndexWrite>)| {
        let file = index_file(entry, ops, files.segment_base, kind);
        match write.clone() {
            Some(IndexWrite {
                position,
                bytes,
                len,
            }) => ControlOp::Patch {
                file,
                position,
                bytes,
                len,
            },
            None => ControlOp::CreateFile { file },
        }
    };
    writes.into_iter().map(step).collect()
}

/// A name for an index file or a snapshot; used for one operation.
pub(super) fn index_file(entry: &Entry, ops: &mut Ops, base: Offset, kind: FileKind) -> FileName {
    let path = entry.log.identity().file(base, kind);
    ops.name_file(&DirectoryPath {
        directory: entry.directory(),
        path,
    })
}

/// Room is taken in steps of at least so many bytes, unless there is little.
const STEP_BYTES_MIN: u64 = 64 << 10;
