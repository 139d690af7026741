//! One segment: what is known of its files, and its memory.

use super::memory::SegmentMemory;
use super::sparse_index::{OffsetIndex, TimeIndex};
use super::{LogConfig, SegmentState};
use crate::base::Offset;
use crate::format::batch::BatchHeader;
use crate::format::index::{IndexEntry, OffsetEntry, TimeEntry};

/// A segment of a log. `submitted`, `written` and `synced` are positions of the file: up to which
/// writes were handed out, completed, and synced.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) base: Offset,
    /// The offset behind its last record; the base if it has none.
    pub(super) end: Offset,
    pub(super) size: u32,
    pub(super) submitted: u32,
    pub(super) written: u32,
    pub(super) synced: u32,
    /// Every batch below it is within `written`.
    pub(super) written_end: Offset,
    /// Every batch below it is within `synced`.
    pub(super) synced_end: Offset,
    /// The largest timestamp of the first batch: `segment.ms` counts from it.
    pub(super) first_timestamp: i64,
    pub(super) max_timestamp: i64,
    pub(super) max_timestamp_offset: Offset,
    /// When this process first appended to it, by the wall clock: `segment.ms` counts from there
    /// if the first batch has no timestamp.
    pub(super) begun_ms: Option<i64>,
    /// When its file last changed, for segments without timestamps.
    pub(super) modified: Modified,
    pub(super) bytes_since_index: u32,
    pub(super) index: OffsetIndex,
    pub(super) time_index: TimeIndex,
    /// The last entries, which are needed even if the indexes are not in memory.
    last_index: OffsetEntry,
    last_time: Option<TimeEntry>,
    pub(super) memory: Option<Box<SegmentMemory>>,
    /// The next append begins a new segment, whatever room is left.
    pub(super) closed: bool,
    /// It has ended, and its files are as they must be.
    pub(super) sealed: bool,
}

/// What is known of a segment file's last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modified {
    Unknown,
    /// The disk was asked, and the segment is still as it was then.
    Asked,
    /// Milliseconds since the Unix epoch.
    At(i64),
}

impl Segment {
    /// A segment without a record.
    pub(super) fn new(base: Offset) -> Self {
        Self {
            base,
            end: base,
            size: 0,
            submitted: 0,
            written: 0,
            synced: 0,
            written_end: base,
            synced_end: base,
            first_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            max_timestamp_offset: base,
            begun_ms: None,
            modified: Modified::Unknown,
            bytes_since_index: 0,
            index: OffsetIndex::new(),
            time_index: TimeIndex::new(),
            last_index: OffsetEntry::default(),
            last_time: None,
            memory: None,
            closed: false,
            sealed: false,
        }
    }

    /// A segment whose bytes are all in its file, synced.
    pub(super) fn restored(state: &SegmentState) -> Self {
        let end = state.end;
        let mut segment = Self::new(state.base);
        segment.end = end;
        segment.size = state.size;
        (segment.submitted, segment.written, segment.synced) = (state.size, state.size, state.size);
        (segment.written_end, segment.synced_end) = (end, end);
        segment.first_timestamp = state.first_timestamp;
        segment.max_timestamp = state.max_timestamp;
        segment.max_timestamp_offset = state.max_timestamp_offset;
        segment.bytes_since_index = state.bytes_since_index;
        segment.index = OffsetIndex::in_file(state.index_entries);
        segment.time_index = TimeIndex::in_file(state.time_index_entries);
        segment.last_index = OffsetEntry {
            offset: state.last_index_offset,
            position: state.last_index_position,
        };
        segment.last_time =
            (state.last_time_index_timestamp != NO_TIMESTAMP).then_some(TimeEntry {
                timestamp: state.last_time_index_timestamp,
                offset: state.last_time_index_offset,
            });
        segment
    }

    /// Plain data. Only what stands in index files is counted: save them first.
    pub(super) fn state(&self) -> SegmentState {
        SegmentState {
            base: self.base,
            end: self.end,
            size: self.size,
            first_timestamp: self.first_timestamp,
            max_timestamp: self.max_timestamp,
            max_timestamp_offset: self.max_timestamp_offset,
            bytes_since_index: self.bytes_since_index,
            index_entries: self.index.saved_count(),
            time_index_entries: self.time_index.saved_count(),
            last_index_offset: self.last_index.offset,
            last_index_position: self.last_index.position,
            last_time_index_timestamp: self.last_time.map_or(NO_TIMESTAMP, |e| e.timestamp),
            last_time_index_offset: self.last_time.map_or(0, |e| e.offset),
        }
    }

