//! The state machine that writes a journal: which file is the head, what is in flight, what is
//! written and synced, which files may be used again.
//!
//! It says what to do ([`JournalStep`]) and is told when that is done; it never touches a disk.
//! Rules it keeps: one frame in flight; a file's header and checkpoint are durable before its first
//! frame is submitted, and so are all frames of its predecessor; a file is used again only after a
//! synced frame has declared it unneeded; after the first failure nothing is written any more.

use std::collections::VecDeque;

use super::{
    bytes::Generation,
    copy::CopySource,
    frame::{FrameHeader, build, frame_bytes},
    header::{CheckpointEntry, FileHeader},
    item::{Item, ItemKind},
};
use crate::{
    base::{DirectoryIndex, Micros, Offset, ShardId},
    disk::FileName,
    sys::region::{RegionPool, RegionWriter, Slices},
};

/// Whose journal it is.
#[derive(Clone, Copy, Debug)]
pub struct JournalIdentity {
    /// The shard that writes it.
    pub shard: ShardId,
    /// The log directory that holds it.
    pub directory: DirectoryIndex,
    /// The kernel's boot.
    pub boot_id: [u8; 16],
    /// The snapshot it stands on.
    pub era: u64,
    /// A random number, new at each start: generations derive from it.
    pub seed: u64,
}

/// Sizes and times of a journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Length of the first file, small so that a start is quick.
    pub first_file_bytes: u64,
    /// Length of the others.
    pub file_bytes: u64,
    /// Files at most, the head included.
    pub files_max: usize,
    /// Frames are built up to this length; one larger item still makes a frame of its own.
    pub frame_bytes_max: usize,
    /// Unsynced bytes at which a sync is started though nobody waits.
    pub sync_bytes_max: u64,
    /// Age of unsynced frames at which a sync is started though nobody waits.
    pub sync_age_max: Micros,
    /// Quiet time after which a lone mark is written.
    pub mark_delay: Micros,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            first_file_bytes: 4 << 20,
            file_bytes: 32 << 20,
            files_max: 6,
            frame_bytes_max: 1 << 20,
            sync_bytes_max: 8 << 20,
            sync_age_max: Micros::from_millis(100),
            mark_delay: Micros::from_millis(20),
        }
    }
}

/// Something to be carried out; tell the journal when it is done.
#[derive(Debug)]
pub enum JournalStep {
    /// Create a file of zeros, durably; then [`Journal::prepared`].
    Prepare {
        /// Its number in its name.
        name_number: u64,
        /// Its length.
        len: u64,
    },
    /// Write a file's header and checkpoint; then [`Journal::header_written`].
    Header {
        /// The file.
        file: FileName,
        /// What to write at its beginning.
        parts: Slices,
    },
    /// Sync the new head; then [`Journal::header_synced`].
    HeaderSync {
        /// The file.
        file: FileName,
    },
    /// Sync the head and these segments; when all are done, [`Journal::synced_through`].
    Sync {
        /// The head.
        file: FileName,
        /// What it will have made durable.
        sequence: u64,
    },
    /// Remove a file that is no longer needed and too small or too many to keep.
    Remove {
        /// The file.
        file: FileName,
    },
}

/// Names a partition among the members of a journal; the store's key.
pub type MemberId = u64;

/// A partition with items in a file, and where the last of them ends.
type Member = (MemberId, Offset);

/// The oldest file, on its way to be used again.
#[derive(Debug, Default)]
pub struct RetiredFile {
    /// Partitions whose items in it are not yet known durable in segments.
    pub members: Vec<Member>,
}

#[derive(Debug)]
struct JournalFile {
    name: FileName,
    len: u64,
    number: u64,
    generation: Generation,
    /// Where its frames begin, and the last sequence before them.
    frames_at: u64,
    sequence_before: u64,
    members: Vec<Member>,
}

#[derive(Debug, Default)]
enum HeadState {
    /// No head: wait for a spare.
    #[default]
    Missing,
    /// Its header is being written.
    HeaderWriting,
    /// Its header is to be synced.
    HeaderWritten,
    /// The sync of its header is in flight.
    HeaderSyncing,
    /// Frames may be written.
    Ready,
}

