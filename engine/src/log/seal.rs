//! What belongs to a segment beside its batches: its length and its index files.

use super::PartitionLog;
use super::sparse_index::IndexWrite;
use crate::base::Offset;

/// The files of one segment, as they must be after a seal or a clean stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFiles {
    /// Which segment.
    pub segment_base: Offset,
    /// The valid length of the `.log`: cut what was allocated or padded behind it.
    pub log_len: u64,
    /// New entries of the `.index`; `None` if it is complete.
    pub index: Option<IndexWrite>,
    /// New entries of the `.timeindex`.
    pub time_index: Option<IndexWrite>,
    index_count: u32,
    time_index_count: u32,
}

impl PartitionLog {
    /// The oldest segment that has ended, stands in its file whole, and was not sealed yet.
    pub fn next_to_seal(&self) -> Option<Offset> {
        let ended = self.segments.split_last()?.1;
        // Sealing goes oldest first, but a lost index may reopen an old one: look at all. This is
        // asked at rolls and completions of their writes only.
        let open = ended
            .iter()
            .rev()
            .find(|segment| !segment.sealed && segment.is_written());
        open.map(|segment| segment.base)
    }

    /// What the files of a segment must become, now that its bytes stand in the `.log`. For the
    /// active segment this is right at a clean stop: it may go on growing afterwards.
    pub fn segment_files(&mut self, segment_base: Offset) -> Option<SegmentFiles> {
        let segment = self.segment_mut(segment_base)?;
        segment.note_time();
        Some(SegmentFiles {
            segment_base,
            log_len: u64::from(segment.size),
            index: segment.index.unsaved(),
            time_index: segment.time_index.unsaved(),
            index_count: segment.index.count(),
            time_index_count: segment.time_index.count(),
        })
    }

    /// Index files hold what was to be written; the segment may still grow.
    pub fn indexes_saved(&mut self, files: &SegmentFiles) {
        if let Some(segment) = self.segment_mut(files.segment_base) {
            segment.index.saved_to(files.index_count);
            segment.time_index.saved_to(files.time_index_count);
        }
    }

    /// Those files are as they must be, and synced.
    pub fn segment_files_saved(&mut self, files: &SegmentFiles) {
        let active = self.segments.last().map(|segment| segment.base);
        self.indexes_saved(files);
        if let Some(segment) = self.segment_mut(files.segment_base) {
            segment.sealed = active != Some(files.segment_base);
        }
    }
}
