//! From dirty partitions to frames, and from written and synced frames to acks and watermarks.

use std::collections::VecDeque;

use super::{
    PartitionKey, Store, StoreEvent, StoreOptions,
    acks::AckLine,
    entry::{Entry, Pending, RecoveryPoint},
    ops::Owner,
    pace::SweepPace,
    reclaim::Copies,
    removals::Removals,
    room::Room,
};
use crate::{
    base::{Micros, Now, Offset, PartitionIndex, Slab, SlabKey, TopicId},
    disk::{ControlOp, DirectoryPath, DiskError, DiskOp},
    journal::{
        CheckpointEntry, Item, ItemKind, Journal, JournalStep, frame_bytes, journal_file_path,
    },
    sys::region::Slices,
};

/// One journal and what waits for it.
pub(super) struct Line {
    pub(super) journal: Journal,
    pub(super) acks: AckLine,
    /// Partitions with pending items, the longest waiting first.
    pub(super) dirty: VecDeque<PartitionKey>,
    /// Items that belong to no order: checkpoints, drops.
    pub(super) extra: VecDeque<Item>,
    /// Bytes that the pending items will take, directory entries among them.
    pub(super) pending_bytes: usize,
    /// The number of the last append.
    pub(super) appends: u64,
    /// The frame in flight, then those written and not synced.
    frame: Option<FrameRecord>,
    unsynced: VecDeque<FrameRecord>,
    /// Records to be used again.
    idle: Vec<FrameRecord>,
    /// The items of the frame being built, and whose they are.
    selected: Vec<(Item, Slices)>,
    selected_keys: Vec<Option<PartitionKey>>,
    /// Partitions with bytes that only the journal has, oldest first.
    pub(super) unswept: VecDeque<PartitionKey>,
    pub(super) sweeps: usize,
    /// So many of them, from the first on, are to be swept now.
    pub(super) round: usize,
    pub(super) pace: SweepPace,
    /// Partitions whose checkpoint is due or under way.
    pub(super) to_checkpoint: VecDeque<PartitionKey>,
    /// Partitions with bytes that recovery would have to read, how much that may be in all, and
    /// the share of one.
    pub(super) rescanned: usize,
    pub(super) rescan_bytes_max: u64,
    pub(super) checkpoint_at: u64,
    /// Partitions with a large pending append; those whose appends bypass the journal now; those
    /// whose segments the next sync must cover.
    pub(super) large: Vec<PartitionKey>,
    pub(super) bypassing: Vec<PartitionKey>,
    pub(super) bypassed: Vec<PartitionKey>,
    /// Syncs in flight that make up the journal's one.
    pub(super) syncs_left: usize,
    /// Partitions whose logs are being cut; when to look again at files that someone sends from.
    pub(super) cuts: Vec<PartitionKey>,
    pub(super) cut_retry: Option<Micros>,
    /// Partitions whose log start moved; when to look again at files that someone sends from.
    pub(super) advances: Vec<PartitionKey>,
    pub(super) advance_retry: Option<Micros>,
    /// New partitions whose folders are to be made; when to try again, and how often that was.
    pub(super) to_make: Vec<PartitionKey>,
    pub(super) make_retry: Option<Micros>,
    pub(super) make_tries: u32,
    /// Copies of what a journal file holds of fenced partitions.
    pub(super) copies: Copies,
    /// Dropped partitions that the era's snapshot or a copy has: said in every file's head, since
    /// the files that hold their drops go. As many as those have at most.
    pub(super) buried: Vec<(TopicId, PartitionIndex)>,
    /// Folders that are being made, those that wait for one sync of all, and such syncs.
    pub(super) claims: usize,
    pub(super) claimed: Vec<PartitionKey>,
    pub(super) makes: usize,
    /// A sync is asked for with the next frame.
    pub(super) sync_next: bool,
    /// A sync is due at this time at the latest (`flush.ms`).
    pub(super) sync_by: Option<Micros>,
    pub(super) room: Room,
    /// Dropped partitions; their folders go when the drop is synced. When to look again at those
    /// that someone sends from.
    pub(super) drops: Vec<(u64, PartitionKey)>,
    pub(super) drop_retry: Option<Micros>,
    pub(super) removals: Removals,
}