/// See the module.
#[derive(Debug)]
pub struct Journal {
    identity: JournalIdentity,
    options: JournalOptions,
    /// Oldest first, the head last.
    files: VecDeque<JournalFile>,
    spares: Vec<(FileName, u64)>,
    /// Declared unneeded by the frame of that sequence; free once it is synced.
    freed: Option<(u64, JournalFile)>,
    head: HeadState,
    preparing: bool,
    next_name: u64,
    next_number: u64,
    position: u64,
    /// Bytes at the end of the head for the frame that frees the oldest file.
    reserve: u64,
    sequence: u64,
    in_flight: bool,
    written: u64,
    synced: u64,
    syncing: Option<u64>,
    last_mark: u64,
    last_data: u64,
    unsynced_bytes: u64,
    unsynced_since: Option<Micros>,
    quiet_since: Micros,
    /// A sync was asked for up to this sequence.
    wanted: u64,
    failed: bool,
}

impl Journal {
    /// A journal without files yet. Names are numbered from `next_name`, above all that exist.
    pub fn new(identity: JournalIdentity, options: JournalOptions, next_name: u64) -> Self {
        Self {
            identity,
            options,
            files: VecDeque::new(),
            spares: Vec::new(),
            freed: None,
            head: HeadState::Missing,
            preparing: false,
            next_name,
            next_number: 1,
            position: 0,
            reserve: 0,
            sequence: 0,
            in_flight: false,
            written: 0,
            synced: 0,
            syncing: None,
            last_mark: 0,
            last_data: 0,
            unsynced_bytes: 0,
            unsynced_since: None,
            quiet_since: Micros(0),
            wanted: 0,
            failed: false,
        }
    }

    /// The log directory.
    pub fn directory(&self) -> DirectoryIndex {
        self.identity.directory
    }

    /// Every frame up to this sequence is written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Every frame up to this sequence is synced.
    pub fn synced(&self) -> u64 {
        self.synced
    }

    /// The sequence of the last frame built.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether it has stopped for good.
    pub fn is_failed(&self) -> bool {
        self.failed
    }

    /// Stops it for good: the first failed write or sync.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Whether nothing is in flight.
    pub fn is_quiet(&self) -> bool {
        let head = matches!(self.head, HeadState::Ready | HeadState::Missing);
        !self.in_flight && self.syncing.is_none() && head && !self.preparing
    }

    /// Whether more than half of its files hold items: time to write behind.
    pub fn is_half_full(&self) -> bool {
        let head_full = self
            .files
            .back()
            .is_some_and(|head| self.position > head.len / 2);
        2 * self.files.len() + usize::from(head_full) > self.options.files_max
    }

    /// Whether hardly more than one file is left: time to write behind as fast as it goes.
    pub fn is_nearly_full(&self) -> bool {
        self.files.len() + 1 >= self.options.files_max && self.is_half_full()
    }

    /// Whether a frame of that length may be built now.
    pub fn can_write(&self, bytes: usize) -> bool {
        self.can_write_control(bytes) && self.fits(bytes)
    }

    /// The same for a frame of checkpoint items only: these may use a reserve at the end of the
    /// head, or a full journal could not be emptied.
    pub fn can_write_control(&self, bytes: usize) -> bool {
        let fits = self
            .files
            .back()
            .is_some_and(|head| self.position + bytes as u64 <= head.len);
        matches!(self.head, HeadState::Ready) && !self.in_flight && !self.failed && fits
    }

    /// Whether no other file may be begun before one is freed.
    pub fn is_full(&self) -> bool {
        self.files.len() >= self.options.files_max
    }

    /// Whether the head is too full for a frame of that length, and a new head is needed.
    pub fn must_rotate(&self, bytes: usize) -> bool {
        matches!(self.head, HeadState::Ready) && !self.fits(bytes)
    }

    /// Frames are built up to this length.
    pub fn frame_bytes_max(&self) -> usize {
        self.options.frame_bytes_max
    }

    /// Asks that all frames up to `sequence` be synced soon.
    pub fn want_sync(&mut self, sequence: u64) {
        self.wanted = self.wanted.max(sequence);
    }

