//! Copies of what a journal file alone holds of a partition that was fenced, so that the file may
//! be used again. Layout in FORMAT.md, "Copies".
//!
//! A copy is made of a file that is not the head: all its frames are synced, and nobody writes to
//! it. It has the partition's items with their sequences and the file's generation, and says if
//! any frame of the file could not be read: the items that it lacks are then not known.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    bytes::{Fields, Generation, put},
    frame::Frame,
    item::{Item, ItemKind},
};
use crate::{
    base::{DirectoryIndex, PartitionIndex, ShardId, TopicId},
    disk::{BlockingDisk, BlockingWork, DiskError, FileName},
    format::names::FileKind,
    log::LogIdentity,
};

/// What a copy is of; all of it is in the copy's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyName {
    /// The era of the journal.
    pub era: u64,
    /// The shard whose journal it is.
    pub shard: ShardId,
    /// The journal file's number.
    pub number: u64,
    /// The partition.
    pub topic_id: TopicId,
    /// Its index.
    pub partition: PartitionIndex,
}

/// A copy read back.
#[derive(Debug)]
pub struct JournalCopy {
    /// Of the journal file: payload CRCs begin with it.
    pub generation: Generation,
    /// The first frame of the journal file that could not be read; what it held is not known.
    pub missing: Option<u64>,
    /// Sequences, items and the places of their payloads in the copy's bytes, oldest first; `None`
    /// if a payload does not match its CRC (a fact's are not checked).
    pub items: Vec<(u64, Item, Option<std::ops::Range<usize>>)>,
}

/// Why bytes are no copy.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CopyError {
    /// It begins with something else, or is too short.
    #[error("not a copy of journal items")]
    Magic,
    /// Written by a newer Logmill.
    #[error("copy version {0} is not known")]
    Version(u32),
    /// The bytes changed.
    #[error("the checksum does not match")]
    Checksum,
    /// Its items are not as its header says.
    #[error("its items are not what its header says")]
    Items,
}

/// A journal file that is to be copied from.
#[derive(Clone, Debug)]
pub struct CopySource {
    /// The file.
    pub file: FileName,
    /// Its number in the journal's order.
    pub number: u64,
    /// Its generation.
    pub generation: Generation,
    /// Where its frames begin and where the file ends.
    pub bytes: std::ops::Range<u64>,
    /// The sequences of the last frame before it and of its own last frame.
    pub sequences: (u64, u64),
}

/// Makes the copies of a journal file, one per partition, durably. Repeating it does no harm.
/// Memory: one frame, 256 KiB per partition, and the largest bypassed batch.
#[derive(Debug)]
pub struct CopyItems {
    /// The journal's era and shard.
    pub era: u64,
    /// The shard whose journal it is.
    pub shard: ShardId,
    /// The file.
    pub source: CopySource,
    /// The partitions.
    pub partitions: Vec<LogIdentity>,
}

impl CopyName {
    /// The file's name, at the top of the log directory.
    pub fn path(&self) -> String {
        let (topic, index) = (u128::from_be_bytes(self.topic_id.0), self.partition);
        let Self {
            era, shard, number, ..
        } = self;
        format!("{PREFIX}{era}-{}-{number}-{index}-{topic:032x}", shard.0)
    }

    /// Reads a name that [`CopyName::path`] made.
    pub fn parse(name: &str) -> Option<Self> {
        let fields: Vec<&str> = name.strip_prefix(PREFIX)?.split('-').collect();
        let [era, shard, number, partition, topic] = fields[..] else {
            return None;
        };
        let topic = u128::from_str_radix(topic, 16).ok();
        let parsed = Self {
            era: era.parse().ok()?,
            shard: ShardId(shard.parse().ok()?),
            number: number.parse().ok()?,
            topic_id: TopicId(topic?.to_be_bytes()),
            partition: PartitionIndex(partition.parse().ok()?),
        };
        (parsed.path() == name).then_some(parsed)
    }

    /// Whether a copy, or what a crash left of one that was being made, is called this.
    pub fn is_copy(name: &str) -> bool {
        Self::parse(name.strip_suffix(TEMPORARY).unwrap_or(name)).is_some()
    }
}

