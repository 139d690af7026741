//! Cutting a follower's log: everything above an offset, or everything.
//!
//! First the partition is brought level: all of it synced in the journal and in segments. Then the
//! cut is journaled and synced, so that recovery repeats it, and only then files are cut. No append
//! is taken meanwhile. So nothing that was appended before the cut is needed from the journal after
//! it, and nothing that comes after it can meet bytes from before.

use super::{
    PartitionKey, Role, Store, StoreError, StoreEvent,
    checkpoint::Checkpointing,
    entry::{Entry, Pending},
    ops::{Ops, Owner},
    stop::StopState,
    sweep,
};
use crate::{
    base::{Micros, Now, Offset},
    disk::{ControlOp, DiskError, DiskErrorKind, DiskOp, DiskOutput},
    format::names::FileKind,
    journal::{Item, ItemKind},
    log::{TruncateScan, TruncateStep, Truncated},
    sys::region::Slices,
};

/// A cut that was asked for.
#[derive(Debug)]
pub(super) struct Cut {
    target: Target,
    token: u64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// The log ends there at most.
    To(Offset),
    /// The log is empty and begins there.
    StartAt(Offset),
}

#[derive(Debug)]
enum Phase {
    /// The log is brought level; then the place of the cut is looked for, from here if it was
    /// begun, with what was read for it.
    Levelling(Option<(TruncateScan, DiskOutput)>),
    /// Something is being read to find the place.
    Loading(Option<TruncateScan>),
    /// The log is cut; the item is to be synced, which it is at `sequence` once that is known.
    Journaling {
        truncated: Truncated,
        sequence: Option<u64>,
    },
    /// Files are being cut.
    Cutting(Truncated),
}

impl Store {
    /// Cuts a log that this broker does not lead so that it ends at `to`; a batch that holds `to`
    /// goes whole. [`StoreEvent::Truncated`] comes when that is durable; appends are refused until
    /// then.
    pub fn truncate_to(
        &mut self,
        key: PartitionKey,
        to: Offset,
        token: u64,
    ) -> Result<(), StoreError> {
        self.begin_cut(key, Target::To(to), token)
    }

    /// Empties a log that this broker does not lead: it begins and ends at `at`.
    /// [`StoreEvent::Truncated`] comes when that is durable; appends are refused until then.
    pub fn truncate_fully_and_start_at(
        &mut self,
        key: PartitionKey,
        at: Offset,
        token: u64,
    ) -> Result<(), StoreError> {
        self.begin_cut(key, Target::StartAt(at), token)
    }

    fn begin_cut(
        &mut self,
        key: PartitionKey,
        target: Target,
        token: u64,
    ) -> Result<(), StoreError> {
        self.check_running()?;
        let entry = self.live(key)?;
        if entry.fenced || self.lines[entry.line].journal.is_failed() {
            return Err(StoreError::Fenced);
        }
        if matches!(entry.role, Role::Leader(_)) {
            return Err(StoreError::NotLeader);
        }
        if entry.cut.is_some() {
            return Err(StoreError::Cutting);
        }
        let phase = Phase::Levelling(None);
        let entry = self.live_mut(key)?;
        entry.cut = Some(Box::new(Cut {
            target,
            token,
            phase,
        }));
        let line = entry.line;
        self.lines[line].cuts.push(key);
        Ok(())
    }

    /// Goes on with every cut.
    pub(super) fn pump_cuts(&mut self, now: Now, index: usize) {
        let mut keys = std::mem::take(&mut self.lines[index].cuts);
        self.lines[index].cut_retry = None;
        keys.retain(|key| {
            self.advance_cut(now, *key);
            self.entries
                .get(key.0)
                .is_some_and(|entry| entry.cut.is_some())
        });
        self.lines[index].cuts.append(&mut keys);
    }

    fn advance_cut(&mut self, now: Now, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let is_over = entry.dropped || entry.fenced || self.lines[entry.line].journal.is_failed();
        if is_over {
            return self.end_cut(key, Err(StoreError::Fenced));
        }
        let Some(mut cut) = entry.cut.take() else {
            return;
        };
        cut.phase = match cut.phase {
            Phase::Levelling(_) if !self.is_level_for_cut(key) => cut.phase,
            Phase::Levelling(found) => match self.find_place(key, cut.target, found) {
                Ok(Some(phase)) => phase,
                Ok(None) => {
                    let end = self.live(key).map(|entry| entry.log.end());
                    self.report_cut(cut.token, end);
                    return;
                }
                Err(error) => {
                    self.fence(key, &error);
                    self.report_cut(cut.token, Err(StoreError::Fenced));
                    return;
                }
            },
            Phase::Journaling {
                truncated,
                sequence,
            } => self.journal_cut(now, key, truncated, sequence),
            waiting => waiting,
        };
        if let Some(entry) = self.entries.get_mut(key.0) {
            entry.cut = Some(cut);
        }
    }

