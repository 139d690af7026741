//! Moving the beginning of a log: DeleteRecords and retention.
//!
//! Readers see the new start at once. Then the records before it are brought into synced segments,
//! so that nothing of them is needed from the journal any more; then the journal is told, and only
//! when that is synced the segments that hold nothing else go. Appends go on meanwhile.

use super::{
    PartitionKey, Store, StoreError, StoreEvent,
    checkpoint::checkpoint_item,
    entry::{Entry, Pending, RecoveryPoint},
    ops::{Ops, Owner},
    stop::StopState,
    sweep,
};
use crate::{
    base::{Micros, Now, Offset},
    disk::ControlOp,
    format::names::{DELETED_FILE, FileKind},
    journal::{Item, ItemKind},
    log::ReadError,
    sys::region::Slices,
};

/// A log start that moved, until all is done about it. Where it moved to is the log's to say.
#[derive(Debug)]
pub(super) struct Advance {
    /// Below it the start is durable already.
    durable: Offset,
    /// Who waits until the start is durable at an offset: their tokens.
    waiters: Vec<(Offset, u64)>,
    phase: Phase,
    /// The segment in which the journal, when it was told of the start, knew the log to go on: it
    /// stays, and those after it.
    keeps: Offset,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// What lies before the start is brought into synced segments.
    Levelling,
    /// The journal is told that the log starts at `to`; it knows when `sequence` is synced, which
    /// is set when the item goes into a frame.
    Journaling { to: Offset, sequence: Option<u64> },
    /// Segments before `to` go as soon as nothing is in flight and nobody sends from them.
    Clearing { to: Offset },
    /// Their files are being renamed.
    Renaming,
}

impl Advance {
    /// The item is going into the frame of that number.
    pub(super) fn framed(&mut self, in_sequence: u64) {
        if let Phase::Journaling { sequence, .. } = &mut self.phase {
            *sequence = Some(in_sequence);
        }
    }
}

impl Store {
    /// Lets a log begin at `to`, which is not beyond the high watermark (DeleteRecords): readers
    /// see it at once. The log start when it is durable at `to` or later; `None` until then: ask
    /// again, with the same token, at [`StoreEvent::Loaded`].
    pub fn advance_log_start(
        &mut self,
        key: PartitionKey,
        to: Offset,
        token: u64,
    ) -> Result<Option<Offset>, StoreError> {
        let entry = self.live(key)?;
        let (log_start, high) = (entry.log.log_start(), entry.marks.high());
        if to < Offset::ZERO || to > high {
            let (offset, end) = (to, high);
            return Err(StoreError::Read(ReadError::OffsetOutOfRange {
                offset,
                log_start,
                end,
            }));
        }
        if entry.fenced || self.lines[entry.line].journal.is_failed() {
            return Err(StoreError::Fenced);
        }
        if entry.cut.is_some() {
            return Err(StoreError::Cutting);
        }
        if to > log_start {
            self.check_running()?;
            self.begin_advance(key, to);
        }
        let entry = self.live_mut(key)?;
        match &mut entry.advance {
            Some(advance) if advance.durable < to => {
                advance.waiters.push((to, token));
                Ok(None)
            }
            _ => Ok(Some(entry.log.log_start())),
        }
    }

