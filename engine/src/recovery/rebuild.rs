//! From segment files, and what the journal adds to them, to a partition's state.

use std::{cell::Cell, collections::BTreeSet, sync::Arc};

use super::{
    journals::Event,
    replay::{Point, Put, Replay},
    resume::ProducerStart,
};
use crate::{
    base::Offset,
    disk::{BlockingDisk, DiskError, DiskErrorKind},
    format::{
        batch::BatchHeader,
        checkpoint,
        names::{self, FileKind},
        validate,
    },
    log::{IndexWrite, LogConfig, LogIdentity, PartitionLog, PartitionState},
    replica::EpochState,
};

/// Why a partition is fenced, or recovery as a whole failed.
pub(super) enum Trouble {
    /// Its files do not hold what they must.
    Corrupt(String),
    /// The disk failed.
    Disk(DiskError),
}

impl From<DiskError> for Trouble {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// A partition's folder while it is recovered.
pub(super) struct Folder<'d> {
    pub(super) disk: &'d dyn BlockingDisk,
    pub(super) identity: LogIdentity,
    path: String,
    /// Bases of the segments that are there.
    pub(super) bases: BTreeSet<Offset>,
    /// Offsets of the snapshots that are there.
    pub(super) snapshots: BTreeSet<Offset>,
    has_metadata: bool,
    /// What may still be read of the log directory to fill producers' windows.
    pub(super) read_back_left: &'d Cell<u64>,
    touched: BTreeSet<Offset>,
    changed: bool,
}

impl<'d> Folder<'d> {
    /// Looks into the folder; it need not exist.
    pub(super) fn look(
        disk: &'d dyn BlockingDisk,
        identity: LogIdentity,
        exists: bool,
        read_back_left: &'d Cell<u64>,
    ) -> Result<Self, DiskError> {
        let path = identity.folder();
        let listed = match disk.list(identity.directory, &path) {
            // It may have gone since the directory was listed.
            _ if !exists => Vec::new(),
            Err(error) if error.kind == DiskErrorKind::NotFound => Vec::new(),
            listed => listed?,
        };
        let of_kind = |wanted: FileKind| {
            let files = listed
                .iter()
                .filter_map(|entry| names::parse_segment_file(&entry.name));
            files
                .filter(|(_, kind)| *kind == wanted)
                .map(|(base, _)| base)
                .collect()
        };
        let mut changed = false;
        for entry in &listed {
            // Segments whose time to go had come.
            if entry.name.ends_with(names::DELETED_FILE) {
                disk.remove(identity.directory, &format!("{path}/{}", entry.name))?;
                changed = true;
            }
        }
        let has_metadata = listed
            .iter()
            .any(|entry| entry.name == names::PARTITION_METADATA);
        let (bases, snapshots) = (of_kind(FileKind::Log), of_kind(FileKind::Snapshot));
        let touched = BTreeSet::new();
        Ok(Self {
            disk,
            identity,
            path,
            bases,
            snapshots,
            has_metadata,
            read_back_left,
            touched,
            changed,
        })
    }

    /// Puts the journal's bytes in place, removes what follows the log's end, makes it durable and
    /// reads the state back.
    pub(super) fn recover(
        &mut self,
        known: Option<&PartitionState>,
        replay: &Replay<'_>,
    ) -> Result<PartitionState, Trouble> {
        if self.is_level(known, replay)? {
            return Ok(known.cloned().expect("level with what is known"));
        }
        self.changed = true;
        // A folder that its era made may have lost its bytes.
        self.has_metadata &= replay.topic.is_none();
        self.make()?;
        self.put(&replay.writes)?;
        let end = replay.writes.last().map_or(replay.recovery, Put::point);
        self.cut(end, known, replay)?;
        let log = self.rebuild(known, replay, end)?;
        self.settle(log)
    }