/// What a frame holds.
#[derive(Debug, Default)]
struct FrameRecord {
    sequence: u64,
    /// Every append up to this number is in this frame or one before it.
    appends_through: u64,
    touched: Vec<(PartitionKey, Offset)>,
}

impl Line {
    pub(super) fn new(journal: Journal, options: &StoreOptions) -> Self {
        let rescan_bytes_max = options.rescan_bytes_max;
        Self {
            journal,
            acks: AckLine::default(),
            dirty: VecDeque::new(),
            extra: VecDeque::new(),
            pending_bytes: 0,
            appends: 0,
            frame: None,
            unsynced: VecDeque::new(),
            idle: Vec::new(),
            selected: Vec::new(),
            selected_keys: Vec::new(),
            unswept: VecDeque::new(),
            sweeps: 0,
            round: 0,
            pace: SweepPace::new(options.sweep_ahead_bytes_max),
            to_checkpoint: VecDeque::new(),
            rescanned: 0,
            rescan_bytes_max,
            checkpoint_at: rescan_bytes_max / 8,
            large: Vec::new(),
            bypassing: Vec::new(),
            bypassed: Vec::new(),
            syncs_left: 0,
            cuts: Vec::new(),
            cut_retry: None,
            advances: Vec::new(),
            advance_retry: None,
            to_make: Vec::new(),
            make_retry: None,
            make_tries: 0,
            copies: Copies::default(),
            buried: Vec::new(),
            claims: 0,
            claimed: Vec::new(),
            makes: 0,
            sync_next: false,
            sync_by: None,
            room: Room::default(),
            drops: Vec::new(),
            drop_retry: None,
            removals: Removals::default(),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let own = [
            self.journal.next_deadline(),
            self.sync_by,
            self.room.next_deadline(),
            self.cut_retry,
            self.advance_retry,
            self.make_retry,
            self.drop_retry,
            self.removals.next_deadline(),
            self.copies.next_deadline(),
            self.pace.next_deadline(),
        ];
        own.into_iter().flatten().min()
    }

    /// Whether every item is in a synced frame.
    pub(super) fn is_settled(&self) -> bool {
        self.dirty.is_empty()
            && self.extra.is_empty()
            && self.bypassing.is_empty()
            && self.frame.is_none()
            && self.unsynced.is_empty()
    }

    /// Queues an item of a partition for the next frame.
    pub(super) fn queue(&mut self, key: PartitionKey, entry: &mut Entry, pending: Pending) {
        let bytes = pending.frame_bytes();
        entry.pending.push_back(pending);
        entry.touched = true;
        if entry.bypass.is_some() {
            return;
        }
        self.pending_bytes += bytes;
        if !entry.is_dirty {
            entry.is_dirty = true;
            self.dirty.push_back(key);
        }
    }

    /// Bytes of the frame that would be built now; 0 if there is nothing for one.
    fn waiting_bytes(&mut self, entries: &mut Slab<Entry>) -> usize {
        while let Some(entry) = self.dirty.front().and_then(|key| entries.get_mut(key.0))
            && entry.next_pending().is_none()
        {
            entry.is_dirty = false;
            self.dirty.pop_front();
        }
        if self.dirty.is_empty() && self.extra.is_empty() {
            return 0;
        }
        let first = self.dirty.front().and_then(|key| entries.get(key.0));
        let first = first.and_then(|entry| entry.pending.front());
        let least = frame_bytes(1, first.map_or(0, |pending| pending.item.framed as usize));
        let all = frame_bytes(self.extra.len(), self.pending_bytes);
        all.min(self.journal.frame_bytes_max()).max(least)
    }

    /// Moves items for a frame of at most `limit` bytes into `selected`.
    fn select(&mut self, entries: &mut Slab<Entry>, limit: usize) {
        let mut payload = 0;
        let fits = |items: usize, payload: usize| frame_bytes(items, payload) <= limit;
        while !self.extra.is_empty() && fits(self.selected.len() + 1, payload) {
            self.selected
                .extend(self.extra.pop_front().map(|item| (item, Slices::new())));
            self.selected_keys.push(None);
        }
        'partitions: while let Some(key) = self.dirty.front().copied() {
            let Some(entry) = entries.get_mut(key.0) else {
                self.dirty.pop_front();
                continue;
            };
            while let Some(next) = entry.next_pending() {
                let more = payload + next.item.framed as usize;
                if !self.selected.is_empty() && !fits(self.selected.len() + 1, more) {
                    break 'partitions;
                }
                payload = more;
                let taken = entry.pending.pop_front().expect("looked at above");
                self.pending_bytes -= taken.frame_bytes();
                self.selected.push((taken.item, taken.payload));
                self.selected_keys.push(Some(key));
            }
            entry.is_dirty = false;
            self.dirty.pop_front();
        }
    }

