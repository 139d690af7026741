//! From a timestamp to an offset, for ListOffsets (KIP-79, KIP-734;
//! `UnifiedLog.fetchOffsetByTimestamp`, `LogSegment.findOffsetByTimestamp`).

use std::borrow::Cow;

use super::PartitionLog;
use super::memory::SegmentMemory;
use super::segment::{NO_TIMESTAMP, Segment};
use crate::base::{FilePosition, LeaderEpoch, Offset};
use crate::format::batch::BatchHeader;
use crate::format::compression::{Codec, Decompressor};
use crate::format::names::FileKind;
use crate::format::records::Records;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampQuery {
    /// The first record, in offset order, that is not older.
    AtOrAfter(i64),
    /// The first record that has the largest timestamp of the log.
    Largest,
}

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Its timestamp.
    pub timestamp: i64,
    /// Its offset.
    pub offset: Offset,
    /// The term that it was appended in.
    pub leader_epoch: LeaderEpoch,
}

/// A search under way: give it back with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampSearch {
    query: TimestampQuery,
    segment_base: Offset,
    position: u32,
    /// The last offset of the batch that has the largest timestamp.
    largest_in: Offset,
    /// How many bytes were asked for.
    asked: u32,
}

/// The next step of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampStep {
    /// There is no such record.
    NotFound,
    /// This one.
    Found(TimestampOffset),
    /// An index file must be in memory first: load it, give it to
    /// [`PartitionLog::index_loaded`], ask again with [`PartitionLog::find_timestamp`].
    NeedIndex {
        /// Which segment.
        segment_base: Offset,
        /// Which of its indexes.
        kind: FileKind,
        /// Bytes of the file that count.
        len: usize,
    },
    /// Load this range of the segment file and call
    /// [`PartitionLog::find_timestamp_with_block`].
    NeedBlock {
        /// What to give back.
        search: TimestampSearch,
        /// Which segment.
        segment_base: Offset,
        /// From where.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
    /// The segment does not hold what the log expects.
    Corrupt {
        /// Which segment.
        segment_base: Offset,
        /// Where a batch was expected.
        position: FilePosition,
    },
}

impl PartitionLog {
    /// Looks for a record by its timestamp, at or behind the log start. One batch is opened, at
    /// most 128 MiB of it. The answer may lie beyond the high watermark: the caller's business.
    pub fn find_timestamp(&self, query: TimestampQuery) -> TimestampStep {
        self.find_from(query, Offset::ZERO)
    }

    /// The same among the segments that begin at `from` or later.
    fn find_from(&self, query: TimestampQuery, from: Offset) -> TimestampStep {
        let start = self.log_start;
        let mut candidates = self
            .segments
            .iter()
            .filter(|segment| segment.base >= from && segment.end > start);
        let segment = match query {
            TimestampQuery::AtOrAfter(target) => {
                candidates.find(|segment| segment.max_timestamp >= target)
            }
            // The first of those that have it, as in Kafka.
            TimestampQuery::Largest => candidates
                .rev()
                .max_by_key(|segment| segment.max_timestamp)
                .filter(|segment| segment.max_timestamp != NO_TIMESTAMP),
        };
        let Some(segment) = segment else {
            return TimestampStep::NotFound;
        };
        match segment.begin_search(query, start) {
            Ok(search) => self.search(search, &[]),
            Err(kind) => TimestampStep::NeedIndex {
                segment_base: segment.base,
                kind,
                len: match kind {
                    FileKind::TimeIndex => segment.time_index.absent_len(),
                    _ => segment.index.absent_len(),
                },
            },
        }
    }

    /// Goes on with a search: `block` is what stands where it asked.
    pub fn find_timestamp_with_block(
        &self,
        search: TimestampSearch,
        block: &[u8],
    ) -> TimestampStep {
        match self.segment(search.segment_base) {
            Some(segment) if search.position < segment.size => {
                if block.len() < search.asked as usize {
                    return segment.corrupt_at(search.position);
                }
                self.search(search, block)
            }
            // Cut or deleted meanwhile.
            _ => self.find_timestamp(search.query),
        }
    }

    fn search(&self, mut search: TimestampSearch, block: &[u8]) -> TimestampStep {
        let Some(segment) = self.segment(search.segment_base) else {
            return TimestampStep::NotFound;
        };
        let source = Source {
            memory: segment.memory.as_deref(),
            block,
            block_start: search.position,
        };
        while search.position < segment.size {
            let at = search.position;
            let header = match source.header(at) {
                Some(Ok(header)) => header,
                Some(Err(())) => return segment.corrupt_at(at),
                None => return segment.ask(search, BLOCK_BYTES),
            };
            if search.may_hold(&header) {
                let Some(batch) = source.batch(at, header.size()) else {
                    return segment.ask(search, header.size());
                };
                match search.open(&header, &batch, self.log_start) {
                    Ok(Some(found)) => return TimestampStep::Found(found),
                    Ok(None) => {}
                    Err(()) => return segment.corrupt_at(at),
                }
            }
            search.position += header.size() as u32;
        }
        match search.query {
            // The segment is as young as it is for a deleted record.
            TimestampQuery::AtOrAfter(_) => self.find_from(search.query, segment.base.next()),
            TimestampQuery::Largest => TimestampStep::NotFound,
        }
    }
}

