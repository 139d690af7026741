//! Writing behind: from the log's memory into its segments.

use crate::base::{FilePosition, Offset};
use crate::sys::region::Slices;

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