    /// The record of the frame whose items are selected. Acks go in the order of appends: those
    /// behind the first that is left, or bypasses, wait with it.
    fn begin_record(&mut self, entries: &Slab<Entry>) {
        let first_left = |key: &PartitionKey| {
            let pending = entries.get(key.0).and_then(|entry| entry.pending.front());
            pending.map_or(u64::MAX, |pending| pending.first_append)
        };
        let left = self.dirty.iter().chain(&self.bypassing).map(first_left);
        let left = left.min().unwrap_or(u64::MAX);
        let appends_through = self.appends.min(left.saturating_sub(1));
        let idle = self.idle.pop().unwrap_or_default();
        self.frame = Some(FrameRecord {
            appends_through,
            ..idle
        });
    }

    /// Notes where the frame's items end, in the journal's members and the partitions' cuts.
    fn note_touched(&mut self, entries: &mut Slab<Entry>) {
        let record = self.frame.as_mut().expect("a frame is being built");
        for ((item, _), key) in self.selected.iter().zip(&self.selected_keys) {
            let Some(key) = *key else { continue };
            let Some(entry) = entries.get_mut(key.0) else {
                continue;
            };
            let end = match item.kind {
                ItemKind::Append | ItemKind::Fact => item.end(),
                ItemKind::Checkpoint | ItemKind::Mark | ItemKind::Drop => continue,
                _ => item.base,
            };
            if item.kind == ItemKind::Truncate {
                // Not before: a file's header must not tell of a cut that the journal has not.
                entry.log_start = item.previous_end;
                self.journal.member_was_cut(key.0.to_bits(), end);
                entry.kept = entry.kept.min(item.cut_kept());
                entry.cut_recovery(RecoveryPoint {
                    offset: end,
                    segment_base: item.segment_base,
                    position: item.position,
                });
            }
            if item.kind == ItemKind::LogStart {
                entry.log_start = item.base;
                let sequence = self.journal.sequence() + 1;
                if let Some(advance) = &mut entry.advance {
                    advance.framed(sequence);
                }
            }
            if item.has_records() {
                entry.note_cut(RecoveryPoint {
                    offset: end,
                    segment_base: item.segment_base,
                    position: item.position + u64::from(item.len),
                });
            }
            self.journal
                .note_member(key.0.to_bits(), end, &mut entry.place);
            if !item.has_records() {
                continue;
            }
            match record.touched.last_mut() {
                Some(last) if last.0 == key => last.1 = end,
                _ => record.touched.push((key, end)),
            }
        }
    }
}

