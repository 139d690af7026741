//! The head of a journal file: who it is, and the checkpoint it starts from. Layout in FORMAT.md,
//! "Journal files".

use thiserror::Error;

use super::bytes::{Fields, Generation, put};
use crate::base::{LeaderEpoch, Offset, PartitionIndex, ShardId, TopicId};

/// The fixed part of a journal file's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Mixed into every CRC of the file but the header's own.
    pub generation: Generation,
    /// Position of the file in its journal's order, from 1.
    pub number: u64,
    /// The shard that writes it.
    pub shard: ShardId,
    /// The kernel's boot: writes of another boot may be lost unless they were synced.
    pub boot_id: [u8; 16],
    /// The snapshot this journal stands on: journals of an older era are retired.
    pub era: u64,
    /// The oldest file of this journal that was needed when this one began.
    pub oldest: u64,
    /// The sequence number before the first frame of this file: the last of its predecessor.
    pub sequence_before: u64,
    /// Length of the file in bytes.
    pub capacity: u64,
    /// Entries of the checkpoint that follows.
    pub checkpoint_entries: u32,
    /// Their CRC-32C, with the generation.
    pub checkpoint_crc: u32,
}

/// What recovery starts from for one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// The topic.
    pub topic_id: TopicId,
    /// The partition's index.
    pub partition: PartitionIndex,
    /// Its leader's term.
    pub leader_epoch: LeaderEpoch,
    /// First offset of the log.
    pub log_start: Offset,
    /// Records below it are durable in segments; -1 says that the partition was deleted.
    pub recovery_point: Offset,
    /// Base offset of the segment where the recovery point lies.
    pub segment_base: Offset,
    /// File position of the recovery point in that segment.
    pub position: u64,
    /// What the era's snapshot says of records below it still holds: the lowest cut since.
    pub kept: Offset,
}

/// Why a file is not a journal file that can be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The file never got a header: prepared, not used.
    #[error("the file was never used")]
    Blank,
    /// It begins with something else.
    #[error("not a journal file")]
    Magic,
    /// Written by a newer Logmill.
    #[error("journal version {0} is not known")]
    Version(u32),
    /// The header's bytes changed.
    #[error("the header's checksum does not match")]
    Checksum,
    /// The checkpoint's bytes changed or are cut off.
    #[error("the checkpoint is damaged")]
    Checkpoint,
}

impl FileHeader {
    /// Where the checkpoint begins: behind the header's block and its copy, which is there so that
    /// one flipped bit does not cost the file.
    pub const CHECKPOINT_AT: usize = 2 * Self::BLOCK;

    /// Bytes of the header's block.
    pub const BLOCK: usize = 4096;

    /// Where frames begin.
    pub fn frames_at(&self) -> u64 {
        Self::frames_at_for(self.checkpoint_entries as usize)
    }

    /// Where frames would begin behind that many checkpoint entries.
    pub fn frames_at_for(entries: usize) -> u64 {
        let checkpoint = (entries * CheckpointEntry::BYTES).next_multiple_of(4096);
        (Self::CHECKPOINT_AT + checkpoint) as u64
    }

    /// Encodes the header and its copy into `out`, which holds zeros.
    pub fn encode(&self, out: &mut [u8]) {
        let (first, second) = out.split_at_mut(Self::BLOCK);
        self.encode_block(first);
        self.encode_block(second);
    }

    fn encode_block(&self, out: &mut [u8]) {
        put(out, 0, *MAGIC);
        put(out, 8, VERSION.to_le_bytes());
        put(out, 16, self.generation.0.to_le_bytes());
        put(out, 24, self.number.to_le_bytes());
        put(out, 32, u32::from(self.shard.0).to_le_bytes());
        put(out, 36, 4096u32.to_le_bytes());
        put(out, 40, self.boot_id);
        put(out, 56, self.era.to_le_bytes());
        put(out, 64, self.oldest.to_le_bytes());
        put(out, 72, self.sequence_before.to_le_bytes());
        put(out, 80, self.capacity.to_le_bytes());
        put(out, 88, self.checkpoint_entries.to_le_bytes());
        put(out, 92, self.checkpoint_crc.to_le_bytes());
        let crc = crc32c::crc32c(&out[16..USED]);
        put(out, 12, crc.to_le_bytes());
    }

