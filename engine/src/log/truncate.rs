//! Cutting a log at its end: a follower that diverged from its leader.

use super::PartitionLog;
use super::segment::{NO_TIMESTAMP, Segment};
use crate::base::{FilePosition, Offset};
use crate::format::batch::BatchHeader;
use crate::format::names::FileKind;

/// A cut that looks for its place: give it back with the block that it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruncateScan {
    to: Offset,
    segment_base: Offset,
    position: u32,
    /// The offset behind the last batch that stays, as far as is known.
    end: Offset,
    /// The largest timestamp of what stays, as far as is known.
    max: (i64, Offset),
}

/// The next step of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruncateStep {
    /// The log ends there or before: nothing changed.
    Unchanged,
    /// Writes are in flight: complete them first, ask again.
    Busy,
    /// An index file must be in memory first: load it, give it to
    /// [`PartitionLog::index_loaded`], ask again.
    NeedIndex {
        /// Which segment.
        segment_base: Offset,
        /// Which of its indexes.
        kind: FileKind,
        /// Bytes of the file that count.
        len: usize,
    },
    /// Load this range of the segment file and call [`PartitionLog::truncate_with_block`].
    NeedBlock {
        /// What to give back.
        scan: TruncateScan,
        /// Which segment.
        segment_base: Offset,
        /// From where.
        position: FilePosition,
        /// How many bytes.
        len: usize,
    },
    /// The log is cut.
    Done(Truncated),
    /// The segment file does not hold what the log expects; nothing changed.
    Corrupt {
        /// Which segment.
        segment_base: Offset,
        /// Where a batch was expected.
        position: FilePosition,
    },
}

/// A log that was cut: what to journal, and what to do to the files, before the next append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// The log end now.
    pub end: Offset,
    /// The segment that is active now and where its bytes end: cut its file there and its
    /// indexes to these lengths. `None` if no segment is left.
    pub active: Option<ActiveCut>,
    /// Segments whose files go.
    pub removed: Vec<Offset>,
}

/// What is left of the files of the segment that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveCut {
    /// Which segment.
    pub segment_base: Offset,
    /// Valid bytes of the log, in memory or file. The file is cut to this if it is longer.
    pub log_len: u64,
    /// Bytes of the `.index` file that stay.
    pub index_len: u64,
    /// Bytes of the `.timeindex` file that stay.
    pub time_index_len: u64,
}

impl PartitionLog {
    /// Cuts the log so that it ends at `to`. A batch that holds `to` goes whole; the log end is
    /// `to` all the same, as in Kafka.
    pub fn truncate_to(&mut self, to: Offset) -> TruncateStep {
        if to >= self.end {
            return TruncateStep::Unchanged;
        }
        if self.has_writes_in_flight() {
            return TruncateStep::Busy;
        }
        let to = to.max(Offset::ZERO);
        if self.segments.first().is_none_or(|first| to < first.base) {
            let log_start = self.log_start.min(to);
            let step = self.truncate_fully_and_start_at(to);
            self.log_start = log_start;
            return step;
        }
        let at = self.segment_at(Offset(to.0 - 1));
        let segment = &self.segments[at];
        let base = segment.base;
        let wanted = [
            (FileKind::Index, segment.index.absent_len()),
            (FileKind::TimeIndex, segment.time_index.absent_len()),
        ];
        for (kind, len) in wanted {
            if len > 0 {
                return TruncateStep::NeedIndex {
                    segment_base: base,
                    kind,
                    len,
                };
            }
        }
        if to >= segment.end {
            let max = (segment.max_timestamp, segment.max_timestamp_offset);
            let (position, end) = (segment.size, segment.end);
            return self.cut(TruncateScan {
                to,
                segment_base: base,
                position,
                end,
                max,
            });
        }
        self.scan(segment.begin_scan(to), &[])
    }

    /// Goes on with a cut: `block` is what stands where the scan asked.
    pub fn truncate_with_block(&mut self, scan: TruncateScan, block: &[u8]) -> TruncateStep {
        let moved = self
            .segment(scan.segment_base)
            .is_none_or(|s| scan.position > s.size);
        if moved || self.has_writes_in_flight() {
            return self.truncate_to(scan.to);
        }
        self.scan(scan, block)
    }

    /// Empties the log: it begins and ends at `at`.
    pub fn truncate_fully_and_start_at(&mut self, at: Offset) -> TruncateStep {
        if self.has_writes_in_flight() {
            return TruncateStep::Busy;
        }
        let removed = self
            .segments
            .drain(..)
            .map(|segment| segment.base)
            .collect();
        self.settled = 0;
        self.log_start = at;
        self.end = at;
        self.epochs.clear();
        self.producers.clear();
        self.cuts = self.cuts.wrapping_add(1);
        TruncateStep::Done(Truncated {
            end: at,
            active: None,
            removed,
        })
    }