impl Store {
    /// One frame at most, its sync, and what the journal's files need.
    pub(super) fn pump_journal(&mut self, now: Now, index: usize) {
        let line = &mut self.lines[index];
        if line.journal.is_failed() {
            return;
        }
        line.room.refill(now);
        if line.sync_by.is_some_and(|at| at <= now.monotonic) {
            line.sync_by = None;
            line.journal.want_sync(line.journal.sequence());
        }
        let bytes = line.waiting_bytes(&mut self.entries);
        if bytes > 0 && line.journal.can_write(bytes) {
            self.build_frame(now, index, bytes);
        } else if line.journal.is_full() && line.journal.can_free_oldest() {
            self.build_control_frame(now, index);
        } else if bytes == 0 && line.journal.mark_due(now.monotonic) {
            let nobody = (TopicId([0; 16]), PartitionIndex(0));
            line.extra
                .push_back(Item::new(ItemKind::Mark, nobody.0, nobody.1));
            self.build_frame(now, index, frame_bytes(1, 0));
        }
        self.file_steps(index, bytes);
        let line = &mut self.lines[index];
        if let Some(JournalStep::Sync { file, .. }) = line.journal.next_sync(now.monotonic) {
            line.syncs_left = 1;
            self.ops
                .issue(Owner::JournalSync(index), DiskOp::Sync { file });
            self.sync_bypassed(index);
        }
    }

    fn build_frame(&mut self, now: Now, index: usize, bytes: usize) {
        let line = &mut self.lines[index];
        let Some(mut region) = self.blocks.take_for(bytes) else {
            return;
        };
        line.select(&mut self.entries, bytes);
        self.finish_frame(now, index, &mut region);
    }

    /// A frame of checkpoint items only, for which there is a reserve: it frees a file.
    fn build_control_frame(&mut self, now: Now, index: usize) {
        let line = &mut self.lines[index];
        let items = line.extra.len();
        let bytes = frame_bytes(items, 0);
        if !line.journal.can_write_control(bytes) {
            return;
        }
        let Some(mut region) = self.blocks.take_for(bytes) else {
            return;
        };
        line.selected
            .extend(line.extra.drain(..items).map(|item| (item, Slices::new())));
        line.selected_keys.resize(items, None);
        self.finish_frame(now, index, &mut region);
    }

    fn finish_frame(
        &mut self,
        now: Now,
        index: usize,
        region: &mut crate::sys::region::RegionWriter,
    ) {
        let line = &mut self.lines[index];
        line.begin_record(&self.entries);
        line.note_touched(&mut self.entries);
        if line.extra.is_empty() && line.journal.can_free_oldest() {
            line.journal.free_oldest();
        }
        let (file, position, parts) = line
            .journal
            .build(now.monotonic, &mut line.selected, region);
        line.pace.earn(parts.len());
        line.selected.clear();
        line.selected_keys.clear();
        if let Some(record) = &mut line.frame {
            record.sequence = line.journal.sequence();
        }
        self.ops.issue(
            Owner::Frame(index),
            DiskOp::Write {
                file,
                position,
                parts,
            },
        );
    }

    fn file_steps(&mut self, index: usize, bytes: usize) {
        let Self {
            lines,
            entries,
            blocks,
            ops,
            options,
            ..
        } = self;
        let line = &mut lines[index];
        if line.room.is_short_for_journal() {
            return;
        }
        let step = line.journal.next_file_step(bytes, blocks, |into| {
            let gone = line.buried.iter();
            into.extend(gone.map(|(topic, index)| CheckpointEntry::dropped(*topic, *index)));
            let of_line = entries.iter().map(|(_, entry)| entry);
            let of_line = of_line.filter(|entry| entry.line == index);
            into.extend(of_line.map(checkpoint_of));
        });
        match step {
            Some(JournalStep::Prepare { name_number, len }) => {
                let directory = line.journal.directory();
                let path = journal_file_path(options.shard, name_number);
                let file = ops.name_file(&DirectoryPath { directory, path });
                let create = ControlOp::CreateZeroed {
                    file: file.clone(),
                    len,
                };
                ops.control(
                    Owner::Prepare {
                        line: index,
                        file,
                        len,
                    },
                    create,
                );
            }
            Some(JournalStep::Header { file, parts }) => {
                ops.issue(
                    Owner::Header(index),
                    DiskOp::Write {
                        file,
                        position: 0,
                        parts,
                    },
                );
            }
            Some(JournalStep::HeaderSync { file }) => {
                ops.issue(Owner::HeaderSync(index), DiskOp::Sync { file });
            }
            Some(JournalStep::Remove { file }) => {
                ops.control(Owner::Forgotten, ControlOp::Remove { file });
            }
            Some(JournalStep::Sync { .. }) | None => {}
        }
    }