impl JournalCopy {
    /// Reads a copy.
    ///
    /// # Errors
    /// Why it is none, or not as it was written.
    pub fn decode(bytes: &[u8]) -> Result<Self, CopyError> {
        let head = bytes.get(..HEAD_BYTES).ok_or(CopyError::Magic)?;
        let fields = Fields(head);
        if head[..8] != *MAGIC {
            return Err(CopyError::Magic);
        }
        if fields.u32(8) != VERSION {
            return Err(CopyError::Version(fields.u32(8)));
        }
        if fields.u64(24) != bytes.len() as u64 {
            return Err(CopyError::Items);
        }
        let body = crc32c::crc32c(&bytes[HEAD_BYTES..]);
        if fields.u32(12) != crc32c::crc32c(&head[16..]) || fields.u32(44) != body {
            return Err(CopyError::Checksum);
        }
        let generation = Generation(fields.u64(16));
        let missing = Some(fields.u64(32)).filter(|missing| *missing > 0);
        let mut items = Vec::new();
        let mut at = HEAD_BYTES;
        while at < bytes.len() {
            let (sequence, item) = item_at(&bytes[at..]).ok_or(CopyError::Items)?;
            let start = at + ITEM_BYTES;
            at = start + item.framed as usize;
            let payload = bytes.get(start..at).ok_or(CopyError::Items)?;
            let sound = item.kind == ItemKind::Fact || generation.crc(payload) == item.payload_crc;
            let range = (item.has_bytes() && sound).then_some(start..at);
            items.push((sequence, item, range));
        }
        if items.len() != fields.u32(40) as usize {
            return Err(CopyError::Items);
        }
        Ok(Self {
            generation,
            missing,
            items,
        })
    }
}

fn item_at(bytes: &[u8]) -> Option<(u64, Item)> {
    let fields = Fields(bytes.get(..ITEM_BYTES)?);
    Some((fields.u64(0), Item::decode(&bytes[8..])?))
}

impl BlockingWork for CopyItems {
    fn run(&self, disk: &dyn BlockingDisk) -> Result<(), DiskError> {
        let directory = self.source.file.directory();
        let mut outputs = BTreeMap::new();
        for partition in &self.partitions {
            let key = (partition.topic_id, partition.index);
            let name = CopyName {
                era: self.era,
                shard: self.shard,
                number: self.source.number,
                topic_id: key.0,
                partition: key.1,
            };
            outputs.insert(key, Output::begin(disk, directory, &name, partition)?);
        }
        let missing = self.copy_frames(disk, &mut outputs)?;
        for output in outputs.values_mut() {
            output.finish(disk, self.source.generation, missing)?;
        }
        disk.sync_directory(directory, "")
    }
}

impl CopyItems {
    /// Goes through the frames; the first sequence that could not be read, 0 if all were.
    fn copy_frames(
        &self,
        disk: &dyn BlockingDisk,
        outputs: &mut BTreeMap<(TopicId, PartitionIndex), Output<'_>>,
    ) -> Result<u64, DiskError> {
        let CopySource {
            file,
            generation,
            bytes,
            sequences,
            ..
        } = &self.source;
        let (directory, path) = (file.directory(), file.path());
        let mut missing = 0;
        let mut expected = sequences.0 + 1;
        let mut position = bytes.start;
        let mut block = Vec::new();
        while expected <= sequences.1 && position + STEP as u64 <= bytes.end {
            block.resize(STEP, 0);
            let mut read = disk.read_at(directory, path, position, &mut block)?;
            let claimed = Frame::claimed_len(&block[..read]).map_or(0, |len| len as usize);
            if claimed > STEP && claimed as u64 <= bytes.end - position {
                block.resize(claimed, 0);
                read = disk.read_at(directory, path, position, &mut block)?;
            }
            let frame = Frame::parse(&block[..read], *generation, position);
            let Some(frame) = frame.filter(|frame| frame.header.sequence >= expected) else {
                position += STEP as u64;
                continue;
            };
            let sequence = frame.header.sequence;
            if missing == 0 && sequence > expected {
                missing = expected;
            }
            for item in frame.items() {
                let output = outputs.get_mut(&(item.topic_id, item.partition));
                if let Some(output) = output.filter(|_| item.kind != ItemKind::Mark) {
                    let framed = frame.framed_bytes(&item);
                    output.add(disk, *generation, sequence, item, framed)?;
                }
            }
            expected = sequence + 1;
            position += u64::from(frame.header.len);
        }
        let any_left = missing == 0 && expected <= sequences.1;
        Ok(if any_left { expected } else { missing })
    }
}

/// One copy being written, under another name until it is whole.
struct Output<'a> {
    partition: &'a LogIdentity,
    directory: DirectoryIndex,
    path: String,
    temporary: String,
    /// Bytes behind `flushed` that are not yet in the file.
    buffer: Vec<u8>,
    flushed: u64,
    crc: u32,
    items: u32,
}