    /// Whether all of the log stands synced in journal and segments, and nothing is in flight; has
    /// done what is missing.
    fn is_level_for_cut(&mut self, key: PartitionKey) -> bool {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return false;
        };
        if entry.advance.is_some() {
            return false;
        }
        let line = &mut self.lines[entry.line];
        let end = entry.log.end();
        if entry.marks.synced() < end || !entry.pending.is_empty() {
            line.sync_next = true;
            line.journal.want_sync(line.journal.sequence());
            return false;
        }
        if entry.log.unwritten_bytes() > 0 {
            self.request_sweep(key);
            return false;
        }
        let unsynced = entry.log.unsynced_segments().next();
        if let Some(base) = unsynced
            && entry.in_flight + entry.syncs == 0
            && let Some(point) = entry.log.sync_point(base)
        {
            sweep::sync_segment(entry, &mut self.ops, key, base, point);
        }
        // Bytes that bypassed the journal may have been durable before their fact was.
        entry.advance_recovery();
        let is_busy = entry.is_sweeping || entry.bypass.is_some();
        let is_quiet = entry.in_flight + entry.syncs == 0 && !is_busy;
        is_quiet && entry.recovery.offset == end
    }

    /// Cuts the log if its place is known; else has read what is missing. `None`: there is nothing
    /// to cut.
    fn find_place(
        &mut self,
        key: PartitionKey,
        target: Target,
        found: Option<(TruncateScan, DiskOutput)>,
    ) -> Result<Option<Phase>, DiskError> {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return Ok(None);
        };
        let step = match (target, found) {
            (Target::StartAt(at), _) => entry.log.truncate_fully_and_start_at(at),
            (Target::To(_), Some((scan, DiskOutput::Bytes(block)))) => {
                entry.log.truncate_with_block(scan, &block)
            }
            (Target::To(to), _) => entry.log.truncate_to(to),
        };
        let (file, position, len, scan, load) = match step {
            TruncateStep::Unchanged => return Ok(None),
            TruncateStep::Busy => return Ok(Some(Phase::Levelling(None))),
            TruncateStep::Done(truncated) => {
                self.log_was_cut(key, &truncated);
                let sequence = None;
                return Ok(Some(Phase::Journaling {
                    truncated,
                    sequence,
                }));
            }
            TruncateStep::Corrupt { segment_base, .. } => {
                let path = entry.log.identity().file(segment_base, FileKind::Log);
                let kind = DiskErrorKind::UnexpectedEnd;
                return Err(DiskError::of(kind, "find the place of a cut", &path));
            }
            TruncateStep::NeedIndex {
                segment_base,
                kind,
                len,
            } => {
                let file = sweep::index_file(entry, &mut self.ops, segment_base, kind);
                (file, 0, len, None, Some((segment_base, kind)))
            }
            TruncateStep::NeedBlock {
                scan,
                segment_base,
                position,
                len,
            } => {
                let file = entry.file(&mut self.ops, segment_base).name.clone();
                (file, position.0, len, Some(scan), None)
            }
        };
        let Some(into) = self.blocks.take_for(len) else {
            return Ok(Some(Phase::Levelling(None)));
        };
        entry.in_flight += 1;
        let owner = Owner::CutLoad { key, index: load };
        let len = len as u32;
        self.ops.issue(
            owner,
            DiskOp::Read {
                direct: false,
                file,
                position,
                len,
                into,
            },
        );
        Ok(Some(Phase::Loading(scan)))
    }

    /// What a cut wanted to read is there.
    pub(super) fn cut_loaded(
        &mut self,
        key: PartitionKey,
        index: Option<(Offset, FileKind)>,
        output: DiskOutput,
    ) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        if let (Some((base, kind)), DiskOutput::Bytes(bytes)) = (index, &output)
            && !entry.log.index_loaded(base, kind, bytes)
        {
            entry.log.index_lost(base, kind);
        }
        if let Some(cut) = &mut entry.cut
            && let Phase::Loading(scan) = &mut cut.phase
        {
            cut.phase = Phase::Levelling(scan.take().map(|scan| (scan, output)));
        }
    }

    /// The log is cut in memory: marks follow, and the journal is told.
    fn log_was_cut(&mut self, key: PartitionKey, truncated: &Truncated) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let (end, start) = (truncated.end, entry.log.log_start());
        if start == end {
            entry.marks.restart_at(end);
        } else {
            entry.marks.truncate_to(end);
        }
        let active = truncated.active;
        entry.snapshots.retain(|(at, _)| *at <= end);
        entry.checkpoint = Checkpointing::Idle;
        let item = Item {
            leader_epoch: entry
                .log
                .epochs()
                .latest()
                .unwrap_or(crate::base::LeaderEpoch::NONE),
            previous_end: start,
            base: end,
            segment_base: active.map_or(end, |active| active.segment_base),
            position: active.map_or(0, |active| active.log_len),
            ..entry.item(ItemKind::Truncate)
        };
        let line = &mut self.lines[entry.line];
        let pending = Pending {
            item,
            payload: Slices::new(),
            first_append: line.appends + 1,
        };
        line.queue(key, entry, pending);
    }

    /// When the item is synced, and nobody sends from the files any more, they are cut.
    fn journal_cut(
        &mut self,
        now: Now,
        key: PartitionKey,
        truncated: Truncated,
        sequence: Option<u64>,
    ) -> Phase {
        let Self {
            entries,
            lines,
            ops,
            ..
        } = self;
        let Some(entry) = entries.get_mut(key.0) else {
            return Phase::Cutting(truncated);
        };
        let line = &mut lines[entry.line];
        let framed = entry.pending.is_empty().then(|| line.journal.sequence());
        let sequence = sequence.or(framed);
        let is_synced = sequence.is_some_and(|sequence| line.journal.synced() >= sequence);
        if !is_synced {
            line.sync_next = true;
            line.journal.want_sync(line.journal.sequence());
            return Phase::Journaling {
                truncated,
                sequence,
            };
        }
        let from = truncated
            .active
            .map_or(Offset::ZERO, |active| active.segment_base);
        let leased = |file: &super::entry::SegmentFile| file.base >= from && file.name.is_leased();
        if entry.files.iter().any(leased) {
            line.cut_retry = Some(now.monotonic.saturating_add(LEASE_POLL));
            return Phase::Journaling {
                truncated,
                sequence,
            };
        }
        let steps = file_steps(entry, ops, &truncated);
        entry.in_flight += 1;
        ops.control(Owner::Cut { key }, ControlOp::Sequence(steps));
        Phase::Cutting(truncated)
    }

    /// The files are cut: appends go on.
    pub(super) fn files_cut(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let cut = entry.cut.take().map(|cut| *cut);
        let Some(Cut {
            token,
            phase: Phase::Cutting(truncated),
            ..
        }) = cut
        else {
            return;
        };
        entry.is_cut = false;
        entry
            .files
            .retain(|file| !truncated.removed.contains(&file.base));
        if let Some(active) = truncated.active {
            let of_active =
                |file: &&mut super::entry::SegmentFile| file.base == active.segment_base;
            if let Some(file) = entry.files.iter_mut().find(of_active) {
                (file.allocated, file.written_to) = (active.log_len, active.log_len);
            }
        }
        self.report_cut(token, Ok(truncated.end));
    }

    /// Gives a cut up.
    pub(super) fn end_cut(&mut self, key: PartitionKey, error: Result<Offset, StoreError>) {
        let entry = self.entries.get_mut(key.0);
        if let Some(cut) = entry.and_then(|entry| entry.cut.take()) {
            self.report_cut(cut.token, error);
        }
    }

    fn report_cut(&mut self, token: u64, result: Result<Offset, StoreError>) {
        self.events.push(StoreEvent::Truncated { token, result });
    }

    /// Whether cuts are under way that a stop must wait for.
    pub(super) fn has_cuts(&self) -> bool {
        !matches!(self.stop, StopState::Stopped) && self.lines.iter().any(|l| !l.cuts.is_empty())
    }
}

