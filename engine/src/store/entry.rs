//! One open partition in the store: its log, and what is in flight for it.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Role, acks::take_if, budgets::Kept, checkpoint::Checkpointing, log_start::Advance, ops::Ops,
    truncate::Cut,
};
use crate::{
    base::{DirectoryIndex, Offset, Watermarks},
    disk::{DirectoryPath, FileName},
    format::names::FileKind,
    journal::{Item, ItemKind},
    log::{Durability, LogConfig, PartitionLog, SegmentWrite},
    sys::region::Slices,
};

/// See the module. About 1 KiB with the log when idle.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) log: PartitionLog,
    pub(super) role: Role,
    pub(super) always_synced: bool,
    pub(super) marks: Watermarks,
    pub(super) line: usize,
    /// What the journal must record, in order.
    pub(super) pending: VecDeque<Pending>,
    /// Whether it stands in its line's dirty queue.
    pub(super) is_dirty: bool,
    /// Whether it stands in its line's queue for the sweep, or is being swept.
    pub(super) is_unswept: bool,
    pub(super) is_sweeping: bool,
    /// How far that sweep goes.
    pub(super) sweep_to: Offset,
    /// Its pending appends are being written to their segment, up to this offset, and stay out of
    /// frames meanwhile.
    pub(super) bypass: Option<Offset>,
    /// Whether it stands in its line's list of those that may bypass the journal.
    pub(super) is_large: bool,
    /// Whether it stands in the store's queue of partitions with record memory.
    pub(super) is_resident: bool,
    /// Its place among the members of the journal's head.
    pub(super) place: (u64, u32),
    pub(super) folder: Folder,
    pub(super) files: Vec<SegmentFile>,
    /// A write that waits for its file or for room.
    pub(super) stashed: Option<SegmentWrite>,
    /// Operations on its files in flight.
    pub(super) in_flight: u32,
    /// Parts of the journal's sync in flight for its segments.
    pub(super) syncs: u32,
    pub(super) recovery: RecoveryPoint,
    /// What the era's snapshot says of records below it still holds: the lowest cut since.
    pub(super) kept: Offset,
    /// Where the log starts, as far as the journal knows.
    pub(super) log_start: Offset,
    /// Ends of journaled items, with their place: where recovery points may lie.
    cuts: VecDeque<RecoveryPoint>,
    pub(super) waiters: Vec<Waiter>,
    /// `.snapshot` files of segments that began, until their predecessor is sealed.
    pub(super) snapshots: Vec<(Offset, Vec<u8>)>,
    pub(super) cut: Option<Box<Cut>>,
    /// The cut is in the journal, and not yet in the files.
    pub(super) is_cut: bool,
    /// Its log start moved, and not all is done about it.
    pub(super) advance: Option<Box<Advance>>,
    pub(super) fenced: bool,
    pub(super) dropped: bool,
    /// The era's snapshot has it.
    pub(super) is_known: bool,
    /// A copy of a journal file may have it.
    pub(super) is_copied: bool,
    /// Something was journaled since it was opened: a clean stop writes its files.
    pub(super) touched: bool,
    pub(super) unsynced_records: i64,
    /// Bytes of it that only memory and the journal have.
    pub(super) unwritten_bytes: u64,
    /// Bytes of it that recovery would have to read.
    pub(super) rescan_bytes: u64,
    pub(super) checkpoint: Checkpointing,
    /// What it keeps in memory beside records, as last counted.
    pub(super) kept_beside: Kept,
    /// A producers' snapshot that stands at no segment's beginning: the next one replaces it.
    pub(super) loose_snapshot: Option<Offset>,
}

/// An item that waits for a frame.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) item: Item,
    pub(super) payload: Slices,
    /// The number of the first append in it.
    pub(super) first_append: u64,
}

impl Pending {
    /// What it takes of a frame.
    pub(super) fn frame_bytes(&self) -> usize {
        Item::BYTES + self.item.framed as usize
    }
}

/// Whether the partition's folder is there, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Creating,
    Ready,
}

/// A segment's `.log` file.
#[derive(Debug)]
pub(super) struct SegmentFile {
    pub(super) base: Offset,
    pub(super) name: FileName,
    /// Its directory entry is there, durably unless `is_unsynced`.
    pub(super) is_created: bool,
    /// It was made by a stop, which syncs all names in the end.
    pub(super) is_unsynced: bool,
    /// Room was taken up to here.
    pub(super) allocated: u64,
    /// Valid bytes that completed writes have brought.
    pub(super) written_to: u64,
}

/// Where a log's records stop being known durable in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecoveryPoint {
    pub(super) offset: Offset,
    pub(super) segment_base: Offset,
    pub(super) position: u64,
}

/// Someone who waits until an offset may be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) offset: Offset,
    pub(super) token: u64,
}