impl<'a> Output<'a> {
    fn begin(
        disk: &dyn BlockingDisk,
        directory: DirectoryIndex,
        name: &CopyName,
        partition: &'a LogIdentity,
    ) -> Result<Self, DiskError> {
        let path = name.path();
        let temporary = format!("{path}{TEMPORARY}");
        // A new file, whatever an earlier try left: one that failed to sync is not used again.
        disk.remove(directory, &temporary)?;
        disk.create_file(directory, &temporary)?;
        Ok(Self {
            partition,
            directory,
            path,
            temporary,
            buffer: Vec::new(),
            flushed: HEAD_BYTES as u64,
            crc: 0,
            items: 0,
        })
    }

    fn add(
        &mut self,
        disk: &dyn BlockingDisk,
        generation: Generation,
        sequence: u64,
        mut item: Item,
        framed: &[u8],
    ) -> Result<(), DiskError> {
        // What bypassed the journal stands in a segment, whose sync may be what failed: as long as
        // it can be read there, the copy has it whole.
        let elsewhere = match item.kind {
            ItemKind::Fact => self.read_fact(disk, generation, &item, framed),
            _ => None,
        };
        if elsewhere.is_some() {
            (item.kind, item.framed) = (ItemKind::Append, item.len);
        }
        item.payload_at = 0;
        let mut head = [0; ITEM_BYTES];
        put(&mut head, 0, sequence.to_le_bytes());
        item.encode(&mut head[8..]);
        self.buffer.extend_from_slice(&head);
        self.buffer
            .extend_from_slice(elsewhere.as_deref().unwrap_or_default());
        self.buffer.extend_from_slice(framed);
        self.items += 1;
        if self.buffer.len() >= FLUSH_BYTES {
            self.flush(disk)?;
        }
        Ok(())
    }

    /// The bytes of a fact that are not in its frame, if they are as it says.
    fn read_fact(
        &self,
        disk: &dyn BlockingDisk,
        generation: Generation,
        item: &Item,
        framed: &[u8],
    ) -> Option<Vec<u8>> {
        let path = self.partition.file(item.segment_base, FileKind::Log);
        let mut bytes = vec![0; (item.len - item.framed) as usize];
        let read = disk.read_at(self.directory, &path, item.position, &mut bytes);
        let crc = crc32c::crc32c_append(generation.crc(&bytes), framed);
        (read == Ok(bytes.len()) && crc == item.payload_crc).then_some(bytes)
    }

    fn flush(&mut self, disk: &dyn BlockingDisk) -> Result<(), DiskError> {
        self.crc = crc32c::crc32c_append(self.crc, &self.buffer);
        disk.write_at(self.directory, &self.temporary, self.flushed, &self.buffer)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the header, syncs, and gives the copy its name.
    fn finish(
        &mut self,
        disk: &dyn BlockingDisk,
        generation: Generation,
        missing: u64,
    ) -> Result<(), DiskError> {
        self.flush(disk)?;
        let mut head = [0; HEAD_BYTES];
        put(&mut head, 0, *MAGIC);
        put(&mut head, 8, VERSION.to_le_bytes());
        put(&mut head, 16, generation.0.to_le_bytes());
        put(&mut head, 24, self.flushed.to_le_bytes());
        put(&mut head, 32, missing.to_le_bytes());
        put(&mut head, 40, self.items.to_le_bytes());
        put(&mut head, 44, self.crc.to_le_bytes());
        let crc = crc32c::crc32c(&head[16..]);
        put(&mut head, 12, crc.to_le_bytes());
        disk.write_at(self.directory, &self.temporary, 0, &head)?;
        disk.sync(self.directory, &self.temporary)?;
        disk.rename(self.directory, &self.temporary, &self.path)
    }
}

const PREFIX: &str = "logmill-copy-";
const TEMPORARY: &str = ".tmp";
const MAGIC: &[u8; 8] = b"LOGMILLC";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 64;
/// The sequence, then the item as it stands in a frame.
const ITEM_BYTES: usize = 8 + Item::BYTES;
/// Frames begin at multiples of this.
const STEP: usize = 4096;
const FLUSH_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_none() {
        let name = CopyName {
            era: 7,
            shard: ShardId(2),
            number: 31,
            topic_id: TopicId([0xab; 16]),
            partition: PartitionIndex(4),
        };
        let path = name.path();
        assert_eq!(path, format!("logmill-copy-7-2-31-4-{}", "ab".repeat(16)));
        assert_eq!(CopyName::parse(&path), Some(name));
        assert!(CopyName::is_copy(&format!("{path}.tmp")));
        let (short, long) = (&path[..path.len() - 1], format!("{path}0"));
        for other in ["logmill-copy-", "logmill-journal-0-1", short, &long] {
            assert!(!CopyName::is_copy(other), "{other}");
        }
    }
}