    /// Builds the next frame into an empty region: the head's name, the position, the bytes.
    ///
    /// # Panics
    /// If [`Journal::can_write_control`] does not hold for it.
    pub fn build(
        &mut self,
        now: Micros,
        items: &mut [(Item, Slices)],
        region: &mut RegionWriter,
    ) -> (FileName, u64, Slices) {
        let payload: usize = items.iter().map(|(item, _)| item.framed as usize).sum();
        let bytes = frame_bytes(items.len(), payload);
        assert!(
            self.can_write_control(bytes),
            "a frame needs room and leave"
        );
        self.sequence += 1;
        let head = self.files.back().expect("a ready head is there");
        let header = FrameHeader {
            sequence: self.sequence,
            mark: self.synced,
            oldest: self
                .files
                .front()
                .map_or(head.number, |oldest| oldest.number),
            position: self.position,
            len: 0,
            items: 0,
        };
        let slice = build(region, head.generation, header, items);
        let position = self.position;
        self.position += slice.len() as u64;
        self.in_flight = true;
        self.last_mark = self.synced;
        if items.iter().any(|(item, _)| item.kind != ItemKind::Mark) {
            self.last_data = self.sequence;
        }
        self.unsynced_bytes += slice.len() as u64;
        self.unsynced_since.get_or_insert(now);
        self.quiet_since = now;
        (head.name.clone(), position, Slices::from(slice))
    }

    /// The frame in flight is written. Returns its sequence.
    pub fn frame_written(&mut self) -> u64 {
        assert!(
            std::mem::take(&mut self.in_flight),
            "only a frame in flight can be written"
        );
        self.written = self.sequence;
        self.written
    }

    /// Records that a member has items in the head up to `end`, or less; `place` is where it stands
    /// among the head's members, as (file number, index), and is updated.
    pub fn note_member(&mut self, member: MemberId, end: Offset, place: &mut (u64, u32)) {
        let head = self.files.back_mut().expect("items go into a head");
        if place.0 == head.number {
            let known = &mut head.members[place.1 as usize].1;
            *known = end.max(*known);
        } else {
            *place = (head.number, head.members.len() as u32);
            head.members.push((member, end));
        }
    }

    /// A member's log was cut to end at `to`, and stands in segments up to there: of its items in
    /// any file none beyond that is needed.
    pub fn member_was_cut(&mut self, member: MemberId, to: Offset) {
        for file in &mut self.files {
            for (_, end) in file.members.iter_mut().filter(|(of, _)| *of == member) {
                *end = to.min(*end);
            }
        }
    }

    /// Whether unsynced frames want a sync now, by demand, bytes or age.
    fn sync_due(&self, now: Micros) -> bool {
        let age = self
            .unsynced_since
            .map_or(Micros(0), |since| now.saturating_since(since));
        self.written > self.synced
            && self.syncing.is_none()
            && !self.failed
            && (self.wanted > self.synced
                || self.unsynced_bytes >= self.options.sync_bytes_max
                || age >= self.options.sync_age_max)
    }

    /// Whether a frame with only the mark should follow now: quiet, all data synced, not yet said.
    pub fn mark_due(&self, now: Micros) -> bool {
        self.has_unsaid_mark() && now.saturating_since(self.quiet_since) >= self.options.mark_delay
    }

    /// When to look again though nothing happens.
    pub fn next_deadline(&self) -> Option<Micros> {
        if self.failed {
            return None;
        }
        let since = self.unsynced_since.filter(|_| self.written > self.synced);
        let sync = since.filter(|_| self.last_data > self.synced && self.syncing.is_none());
        let sync = sync.map(|since| since.saturating_add(self.options.sync_age_max));
        let mark = self
            .has_unsaid_mark()
            .then(|| self.quiet_since.saturating_add(self.options.mark_delay));
        match (sync, mark) {
            (Some(sync), Some(mark)) => Some(sync.min(mark)),
            (sync, mark) => sync.or(mark),
        }
    }

    /// A full head says no mark: the next file's header will.
    fn has_unsaid_mark(&self) -> bool {
        self.last_data > self.last_mark
            && self.synced >= self.last_data
            && self.can_write(frame_bytes(1, 0))
    }

    /// The next sync to start, if one is due.
    pub fn next_sync(&mut self, now: Micros) -> Option<JournalStep> {
        if !self.sync_due(now) || self.last_data <= self.synced && self.wanted <= self.synced {
            return None;
        }
        let head = self.files.back()?;
        self.syncing = Some(self.written);
        self.unsynced_bytes = 0;
        self.unsynced_since = self.in_flight.then_some(now);
        Some(JournalStep::Sync {
            file: head.name.clone(),
            sequence: self.written,
        })
    }

    /// The sync in flight, with all segments it had to cover, is done.
    pub fn synced_through(&mut self) -> u64 {
        self.synced = self
            .syncing
            .take()
            .expect("only a sync in flight can be done");
        if let Some((sequence, _)) = &self.freed
            && *sequence <= self.synced
        {
            let (_, file) = self.freed.take().expect("looked at above");
            self.spares.push((file.name, file.len));
        }
        self.synced
    }

