//! Frames: one write of the journal. Layout in FORMAT.md, "Frames".

use super::{
    bytes::{Fields, Generation, put},
    item::{Item, ItemKind},
};
use crate::sys::region::{RegionWriter, Slice, Slices};

/// What a frame's header says besides its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Frames of a journal count up without gaps, across its files.
    pub sequence: u64,
    /// The highest sequence that was known synced when this frame was built.
    pub mark: u64,
    /// The oldest file that is still needed once this frame is durable.
    pub oldest: u64,
    /// Where it stands in its file.
    pub position: u64,
    /// Bytes in all, a multiple of 4096.
    pub len: u32,
    /// Items of the directory.
    pub items: u32,
}

/// A frame read back, its header and directory checked; payloads are checked one by one.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The header.
    pub header: FrameHeader,
    bytes: &'a [u8],
    generation: Generation,
}

impl FrameHeader {
    /// Bytes of an encoded header.
    pub const BYTES: usize = 64;
}

/// Bytes that a frame of these items takes on disk.
pub fn frame_bytes(items: usize, payload_bytes: usize) -> usize {
    (FrameHeader::BYTES + items * Item::BYTES + payload_bytes).next_multiple_of(4096)
}

/// Builds a frame into an empty region that holds [`frame_bytes`] bytes: directory, payloads copied
/// and checksummed in one pass, padding. `header.len` and `header.items` are set here.
pub fn build(
    region: &mut RegionWriter,
    generation: Generation,
    mut header: FrameHeader,
    items: &mut [(Item, Slices)],
) -> Slice {
    assert!(region.is_empty(), "a frame starts its region");
    let directory_end = FrameHeader::BYTES + items.len() * Item::BYTES;
    let payload: usize = items.iter().map(|(item, _)| item.framed as usize).sum();
    header.len = frame_bytes(items.len(), payload) as u32;
    header.items = items.len() as u32;
    let out = &mut region.spare()[..header.len as usize];
    let mut at = directory_end;
    for (index, (item, bytes)) in items.iter_mut().enumerate() {
        if item.has_bytes() {
            item.payload_at = at as u32;
            at = put_payload(item, bytes, generation, out, at);
        }
        item.encode(&mut out[FrameHeader::BYTES + index * Item::BYTES..]);
    }
    out[at..].fill(0);
    out[..FrameHeader::BYTES].fill(0);
    put(out, 0, MAGIC.to_le_bytes());
    put(out, 8, header.sequence.to_le_bytes());
    put(out, 16, header.mark.to_le_bytes());
    put(out, 24, header.len.to_le_bytes());
    put(out, 28, header.items.to_le_bytes());
    put(out, 32, header.oldest.to_le_bytes());
    put(out, 40, header.position.to_le_bytes());
    let crc = generation.crc(&out[8..directory_end]);
    put(out, 4, crc.to_le_bytes());
    let len = header.len as usize;
    region.advance(len);
    region.slice(0..len)
}

/// Copies the framed end of an item's bytes to `at`, and checksums all of them while they pass.
fn put_payload(
    item: &mut Item,
    bytes: &Slices,
    generation: Generation,
    out: &mut [u8],
    mut at: usize,
) -> usize {
    assert_eq!(item.len as usize, bytes.len(), "an item has its bytes");
    let mut elsewhere = (item.len - item.framed) as usize;
    let mut crc = generation.seed();
    for part in bytes.iter() {
        crc = crc32c::crc32c_append(crc, part);
        let framed = &part[elsewhere.min(part.len())..];
        elsewhere -= part.len() - framed.len();
        out[at..at + framed.len()].copy_from_slice(framed);
        at += framed.len();
    }
    item.payload_crc = crc;
    at
}

impl<'a> Frame<'a> {
    /// Reads the frame that stands at `position` of a file, from `bytes` that begin there. `None`
    /// if no frame of this generation stands there with a sound header and directory.
    pub fn parse(bytes: &'a [u8], generation: Generation, position: u64) -> Option<Self> {
        let header = Self::header_of(bytes)?;
        let directory_end =
            FrameHeader::BYTES.checked_add((header.items as usize).checked_mul(Item::BYTES)?)?;
        let len = header.len as usize;
        let fits = directory_end <= len && len <= bytes.len() && len.is_multiple_of(4096);
        if !fits || header.position != position {
            return None;
        }
        let fields = Fields(bytes);
        if generation.crc(&bytes[8..directory_end]) != fields.u32(4) {
            return None;
        }
        let frame = Self {
            header,
            bytes: &bytes[..len],
            generation,
        };
        frame.directory_is_sound(directory_end).then_some(frame)
    }

    /// The length that a header at the start of `bytes` claims, not checked by any CRC: how much to
    /// read before [`Frame::parse`].
    pub fn claimed_len(bytes: &[u8]) -> Option<u32> {
        Self::header_of(bytes).map(|header| header.len)
    }

    /// The items, in order.
    pub fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let directory = &self.bytes[FrameHeader::BYTES..];
        directory
            .chunks_exact(Item::BYTES)
            .take(self.header.items as usize)
            .filter_map(Item::decode)
    }

    /// An item's bytes in the frame; `None` if they do not match its CRC. Those of a fact are
    /// given unchecked: its CRC covers bytes of the segment too.
    pub fn payload(&self, item: &Item) -> Option<&'a [u8]> {
        let start = item.payload_at as usize;
        let end = start.checked_add(item.framed as usize)?;
        let bytes = self.bytes.get(start..end)?;
        let sound = item.kind == ItemKind::Fact || self.generation.crc(bytes) == item.payload_crc;
        sound.then_some(bytes)
    }

    /// An item's bytes in the frame as they are, sound or not.
    pub fn framed_bytes(&self, item: &Item) -> &'a [u8] {
        let start = item.payload_at as usize;
        let end = start.saturating_add(item.framed as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn header_of(bytes: &[u8]) -> Option<FrameHeader> {
        let fields = Fields(bytes.get(..FrameHeader::BYTES)?);
        (fields.u32(0) == MAGIC).then(|| FrameHeader {
            sequence: fields.u64(8),
            mark: fields.u64(16),
            len: fields.u32(24),
            items: fields.u32(28),
            oldest: fields.u64(32),
            position: fields.u64(40),
        })
    }

    fn directory_is_sound(&self, directory_end: usize) -> bool {
        let mut at = directory_end;
        let mut count = 0;
        for item in self.items() {
            count += 1;
            if item.has_bytes() {
                if item.payload_at as usize != at {
                    return false;
                }
                at += item.framed as usize;
            }
        }
        count == self.header.items && at <= self.bytes.len()
    }
}

const MAGIC: u32 = u32::from_le_bytes(*b"LMFR");
