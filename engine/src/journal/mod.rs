//! The write-ahead journal of one shard in one log directory: its files' format, the state machine
//! that writes them, and reading them back. Pure; FORMAT.md has the bytes.
//!
//! Every loop turn's appends of all dirty partitions go into one frame; its completion makes them
//! all *written*, one sync makes them all *synced*. Frames carry consecutive sequence numbers and a
//! mark, the highest sequence known synced: recovery takes what is damaged at or below a mark for
//! corruption, and above every mark for what a crash may lose.

mod bytes;
mod copy;
mod frame;
mod header;
mod item;
mod scan;
mod writer;

#[cfg(test)]
mod tests;

pub use bytes::Generation;
pub use copy::{CopyError, CopyItems, CopyName, CopySource, JournalCopy};
pub use frame::{Frame, FrameHeader, build, frame_bytes};
pub use header::{CheckpointEntry, FileHeader, HeaderError};
pub use item::{Item, ItemKind};
pub use scan::{Scan, ScanEnd, ScannedFrame, scan_frames};
pub use writer::{
    Journal, JournalIdentity, JournalOptions, JournalStep, MemberId, RetiredFile, journal_file_path,
};