    fn scan(&mut self, mut scan: TruncateScan, block: &[u8]) -> TruncateStep {
        let segment_base = scan.segment_base;
        let Some(segment) = self.segment(segment_base) else {
            return TruncateStep::Unchanged;
        };
        let start = scan.position;
        while scan.position < segment.size {
            let header = match segment.header_in_memory(scan.position) {
                Some(header) => Some(header),
                None => match block.get((scan.position - start) as usize..) {
                    Some(rest) if rest.len() >= BatchHeader::SIZE => {
                        match BatchHeader::parse(rest) {
                            Ok(header) => Some(header),
                            Err(_) => {
                                let position = FilePosition(u64::from(scan.position));
                                return TruncateStep::Corrupt {
                                    segment_base,
                                    position,
                                };
                            }
                        }
                    }
                    _ => None,
                },
            };
            let position = FilePosition(u64::from(scan.position));
            match header {
                None if scan.position == start && !block.is_empty() => {
                    return TruncateStep::Corrupt {
                        segment_base,
                        position,
                    };
                }
                None => {
                    let left = (segment.written - scan.position.min(segment.written)) as usize;
                    let len = left.min(SCAN_BYTES_MAX);
                    return TruncateStep::NeedBlock {
                        scan,
                        segment_base,
                        position,
                        len,
                    };
                }
                Some(header) if header.last_offset() >= scan.to => break,
                Some(header) => scan.take_in(&header),
            }
        }
        self.cut(scan)
    }

    fn cut(&mut self, scan: TruncateScan) -> TruncateStep {
        let to = scan.to;
        let kept = self
            .segments
            .partition_point(|segment| segment.base <= scan.segment_base);
        let removed = self
            .segments
            .drain(kept..)
            .map(|segment| segment.base)
            .collect();
        let active = self.segments.last_mut().map(|segment| {
            let unchanged = segment.max_timestamp_offset < scan.end;
            let max = match unchanged {
                true => (segment.max_timestamp, segment.max_timestamp_offset),
                false => scan.max,
            };
            segment.truncate(scan.position, scan.end, max);
            segment.cut_memory();
            ActiveCut {
                segment_base: segment.base,
                log_len: u64::from(segment.size),
                index_len: u64::from(segment.index.saved_count()) * 8,
                time_index_len: u64::from(segment.time_index.saved_count()) * 12,
            }
        });
        self.settled = self.settled.min(self.segments.len().saturating_sub(1));
        self.end = to;
        self.log_start = self.log_start.min(to);
        self.epochs.truncate_end(to);
        self.producers.truncate(to);
        self.cuts = self.cuts.wrapping_add(1);
        TruncateStep::Done(Truncated {
            end: to,
            active,
            removed,
        })
    }
}

impl TruncateScan {
    fn take_in(&mut self, header: &BatchHeader) {
        self.position += header.size() as u32;
        self.end = header.last_offset().next();
        if header.max_timestamp > self.max.0 {
            self.max = (header.max_timestamp, header.last_offset());
        }
    }
}

impl Segment {
    /// From the last index entry before the cut; up to it the time index knows the largest
    /// timestamp.
    fn begin_scan(&self, to: Offset) -> TruncateScan {
        let relative = to.relative_to(self.base).unwrap_or(0);
        let entry = self
            .index
            .floor(|entry| entry.offset < relative)
            .ok()
            .flatten();
        let time = self
            .time_index
            .floor(|entry| entry.offset < relative)
            .ok()
            .flatten();
        TruncateScan {
            to,
            segment_base: self.base,
            position: entry.map_or(0, |entry| entry.position),
            end: self.base,
            max: time.map_or((NO_TIMESTAMP, self.base), |entry| {
                (
                    entry.timestamp,
                    Offset(self.base.0 + i64::from(entry.offset)),
                )
            }),
        }
    }

    fn header_in_memory(&self, position: u32) -> Option<BatchHeader> {
        let memory = self.memory.as_ref()?;
        let resident = memory
            .first_batch_position()
            .is_some_and(|first| first <= position);
        if resident {
            memory.header_at(position)
        } else {
            None
        }
    }

    /// Memory follows a cut that was made to the segment.
    fn cut_memory(&mut self) {
        // It is active again.
        (self.sealed, self.closed) = (false, false);
        let Some(memory) = &mut self.memory else {
            return;
        };
        let resident = memory
            .first_batch_position()
            .is_some_and(|first| first < self.size);
        if resident {
            memory.truncate(self.size);
        } else {
            self.memory = None;
        }
    }
}

/// Loaded at once at most while looking for the place of a cut.
const SCAN_BYTES_MAX: usize = 64 * 1024;