    /// The frame in flight is written.
    pub(super) fn frame_written(&mut self, index: usize) {
        let line = &mut self.lines[index];
        let sequence = line.journal.frame_written();
        let record = line.frame.take().expect("a frame was in flight");
        let mut sync = std::mem::take(&mut line.sync_next);
        for &(key, end) in &record.touched {
            let Some(entry) = self.entries.get_mut(key.0) else {
                continue;
            };
            if end > entry.marks.written() {
                entry.marks.set_written(end);
                if entry.shows_written() {
                    show(entry, end, &mut self.events);
                } else {
                    sync |= !entry.waiters.is_empty();
                }
            }
            if !entry.is_unswept && entry.log.unwritten_bytes() > 0 {
                entry.is_unswept = true;
                line.unswept.push_back(key);
            }
        }
        line.acks
            .written(record.appends_through, sequence, &mut self.events);
        if sync {
            line.journal.want_sync(sequence);
        }
        if let Some(wanted) = line.acks.sync_wanted() {
            line.journal.want_sync(wanted);
        }
        line.unsynced.push_back(record);
    }

    /// A sync in flight is done; with the last of them the frames are synced.
    pub(super) fn journal_synced(&mut self, index: usize) {
        let line = &mut self.lines[index];
        line.syncs_left -= 1;
        if line.syncs_left > 0 || line.journal.is_failed() {
            return;
        }
        let sequence = line.journal.synced_through();
        let covered = |record: &FrameRecord| record.sequence <= sequence;
        while let Some(mut record) = super::acks::take_if(&mut line.unsynced, covered) {
            for (key, end) in record.touched.drain(..) {
                let Some(entry) = self.entries.get_mut(key.0) else {
                    continue;
                };
                if end > entry.marks.synced() && !entry.fenced {
                    entry.marks.set_synced(end);
                    entry.unsynced_records = 0;
                    if end > entry.marks.high() {
                        show(entry, end, &mut self.events);
                    }
                }
            }
            line.idle.push(record);
        }
        line.acks.synced(sequence, &mut self.events);
        if line.unsynced.is_empty() {
            line.sync_by = None;
        }
    }

    /// A journal write or sync failed: the log directory takes no more appends on this shard.
    pub(super) fn fail_line(&mut self, index: usize, error: &DiskError) {
        let line = &mut self.lines[index];
        if line.journal.is_failed() {
            return;
        }
        line.journal.fail();
        line.acks.fail(&mut self.events);
        self.events.push(StoreEvent::DirectoryFailed {
            directory: line.journal.directory(),
            reason: error.to_string(),
        });
    }
}

/// Records up to `end` may be read: wakes who waits for that.
pub(super) fn show(entry: &mut Entry, end: Offset, events: &mut Vec<StoreEvent>) {
    entry.marks.set_high(end);
    entry.waiters.retain(|waiter| {
        let waits = waiter.offset >= end;
        if !waits {
            events.push(StoreEvent::Visible {
                token: waiter.token,
            });
        }
        waits
    });
}

/// What recovery must know of a partition to start from here.
pub(super) fn checkpoint_of(entry: &Entry) -> CheckpointEntry {
    let identity = entry.log.identity();
    if entry.dropped {
        return CheckpointEntry::dropped(identity.topic_id, identity.index);
    }
    CheckpointEntry {
        topic_id: identity.topic_id,
        partition: identity.index,
        leader_epoch: entry
            .log
            .epochs()
            .latest()
            .unwrap_or(crate::base::LeaderEpoch::NONE),
        log_start: entry.log_start,
        recovery_point: entry.recovery.offset,
        segment_base: entry.recovery.segment_base,
        position: entry.recovery.position,
        kept: entry.kept,
    }
}

/// The key of a member that the journal knows by its bits.
pub(super) fn member_key(bits: u64) -> PartitionKey {
    PartitionKey(SlabKey::from_bits(bits))
}
