//! Taking up what stands in files already: recovery.

use super::segment::Segment;
use super::{PartitionLog, SegmentState};
use crate::base::Offset;
use crate::format::batch::BatchHeader;
use crate::partition::ProducerTable;
use crate::replica::EpochState;

impl PartitionLog {
    /// Takes up a batch that stands, durably, at the end of a segment's file; a segment that is
    /// new begins. `false`, and nothing changed, if it does not continue the log.
    pub fn note_in_file(&mut self, segment_base: Offset, header: &BatchHeader) -> bool {
        let continues = header.base_offset >= self.end && header.last_offset_delta >= 0;
        if !continues || segment_base > header.base_offset {
            return false;
        }
        let last = self.segments.last().map(|segment| segment.base);
        if last.is_none_or(|base| base < segment_base) {
            self.segments.push(Segment::new(segment_base));
        } else if last != Some(segment_base) {
            return false;
        }
        let Some(segment) = self.segments.last_mut() else {
            return false;
        };
        segment.note_batch(header, self.config.index_interval_bytes);
        let (size, end) = (segment.size, segment.end);
        (segment.submitted, segment.written, segment.synced) = (size, size, size);
        (segment.written_end, segment.synced_end) = (end, end);
        self.end = header.last_offset().next();
        self.producers.record(header, None);
        self.epochs.assign(header.leader_epoch, header.base_offset);
        true
    }

    /// Takes up a segment as far as its index files know it: it is the last one, or follows it.
    /// Nothing is said of producers and epochs.
    pub fn note_indexed(&mut self, state: &SegmentState) {
        self.segments
            .truncate(self.segments.partition_point(|s| s.base < state.base));
        self.segments.push(Segment::restored(state));
        self.end = self.end.max(state.end);
    }

    /// The producers, as a snapshot file says.
    pub fn set_producers(&mut self, producers: ProducerTable) {
        self.producers = producers;
    }

    /// Terms that a checkpoint file or a journal knows, as far as they are news.
    pub fn note_epochs(&mut self, starts: impl IntoIterator<Item = EpochState>) {
        for line in starts {
            if line.start <= self.end {
                self.epochs.assign(line.epoch, line.start);
            }
        }
    }

    /// The log goes on at `to`: what lies between is missing on purpose.
    pub fn note_end(&mut self, to: Offset) {
        self.end = self.end.max(to);
    }
}