    /// Whether Kafka would begin a new segment before this batch (`LogSegment.shouldRoll`).
    /// `age_max_ms` is the segment's own, see [`LogConfig::segment_age_max_ms`].
    pub(super) fn must_roll(
        &self,
        now_ms: i64,
        header: &BatchHeader,
        config: &LogConfig,
        age_max_ms: i64,
    ) -> bool {
        if header.last_offset().relative_to(self.base).is_none() {
            return true;
        }
        if self.size == 0 {
            return false;
        }
        if self.closed {
            return true;
        }
        let too_large = self.size as usize + header.size() > config.segment_bytes as usize;
        let age = match self.first_timestamp {
            NO_TIMESTAMP => now_ms.saturating_sub(self.begun_ms.unwrap_or(now_ms)),
            first => header.max_timestamp.saturating_sub(first),
        };
        let full = |count: u32, entry: usize| {
            count as usize >= (config.segment_index_bytes as usize / entry).max(1)
        };
        too_large
            || age > age_max_ms
            || full(self.index.count(), OffsetEntry::SIZE)
            || full(self.time_index.count(), TimeEntry::SIZE)
    }

    /// Takes up a batch that stands at the segment's end now: sizes, timestamps and indexes, as
    /// `LogSegment.append` does.
    pub(super) fn note_batch(&mut self, header: &BatchHeader, index_interval_bytes: u32) {
        let position = self.size;
        let last_offset = header.last_offset();
        if position == 0 {
            self.first_timestamp = header.max_timestamp;
        }
        if header.max_timestamp > self.max_timestamp {
            self.max_timestamp = header.max_timestamp;
            self.max_timestamp_offset = last_offset;
        }
        if self.bytes_since_index > index_interval_bytes
            && let Some(offset) = last_offset.relative_to(self.base)
        {
            self.last_index = OffsetEntry { offset, position };
            self.index.push(self.last_index);
            self.note_time();
            self.bytes_since_index = 0;
        }
        self.size += header.size() as u32;
        self.bytes_since_index = self.bytes_since_index.saturating_add(header.size() as u32);
        self.end = last_offset.next();
        self.modified = Modified::Unknown;
    }

    /// What its age counts from: its largest timestamp, or when its file last changed if no record
    /// has one (`LogSegment.largestTimestamp`); `None` if that is not known.
    pub(super) fn aged_from(&self) -> Option<i64> {
        match self.modified {
            _ if self.max_timestamp > NO_TIMESTAMP => Some(self.max_timestamp),
            Modified::At(ms) => Some(ms),
            Modified::Unknown | Modified::Asked => None,
        }
    }

    /// The time index's last entry must be the segment's largest timestamp when it is sealed or
    /// cleanly stopped; between, entries come with those of the offset index.
    pub(super) fn note_time(&mut self) {
        let last = self.last_time.map_or(NO_TIMESTAMP, |entry| entry.timestamp);
        if self.max_timestamp > last
            && let Some(offset) = self.max_timestamp_offset.relative_to(self.base)
        {
            let entry = TimeEntry {
                timestamp: self.max_timestamp,
                offset,
            };
            self.time_index.push(entry);
            self.last_time = Some(entry);
        }
    }

    /// Whether every byte is in the file.
    pub(super) fn is_written(&self) -> bool {
        self.written == self.size
    }

    /// Whether every byte is in the file for good.
    pub(super) fn is_synced(&self) -> bool {
        self.synced == self.size
    }

    /// How much of the segment only memory has.
    pub(super) fn unwritten(&self) -> u32 {
        self.size - self.written
    }

    /// Cuts the segment before the batch at `position`, whose log ends at `end` now. The indexes
    /// must be in memory. `max` is the largest timestamp of what is left, with its offset.
    pub(super) fn truncate(&mut self, position: u32, end: Offset, max: (i64, Offset)) {
        let relative = end.relative_to(self.base).unwrap_or(0);
        self.index
            .truncate(|entry| entry.offset >= relative || entry.position >= position);
        self.time_index.truncate(|entry| entry.offset >= relative);
        self.last_index = self.index.last().unwrap_or_default();
        self.last_time = self.time_index.last();
        (self.max_timestamp, self.max_timestamp_offset) = max;
        self.bytes_since_index = position - self.last_index.position;
        self.size = position;
        self.end = end;
        self.submitted = self.submitted.min(position);
        self.written = self.written.min(position);
        self.synced = self.synced.min(position);
        self.written_end = self.written_end.min(end);
        self.synced_end = self.synced_end.min(end);
        self.modified = Modified::Unknown;
        if position == 0 {
            self.first_timestamp = NO_TIMESTAMP;
        }
    }

    pub(super) fn resident_bytes(&self) -> usize {
        self.memory
            .as_ref()
            .map_or(0, |memory| memory.resident_bytes())
    }
}

/// Kafka's "no timestamp".
pub(super) const NO_TIMESTAMP: i64 = -1;
