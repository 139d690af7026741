//! Reading the journals of a log directory, and judging what is missing.

use std::collections::BTreeMap;

use super::{Finding, FindingKind, RecoveryError};
use crate::{
    base::{DirectoryIndex, PartitionIndex, TopicId},
    disk::{BlockingDisk, Listed},
    journal::{
        CheckpointEntry, CopyName, FileHeader, Generation, HeaderError, Item, ItemKind,
        JournalCopy, ScannedFrame, scan_frames,
    },
};

/// The journal of one shard, of the era in question.
pub(super) struct ShardJournal {
    /// Its files by number, those that are still needed.
    pub(super) files: Vec<JournalImage>,
    /// What copies hold of files that are not there any more, in their order.
    pub(super) copies: Vec<CopyImage>,
    /// Sequences that are missing though later ones are there, oldest first.
    pub(super) missing: Vec<u64>,
    /// The highest sequence that a good frame knew synced.
    pub(super) mark: u64,
    /// The last sequence found.
    pub(super) newest: u64,
    /// Written since this boot: no completed write is lost.
    pub(super) same_boot: bool,
}

/// One file, whole in memory.
pub(super) struct JournalImage {
    pub(super) path: String,
    pub(super) header: FileHeader,
    /// `None` if it is damaged; a file that is about to be used again may well be.
    pub(super) checkpoint: Option<Vec<CheckpointEntry>>,
    pub(super) frames: Vec<ScannedFrame>,
    pub(super) bytes: Vec<u8>,
}

/// A copy of what a file held of a fenced partition.
pub(super) struct CopyImage {
    name: CopyName,
    /// `Err` says what is wrong with it.
    copy: Result<JournalCopy, String>,
    bytes: Vec<u8>,
}

/// What an item means for its partition, with its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    pub(super) item: Item,
    pub(super) sequence: u64,
    /// The bytes of an append or an open; `None` if they do not match their CRC.
    pub(super) payload: Option<&'a [u8]>,
    /// Of the file it stands in.
    pub(super) generation: Generation,
}

/// Everything the journal says of one partition, oldest first.
#[derive(Default)]
pub(super) struct History<'a> {
    pub(super) events: Vec<Event<'a>>,
    /// Some of what the journal once said cannot be read: why.
    pub(super) damage: Option<String>,
}

impl History<'_> {
    /// The topic's name, where the journal saw the partition open.
    pub(super) fn topic(&self) -> Option<String> {
        let open = self
            .events
            .iter()
            .find(|event| event.item.kind == ItemKind::Open)?;
        open.payload
            .map(|name| String::from_utf8_lossy(name).into_owned())
    }
}

pub(super) type Histories<'a> = BTreeMap<(TopicId, PartitionIndex), History<'a>>;

/// The journals of `era` in a directory, one after another given to `each`; memory holds one at a
/// time. A journal whose directory of items is damaged at or below a mark is an `Err` in `each`'s
/// argument: nothing of the log directory can be trusted then.
pub(super) fn read_journals(
    disk: &dyn BlockingDisk,
    directory: DirectoryIndex,
    listed: &[Listed],
    era: u64,
    boot_id: [u8; 16],
    findings: &mut Vec<Finding>,
    mut each: impl FnMut(&ShardJournal, &mut Vec<Finding>) -> Result<(), RecoveryError>,
) -> Result<(), RecoveryError> {
    let mut by_shard: BTreeMap<u16, (Vec<&str>, Vec<CopyName>)> = BTreeMap::new();
    for entry in listed {
        if let Some((shard, _)) = parse_journal_name(&entry.name) {
            by_shard.entry(shard).or_default().0.push(&entry.name);
        }
        if let Some(name) = CopyName::parse(&entry.name).filter(|name| name.era == era) {
            by_shard.entry(name.shard.0).or_default().1.push(name);
        }
    }
    for (paths, mut names) in by_shard.into_values() {
        let mut files = Vec::new();
        for path in paths {
            files.extend(read_file(disk, directory, path, era, findings)?);
        }
        if files.is_empty() && names.is_empty() {
            continue;
        }
        let mut journal = judge(files, boot_id);
        if let Some(file) = journal.files.iter().find(|file| file.checkpoint.is_none()) {
            return Err(RecoveryError::Damaged {
                path: file.path.clone(),
                reason: "its checkpoint is damaged".to_owned(),
            });
        }
        names.sort_unstable_by_key(|name| name.number);
        for name in names {
            journal.add_copy(read_copy(disk, directory, name)?);
        }
        each(&journal, findings)?;
    }
    Ok(())
}