    /// Decodes the header, from its copy if its block is damaged. `bytes` begin at the file's
    /// beginning. The first block's error is given if both are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        Self::decode_block(bytes).or_else(|error| {
            let copy = bytes.get(Self::BLOCK..).unwrap_or_default();
            Self::decode_block(copy).map_err(|_| error)
        })
    }

    fn decode_block(block: &[u8]) -> Result<Self, HeaderError> {
        let used = block.get(..USED).ok_or(HeaderError::Magic)?;
        if used.iter().all(|byte| *byte == 0) {
            return Err(HeaderError::Blank);
        }
        if used[..8] != *MAGIC {
            return Err(HeaderError::Magic);
        }
        let fields = Fields(used);
        if fields.u32(8) != VERSION {
            return Err(HeaderError::Version(fields.u32(8)));
        }
        if fields.u32(12) != crc32c::crc32c(&used[16..]) {
            return Err(HeaderError::Checksum);
        }
        Ok(Self {
            generation: Generation(fields.u64(16)),
            number: fields.u64(24),
            shard: ShardId(fields.u32(32) as u16),
            boot_id: fields.array(40),
            era: fields.u64(56),
            oldest: fields.u64(64),
            sequence_before: fields.u64(72),
            capacity: fields.u64(80),
            checkpoint_entries: fields.u32(88),
            checkpoint_crc: fields.u32(92),
        })
    }

    /// Decodes the checkpoint from the bytes behind the header's block.
    pub fn decode_checkpoint(&self, bytes: &[u8]) -> Result<Vec<CheckpointEntry>, HeaderError> {
        let len = self.checkpoint_entries as usize * CheckpointEntry::BYTES;
        let bytes = bytes.get(..len).ok_or(HeaderError::Checkpoint)?;
        if self.generation.crc(bytes) != self.checkpoint_crc {
            return Err(HeaderError::Checkpoint);
        }
        Ok(bytes
            .chunks_exact(CheckpointEntry::BYTES)
            .map(CheckpointEntry::decode)
            .collect())
    }
}

impl CheckpointEntry {
    /// Bytes of an encoded entry.
    pub const BYTES: usize = 64;

    /// What is said of a partition that was deleted: the era's snapshot may still have it.
    pub fn dropped(topic_id: TopicId, partition: PartitionIndex) -> Self {
        Self {
            topic_id,
            partition,
            leader_epoch: LeaderEpoch::NONE,
            log_start: Offset::ZERO,
            recovery_point: Offset(-1),
            segment_base: Offset::ZERO,
            position: 0,
            kept: Offset::ZERO,
        }
    }

    /// Whether the partition was deleted.
    pub fn is_dropped(&self) -> bool {
        self.recovery_point < Offset::ZERO
    }

    /// The entry's bytes.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        put(&mut out, 0, self.topic_id.0);
        put(&mut out, 16, self.partition.0.to_le_bytes());
        put(&mut out, 20, self.leader_epoch.0.to_le_bytes());
        put(&mut out, 24, self.log_start.0.to_le_bytes());
        put(&mut out, 32, self.recovery_point.0.to_le_bytes());
        put(&mut out, 40, self.segment_base.0.to_le_bytes());
        put(&mut out, 48, self.position.to_le_bytes());
        put(&mut out, 56, self.kept.0.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Self {
        let fields = Fields(bytes);
        Self {
            topic_id: TopicId(fields.array(0)),
            partition: PartitionIndex(fields.i32(16)),
            leader_epoch: LeaderEpoch(fields.i32(20)),
            log_start: Offset(fields.i64(24)),
            recovery_point: Offset(fields.i64(32)),
            segment_base: Offset(fields.i64(40)),
            position: fields.u64(48),
            kept: Offset(fields.i64(56)),
        }
    }
}

const MAGIC: &[u8; 8] = b"LOGMILLJ";
const VERSION: u32 = 2;
const USED: usize = 96;
