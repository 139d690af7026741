//! The part of a segment that is in memory: what is not written yet, and what still serves reads.

use std::collections::VecDeque;

use crate::base::{Micros, Offset};
use crate::format::batch::BatchHeader;
use crate::sys::region::{REGION_ALIGNMENT, RegionClass, RegionPool, RegionWriter, Slices};

/// Consecutive bytes of one segment, up to its end, in regions of the pool.
///
/// File positions and memory agree modulo the page size, so that the same memory is written with
/// direct I/O. Regions follow one another without a gap; all but the last end on a page.
#[derive(Debug)]
pub(super) struct SegmentMemory {
    regions: VecDeque<MemoryRegion>,
    /// The region that the next byte goes to; those behind it are empty, reserved.
    open: usize,
    /// Every batch that begins in memory.
    batches: VecDeque<BatchMark>,
    /// Every batch of the segment with records at or behind this is in `batches`.
    pub(super) complete_from: Offset,
}

/// Where a batch of the segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchMark {
    /// Its last offset, relative to the segment's base.
    pub(super) last_offset: u32,
    /// Its first byte in the segment.
    pub(super) position: u32,
}

#[derive(Debug)]
struct MemoryRegion {
    writer: RegionWriter,
    /// The file position of the region's first byte: a multiple of the page size.
    origin: u32,
    /// Set when the region takes no more bytes although it has room: where its part ends.
    frozen_at: Option<u32>,
}

/// How large a partition's next region is: larger where they fill fast, smaller where slowly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    class: RegionClass,
    taken_at: Option<Micros>,
}

impl Growth {
    pub(super) const fn new() -> Self {
        Self {
            class: RegionClass::Page,
            taken_at: None,
        }
    }

    /// The class for the next region, at `now`.
    fn next(&mut self, now: Micros) -> RegionClass {
        let since = self.taken_at.map_or(IDLE, |at| now.saturating_since(at));
        if since < FILLS_FAST {
            self.class = self.class.larger();
        } else if since > FILLS_SLOWLY {
            self.class = if since >= IDLE {
                RegionClass::Page
            } else {
                self.class.smaller()
            };
        }
        self.taken_at = Some(now);
        self.class
    }
}

impl SegmentMemory {
    pub(super) fn new(complete_from: Offset) -> Self {
        Self {
            regions: VecDeque::new(),
            open: 0,
            batches: VecDeque::new(),
            complete_from,
        }
    }

    /// Makes room for `len` bytes behind `end`; `false` if the pool has no memory left, and
    /// nothing changed.
    pub(super) fn reserve(
        &mut self,
        now: Micros,
        pool: &mut RegionPool,
        growth: &mut Growth,
        end: u32,
        len: usize,
    ) -> bool {
        let before = self.regions.len();
        let room = self.regions.get(self.open).map_or(0, MemoryRegion::room);
        let mut missing = len.saturating_sub(room);
        if missing == 0 {
            return true;
        }
        let grown = growth.next(now);
        let mut at = end as usize + room;
        while missing > 0 {
            let head = at % REGION_ALIGNMENT;
            let class = class_for(grown, head + missing);
            // Where memory is short a region is as small as will do.
            let least = class_for(RegionClass::Page, head + missing);
            let Some(mut writer) = pool.take(class).or_else(|| pool.take(least)) else {
                self.regions.truncate(before);
                return false;
            };
            if head > 0 {
                self.join_page(&mut writer, end, head);
            }
            let taken = writer.remaining().min(missing);
            self.regions.push_back(MemoryRegion {
                writer,
                origin: (at - head) as u32,
                frozen_at: None,
            });
            missing -= taken;
            at += taken;
        }
        // What a cut ended within a page is now at the beginning of the new region, too.
        let cut = before > 0 && self.regions[before - 1].frozen_at.is_some();
        if cut && self.regions[before].writer.unfilled_head() == 0 {
            self.regions[before - 1].end_at_most(page_floor(end));
        }
        true
    }

