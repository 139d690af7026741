//! Room on the disk. It is taken in steps, and a step that finds none is taken again later; until
//! then, and while there is hardly more than what is in memory needs, clients' records are refused.

use super::{
    PartitionKey, Store, StoreError, StoreEvent, StoreOptions, checkpoint::Checkpointing,
    commit::Line, ops::Owner, stop::StopState,
};
use crate::{
    base::{DirectoryIndex, Micros, Now},
    disk::DiskError,
};

/// What is known of the room in a log directory.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) free_bytes: u64,
    /// There was none for segments, and for files of the journal: try again at these times.
    segments_retry: Option<Micros>,
    journal_retry: Option<Micros>,
    /// What failed, until something gets room again.
    refused: Option<DiskError>,
    /// It was said that clients are refused.
    is_told: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            free_bytes: u64::MAX,
            segments_retry: None,
            journal_retry: None,
            refused: None,
            is_told: false,
        }
    }
}

impl Room {
    fn has(&self, kept_bytes: u64) -> bool {
        let is_short = self.is_short() || self.is_short_for_journal();
        !is_short && self.free_bytes >= kept_bytes
    }

    /// How much may be taken at once beyond what is needed: little when there is little.
    pub(super) fn step_max(&self, options: &StoreOptions) -> u64 {
        let part = self.free_bytes / STEPS_PER_FREE;
        part.min(options.allocation_bytes_max)
    }

    /// Whether steps that take room for segments are to be left alone.
    pub(super) fn is_short(&self) -> bool {
        self.segments_retry.is_some()
    }

    /// The same for files of the journal.
    pub(super) fn is_short_for_journal(&self) -> bool {
        self.journal_retry.is_some()
    }

    pub(super) fn refuse_segments(&mut self, now: Now, error: &DiskError) {
        self.segments_retry = Some(now.monotonic.saturating_add(RETRY_AFTER));
        self.refused = Some(error.clone());
    }

    pub(super) fn refuse_journal(&mut self, now: Now, error: DiskError) {
        self.journal_retry = Some(now.monotonic.saturating_add(RETRY_AFTER));
        self.refused = Some(error);
    }

    /// A copy that the journal waits for was refused; it has a retry of its own.
    pub(super) fn refuse_copy(&mut self, error: &DiskError) {
        self.refused = Some(error.clone());
    }

    /// A step got its room.
    pub(super) fn taken(&mut self) {
        self.refused = None;
    }

    /// What was refused last, if nothing got room since.
    pub(super) fn refusal(&self) -> Option<&DiskError> {
        self.refused.as_ref()
    }

    pub(super) fn refill(&mut self, now: Now) {
        self.segments_retry.take_if(|at| *at <= now.monotonic);
        self.journal_retry.take_if(|at| *at <= now.monotonic);
    }

    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let own = [self.segments_retry, self.journal_retry];
        own.into_iter().flatten().min()
    }
}

impl Store {
    /// The free bytes of a log directory, as its file system says; call it often.
    /// Clients' records are refused while they are fewer than what is in memory only and
    /// [`StoreOptions::reserve_bytes`](super::StoreOptions::reserve_bytes).
    pub fn set_free_bytes(&mut self, directory: DirectoryIndex, free_bytes: u64) {
        let kept_bytes = self.kept_bytes();
        let Some(line) = self.lines.get_mut(usize::from(directory.0)) else {
            return;
        };
        let room = &mut line.room;
        room.free_bytes = free_bytes;
        if room.is_told && room.has(kept_bytes) {
            room.is_told = false;
            self.events.push(StoreEvent::RoomCame {
                directory,
                free_bytes,
            });
        }
    }

    /// Refuses clients' records while the disk is full, or so nearly that what is in memory may
    /// not find room in its segments.
    pub(super) fn check_room(&mut self, index: usize) -> Result<(), StoreError> {
        let kept_bytes = self.kept_bytes();
        let line = &mut self.lines[index];
        let room = &mut line.room;
        let free_bytes = room.free_bytes;
        if room.has(kept_bytes) {
            return Ok(());
        }
        if !std::mem::replace(&mut room.is_told, true) {
            self.events.push(StoreEvent::RoomRanOut {
                directory: line.journal.directory(),
                free_bytes,
                kept_bytes,
            });
        }
        Err(StoreError::NoRoom {
            free_bytes,
            kept_bytes,
        })
    }

    fn kept_bytes(&self) -> u64 {
        self.options.reserve_bytes + self.unwritten_bytes
    }

    /// Whether room may still come: a stop does not wait for it once the journal has everything.
    pub(super) fn can_wait_for_room(&self, line: usize) -> bool {
        matches!(self.stop, StopState::Running) || !self.lines[line].is_settled()
    }

    /// The disk was full for a step of a partition: it is taken again later.
    pub(super) fn wait_for_room(
        &mut self,
        now: Now,
        key: PartitionKey,
        owner: &Owner,
        error: &DiskError,
    ) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let line: &mut Line = &mut self.lines[entry.line];
        match owner {
            Owner::CreateSegment { .. } | Owner::Allocate { .. } | Owner::Seal { .. } => {}
            Owner::Checkpoint { .. } => {
                entry.checkpoint = Checkpointing::Due;
                line.to_checkpoint.push_back(key);
            }
            // It had its room, or nothing follows that could take the step again.
            _ => return self.fence(key, error),
        }
        line.room.refuse_segments(now, error);
        self.pause_sweep(key);
    }

    /// In a stop that has waited for long enough: ends journals that cannot go on because the disk
    /// is full. What they hold is recovered at the next start, and what they do not hold was not
    /// acknowledged.
    pub(super) fn give_up_waiting(&mut self, now: Now) {
        let StopState::Draining { since } = self.stop else {
            return;
        };
        if now.monotonic.saturating_since(since) < STOP_PATIENCE {
            return;
        }
        for index in 0..self.lines.len() {
            let line = &self.lines[index];
            let is_stuck = !line.is_settled() && line.sweeps == 0 && line.journal.is_quiet();
            if is_stuck && let Some(error) = line.room.refusal().cloned() {
                self.fail_line(index, &error);
            }
        }
    }
}

/// How long to wait for room before asking again.
const RETRY_AFTER: Micros = Micros::from_millis(500);
/// A step takes at most this part of what is free.
const STEPS_PER_FREE: u64 = 64;
/// How long a stop waits for room.
const STOP_PATIENCE: Micros = Micros::from_millis(2_000);
