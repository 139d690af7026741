//! Writing behind: from the log's memory into its segments.

use super::PartitionLog;
use super::memory::page_floor;
use super::segment::Segment;
use crate::base::{FilePosition, Offset};
use crate::sys::region::{REGION_ALIGNMENT, RegionClass, RegionPool, Slices};

impl PartitionLog {
    /// The next step that brings bytes of batches below `written_to` into their segment, oldest
    /// first: `written_to` is what the journal holds, or the log's end for a bypass. At most
    /// `max_bytes`, but a page at least. A write that was handed out must be carried out and
    /// reported; several may be in flight, never two for one page.
    pub fn next_segment_write(
        &mut self,
        pool: &mut RegionPool,
        written_to: Offset,
        mode: SweepMode,
        max_bytes: usize,
    ) -> SegmentStep {
        let mut unsettled = self.segments.iter().enumerate().skip(self.settled);
        let Some((first, _)) = unsettled.find(|(_, s)| s.submitted < s.size) else {
            return SegmentStep::Idle;
        };
        let sealed = first + 1 < self.segments.len();
        let segment = &mut self.segments[first];
        let page = page_floor(segment.submitted);
        let page_busy = self
            .in_flight
            .back()
            .is_some_and(|last| last.segment_base == segment.base && last.to > page);
        if page_busy {
            return SegmentStep::Idle;
        }
        let partial = sealed || mode == SweepMode::Partial;
        let Some(to) = segment.write_end(written_to, partial, max_bytes) else {
            return SegmentStep::Idle;
        };
        let step = segment.write(pool, page, to);
        if let SegmentStep::Write(write) = &step {
            self.in_flight.push_back(InFlight {
                segment_base: write.segment_base,
                position: page,
                to: write.valid_to.0 as u32,
                end_offset: write.end_offset,
                done: false,
            });
        }
        step
    }

    /// The page that [`SegmentStep::LoadPage`] asked for. `false` if it is not the one.
    pub fn page_loaded(
        &mut self,
        segment_base: Offset,
        position: FilePosition,
        bytes: &[u8],
    ) -> bool {
        let memory = self
            .segment_mut(segment_base)
            .and_then(|segment| segment.memory.as_mut());
        let position = u32::try_from(position.0).ok();
        memory
            .zip(position)
            .is_some_and(|(memory, position)| memory.fill_head(position, bytes))
    }

    /// A write that was handed out has completed. They may complete in any order; the segment
    /// counts as written up to the first that has not.
    pub fn segment_write_completed(&mut self, segment_base: Offset, position: FilePosition) {
        let same = |write: &&mut InFlight| {
            !write.done
                && write.segment_base == segment_base
                && u64::from(write.position) == position.0
        };
        if let Some(write) = self.in_flight.iter_mut().find(same) {
            write.done = true;
        }
        while let Some(write) = self.in_flight.front().filter(|write| write.done).copied() {
            self.in_flight.pop_front();
            if let Some(segment) = self.segment_mut(write.segment_base) {
                segment.written = segment.written.max(write.to);
                segment.written_end = segment.written_end.max(write.end_offset);
            }
        }
    }

    /// What a sync of this segment's file, submitted now, will make durable; `None` if nothing.
    pub fn sync_point(&self, segment_base: Offset) -> Option<SyncPoint> {
        let segment = self.segment(segment_base)?;
        (segment.synced < segment.written).then_some(SyncPoint {
            segment_base,
            position: segment.written,
            end: segment.written_end,
            cuts: self.cuts,
        })
    }

    /// The segments whose files want a sync, oldest first.
    pub fn unsynced_segments(&self) -> impl Iterator<Item = Offset> {
        let unsettled = self.segments.iter().skip(self.settled);
        unsettled.filter(|s| s.synced < s.written).map(|s| s.base)
    }

    /// The sync for which the point was taken has completed.
    pub fn segment_synced(&mut self, point: SyncPoint) {
        if point.cuts != self.cuts {
            return;
        }
        if let Some(segment) = self.segment_mut(point.segment_base) {
            segment.synced = segment.synced.max(point.position);
            segment.synced_end = segment.synced_end.max(point.end);
        }
        self.settle();
    }

    /// Below it all batches stand in synced segment files: what a checkpoint may say.
    pub fn recovery_point(&self) -> Offset {
        let mut unsettled = self.segments.iter().skip(self.settled);
        let first = unsettled.find(|segment| segment.synced < segment.size);
        first.map_or(self.end, |segment| segment.synced_end)
    }