    /// Appends bytes for which room was reserved.
    pub(super) fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let region = &mut self.regions[self.open];
            let taken = if region.frozen_at.is_none() {
                region.writer.append(bytes)
            } else {
                0
            };
            bytes = &bytes[taken..];
            if !bytes.is_empty() {
                self.open += 1;
            }
        }
    }

    /// The batch just appended begins at `position`.
    pub(super) fn mark(&mut self, mark: BatchMark) {
        self.batches.push_back(mark);
    }

    /// Views of `from..to`, which must be in memory.
    pub(super) fn slices(&mut self, from: u32, to: u32) -> Slices {
        let mut slices = Slices::new();
        if from >= to {
            return slices;
        }
        let first = self.regions.partition_point(|region| region.end() <= from);
        let mut start = from;
        for region in self.regions.iter_mut().skip(first) {
            let end = to.min(region.end());
            if start >= end {
                continue;
            }
            let range = (start - region.origin) as usize..(end - region.origin) as usize;
            slices.push(region.writer.slice(range));
            start = end;
        }
        assert_eq!(
            slices.len(),
            (to - from) as usize,
            "{from}..{to} is not all in memory"
        );
        slices
    }

    /// Copies the head of the batch at `position`.
    pub(super) fn header_at(&self, position: u32) -> Option<BatchHeader> {
        let mut head = [0; BatchHeader::SIZE];
        self.copy_out(position, &mut head);
        BatchHeader::parse(&head).ok()
    }

    /// Copies bytes that must be in memory.
    pub(super) fn copy_out(&self, mut position: u32, mut out: &mut [u8]) {
        let first = self
            .regions
            .partition_point(|region| region.end() <= position);
        for region in self.regions.iter().skip(first) {
            if out.is_empty() {
                return;
            }
            let start = (position - region.origin) as usize;
            let len = out.len().min((region.end() - position) as usize);
            out[..len].copy_from_slice(&region.writer.bytes()[start..start + len]);
            out = &mut out[len..];
            position += len as u32;
        }
        assert!(out.is_empty(), "bytes at {position} are not in memory");
    }

    /// The part of the first page that stands only in the file: where it begins and its length.
    /// Always 0 when no bytes are in memory.
    pub(super) fn missing_head(&self) -> Option<(u32, usize)> {
        let first = self.regions.front()?;
        let head = first.writer.unfilled_head();
        (head > 0).then_some((first.origin, head))
    }

    /// Fills that part; `false` if it is not what is missing.
    pub(super) fn fill_head(&mut self, position: u32, bytes: &[u8]) -> bool {
        match self.regions.front_mut() {
            Some(first)
                if first.origin == position && first.writer.unfilled_head() == bytes.len() =>
            {
                first.writer.fill_head(bytes);
            }
            _ => return false,
        }
        // Regions that were begun within the same page after a cut waited for the same bytes.
        for at in 1..self.regions.len() {
            let head = self.regions[at].writer.unfilled_head();
            if head == 0 || self.regions[at].origin != position {
                break;
            }
            let mut page = [0; REGION_ALIGNMENT];
            page[..head].copy_from_slice(&self.regions[at - 1].writer.bytes()[..head]);
            self.regions[at].writer.fill_head(&page[..head]);
            self.regions[at - 1].end_at_most(position);
        }
        true
    }

    /// Drops the oldest region if every byte of it, and of every batch that begins before its
    /// end, is written; says how many bytes that freed. `size` is the segment's.
    pub(super) fn evict_front(&mut self, written: u32, size: u32, base: Offset) -> usize {
        let Some(first) = self.regions.front() else {
            return 0;
        };
        let end = first.end();
        let gone = self.batches.partition_point(|mark| mark.position < end);
        let covered = self.batches.get(gone).map_or(size, |mark| mark.position);
        let awaited = self
            .regions
            .get(1)
            .is_some_and(|next| next.writer.unfilled_head() > 0);
        if end > written || covered > written || awaited {
            return 0;
        }
        if let Some(last) = gone.checked_sub(1).map(|at| self.batches[at]) {
            self.complete_from = Offset(base.0 + i64::from(last.last_offset) + 1);
        }
        self.batches.drain(..gone);
        self.open = self.open.saturating_sub(1);
        let freed = first.writer.capacity();
        self.regions.pop_front();
        freed
    }

    /// Cuts what stands at or behind `position`, a batch's beginning at or behind the first byte
    /// in memory.
    pub(super) fn truncate(&mut self, position: u32) {
        let kept = self
            .batches
            .partition_point(|mark| mark.position < position);
        self.batches.truncate(kept);
        let kept = self
            .regions
            .partition_point(|region| region.origin < position);
        self.regions.truncate(kept);
        // Readers may hold views of what is cut: those bytes must stay, so the regions end.
        for region in &mut self.regions {
            region.end_at_most(position);
        }
        self.open = self.regions.len().saturating_sub(1);
    }

    /// The first of the batches whose last offset, relative, is not below `relative`.
    pub(super) fn first_ending_at_or_after(&self, relative: u32) -> Option<BatchMark> {
        self.batches
            .get(
                self.batches
                    .partition_point(|mark| mark.last_offset < relative),
            )
            .copied()
    }

    /// The last batch that begins at or before `position`.
    pub(super) fn last_beginning_by(&self, position: u32) -> Option<BatchMark> {
        let after = self
            .batches
            .partition_point(|mark| mark.position <= position);
        after.checked_sub(1).map(|at| self.batches[at])
    }

    /// The batch behind the one that begins at `position`.
    pub(super) fn next_after(&self, position: u32) -> Option<BatchMark> {
        self.batches
            .get(
                self.batches
                    .partition_point(|mark| mark.position <= position),
            )
            .copied()
    }

    /// The last batch that ends at or before `position`, given the segment's size.
    pub(super) fn last_ending_by(&self, position: u32, size: u32) -> Option<BatchMark> {
        let begun = self
            .batches
            .partition_point(|mark| mark.position < position);
        let end = self.batches.get(begun).map_or(size, |mark| mark.position);
        let whole = if end <= position {
            begun
        } else {
            begun.saturating_sub(1)
        };
        whole.checked_sub(1).map(|at| self.batches[at])
    }

    /// Where the first batch that begins in memory begins.
    pub(super) fn first_batch_position(&self) -> Option<u32> {
        self.batches.front().map(|mark| mark.position)
    }

    pub(super) fn resident_bytes(&self) -> usize {
        self.regions
            .iter()
            .map(|region| region.writer.capacity())
            .sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// A new region begins within a page whose beginning an older region holds: copies it over.
    /// If none does, it is only in the file: the head stays missing until it is needed.
    fn join_page(&self, writer: &mut RegionWriter, end: u32, head: usize) {
        writer.reserve_head(head);
        let page = page_floor(end);
        let resident = self.regions.iter().any(|region| {
            region.origin + region.writer.unfilled_head() as u32 <= page && end <= region.end()
        });
        if resident {
            let mut bytes = [0; REGION_ALIGNMENT];
            self.copy_out(page, &mut bytes[..head]);
            writer.fill_head(&bytes[..head]);
        }
    }
}

impl MemoryRegion {
    /// Takes no more bytes if it holds any at or behind `position`, which it gives up.
    fn end_at_most(&mut self, position: u32) {
        if self.end() > position {
            self.frozen_at = Some(position);
        }
    }

    fn end(&self) -> u32 {
        self.frozen_at
            .unwrap_or(self.origin + self.writer.len() as u32)
    }

    fn room(&self) -> usize {
        if self.frozen_at.is_some() {
            0
        } else {
            self.writer.remaining()
        }
    }
}

/// Not below what the partition's rate asks for; not more than twice what is needed beyond it.
fn class_for(grown: RegionClass, needed: usize) -> RegionClass {
    let holding = RegionClass::holding(needed).unwrap_or(RegionClass::Huge);
    let tight = if holding.bytes() > 2 * needed {
        holding.smaller()
    } else {
        holding
    };
    tight.max(grown)
}

pub(super) fn page_floor(position: u32) -> u32 {
    position - position % REGION_ALIGNMENT as u32
}

const FILLS_FAST: Micros = Micros::from_millis(50);
const FILLS_SLOWLY: Micros = Micros::from_millis(1_000);
const IDLE: Micros = Micros::from_millis(10_000);