    /// A log that no journal speaks of: scanned from its beginning, cut at the first damage in its
    /// last segment. The second value says whether it was cut.
    /// The log starts at `log_start`, if that is known and there.
    pub(super) fn adopt(
        &mut self,
        log_start: Option<Offset>,
    ) -> Result<(PartitionState, bool), Trouble> {
        let start = self.bases.first().copied().or(log_start);
        let start = start.unwrap_or(Offset::ZERO);
        let config = Arc::new(LogConfig::default());
        let mut log = PartitionLog::new(self.identity.clone(), config, start);
        let epochs = self.read_epochs()?;
        let bases: Vec<Offset> = self.bases.iter().copied().collect();
        let mut was_cut = false;
        let mut producers = self.producer_start(&log, start, true)?;
        for (at, &base) in bases.iter().enumerate() {
            log.note_end(base);
            let limit = bases.get(at + 1).copied().unwrap_or(Offset::MAX);
            let (position, sound) = self.scan(&mut log, base, 0, limit, &mut producers)?;
            if !sound && limit != Offset::MAX && log.end() < limit {
                let reason = format!("segment {base} is damaged at byte {position}");
                return Err(Trouble::Corrupt(reason));
            }
            was_cut |= self.trim(base, position)?;
            self.touched.insert(base);
        }
        log.note_epochs(epochs);
        log.set_log_start(log_start.unwrap_or(start));
        Ok((self.settle(log)?, was_cut))
    }

    /// Whether files were changed, and want a sync.
    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether the files are just what is known, so that nothing is to be read or written.
    fn is_level(
        &self,
        known: Option<&PartitionState>,
        replay: &Replay<'_>,
    ) -> Result<bool, DiskError> {
        let Some(known) = known else { return Ok(false) };
        let active = known.segments.last();
        let level = replay.writes.is_empty()
            && replay.kept >= known.end
            && replay.recovery.offset == known.end
            && replay.log_start <= known.log_start
            && replay.epochs.is_empty()
            && self.bases.last().copied() == active.map(|segment| segment.base);
        let Some(active) = active.filter(|_| level) else {
            return Ok(level);
        };
        let path = self.identity.file(active.base, FileKind::Log);
        let len = self.disk.len(self.identity.directory, &path)?;
        Ok(len == Some(u64::from(active.size)))
    }

    fn make(&mut self) -> Result<(), DiskError> {
        if self.has_metadata {
            return Ok(());
        }
        let directory = self.identity.directory;
        self.disk.create_directory(directory, &self.path)?;
        let text = checkpoint::encode_partition_metadata(self.identity.topic_id);
        let path = format!("{}/{}", self.path, names::PARTITION_METADATA);
        self.disk.write_whole(directory, &path, text.as_bytes())?;
        self.disk.sync_directory(directory, "")?;
        self.has_metadata = true;
        Ok(())
    }

    /// Writes bytes to their places, neighbours together.
    fn put(&mut self, writes: &[Put<'_>]) -> Result<(), DiskError> {
        let mut joined: Vec<u8> = Vec::new();
        let mut start = Point::default();
        for put in writes {
            let (item, bytes) = (put.event.item, put.bytes);
            let position = item.position + u64::from(item.len - item.framed);
            let next = start.position + joined.len() as u64;
            let follows = item.segment_base == start.segment_base && position == next;
            if !follows || joined.len() + bytes.len() > JOINED_BYTES_MAX {
                self.write(start, &joined)?;
                joined.clear();
                start = Point {
                    offset: item.base,
                    segment_base: item.segment_base,
                    position,
                };
            }
            joined.extend_from_slice(bytes);
        }
        self.write(start, &joined)
    }

    fn write(&mut self, at: Point, bytes: &[u8]) -> Result<(), DiskError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let path = self.identity.file(at.segment_base, FileKind::Log);
        let directory = self.identity.directory;
        if self.bases.insert(at.segment_base) {
            self.disk.create_file(directory, &path)?;
        }
        self.touched.insert(at.segment_base);
        self.disk.write_at(directory, &path, at.position, bytes)
    }