    /// Whether writes are in flight.
    pub fn has_writes_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }
}

impl Segment {
    /// Up to where the next write goes; `None` if there is nothing to write.
    fn write_end(&self, written_to: Offset, partial: bool, max_bytes: usize) -> Option<u32> {
        let page = page_floor(self.submitted);
        let allowed = if written_to >= self.end {
            self.size
        } else {
            let relative = written_to.relative_to(self.base)?;
            let first_beyond = self.memory.as_ref()?.first_ending_at_or_after(relative);
            first_beyond.map_or(self.size, |mark| mark.position)
        };
        let cap =
            page_floor(u32::try_from(max_bytes).unwrap_or(u32::MAX)).max(REGION_ALIGNMENT as u32);
        let capped = page.saturating_add(cap);
        let to = match (capped < allowed, partial) {
            (true, _) => capped,
            (false, true) => allowed,
            (false, false) => page_floor(allowed),
        };
        (to > self.submitted).then_some(to)
    }

    /// The write of `page..to`; a partial last page is copied and padded, since the log may go on
    /// appending to the page in memory while the copy is in flight.
    fn write(&mut self, pool: &mut RegionPool, page: u32, to: u32) -> SegmentStep {
        let Some(memory) = &mut self.memory else {
            return SegmentStep::Idle;
        };
        if let Some((position, len)) = memory.missing_head()
            && position == page
        {
            let position = FilePosition(u64::from(position));
            return SegmentStep::LoadPage {
                segment_base: self.base,
                position,
                len,
            };
        }
        let full_to = page_floor(to).max(page);
        let mut parts = memory.slices(page, full_to);
        let mut valid_to = to;
        if full_to < to {
            match pool.take(RegionClass::Page) {
                Some(mut copy) => {
                    let len = (to - full_to) as usize;
                    memory.copy_out(full_to, &mut copy.spare()[..len]);
                    copy.advance(len);
                    copy.pad_to(REGION_ALIGNMENT);
                    parts.push(copy.slice(0..REGION_ALIGNMENT));
                }
                // No memory for the copy: the full pages go now.
                None => valid_to = full_to,
            }
        }
        if valid_to <= self.submitted {
            return SegmentStep::Idle;
        }
        let end_offset = memory
            .last_ending_by(valid_to, self.size)
            .map_or(self.written_end, |mark| {
                Offset(self.base.0 + i64::from(mark.last_offset) + 1)
            });
        self.submitted = valid_to;
        SegmentStep::Write(SegmentWrite {
            segment_base: self.base,
            position: FilePosition(u64::from(page)),
            parts,
            valid_to: FilePosition(u64::from(valid_to)),
            end_offset,
        })
    }
}

/// A write that was handed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    pub(super) segment_base: Offset,
    position: u32,
    pub(super) to: u32,
    end_offset: Offset,
    done: bool,
}

/// How far a sweep goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepMode {
    /// Only pages that are full: none of them is ever written twice.
    FullPages,
    /// The last, partial page too, padded with zeros: before a seal, a clean stop, or to let a
    /// journal file or the memory go.
    Partial,
}

/// The next thing to do to bring a log's bytes into its segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentStep {
    /// Nothing to write now.
    Idle,
    /// The beginning of the first page stands only in the file: read it, give it to
    /// [`super::PartitionLog::page_loaded`], ask again.
    LoadPage {
        /// Which segment.
        segment_base: Offset,
        /// Where the page begins.
        position: FilePosition,
        /// How many bytes of it are wanted.
        len: usize,
    },
    /// A write to carry out.
    Write(SegmentWrite),
}

/// A write into a segment file, aligned in file and memory for direct I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentWrite {
    /// Which segment.
    pub segment_base: Offset,
    /// Where in the file: a multiple of 4 KiB.
    pub position: FilePosition,
    /// What, a multiple of 4 KiB in all; each part is aligned.
    pub parts: Slices,
    /// The segment's valid bytes after this write: less than the end of `parts` if the last page
    /// is partial.
    pub valid_to: FilePosition,
    /// Every batch below this offset stands in segments once this and all earlier writes are done.
    pub end_offset: Offset,
}

/// What a sync makes durable: taken when it is submitted, given back when it has completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPoint {
    segment_base: Offset,
    position: u32,
    end: Offset,
    cuts: u32,
}
