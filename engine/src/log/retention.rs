//! What goes at a log's beginning: retention and DeleteRecords.

use super::PartitionLog;
use super::config::RetentionConfig;
use super::segment::{Modified, Segment};
use crate::base::Offset;

impl PartitionLog {
    /// The log begins at `to` from now on (retention, DeleteRecords). Returns the segments whose
    /// files may go once the new start is durable; the next append begins a new segment if the
    /// active one is among them.
    pub fn advance_log_start(&mut self, to: Offset) -> Vec<Offset> {
        self.set_log_start(to);
        self.take_expired(self.log_start, Offset::MAX)
    }

    /// Nothing before `to` may be read from now on. A segment that has nothing left ends, so that
    /// it can go.
    pub fn set_log_start(&mut self, to: Offset) {
        self.log_start = to.min(self.end).max(self.log_start);
        self.epochs.truncate_start(self.log_start);
        if self.end == self.log_start
            && let Some(active) = self.segments.last_mut()
        {
            active.closed = true;
        }
    }

    /// Whether there are segments that hold nothing at or behind the log start. The active one
    /// does not count: more may come.
    pub fn has_expired(&self) -> bool {
        let mut bases = self.segments.iter().map(|segment| segment.base);
        bases.nth(1).is_some_and(|next| next <= self.log_start)
    }

    /// Whether a segment ended and holds nothing at or behind `start`.
    pub fn is_expired(&self, segment_base: Offset, start: Offset) -> bool {
        let is_last = self.segments.last().is_some_and(|s| s.base == segment_base);
        self.segment(segment_base)
            .is_some_and(|segment| segment.end <= start && (segment.closed || !is_last))
    }

    /// Removes the segments before `keeps`, from the oldest on, that hold nothing at or behind
    /// `start`, which the log must not begin before; their files may go.
    pub fn take_expired(&mut self, start: Offset, keeps: Offset) -> Vec<Offset> {
        // Nothing that is not durable in its file goes: the journal may still name it.
        let active = self.segments.last().map(|segment| segment.base);
        let gone = |segment: &&Segment| {
            // More may come into the last one, even where a cut left a gap before the log's end.
            let is_closed = segment.closed && segment.end > segment.base;
            let is_over = is_closed || Some(segment.base) != active;
            let may_go = segment.base < keeps && segment.synced == segment.size;
            segment.end <= start && is_over && may_go
        };
        let gone = self.segments.iter().take_while(gone).count();
        self.settled = self.settled.saturating_sub(gone);
        self.segments
            .drain(..gone)
            .map(|segment| segment.base)
            .collect()
    }

    /// Removes the segments that begin before `first`: their files are gone, or nothing of them may
    /// be read any more.
    pub fn take_before(&mut self, first: Offset) -> Vec<Offset> {
        let gone = self.segments.partition_point(|it| it.base < first);
        self.settled = self.settled.saturating_sub(gone);
        let gone = self.segments.drain(..gone);
        gone.map(|segment| segment.base).collect()
    }

    /// Where the log may begin by `retention.ms` and `retention.bytes`, given the high watermark
    /// `visible`: whole segments only; the active one too, as in Kafka, if all of it is due. A
    /// segment's age is that of its largest timestamp; one without any is as old as its file's
    /// last change, see [`Self::undated_segment`].
    pub fn retention_start(&self, now_ms: i64, visible: Offset) -> Offset {
        let retention = self.config.retention;
        let mut start = self.log_start;
        if !retention.delete {
            return start;
        }
        let total: u64 = self
            .segments
            .iter()
            .map(|segment| u64::from(segment.size))
            .sum();
        let mut surplus = match u64::try_from(retention.retention_bytes) {
            Ok(bytes) => total.saturating_sub(bytes),
            Err(_) => 0,
        };
        let ends = self.segments.iter().skip(1).map(|next| next.base);
        let ends = ends.chain([self.end]);
        for (segment, end) in self.segments.iter().zip(ends) {
            let age = segment.aged_from().map(|from| now_ms.saturating_sub(from));
            let expired =
                retention.retention_ms >= 0 && age.is_some_and(|age| age > retention.retention_ms);
            let size = u64::from(segment.size);
            // The size that is to be kept may be zero.
            let is_surplus = retention.retention_bytes >= 0 && surplus >= size;
            if size == 0 && end < self.end {
                continue;
            }
            if end > visible || !(expired || is_surplus) || size == 0 {
                break;
            }
            surplus = surplus.saturating_sub(size);
            start = start.max(end);
        }
        start
    }

    /// The segment behind a start that [`Self::retention_start`] found, if only its file can say
    /// how old it is: ask the disk and tell [`Self::note_modified`].
    pub fn undated_segment(&mut self, start: Offset) -> Option<Offset> {
        let RetentionConfig {
            delete,
            retention_ms,
            ..
        } = self.config.retention;
        let segment = self.segments.iter_mut().find(|it| it.end > start)?;
        // What is not in the file yet is not old.
        let is_in_file = segment.synced == segment.size;
        let is_undated = segment.aged_from().is_none() && segment.modified == Modified::Unknown;
        if !(delete && retention_ms >= 0 && is_in_file && is_undated) {
            return None;
        }
        segment.modified = Modified::Asked;
        Some(segment.base)
    }

    /// When a segment's file last changed, in milliseconds since the Unix epoch; `None` if the disk
    /// does not say. Nothing changes if the segment did since it was asked for.
    pub fn note_modified(&mut self, segment_base: Offset, at_ms: Option<i64>) {
        if let Some(segment) = self.segments.iter_mut().find(|it| it.base == segment_base)
            && segment.modified == Modified::Asked
        {
            segment.modified = at_ms.map_or(Modified::Unknown, Modified::At);
        }
    }
}