    /// Removes what follows the log's end: it may be valid and is not vouched for. What stands
    /// before the log's first segment goes too: it was on its way out.
    fn cut(
        &mut self,
        end: Point,
        known: Option<&PartitionState>,
        replay: &Replay<'_>,
    ) -> Result<(), DiskError> {
        let known = known.filter(|state| state.end <= replay.kept);
        let first = known.map(|state| state.segments.first().map_or(state.end, |first| first.base));
        let first = replay.anew_from.or(first);
        let expired = self.expired_before(replay.log_start, end);
        let beyond = |base: &Offset| {
            let behind = *base > end.segment_base;
            let before = first.is_some_and(|first| *base < first) || *base < expired;
            behind || before || *base == end.segment_base && end.position == 0
        };
        let gone: Vec<Offset> = self.bases.iter().copied().filter(beyond).collect();
        for base in gone {
            for kind in FileKind::ALL {
                self.remove(base, kind)?;
            }
            self.bases.remove(&base);
        }
        let late: Vec<Offset> = self
            .snapshots
            .iter()
            .copied()
            .filter(|at| *at > replay.cut_at.map_or(end.offset, |cut| cut.min(end.offset)))
            .collect();
        for at in late {
            self.remove(at, FileKind::Snapshot)?;
            self.snapshots.remove(&at);
        }
        let last = end.segment_base;
        if self.bases.contains(&last) && self.trim(last, end.position)? {
            self.touched.insert(last);
        }
        Ok(())
    }

    /// Segments that begin before this hold nothing at or behind the log start, and what producers
    /// did in them a snapshot knows: they need not be read before they go.
    fn expired_before(&self, log_start: Offset, end: Point) -> Offset {
        // What ends the last one: the log goes on with another, or not.
        let last_ends = (end.position == 0).then_some(end.offset);
        let next = self.bases.iter().skip(1).copied().chain(last_ends);
        let gone = next
            .take_while(|next| *next <= log_start)
            .filter(|next| self.snapshots.contains(next))
            .last();
        gone.unwrap_or(Offset::ZERO)
    }

    fn remove(&self, base: Offset, kind: FileKind) -> Result<(), DiskError> {
        self.disk
            .remove(self.identity.directory, &self.identity.file(base, kind))
    }

    /// Cuts a segment file to `len`; says whether it was longer.
    fn trim(&self, base: Offset, len: u64) -> Result<bool, DiskError> {
        let path = self.identity.file(base, FileKind::Log);
        let directory = self.identity.directory;
        let longer = self
            .disk
            .len(directory, &path)?
            .is_some_and(|found| found > len);
        if longer {
            self.disk.truncate(directory, &path, len)?;
        }
        Ok(longer)
    }

    /// The log over its files: what is known, what index files vouch for, then what stands behind
    /// that.
    fn rebuild(
        &mut self,
        known: Option<&PartitionState>,
        replay: &Replay<'_>,
        end: Point,
    ) -> Result<PartitionLog, Trouble> {
        // Index files and snapshots beyond a cut may be of the records that were cut.
        let trusted = replay.cut_at.map_or(end.offset, |cut| cut.min(end.offset));
        let mut log = self.known_log(known, replay, end);
        let file_epochs = self.read_epochs()?;
        let begins_anew = replay.anew_from.is_some() && replay.cut_at == Some(log.end());
        let is_blank = log.segments().len() == 0 && log.producers().is_empty() && !begins_anew;
        let mut producers = self.producer_start(&log, trusted, is_blank)?;
        let first = log.segments().next_back().map(|segment| segment.base);
        let bases: Vec<Offset> = self.bases.iter().copied().collect();
        let skip = first.map_or(0, |first| bases.partition_point(|other| *other < first));
        let mut reached = (Offset::ZERO, 0);
        for (at, &base) in bases.iter().enumerate().skip(skip) {
            let next = bases.get(at + 1).copied();
            let limit = next.unwrap_or(end.offset).min(end.offset);
            self.resume(&mut log, base, limit.min(producers.at).min(trusted))?;
            let last = log.segments().next_back();
            let start = last
                .filter(|last| last.base == base)
                .map_or(0, |last| last.size);
            let (position, _) =
                self.scan(&mut log, base, u64::from(start), limit, &mut producers)?;
            reached = (base, position);
            if next.is_some() || end.position == 0 {
                self.trim(base, position)?;
            }
            self.touched.insert(base);
        }
        let is_needed = end.position > 0 && end.offset > replay.log_start;
        if is_needed && reached != (end.segment_base, end.position) {
            let ((base, position), offset) = (reached, log.end());
            let reason = format!(
                "segment {base} is sound up to byte {position} and offset {offset}, \
                 the journal knows {end:?}"
            );
            return Err(Trouble::Corrupt(reason));
        }
        self.drop_loose_snapshots(end.offset)?;
        log.note_end(end.offset);
        producers.reach(&mut log, end.offset);
        let stays = |line: &EpochState| replay.cut_at.is_none_or(|cut| line.start < cut);
        log.note_epochs(file_epochs.into_iter().filter(stays));
        log.note_epochs(replay.epochs.iter().copied());
        log.set_log_start(replay.log_start);
        self.forget_expired(&mut log)?;
        Ok(log)
    }