    /// What to do about files, if anything: prepare a spare, start a head, remove what is too many.
    /// `bytes` is the frame that waits to be written; `checkpoint` fills in the entries of the
    /// partitions of this journal, for a new head.
    pub fn next_file_step(
        &mut self,
        bytes: usize,
        pool: &mut RegionPool,
        checkpoint: impl FnOnce(&mut Vec<CheckpointEntry>),
    ) -> Option<JournalStep> {
        if self.failed {
            return None;
        }
        if let HeadState::HeaderWritten = self.head {
            self.head = HeadState::HeaderSyncing;
            let file = self
                .files
                .back()
                .expect("a head is being made")
                .name
                .clone();
            return Some(JournalStep::HeaderSync { file });
        }
        let needs_head =
            matches!(self.head, HeadState::Missing) || bytes > 0 && self.must_rotate(bytes);
        let head_is_synced = !self.in_flight && self.synced == self.written;
        if needs_head && !head_is_synced {
            self.want_sync(self.written);
        }
        if needs_head && head_is_synced && self.syncing.is_none() {
            return self.start_head(bytes, pool, checkpoint);
        }
        // A spare is made while the head fills, so that an idle broker zeroes nothing.
        let half_used = self
            .files
            .back()
            .is_some_and(|head| self.position > head.len / 2);
        if half_used && self.spares.is_empty() && self.freed.is_none() && !self.preparing {
            return self.prepare(0);
        }
        None
    }

    fn start_head(
        &mut self,
        bytes: usize,
        pool: &mut RegionPool,
        checkpoint: impl FnOnce(&mut Vec<CheckpointEntry>),
    ) -> Option<JournalStep> {
        let mut entries = Vec::new();
        checkpoint(&mut entries);
        // One frame must always be able to check all partitions off the oldest file, those that
        // come while this head lasts among them.
        let reserve = frame_bytes(2 * entries.len() + 64, 0) as u64;
        let needed = FileHeader::frames_at_for(entries.len()) + bytes as u64 + reserve;
        let Some(found) = self.spares.iter().position(|(_, len)| *len >= needed) else {
            let too_small = self.spares.pop();
            if let Some((file, _)) = too_small {
                return Some(JournalStep::Remove { file });
            }
            return if self.preparing {
                None
            } else {
                self.prepare(needed)
            };
        };
        if self.files.len() >= self.options.files_max {
            return None;
        }
        let mut region = pool.take_for(FileHeader::frames_at_for(entries.len()) as usize)?;
        let (name, len) = self.spares.swap_remove(found);
        let number = self.next_number;
        self.next_number += 1;
        let generation = generation_of(self.identity.seed, self.identity.directory, number);
        self.write_header(&mut region, number, generation, len, &entries);
        let parts = Slices::from(region.slice(0..region.len()));
        self.position = FileHeader::frames_at_for(entries.len());
        let members = Vec::new();
        self.files.push_back(JournalFile {
            name: name.clone(),
            len,
            number,
            generation,
            frames_at: self.position,
            sequence_before: self.sequence,
            members,
        });
        self.reserve = reserve;
        self.head = HeadState::HeaderWriting;
        Some(JournalStep::Header { file: name, parts })
    }

    fn write_header(
        &self,
        region: &mut RegionWriter,
        number: u64,
        generation: Generation,
        capacity: u64,
        entries: &[CheckpointEntry],
    ) {
        let at = FileHeader::CHECKPOINT_AT;
        let total = FileHeader::frames_at_for(entries.len()) as usize;
        let out = &mut region.spare()[..total];
        out.fill(0);
        for (entry, place) in entries
            .iter()
            .zip(out[at..].chunks_exact_mut(CheckpointEntry::BYTES))
        {
            place.copy_from_slice(&entry.encode());
        }
        let header = FileHeader {
            generation,
            number,
            shard: self.identity.shard,
            boot_id: self.identity.boot_id,
            era: self.identity.era,
            oldest: self.files.front().map_or(number, |file| file.number),
            sequence_before: self.sequence,
            capacity,
            checkpoint_entries: entries.len() as u32,
            checkpoint_crc: generation.crc(&out[at..at + entries.len() * CheckpointEntry::BYTES]),
        };
        header.encode(&mut out[..at]);
        region.advance(total);
    }