fn read_copy(
    disk: &dyn BlockingDisk,
    directory: DirectoryIndex,
    name: CopyName,
) -> Result<CopyImage, RecoveryError> {
    let path = name.path();
    let bytes = disk.read_whole(directory, &path, JOURNAL_BYTES_MAX)?;
    let bytes = bytes.unwrap_or_default();
    let copy = match JournalCopy::decode(&bytes) {
        Ok(copy) => match copy.missing {
            Some(sequence) => Err(format!(
                "frame {sequence} of its journal could not be read when {path} was made"
            )),
            None => Ok(copy),
        },
        Err(error) => Err(format!("{path}: {error}")),
    };
    Ok(CopyImage { name, copy, bytes })
}

/// `logmill-journal-<shard>-<number>`.
pub(super) fn parse_journal_name(name: &str) -> Option<(u16, u64)> {
    let (shard, number) = name.strip_prefix("logmill-journal-")?.split_once('-')?;
    Some((shard.parse().ok()?, number.parse().ok()?))
}

fn read_file(
    disk: &dyn BlockingDisk,
    directory: DirectoryIndex,
    path: &str,
    era: u64,
    findings: &mut Vec<Finding>,
) -> Result<Option<JournalImage>, RecoveryError> {
    let mut head = vec![0; FileHeader::CHECKPOINT_AT];
    let read = disk.read_at(directory, path, 0, &mut head)?;
    let header = match FileHeader::decode(&head[..read]) {
        Ok(header) => header,
        // A file that was being prepared, or whose first use was cut short before any frame.
        Err(HeaderError::Blank) => return Ok(None),
        Err(error) => {
            let kind = FindingKind::JournalSkipped;
            findings.push(Finding::of(kind, directory, path, error.to_string()));
            return Ok(None);
        }
    };
    if header.era != era {
        return Ok(None);
    }
    let bytes = disk
        .read_whole(directory, path, JOURNAL_BYTES_MAX)?
        .unwrap_or_default();
    let checkpoint_bytes = bytes.get(FileHeader::CHECKPOINT_AT..).unwrap_or_default();
    let frames = scan_frames(&bytes, &header).frames;
    let checkpoint = header.decode_checkpoint(checkpoint_bytes).ok();
    if checkpoint.is_none() && frames.is_empty() {
        // Its header was being written: no frame was ever submitted.
        return Ok(None);
    }
    Ok(Some(JournalImage {
        path: path.to_owned(),
        header,
        checkpoint,
        frames,
        bytes,
    }))
}

/// Which files count, which sequences are missing.
fn judge(mut files: Vec<JournalImage>, boot_id: [u8; 16]) -> ShardJournal {
    files.sort_by_key(|file| file.header.number);
    let frames = || files.iter().flat_map(|file| &file.frames);
    let newest = frames().map(|frame| frame.sequence).max().unwrap_or(0);
    let mark = frames().map(|frame| frame.mark).max().unwrap_or(0);
    let oldest = oldest_needed(&files);
    files.retain(|file| file.header.number >= oldest);
    let first = files.first();
    // A needed file that is not there at all: its frames are missing.
    let lost_file = first.is_some_and(|file| file.header.number > oldest);
    let before = first.map_or(0, |file| file.header.sequence_before);
    let mut missing: Vec<u64> = if lost_file { vec![before] } else { Vec::new() };
    let mut expected = before + 1;
    for frame in files.iter().flat_map(|file| &file.frames) {
        missing.extend(expected..frame.sequence);
        expected = frame.sequence + 1;
    }
    // The sync of a file precedes its successor's header: what a header counts was synced.
    let counted = files.last().map_or(0, |file| file.header.sequence_before);
    missing.extend(expected..=counted);
    let same_boot = files.iter().all(|file| file.header.boot_id == boot_id);
    let newest = newest.max(counted);
    ShardJournal {
        files,
        copies: Vec::new(),
        missing,
        mark: mark.max(counted),
        newest,
        same_boot,
    }
}