impl Entry {
    pub(super) fn new(log: PartitionLog, line: usize, role: Role, folder: Folder) -> Self {
        let last = log.segments().next_back();
        let recovery = RecoveryPoint {
            offset: log.end(),
            segment_base: last.map_or(log.end(), |segment| segment.base),
            position: last.map_or(0, |segment| u64::from(segment.size)),
        };
        // A clean stop left one at the log's end.
        let loose_snapshot = (recovery.position > 0).then_some(log.end());
        Self {
            marks: Watermarks::restored(log.log_start(), log.end()),
            kept: Offset::MAX,
            log_start: log.log_start(),
            log,
            role,
            always_synced: false,
            line,
            pending: VecDeque::new(),
            is_dirty: false,
            is_unswept: false,
            is_sweeping: false,
            sweep_to: Offset::ZERO,
            bypass: None,
            is_large: false,
            is_resident: false,
            place: (0, 0),
            folder,
            files: Vec::new(),
            stashed: None,
            in_flight: 0,
            syncs: 0,
            recovery,
            cuts: VecDeque::new(),
            waiters: Vec::new(),
            snapshots: Vec::new(),
            cut: None,
            is_cut: false,
            advance: None,
            fenced: false,
            dropped: false,
            is_known: false,
            is_copied: false,
            touched: false,
            unsynced_records: 0,
            unwritten_bytes: 0,
            rescan_bytes: 0,
            checkpoint: Checkpointing::Idle,
            kept_beside: Kept::default(),
            loose_snapshot,
        }
    }

    pub(super) fn config(&self) -> &Arc<LogConfig> {
        self.log.config()
    }

    pub(super) fn directory(&self) -> DirectoryIndex {
        self.log.identity().directory
    }

    pub(super) fn path(&self, path: String) -> DirectoryPath {
        DirectoryPath {
            directory: self.directory(),
            path,
        }
    }

    /// An item of a kind about this partition.
    pub(super) fn item(&self, kind: ItemKind) -> Item {
        let identity = self.log.identity();
        Item::new(kind, identity.topic_id, identity.index)
    }

    /// Whether acks and visibility always wait for a sync.
    pub(super) fn syncs_always(&self) -> bool {
        self.always_synced || self.config().flush_messages <= 1
    }

    /// Whether records are shown as soon as they are written.
    pub(super) fn shows_written(&self) -> bool {
        self.config().durability == Durability::Written && !self.syncs_always()
    }

    /// What those of its pending items take that may go into a frame now. While appends bypass the
    /// journal these are facts only.
    pub(super) fn pending_bytes(&self) -> usize {
        let ready = self
            .pending
            .iter()
            .filter(|pending| self.may_frame(pending));
        ready.map(Pending::frame_bytes).sum()
    }

    /// The next item for a frame.
    pub(super) fn next_pending(&self) -> Option<&Pending> {
        self.pending
            .front()
            .filter(|pending| self.may_frame(pending))
    }

    fn may_frame(&self, pending: &Pending) -> bool {
        self.bypass.is_none() || pending.item.kind == ItemKind::Fact
    }

    /// The file of a segment; named when it is first asked for. `is_created` tells whether a
    /// restored log has it.
    pub(super) fn file(&mut self, ops: &mut Ops, base: Offset) -> &mut SegmentFile {
        let at = match self.files.binary_search_by_key(&base, |file| file.base) {
            Ok(at) => at,
            Err(at) => {
                let path = self.path(self.log.identity().file(base, FileKind::Log));
                let known = base < self.recovery.segment_base
                    || base == self.recovery.segment_base && self.recovery.position > 0;
                let file = SegmentFile {
                    base,
                    name: ops.name_file(&path),
                    is_created: known,
                    is_unsynced: false,
                    allocated: if known { self.recovery.position } else { 0 },
                    written_to: 0,
                };
                self.files.insert(at, file);
                at
            }
        };
        &mut self.files[at]
    }

    /// An item that ends here was journaled: a recovery point may lie there.
    pub(super) fn note_cut(&mut self, cut: RecoveryPoint) {
        self.cuts.push_back(cut);
        if self.cuts.len() > CUTS_MAX {
            // Fewer places for a recovery point cost nothing but some replay.
            let mut keep = false;
            let newest = self.cuts.pop_back();
            self.cuts.retain(|_| {
                keep = !keep;
                keep
            });
            self.cuts.extend(newest);
        }
    }

    /// The log was cut to end there, durably.
    pub(super) fn cut_recovery(&mut self, to: RecoveryPoint) {
        self.is_cut = true;
        self.cuts.clear();
        self.recovery = to;
    }

    /// Moves the recovery point as far as the log's files are synced.
    pub(super) fn advance_recovery(&mut self) {
        let durable = self.log.recovery_point();
        while let Some(cut) = take_if(&mut self.cuts, |cut| cut.offset <= durable) {
            self.recovery = cut;
        }
    }
}

const CUTS_MAX: usize = 64;
