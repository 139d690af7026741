//! Reading: what is asked, and where the bytes are.

use super::PartitionLog;
use super::segment::Segment;
use crate::base::{FilePosition, Offset};
use crate::format::batch::BatchHeader;
use crate::format::index::OffsetEntry;
use crate::sys::region::Slices;

impl PartitionLog {
    /// Where the bytes of a read are. A read never crosses from one segment into the next, as in
    /// Kafka; the caller asks again behind what it got.
    pub fn read(&mut self, request: &ReadRequest) -> Result<ReadPlan, ReadError> {
        let (offset, log_start, end) = (request.offset, self.log_start, self.end);
        if offset < log_start || offset > end {
            return Err(ReadError::OffsetOutOfRange {
                offset,
                log_start,
                end,
            });
        }
        let request = &ReadRequest {
            limit: request.limit.min(end),
            ..*request
        };
        if offset >= request.limit {
            return Ok(ReadPlan::Empty);
        }
        let first = self.segment_at(offset);
        for segment in &mut self.segments[first..] {
            // Offsets may be missing before a segment's first record and behind its last.
            let offset = offset.max(segment.base);
            if segment.end <= offset {
                continue;
            }
            if segment.base >= request.limit {
                return Ok(ReadPlan::Empty);
            }
            let request = &ReadRequest { offset, ..*request };
            if segment
                .memory
                .as_ref()
                .is_some_and(|memory| offset >= memory.complete_from)
            {
                return Ok(segment.read_memory(request));
            }
            return Ok(segment.find_block(request));
        }
        Ok(ReadPlan::Empty)
    }

    /// Goes on with a read whose plan was [`ReadPlan::NeedBlock`]: `block` is what stands in the
    /// segment file at `position`.
    pub fn read_with_block(
        &mut self,
        request: &ReadRequest,
        segment_base: Offset,
        position: FilePosition,
        block: &[u8],
    ) -> Result<ReadPlan, ReadError> {
        let (offset, log_start) = (request.offset, self.log_start);
        let request = &ReadRequest {
            limit: request.limit.min(self.end),
            ..*request
        };
        let known = self.segment(segment_base).filter(|_| offset >= log_start);
        let Some(segment) = known else {
            // Cut or deleted meanwhile: begin anew.
            return self.read(request);
        };
        let offset = offset.max(segment.base);
        let request = &ReadRequest { offset, ..*request };
        if let Some(plan) = segment.read_block(request, position, block)? {
            return Ok(plan);
        }
        let memory = segment.memory.as_ref();
        if offset < segment.end && memory.is_none_or(|memory| offset < memory.complete_from) {
            return Err(ReadError::Corrupt {
                segment_base,
                position,
            });
        }
        self.read(request)
    }
}

impl Segment {
    fn read_memory(&mut self, request: &ReadRequest) -> ReadPlan {
        let (size, base) = (self.size, self.base);
        let relative = |offset: Offset| (offset.0 - base.0).clamp(0, i64::from(u32::MAX)) as u32;
        let Some(memory) = &mut self.memory else {
            return ReadPlan::Empty;
        };
        let Some(first) = memory.first_ending_at_or_after(relative(request.offset)) else {
            return ReadPlan::Empty;
        };
        // Only batches that end below the limit.
        let limit = memory
            .first_ending_at_or_after(relative(request.limit))
            .map_or(size, |mark| mark.position);
        if limit <= first.position {
            return ReadPlan::Empty;
        }
        let first_end = memory
            .next_after(first.position)
            .map_or(size, |mark| mark.position);
        let wanted = (first.position as usize).saturating_add(request.max_bytes);
        let end = if wanted >= limit as usize {
            limit
        } else if wanted >= first_end as usize {
            memory
                .last_beginning_by(wanted as u32)
                .map_or(first_end, |mark| mark.position)
        } else if request.whole_first_batch {
            first_end
        } else {
            return ReadPlan::Empty;
        };
        ReadPlan::Memory(memory.slices(first.position, end))
    }

    /// The block of the file that holds the head of the first batch.
    fn find_block(&self, request: &ReadRequest) -> ReadPlan {
        let relative = request.offset.relative_to(self.base).unwrap_or(0);
        match self.index.floor(|entry| entry.offset <= relative) {
            Ok(entry) => self.block_at(entry.map_or(0, |entry| entry.position), relative),
            Err(_) => ReadPlan::NeedIndex {
                segment_base: self.base,
                len: self.index.absent_len(),
            },
        }
    }

    /// From `position` to where the index says that the batch must have begun, bounded.
    fn block_at(&self, position: u32, relative: u32) -> ReadPlan {
        let end = match self.index.after(|entry| entry.offset <= relative) {
            Some(OffsetEntry { position, .. }) => position as usize + BatchHeader::SIZE,
            None => BLOCK_BYTES_MAX + position as usize,
        };
        let len = end
            .min(self.file_end() as usize)
            .saturating_sub(position as usize);
        ReadPlan::NeedBlock {
            segment_base: self.base,
            position: FilePosition(u64::from(position)),
            len: len.min(BLOCK_BYTES_MAX),
        }
    }

