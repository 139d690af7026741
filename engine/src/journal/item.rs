//! Items: what a frame's directory lists. Layout in FORMAT.md, "Items".

use super::bytes::{Fields, put};
use crate::base::{LeaderEpoch, Offset, PartitionIndex, TopicId};

/// What an item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// Batches, with their bytes in the frame.
    Append,
    /// Batches that stand in the segment already; the CRC is theirs.
    Fact,
    /// The log was cut to end at `base`.
    Truncate,
    /// The log starts at `base` now.
    LogStart,
    /// `leader_epoch` starts at `base`.
    EpochStart,
    /// The partition exists; the payload is its topic's name, `base` its first offset.
    Open,
    /// The partition is deleted.
    Drop,
    /// Records below `base` are durable in segments; the log starts at `previous_end`; what the
    /// era's snapshot says of records below `last` still holds.
    Checkpoint,
    /// Nothing but the frame's mark.
    Mark,
}

/// One entry of a frame's directory. Which fields mean something depends on the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it says.
    pub kind: ItemKind,
    /// The topic; names are never used as keys.
    pub topic_id: TopicId,
    /// The partition's index.
    pub partition: PartitionIndex,
    /// The leader's term.
    pub leader_epoch: LeaderEpoch,
    /// Log end before the batches: continuity is that this equals the end so far.
    pub previous_end: Offset,
    /// First offset.
    pub base: Offset,
    /// Last offset.
    pub last: Offset,
    /// Base offset of the segment that holds the bytes.
    pub segment_base: Offset,
    /// File position of the bytes in that segment.
    pub position: u64,
    /// Bytes that the item speaks of.
    pub len: u32,
    /// How many of them, the last ones, are the payload in the frame: all but for a fact, whose
    /// first bytes stand in the segment only.
    pub framed: u32,
    /// Where the payload begins in the frame.
    pub payload_at: u32,
    /// CRC-32C over the file's generation and all bytes, those in the segment first.
    pub payload_crc: u32,
}

impl Item {
    /// Bytes of an encoded item.
    pub const BYTES: usize = 80;

    /// An item of a kind for a partition, all else zero.
    pub fn new(kind: ItemKind, topic_id: TopicId, partition: PartitionIndex) -> Self {
        Self {
            kind,
            topic_id,
            partition,
            leader_epoch: LeaderEpoch::NONE,
            previous_end: Offset::ZERO,
            base: Offset::ZERO,
            last: Offset::ZERO,
            segment_base: Offset::ZERO,
            position: 0,
            len: 0,
            framed: 0,
            payload_at: 0,
            payload_crc: 0,
        }
    }

    /// The log end after it.
    pub fn end(&self) -> Offset {
        self.last.next()
    }

    /// For a cut: below which offset it left what was.
    pub fn cut_kept(&self) -> Offset {
        let began_anew = self.previous_end == self.base && self.position == 0;
        if began_anew { Offset::ZERO } else { self.base }
    }

    /// Whether it says where records stand.
    pub fn has_records(&self) -> bool {
        matches!(self.kind, ItemKind::Append | ItemKind::Fact)
    }

    /// Whether bytes belong to it, in the frame or elsewhere.
    pub fn has_bytes(&self) -> bool {
        matches!(
            self.kind,
            ItemKind::Append | ItemKind::Fact | ItemKind::Open
        )
    }

    /// Writes it into the first [`Item::BYTES`] bytes of `out`.
    pub fn encode(&self, out: &mut [u8]) {
        out[..Self::BYTES].fill(0);
        out[0] = code_of(self.kind);
        put(out, 4, self.partition.0.to_le_bytes());
        put(out, 8, self.topic_id.0);
        put(out, 24, self.leader_epoch.0.to_le_bytes());
        put(out, 28, self.len.to_le_bytes());
        put(out, 32, self.previous_end.0.to_le_bytes());
        put(out, 40, self.base.0.to_le_bytes());
        put(out, 48, self.last.0.to_le_bytes());
        put(out, 56, self.segment_base.0.to_le_bytes());
        put(out, 64, (self.position as u32).to_le_bytes());
        put(out, 68, self.framed.to_le_bytes());
        put(out, 72, self.payload_crc.to_le_bytes());
        put(out, 76, self.payload_at.to_le_bytes());
    }

    /// Reads one back; `None` if it says what no item says. The frame's CRC was checked before.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let fields = Fields(bytes.get(..Self::BYTES)?);
        let item = Self {
            kind: kind_of(bytes[0])?,
            partition: PartitionIndex(fields.i32(4)),
            topic_id: TopicId(fields.array(8)),
            leader_epoch: LeaderEpoch(fields.i32(24)),
            len: fields.u32(28),
            previous_end: Offset(fields.i64(32)),
            base: Offset(fields.i64(40)),
            last: Offset(fields.i64(48)),
            segment_base: Offset(fields.i64(56)),
            position: u64::from(fields.u32(64)),
            framed: fields.u32(68),
            payload_crc: fields.u32(72),
            payload_at: fields.u32(76),
        };
        item.is_sound().then_some(item)
    }

    fn is_sound(&self) -> bool {
        let offsets = self.previous_end >= Offset::ZERO && self.base >= Offset::ZERO;
        match self.kind {
            ItemKind::Append | ItemKind::Fact => {
                offsets
                    && self.base >= self.previous_end
                    && self.last >= self.base
                    && self.last < Offset::MAX
                    && self.segment_base >= Offset::ZERO
                    && self.len > 0
                    && (self.framed == self.len || self.kind == ItemKind::Fact)
                    && self.framed <= self.len
            }
            ItemKind::Mark => self.framed == 0,
            ItemKind::Open => offsets && self.framed == self.len,
            _ => offsets && self.framed == 0,
        }
    }
}

fn code_of(kind: ItemKind) -> u8 {
    KINDS
        .iter()
        .position(|known| *known == kind)
        .expect("every kind is listed") as u8
        + 1
}

fn kind_of(code: u8) -> Option<ItemKind> {
    KINDS.get(usize::from(code).checked_sub(1)?).copied()
}

/// In the order of their codes, which start at 1. Only ever extended.
const KINDS: [ItemKind; 9] = [
    ItemKind::Append,
    ItemKind::Fact,
    ItemKind::Truncate,
    ItemKind::LogStart,
    ItemKind::EpochStart,
    ItemKind::Open,
    ItemKind::Drop,
    ItemKind::Checkpoint,
    ItemKind::Mark,
];