    /// Segments that are gone, and all of them if none holds anything that may be read. Should this
    /// recovery be cut short, the next one finds the producers in their snapshot.
    fn forget_expired(&mut self, log: &mut PartitionLog) -> Result<(), DiskError> {
        let (start, end) = (log.log_start(), log.end());
        if start < end || log.segments().len() == 0 {
            let first = self.bases.first().copied().unwrap_or(end);
            log.take_before(first);
            return Ok(());
        }
        let path = self.identity.file(end, FileKind::Snapshot);
        let directory = self.identity.directory;
        self.disk
            .write_whole(directory, &path, &log.producer_snapshot())?;
        for base in log.take_before(Offset::MAX) {
            for kind in FileKind::ALL {
                self.remove(base, kind)?;
            }
        }
        Ok(())
    }

    /// Snapshots that stand at no segment's beginning were for this recovery.
    fn drop_loose_snapshots(&mut self, end: Offset) -> Result<(), DiskError> {
        let is_loose = |at: &Offset| !self.bases.contains(at) && *at != end;
        let loose: Vec<Offset> = self.snapshots.iter().copied().filter(is_loose).collect();
        for at in loose {
            self.remove(at, FileKind::Snapshot)?;
            self.snapshots.remove(&at);
        }
        Ok(())
    }

    /// The log as far as it is known from the era's beginning, and still holds.
    fn known_log(
        &self,
        known: Option<&PartitionState>,
        replay: &Replay<'_>,
        end: Point,
    ) -> PartitionLog {
        let config = Arc::new(LogConfig::default());
        let level = replay.kept.min(end.offset);
        let usable = known.filter(|state| state.end <= level);
        match usable.map(|state| PartitionLog::restored(state, Arc::clone(&config))) {
            Some(Ok(log)) => log,
            _ => {
                let first = self.bases.first().copied().unwrap_or(end.offset);
                // The first batch of a follower may lie behind the log's beginning.
                let start = first.min(replay.log_start).min(end.offset);
                PartitionLog::new(self.identity.clone(), config, start)
            }
        }
    }

    /// `leader-epoch-checkpoint`: nothing if it is missing or not as it must be.
    fn read_epochs(&self) -> Result<Vec<EpochState>, DiskError> {
        let path = format!("{}/{}", self.path, names::LEADER_EPOCH_CHECKPOINT);
        let bytes = self
            .disk
            .read_whole(self.identity.directory, &path, 1 << 20)?;
        let text = bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default();
        let lines = checkpoint::decode_epochs(&text).unwrap_or_default();
        Ok(lines
            .into_iter()
            .map(|(epoch, start)| EpochState { epoch, start })
            .collect())
    }

    /// Takes up the batches of a segment file from `position` on, whole and sound ones that end at
    /// or below `limit`. Where it stopped, and whether that was at the limit or the file's end.
    fn scan(
        &self,
        log: &mut PartitionLog,
        base: Offset,
        mut position: u64,
        limit: Offset,
        producers: &mut ProducerStart,
    ) -> Result<(u64, bool), DiskError> {
        let path = self.identity.file(base, FileKind::Log);
        let directory = self.identity.directory;
        let len = self.disk.len(directory, &path)?.unwrap_or(0);
        let mut block = vec![0; SCAN_BYTES.min(len as usize)];
        let mut held = 0..0u64;
        while position < len && log.end() < limit {
            let left = (len - position) as usize;
            let at = position.wrapping_sub(held.start) as usize;
            let here = if held.contains(&position) {
                &block[at..(held.end - held.start) as usize]
            } else {
                &[]
            };
            let size = batch_size(here);
            let wanted = size.unwrap_or(BatchHeader::SIZE);
            if here.len() < wanted {
                if wanted > left || wanted > BATCH_BYTES_MAX {
                    return Ok((position, false));
                }
                let fill = left.min(SCAN_BYTES.max(wanted));
                block.resize(fill.max(block.len()), 0);
                let read = self
                    .disk
                    .read_at(directory, &path, position, &mut block[..fill])?;
                if read < wanted {
                    return Ok((position, false));
                }
                held = position..position + read as u64;
                continue;
            }
            let batch = &here[..wanted];
            let sound = validate::check_frame(batch)
                .and_then(|header| validate::check_crc(&header, batch).map(|()| header));
            let Ok(header) = sound else {
                return Ok((position, false));
            };
            if header.last_offset() >= limit {
                return Ok((position, false));
            }
            producers.reach(log, header.base_offset);
            if !log.note_in_file(base, &header) {
                return Ok((position, false));
            }
            position += wanted as u64;
        }
        Ok((position, true))
    }