    /// `None` if the batch is not in the file: in memory, or in the next segment.
    fn read_block(
        &self,
        request: &ReadRequest,
        position: FilePosition,
        block: &[u8],
    ) -> Result<Option<ReadPlan>, ReadError> {
        let file_end = self.file_end();
        let mut at = position.0.min(u64::from(file_end)) as u32;
        let corrupt = |at: u32| ReadError::Corrupt {
            segment_base: self.base,
            position: FilePosition(u64::from(at)),
        };
        let mut heads = Heads { block, start: at };
        let first = loop {
            if at >= file_end {
                return Ok(None);
            }
            match heads.at(at) {
                Ok(header) if header.last_offset() >= request.offset => break header,
                Ok(header) => at += header.size() as u32,
                Err(true) => return Err(corrupt(at)),
                // The block ends before the next head.
                Err(false) if block.len() < BatchHeader::SIZE => return Err(corrupt(at)),
                Err(false) => {
                    let relative = request.offset.relative_to(self.base).unwrap_or(0);
                    return Ok(Some(self.block_at(at, relative)));
                }
            }
        };
        let first_end = at + first.size() as u32;
        if first_end > file_end {
            return Err(corrupt(at));
        }
        if first.last_offset() >= request.limit {
            return Ok(Some(ReadPlan::Empty));
        }
        if first.size() > request.max_bytes && !request.whole_first_batch {
            return Ok(Some(ReadPlan::Empty));
        }
        let end = self.limit_position(request.limit, first_end, file_end, &mut heads);
        let len = ((end - at) as usize).min(request.max_bytes.max(first.size()));
        let position = FilePosition(u64::from(at));
        Ok(Some(ReadPlan::File {
            segment_base: self.base,
            position,
            len,
        }))
    }

    /// Up to where the file holds only batches below `limit`, at least `known`, which is such a
    /// position: as far as the index and the heads in the block tell.
    fn limit_position(
        &self,
        limit: Offset,
        known: u32,
        file_end: u32,
        heads: &mut Heads<'_>,
    ) -> u32 {
        let in_memory = self.memory.as_ref().map(|memory| memory.complete_from);
        if limit >= in_memory.unwrap_or(self.end).min(self.end) {
            return file_end;
        }
        let relative = limit.relative_to(self.base).unwrap_or(0);
        let indexed = self.index.floor(|entry| entry.offset < relative);
        let indexed = indexed.ok().flatten().map_or(0, |entry| entry.position);
        let mut end = known;
        while let Ok(header) = heads.at(end)
            && header.last_offset() < limit
        {
            end += header.size() as u32;
        }
        end.max(indexed).min(file_end)
    }

    /// Up to where reads are served from the file: where the batches in memory begin.
    fn file_end(&self) -> u32 {
        let resident = self
            .memory
            .as_ref()
            .and_then(|memory| memory.first_batch_position());
        resident.unwrap_or(self.written)
    }
}

/// The heads of batches within a block of a segment file.
struct Heads<'a> {
    block: &'a [u8],
    start: u32,
}

impl Heads<'_> {
    /// The head at a position of the file. `Err(true)`: what stands there is none. `Err(false)`:
    /// the block does not hold all of it.
    fn at(&mut self, position: u32) -> Result<BatchHeader, bool> {
        let rest = self
            .block
            .get((position - self.start) as usize..)
            .unwrap_or_default();
        if rest.len() < BatchHeader::SIZE {
            return Err(false);
        }
        BatchHeader::parse(rest).map_err(|_| true)
    }
}

/// A read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The first offset wanted; the batch that holds it is given whole.
    pub offset: Offset,
    /// Bytes wanted at most.
    pub max_bytes: usize,
    /// Nothing at or beyond it is given: high watermark, last stable offset, or log end.
    pub limit: Offset,
    /// Give the first batch even if it alone is above `max_bytes` (KIP-74).
    pub whole_first_batch: bool,
}

/// Where the bytes of a read are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadPlan {
    /// Nothing to give below the limit, or the first batch is above `max_bytes`.
    Empty,
    /// Whole batches, in memory.
    Memory(Slices),
    /// A range of a segment file, written and immutable; begins at a batch, may end within one.
    File {
        /// Which segment.
        segment_base: Offset,
        /// From where.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
    /// The segment's `.index` is not in memory: load it, give it to
    /// [`super::PartitionLog::index_loaded`], ask again.
    NeedIndex {
        /// Which segment.
        segment_base: Offset,
        /// Bytes of the file that count.
        len: usize,
    },
    /// The first batch stands somewhere in this range of a segment file: load it and ask
    /// `read_with_block`.
    NeedBlock {
        /// Which segment.
        segment_base: Offset,
        /// From where; a batch begins here.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
}

/// Why a read has no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// OFFSET_OUT_OF_RANGE.
    #[error("offset {offset} is not within {log_start}..={end}")]
    OffsetOutOfRange {
        /// What was asked.
        offset: Offset,
        /// The first offset.
        log_start: Offset,
        /// The log end.
        end: Offset,
    },
    /// A loaded block does not hold what the index promises: the segment is damaged.
    #[error("segment {segment_base} holds no batch at position {position}")]
    Corrupt {
        /// Which segment.
        segment_base: Offset,
        /// Where a batch was expected.
        position: FilePosition,
    },
}

/// Loaded at once at most while looking for a batch.
const BLOCK_BYTES_MAX: usize = 64 * 1024;
