//! What goes at a log's beginning: retention and DeleteRecords.

use super::PartitionLog;
use super::segment::Segment;
use crate::base::Offset;

impl PartitionLog {
    /// The log begins at `to` from now on (retention, DeleteRecords). Returns the segments whose
    /// files may go once the new start is durable; the next append begins a new segment if the
    /// active one is among them.
    pub fn advance_log_start(&mut self, to: Offset) -> Vec<Offset> {
        let to = to.min(self.end);
        if to > self.log_start {
            self.log_start = to;
            self.epochs.truncate_start(to);
        }
        // Nothing that is not durable in its file goes: the journal may still name it.
        let start = self.log_start;
        let gone = |segment: &&Segment| {
            segment.end <= start && segment.end > segment.base && segment.synced == segment.size
        };
        let gone = self.segments.iter().take_while(gone).count();
        self.settled = self.settled.saturating_sub(gone);
        self.segments
            .drain(..gone)
            .map(|segment| segment.base)
            .collect()
    }

    /// Where the log may begin by `retention.ms` and `retention.bytes`, given the high watermark
    /// `visible`: whole segments only; the active one too, as in Kafka, if all of it is due.
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
        for segment in &self.segments {
            let age = now_ms.saturating_sub(segment.max_timestamp);
            let expired = retention.retention_ms >= 0
                && segment.max_timestamp >= 0
                && age > retention.retention_ms;
            let size = u64::from(segment.size);
            let due = segment.end <= visible && (expired || surplus >= size);
            if !due || size == 0 {
                break;
            }
            surplus = surplus.saturating_sub(size);
            start = start.max(segment.end);
        }
        start
    }
}