    /// Index files as they must be, and the state. One sync of the directory makes it all durable.
    fn settle(&mut self, mut log: PartitionLog) -> Result<PartitionState, Trouble> {
        for base in std::mem::take(&mut self.touched) {
            let Some(files) = log.segment_files(base) else {
                continue;
            };
            self.put_index(base, FileKind::TimeIndex, &files.time_index)?;
            self.put_index(base, FileKind::Index, &files.index)?;
            log.segment_files_saved(&files);
        }
        let mut state = log.state();
        self.trim_indexes(&mut state)?;
        Ok(state)
    }

    fn put_index(
        &self,
        base: Offset,
        kind: FileKind,
        write: &Option<IndexWrite>,
    ) -> Result<(), DiskError> {
        let path = self.identity.file(base, kind);
        let directory = self.identity.directory;
        self.disk.create_file(directory, &path)?;
        match write {
            Some(write) => {
                let IndexWrite {
                    position, bytes, ..
                } = write;
                self.disk.write_at(directory, &path, *position, bytes)
            }
            None => Ok(()),
        }
    }

    /// Cuts off what stands in index files behind the entries that count.
    fn trim_indexes(&self, state: &mut PartitionState) -> Result<(), DiskError> {
        let directory = self.identity.directory;
        for segment in &state.segments {
            let kinds = [
                (FileKind::Index, u64::from(segment.index_entries) * 8),
                (
                    FileKind::TimeIndex,
                    u64::from(segment.time_index_entries) * 12,
                ),
            ];
            for (kind, len) in kinds {
                let path = self.identity.file(segment.base, kind);
                if self
                    .disk
                    .len(directory, &path)?
                    .is_some_and(|found| found > len)
                {
                    self.disk.truncate(directory, &path, len)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a fact's bytes stand in the segment and the frame as it says.
pub(super) fn fact_holds(
    disk: &dyn BlockingDisk,
    identity: &LogIdentity,
    event: &Event<'_>,
) -> Result<bool, DiskError> {
    let item = event.item;
    let path = identity.file(item.segment_base, FileKind::Log);
    let mut bytes = vec![0; (item.len - item.framed) as usize];
    let read = match disk.len(identity.directory, &path)? {
        Some(_) => disk.read_at(identity.directory, &path, item.position, &mut bytes)?,
        None => 0,
    };
    if read < bytes.len() {
        return Ok(false);
    }
    bytes.extend_from_slice(event.payload.unwrap_or_default());
    Ok(event.generation.crc(&bytes) == item.payload_crc)
}

/// The size of the batch that begins here, as far as its length field is there and not absurd.
fn batch_size(bytes: &[u8]) -> Option<usize> {
    let field = bytes.get(8..12)?;
    let length = i32::from_be_bytes(field.try_into().ok()?);
    let size = usize::try_from(length)
        .ok()?
        .checked_add(BatchHeader::LOG_OVERHEAD)?;
    Some(size.max(BatchHeader::SIZE))
}

const SCAN_BYTES: usize = 1 << 20;
const JOINED_BYTES_MAX: usize = 1 << 20;
/// A batch beyond this is none: `message.max.bytes` cannot be above it.
pub(super) const BATCH_BYTES_MAX: usize = 1 << 30;
