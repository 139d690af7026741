//! Checkpoints of single partitions: they bound what recovery has to read.
//!
//! Recovery goes on from the last entry of a segment's index file and from the newest producers'
//! snapshot, and verifies bypassed bytes from the last checkpoint item on. So a partition that took
//! many bytes has its index files, snapshot and leader epochs written, and a checkpoint item
//! journaled. The snapshot is of an offset that was the log's end; the files follow when the
//! recovery point has passed it, so recovery can always use them.

use super::{
    PartitionKey, Store,
    commit::Line,
    entry::{Entry, Folder},
    ops::{Ops, Owner},
    stop::StopState,
    sweep,
};
use crate::{
    base::Offset,
    disk::ControlOp,
    journal::{Item, ItemKind},
    log::SegmentFiles,
};

/// What a partition's next checkpoint waits for.
#[derive(Debug, Default)]
pub(super) enum Checkpointing {
    /// It is not due.
    #[default]
    Idle,
    /// It is due.
    Due,
    /// The recovery point must pass `end` first: the producers as they were there, and how much
    /// recovery would have read up to there.
    Waiting {
        end: Offset,
        producers: Vec<u8>,
        bytes: u64,
    },
    /// Its files are being written.
    Writing,
}

impl Checkpointing {
    /// Whether its files could be written now that the recovery point is here.
    pub(super) fn is_ready(&self, recovery: Offset) -> bool {
        matches!(self, Self::Waiting { end, .. } if *end <= recovery)
    }
}

impl Line {
    /// A partition took `bytes` that recovery would have to read.
    pub(super) fn note_appended(&mut self, key: PartitionKey, entry: &mut Entry, bytes: u64) {
        if entry.rescan_bytes == 0 {
            self.rescanned += 1;
            self.share_rescan();
        }
        entry.rescan_bytes += bytes;
        if entry.rescan_bytes >= self.checkpoint_at
            && matches!(entry.checkpoint, Checkpointing::Idle)
        {
            entry.checkpoint = Checkpointing::Due;
            self.to_checkpoint.push_back(key);
        }
    }

    /// Recovery need not read `bytes` of a partition any more.
    pub(super) fn note_checkpointed(&mut self, entry: &mut Entry, bytes: u64) {
        if entry.rescan_bytes > 0 && entry.rescan_bytes <= bytes {
            self.rescanned -= 1;
            self.share_rescan();
        }
        entry.rescan_bytes = entry.rescan_bytes.saturating_sub(bytes);
    }

    fn share_rescan(&mut self) {
        let share = self.rescan_bytes_max / self.rescanned.max(1) as u64;
        let most = self.rescan_bytes_max / 8;
        self.checkpoint_at = share.clamp(CHECKPOINT_BYTES_MIN.min(most), most);
    }
}

impl Store {
    /// Goes on with the checkpoints that are due.
    pub(super) fn pump_checkpoints(&mut self, index: usize) {
        let line = &mut self.lines[index];
        let stopping = !matches!(self.stop, StopState::Running);
        if stopping || line.journal.is_failed() || line.room.is_short() {
            return;
        }
        for _ in 0..line.to_checkpoint.len().min(AT_A_TIME_MAX) {
            let Some(key) = self.lines[index].to_checkpoint.pop_front() else {
                break;
            };
            if self.advance_checkpoint(key) {
                self.lines[index].to_checkpoint.push_back(key);
            }
        }
    }

    /// One step; says whether another is to follow by itself.
    fn advance_checkpoint(&mut self, key: PartitionKey) -> bool {
        let Self { entries, ops, .. } = self;
        let Some(entry) = entries.get_mut(key.0) else {
            return false;
        };
        if entry.dropped || entry.fenced || matches!(entry.checkpoint, Checkpointing::Idle) {
            return false;
        }
        if let Checkpointing::Due = entry.checkpoint {
            entry.checkpoint = Checkpointing::Waiting {
                end: entry.log.end(),
                producers: entry.log.producer_snapshot(),
                bytes: entry.rescan_bytes,
            };
        }
        let Checkpointing::Waiting { end, .. } = entry.checkpoint else {
            return false;
        };
        let busy = entry.in_flight > 0 || entry.is_sweeping || entry.bypass.is_some();
        if busy || entry.cut.is_some() || entry.folder != Folder::Ready {
            return true;
        }
        if let Some(base) = entry.log.next_to_seal()
            && sweep::seal(entry, ops, key, base)
        {
            return true;
        }
        if entry.recovery.offset < end {
            self.request_sweep(key);
            return true;
        }
        !write_checkpoint(entry, ops, key)
    }

    /// Has a partition swept next, whatever else is due. Not where the journal has to go first: it
    /// may wait for the sweeps of others.
    pub(super) fn request_sweep(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get(key.0) else {
            return;
        };
        let line = &mut self.lines[entry.line];
        let is_of_use = entry.recovery.offset < entry.marks.written();
        if entry.is_unswept && !entry.is_sweeping && is_of_use {
            line.unswept.retain(|other| *other != key);
            line.unswept.push_front(key);
            line.round += 1;
        }
    }

    /// The files are written: the journal learns from where on it is needed.
    pub(super) fn checkpoint_written(&mut self, key: PartitionKey, saved: &SavedCheckpoint) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        entry.log.indexes_saved(&saved.files);
        entry.checkpoint = Checkpointing::Idle;
        let line = &mut self.lines[entry.line];
        line.note_checkpointed(entry, saved.bytes);
        line.extra.push_back(checkpoint_item(entry));
    }
}

/// What is remembered while a checkpoint's files are written.
#[derive(Debug)]
pub(super) struct SavedCheckpoint {
    files: SegmentFiles,
    bytes: u64,
}

/// The item that says from where on the journal is needed for a partition.
pub(super) fn checkpoint_item(entry: &Entry) -> Item {
    let point = entry.recovery;
    let epoch = entry.log.epochs().latest();
    Item {
        leader_epoch: epoch.unwrap_or(crate::base::LeaderEpoch::NONE),
        previous_end: entry.log_start,
        base: point.offset,
        last: entry.kept,
        segment_base: point.segment_base,
        position: point.position,
        ..entry.item(ItemKind::Checkpoint)
    }
}

/// Begins to write the files; `false` if there is no segment to write them for.
fn write_checkpoint(entry: &mut Entry, ops: &mut Ops, key: PartitionKey) -> bool {
    let active = entry.log.segments().next_back().map(|segment| segment.base);
    let files = active.and_then(|base| entry.log.segment_files(base));
    let taken = std::mem::replace(&mut entry.checkpoint, Checkpointing::Writing);
    let (
        Some(files),
        Checkpointing::Waiting {
            end,
            producers,
            bytes,
        },
    ) = (files, taken)
    else {
        entry.checkpoint = Checkpointing::Idle;
        return true;
    };
    let mut steps = vec![
        sweep::epoch_step(entry),
        sweep::snapshot_step(entry, end, producers),
    ];
    steps.extend(sweep::index_steps(entry, ops, &files));
    steps.extend(sweep::drop_loose_snapshot(entry, ops, end));
    steps.push(ControlOp::SyncDirectory {
        directory: entry.directory(),
        path: entry.log.identity().folder(),
    });
    entry.in_flight += 1;
    let saved = Box::new(SavedCheckpoint { files, bytes });
    ops.control(Owner::Checkpoint { key, saved }, ControlOp::Sequence(steps));
    true
}

/// Partitions looked at in one turn.
const AT_A_TIME_MAX: usize = 64;

/// However many partitions there are, a checkpoint is not worth less.
const CHECKPOINT_BYTES_MIN: u64 = 256 << 10;