    fn prepare(&mut self, needed: u64) -> Option<JournalStep> {
        if self.files.len() + self.spares.len() >= self.options.files_max {
            return None;
        }
        self.preparing = true;
        let name_number = self.next_name;
        self.next_name += 1;
        let is_first = self.files.is_empty() && self.spares.is_empty();
        let usual = if is_first {
            self.options.first_file_bytes
        } else {
            self.options.file_bytes
        };
        let len = if needed <= usual {
            usual
        } else {
            (2 * needed).next_multiple_of(1 << 20)
        };
        Some(JournalStep::Prepare { name_number, len })
    }

    /// A file of zeros is there.
    pub fn prepared(&mut self, file: FileName, len: u64) {
        self.preparing = false;
        self.spares.push((file, len));
    }

    /// A file could not be made for want of space; it is tried again at the next need.
    pub fn prepare_refused(&mut self) {
        self.preparing = false;
    }

    /// The new head's header is written.
    pub fn header_written(&mut self) {
        self.head = HeadState::HeaderWritten;
    }

    /// The new head's header is synced: frames may follow.
    pub fn header_synced(&mut self) {
        self.head = HeadState::Ready;
    }

    /// Members of the oldest file that is not the head, to be looked through; satisfied ones are
    /// taken out.
    pub fn oldest_members(&mut self) -> Option<&mut Vec<(MemberId, Offset)>> {
        let is_head = self.files.len() < 2;
        self.files
            .front_mut()
            .filter(|_| !is_head)
            .map(|file| &mut file.members)
    }

    /// The oldest file if it is not the head, for copies: all its frames are synced.
    pub fn copy_source(&self) -> Option<CopySource> {
        let (oldest, next) = (self.files.front()?, self.files.get(1)?);
        Some(CopySource {
            file: oldest.name.clone(),
            number: oldest.number,
            generation: oldest.generation,
            bytes: oldest.frames_at..oldest.len,
            sequences: (oldest.sequence_before, next.sequence_before),
        })
    }

    /// What the file of that number holds of these members stands in copies, durably.
    pub fn members_copied(&mut self, number: u64, copied: &[MemberId]) {
        if let Some(file) = self.files.iter_mut().find(|file| file.number == number) {
            file.members.retain(|(member, _)| !copied.contains(member));
        }
    }

    /// The snapshot it stands on.
    pub fn era(&self) -> u64 {
        self.identity.era
    }

    /// Whether the oldest file has no members left and no other file is on its way out, so that the
    /// next frame may declare it unneeded.
    pub fn can_free_oldest(&self) -> bool {
        let empty = self
            .files
            .front()
            .is_some_and(|file| file.members.is_empty());
        self.files.len() >= 2 && empty && self.freed.is_none()
    }

    /// Declares the oldest file unneeded in the next frame, which must carry the checkpoint items
    /// of all its members or follow frames that do.
    pub fn free_oldest(&mut self) {
        assert!(
            self.can_free_oldest(),
            "only a file without members is unneeded"
        );
        let file = self.files.pop_front().expect("looked at above");
        self.freed = Some((self.sequence + 1, file));
        self.want_sync(self.sequence + 1);
    }

    /// The journal's files, oldest first, then spares: all that a stop may remove.
    pub fn file_names(&self) -> impl Iterator<Item = &FileName> {
        let freed = self.freed.iter().map(|(_, file)| &file.name);
        let spares = self.spares.iter().map(|(name, _)| name);
        self.files
            .iter()
            .map(|file| &file.name)
            .chain(freed)
            .chain(spares)
    }

    fn fits(&self, bytes: usize) -> bool {
        let room = |head: &JournalFile| head.len.saturating_sub(self.reserve);
        let head = self.files.back();
        head.is_some_and(|head| self.position + bytes as u64 <= room(head))
    }
}

/// The path of a journal file in its log directory.
pub fn journal_file_path(shard: ShardId, name_number: u64) -> String {
    format!("logmill-journal-{}-{name_number}", shard.0)
}

/// A generation from the start's random seed; distinct for every (directory, number).
fn generation_of(seed: u64, directory: DirectoryIndex, number: u64) -> Generation {
    // SplitMix64's finaliser: a bijection, so distinct inputs give distinct generations.
    let mut value = seed
        .wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(u64::from(directory.0).wrapping_mul(0xd1b5_4a32_d192_ed03));
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Generation(value ^ (value >> 31))
}