/// What the files of a cut log must become.
fn file_steps(entry: &mut Entry, ops: &mut Ops, truncated: &Truncated) -> Vec<ControlOp> {
    let mut steps = Vec::new();
    if let Some(active) = truncated.active {
        let base = active.segment_base;
        let file = entry.file(ops, base).name.clone();
        let len = active.log_len;
        steps.push(ControlOp::CreateFile { file: file.clone() });
        steps.push(ControlOp::Truncate { file, len });
        let indexes = [
            (FileKind::TimeIndex, active.time_index_len),
            (FileKind::Index, active.index_len),
        ];
        for (kind, len) in indexes {
            let (file, bytes) = (sweep::index_file(entry, ops, base, kind), Vec::new());
            steps.push(ControlOp::Patch {
                file,
                position: len,
                bytes,
                len,
            });
        }
    }
    for &base in &truncated.removed {
        let file = entry.file(ops, base).name.clone();
        steps.push(ControlOp::Remove { file });
        for kind in [FileKind::Index, FileKind::TimeIndex, FileKind::Snapshot] {
            let file = sweep::index_file(entry, ops, base, kind);
            steps.push(ControlOp::Remove { file });
        }
    }
    steps.push(sweep::epoch_step(entry));
    let (end, producers) = (truncated.end, entry.log.producer_snapshot());
    steps.push(sweep::snapshot_step(entry, end, producers));
    steps.extend(sweep::drop_loose_snapshot(entry, ops, end));
    steps.push(ControlOp::SyncDirectory {
        directory: entry.directory(),
        path: entry.log.identity().folder(),
    });
    steps
}

/// How often leases are looked at.
const LEASE_POLL: Micros = Micros::from_millis(10);