/// The oldest file that is needed. A frame's word counts only if every frame before it is there:
/// those carry the checkpoints that made the older files unneeded. Files but the last were synced
/// whole before their successor began.
fn oldest_needed(files: &[JournalImage]) -> u64 {
    let Some((last, earlier)) = files.split_last() else {
        return 0;
    };
    let in_order = last
        .frames
        .iter()
        .zip(last.header.sequence_before + 1..)
        .take_while(|(frame, expected)| frame.sequence == *expected)
        .map(|(frame, _)| frame);
    let frames = earlier.iter().flat_map(|file| &file.frames).chain(in_order);
    let declared = frames.map(|frame| frame.oldest).max().unwrap_or(0);
    declared.max(last.header.oldest)
}

impl ShardJournal {
    /// A journal that says nothing.
    pub(super) fn silent() -> Self {
        Self {
            files: Vec::new(),
            copies: Vec::new(),
            missing: Vec::new(),
            mark: 0,
            newest: 0,
            same_boot: true,
        }
    }

    /// Takes up a copy, unless the file that it was made of is there still. All that is in it was
    /// synced.
    fn add_copy(&mut self, image: CopyImage) {
        let is_here = |file: &JournalImage| file.header.number == image.name.number;
        if self.files.iter().any(is_here) {
            return;
        }
        if let Some((last, ..)) = image.copy.iter().flat_map(|copy| &copy.items).next_back() {
            self.mark = self.mark.max(*last);
        }
        self.copies.push(image);
    }

    /// Whether damage at `sequence` is corruption: a sync had vouched for it, or this boot's page
    /// cache and device did.
    pub(super) fn is_corruption(&self, sequence: u64) -> bool {
        sequence <= self.mark || self.same_boot && sequence < self.newest
    }

    /// The first missing frame that no crash explains.
    pub(super) fn corrupt_gap(&self) -> Option<u64> {
        self.missing
            .iter()
            .copied()
            .find(|sequence| self.is_corruption(*sequence))
    }

    /// What the journal says, by partition.
    pub(super) fn histories(&self) -> Histories<'_> {
        let mut histories = Histories::new();
        for image in &self.copies {
            let key = (image.name.topic_id, image.name.partition);
            let history = histories.entry(key).or_default();
            match &image.copy {
                Ok(copy) => history.events.extend(events_of(copy, &image.bytes)),
                Err(damage) => history.damage = Some(damage.clone()),
            }
        }
        for file in &self.files {
            for entry in file.checkpoint.iter().flatten() {
                let event = Event {
                    item: checkpoint_item(entry),
                    sequence: file.header.sequence_before,
                    payload: None,
                    generation: file.header.generation,
                };
                let key = (entry.topic_id, entry.partition);
                histories.entry(key).or_default().events.push(event);
            }
            for frame in &file.frames {
                for (item, range) in &frame.items {
                    if item.kind == ItemKind::Mark {
                        continue;
                    }
                    let payload = range.clone().map(|range| &file.bytes[range]);
                    let (sequence, generation) = (frame.sequence, file.header.generation);
                    let event = Event {
                        item: *item,
                        sequence,
                        payload,
                        generation,
                    };
                    let history = histories
                        .entry((item.topic_id, item.partition))
                        .or_default();
                    history.events.push(event);
                }
            }
        }
        histories
    }
}

fn events_of<'a>(copy: &JournalCopy, bytes: &'a [u8]) -> impl Iterator<Item = Event<'a>> {
    copy.items.iter().map(|(sequence, item, range)| Event {
        item: *item,
        sequence: *sequence,
        payload: range.clone().map(|range| &bytes[range]),
        generation: copy.generation,
    })
}

/// A header's checkpoint entry says what a checkpoint item, or a drop, at its place would say.
fn checkpoint_item(entry: &CheckpointEntry) -> Item {
    if entry.is_dropped() {
        return Item::new(ItemKind::Drop, entry.topic_id, entry.partition);
    }
    Item {
        leader_epoch: entry.leader_epoch,
        previous_end: entry.log_start,
        base: entry.recovery_point,
        last: entry.kept,
        segment_base: entry.segment_base,
        position: entry.position,
        ..Item::new(ItemKind::Checkpoint, entry.topic_id, entry.partition)
    }
}

/// A longer journal file is none of ours.
const JOURNAL_BYTES_MAX: u64 = 4 << 30;