    /// The log starts at `to`, no later than the high watermark.
    pub(super) fn begin_advance(&mut self, key: PartitionKey, to: Offset) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let durable = entry.log.log_start();
        entry.log.set_log_start(to);
        entry.marks.set_log_start(entry.log.log_start());
        if entry.advance.is_none() {
            entry.advance = Some(Box::new(Advance {
                durable,
                waiters: Vec::new(),
                phase: Phase::Levelling,
                keeps: Offset::ZERO,
            }));
            self.lines[entry.line].advances.push(key);
        }
    }

    /// Goes on with every log start that moved.
    pub(super) fn pump_advances(&mut self, now: Now, index: usize) {
        let mut keys = std::mem::take(&mut self.lines[index].advances);
        self.lines[index].advance_retry = None;
        keys.retain(|key| {
            while self.go_on(now, *key) {}
            self.entries
                .get(key.0)
                .is_some_and(|entry| entry.advance.is_some())
        });
        self.lines[index].advances.append(&mut keys);
    }

    /// One step; says whether another may follow at once.
    fn go_on(&mut self, now: Now, key: PartitionKey) -> bool {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return false;
        };
        if entry.dropped || entry.fenced || self.lines[entry.line].journal.is_failed() {
            self.end_advance(key);
            return false;
        }
        let Some(phase) = entry.advance.as_ref().map(|advance| advance.phase) else {
            return false;
        };
        let next = match phase {
            Phase::Levelling => self
                .is_level_for_start(key)
                .then(|| self.journal_start(key)),
            Phase::Journaling { to, sequence } => self.is_journaled(key, to, sequence),
            Phase::Clearing { to } => self.clear(now, key, to),
            Phase::Renaming => None,
        };
        let Some(entry) = self.entries.get_mut(key.0) else {
            return false;
        };
        if let (Some(advance), Some(next)) = (&mut entry.advance, next) {
            advance.phase = next;
        }
        next.is_some()
    }

    /// Whether what lies before the start stands in synced segments; has done what is missing.
    fn is_level_for_start(&mut self, key: PartitionKey) -> bool {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return false;
        };
        // Bytes that bypassed the journal may have been durable before their fact was.
        entry.advance_recovery();
        if entry.recovery.offset >= entry.log.log_start() {
            return true;
        }
        let unsynced = entry.log.unsynced_segments().next();
        let is_busy = entry.is_sweeping || entry.bypass.is_some() || entry.is_unswept;
        if let Some(base) = unsynced
            && !is_busy
            && entry.in_flight + entry.syncs == 0
            && let Some(point) = entry.log.sync_point(base)
        {
            sweep::sync_segment(entry, &mut self.ops, key, base, point);
        }
        self.request_sweep(key);
        false
    }

    /// The journal is told where the log starts, and that nothing before is needed.
    fn journal_start(&mut self, key: PartitionKey) -> Phase {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return Phase::Levelling;
        };
        let to = entry.log.log_start();
        if entry.log.is_expired(entry.recovery.segment_base, to) {
            // Its segment goes: the log goes on with another one.
            entry.recovery = RecoveryPoint {
                segment_base: entry.recovery.offset,
                position: 0,
                ..entry.recovery
            };
        }
        if let Some(advance) = &mut entry.advance {
            advance.keeps = entry.recovery.segment_base;
        }
        let item = Item {
            base: to,
            ..entry.item(ItemKind::LogStart)
        };
        let line = &mut self.lines[entry.line];
        line.extra.push_back(checkpoint_item(entry));
        line.sync_next = true;
        let pending = Pending {
            item,
            payload: Slices::new(),
            first_append: line.appends + 1,
        };
        line.queue(key, entry, pending);
        let sequence = None;
        Phase::Journaling { to, sequence }
    }

    /// Tells those who wait, when the start is durable.
    fn is_journaled(
        &mut self,
        key: PartitionKey,
        to: Offset,
        sequence: Option<u64>,
    ) -> Option<Phase> {
        let entry = self.entries.get_mut(key.0)?;
        let line = &mut self.lines[entry.line];
        let sequence = sequence?;
        if line.journal.synced() < sequence {
            line.journal.want_sync(sequence);
            return None;
        }
        let advance = entry.advance.as_mut()?;
        advance.durable = to;
        let reached = advance.waiters.extract_if(.., |(wanted, _)| *wanted <= to);
        self.events
            .extend(reached.map(|(_, token)| StoreEvent::Loaded { token }));
        Some(Phase::Clearing { to })
    }

    /// Has the files of segments before `to` renamed, if there are any and nothing is in their way.
    fn clear(&mut self, now: Now, key: PartitionKey, to: Offset) -> Option<Phase> {
        let entry = self.entries.get_mut(key.0)?;
        let line = &mut self.lines[entry.line];
        let keeps = entry.advance.as_ref().map_or(Offset::ZERO, |it| it.keeps);
        let goes = |base| base < keeps && entry.log.is_expired(base, to);
        let is_any = entry.log.segments().next().is_some_and(|s| goes(s.base));
        if !is_any {
            return self.end_round(key);
        }
        let is_busy = entry.is_sweeping || entry.bypass.is_some();
        if is_busy || entry.in_flight + entry.syncs > 0 {
            return None;
        }
        let is_leased = |file: &super::entry::SegmentFile| goes(file.base) && file.name.is_leased();
        if entry.files.iter().any(is_leased) && matches!(self.stop, StopState::Running) {
            line.advance_retry = Some(now.monotonic.saturating_add(LEASE_POLL));
            return None;
        }
        let gone = entry.log.take_expired(to, keeps);
        if gone.is_empty() {
            return self.end_round(key);
        }
        let removals = clear_steps(entry, &mut self.ops, &gone);
        let mut steps = removals.keep;
        steps.extend(removals.renames);
        entry.in_flight += 1;
        entry.touched = true;
        entry.files.retain(|file| !gone.contains(&file.base));
        let delay = entry.config().file_delete_delay_ms;
        let owner = Owner::Clear { key };
        self.ops.control(owner, ControlOp::Sequence(steps));
        self.schedule_removal(now, key, delay, removals.removes);
        Some(Phase::Renaming)
    }

    /// The files are renamed.
    pub(super) fn cleared(&mut self, key: PartitionKey) {
        let Some(phase) = self.end_round(key) else {
            return;
        };
        let entry = self.entries.get_mut(key.0);
        if let Some(advance) = entry.and_then(|entry| entry.advance.as_mut()) {
            advance.phase = phase;
        }
    }

    /// Over, unless the start moved meanwhile.
    fn end_round(&mut self, key: PartitionKey) -> Option<Phase> {
        let entry = self.entries.get_mut(key.0)?;
        let advance = entry.advance.as_ref()?;
        if advance.durable < entry.log.log_start() {
            return Some(Phase::Levelling);
        }
        entry.advance = None;
        None
    }

    /// Gives up; those who wait hear why when they ask again.
    pub(super) fn end_advance(&mut self, key: PartitionKey) {
        let entry = self.entries.get_mut(key.0);
        if let Some(advance) = entry.and_then(|entry| entry.advance.take()) {
            let tokens = advance.waiters.into_iter().map(|(_, token)| token);
            self.events
                .extend(tokens.map(|token| StoreEvent::Loaded { token }));
        }
    }

    /// Whether log starts moved about which there is something left to do.
    pub(super) fn has_advances(&self) -> bool {
        self.lines.iter().any(|line| !line.advances.is_empty())
    }
}