impl TimestampSearch {
    /// Whether the record may be in the batch with this head.
    fn may_hold(&self, header: &BatchHeader) -> bool {
        match self.query {
            TimestampQuery::AtOrAfter(target) => header.max_timestamp >= target,
            TimestampQuery::Largest => header.last_offset() >= self.largest_in,
        }
    }

    /// The record in this batch, if it is there.
    fn open(
        &self,
        header: &BatchHeader,
        batch: &[u8],
        log_start: Offset,
    ) -> Result<Option<TimestampOffset>, ()> {
        let packed = batch.get(BatchHeader::SIZE..).ok_or(())?;
        let mut opened = Vec::new();
        let open = match Codec::from_id(header.attributes.codec_id()) {
            None => return Err(()),
            Some(Codec::None) => packed,
            Some(codec) => {
                Decompressor::new()
                    .decompress(codec, packed, OPENED_BYTES_MAX, &mut opened)
                    .map_err(drop)?;
                &opened
            }
        };
        let least = match self.query {
            TimestampQuery::AtOrAfter(target) => target,
            TimestampQuery::Largest => header.max_timestamp,
        };
        for record in Records::new(open) {
            let record = record.map_err(drop)?;
            let timestamp = match header.attributes.is_log_append_time() {
                true => header.max_timestamp,
                false => header.base_timestamp.saturating_add(record.timestamp_delta),
            };
            let delta = i64::from(record.offset_delta);
            let offset = Offset(header.base_offset.0.saturating_add(delta));
            if timestamp >= least && offset >= log_start {
                let leader_epoch = header.leader_epoch;
                return Ok(Some(TimestampOffset {
                    timestamp,
                    offset,
                    leader_epoch,
                }));
            }
        }
        Ok(None)
    }
}

impl Segment {
    /// Where to begin: the time index leads to an offset, the offset index to a position. `Err`
    /// names the index that is not in memory.
    fn begin_search(
        &self,
        query: TimestampQuery,
        log_start: Offset,
    ) -> Result<TimestampSearch, FileKind> {
        let from = match query {
            TimestampQuery::AtOrAfter(target) => {
                let entry = self
                    .time_index
                    .floor(|entry| entry.timestamp <= target)
                    .map_err(|_| FileKind::TimeIndex)?;
                let indexed = entry.map_or(0, |entry| i64::from(entry.offset));
                Offset(self.base.0 + indexed).max(log_start)
            }
            TimestampQuery::Largest => self.max_timestamp_offset,
        };
        let relative = from.relative_to(self.base).unwrap_or(0);
        let entry = self
            .index
            .floor(|entry| entry.offset <= relative)
            .map_err(|_| FileKind::Index)?;
        Ok(TimestampSearch {
            query,
            segment_base: self.base,
            position: entry.map_or(0, |entry| entry.position),
            largest_in: self.max_timestamp_offset,
            asked: 0,
        })
    }

    /// Asks for the bytes at the search's position.
    fn ask(&self, mut search: TimestampSearch, len: usize) -> TimestampStep {
        let left = self.written.saturating_sub(search.position);
        if (left as usize) < len.min(BatchHeader::SIZE) {
            return self.corrupt_at(search.position);
        }
        search.asked = left.min(len as u32);
        TimestampStep::NeedBlock {
            search,
            segment_base: self.base,
            position: FilePosition(u64::from(search.position)),
            len: search.asked as usize,
        }
    }

    fn corrupt_at(&self, position: u32) -> TimestampStep {
        TimestampStep::Corrupt {
            segment_base: self.base,
            position: FilePosition(u64::from(position)),
        }
    }
}

/// Where a segment's bytes are at hand: its memory, and a block of its file.
struct Source<'a> {
    memory: Option<&'a SegmentMemory>,
    block: &'a [u8],
    block_start: u32,
}

impl<'a> Source<'a> {
    /// The head of the batch at `position`: `None` if it is not at hand, an error if none is
    /// there.
    fn header(&self, position: u32) -> Option<Result<BatchHeader, ()>> {
        if let Some(memory) = self.memory_from(position) {
            return Some(memory.header_at(position).ok_or(()));
        }
        let head = self.in_block(position, BatchHeader::SIZE)?;
        Some(BatchHeader::parse(head).map_err(drop))
    }

    fn batch(&self, position: u32, size: usize) -> Option<Cow<'a, [u8]>> {
        if let Some(memory) = self.memory_from(position) {
            let mut bytes = vec![0; size];
            memory.copy_out(position, &mut bytes);
            return Some(Cow::Owned(bytes));
        }
        self.in_block(position, size).map(Cow::Borrowed)
    }

    fn in_block(&self, position: u32, len: usize) -> Option<&'a [u8]> {
        let at = (position - self.block_start) as usize;
        self.block.get(at..at.checked_add(len)?)
    }

    fn memory_from(&self, position: u32) -> Option<&'a SegmentMemory> {
        let begins = |memory: &&SegmentMemory| {
            memory
                .first_batch_position()
                .is_some_and(|first| first <= position)
        };
        self.memory.filter(begins)
    }
}

/// Loaded at once while looking for a batch.
const BLOCK_BYTES: usize = 64 * 1024;
/// What one batch may open to.
const OPENED_BYTES_MAX: usize = 128 << 20;