/// What is done about segments that go.
struct Clearing {
    /// What recovery must know from elsewhere when they are gone.
    keep: Vec<ControlOp>,
    renames: Vec<ControlOp>,
    removes: Vec<ControlOp>,
}

fn clear_steps(entry: &mut Entry, ops: &mut Ops, gone: &[Offset]) -> Clearing {
    let mut keep = vec![sweep::epoch_step(entry)];
    // The producers as they were where the log begins now.
    let first = entry.log.segments().next().map(|segment| segment.base);
    let due = |at: Offset| first.is_none_or(|first| at <= first);
    let snapshots = std::mem::take(&mut entry.snapshots);
    let (past, later) = snapshots.into_iter().partition(|(at, _)| due(*at));
    entry.snapshots = later;
    match first {
        Some(first) => {
            let past: Vec<(Offset, Vec<u8>)> = past;
            let at_first = past.into_iter().find(|(at, _)| *at == first);
            keep.extend(at_first.map(|(at, bytes)| sweep::snapshot_step(entry, at, bytes)));
        }
        None => {
            let end = entry.log.end();
            let bytes = entry.log.producer_snapshot();
            keep.push(sweep::snapshot_step(entry, end, bytes));
            keep.extend(sweep::drop_loose_snapshot(entry, ops, end));
        }
    }
    let directory = entry.directory();
    let (mut renames, mut removes) = (Vec::new(), Vec::new());
    for &base in gone {
        for kind in FileKind::ALL {
            let from = entry.log.identity().file(base, kind);
            let to = format!("{from}{DELETED_FILE}");
            let file = ops.name_file(&entry.path(to.clone()));
            renames.push(ControlOp::Rename {
                directory,
                from,
                to,
            });
            removes.push(ControlOp::Remove { file });
        }
    }
    Clearing {
        keep,
        renames,
        removes,
    }
}

/// How often leases are looked at.
const LEASE_POLL: Micros = Micros::from_millis(100);
