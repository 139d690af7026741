//! The disk as the engine sees it: owned operations with completions for shards, blocking calls
//! for recovery.
//!
//! A shard never waits for a disk. It pushes [`DiskOp`]s into a [`DiskOut`], the driver carries
//! them out and feeds each [`Completion`] back. An operation owns what it touches (counted slices
//! of regions, file names), so memory handed to the kernel can neither be written nor recycled
//! before its completion.
//!
//! Ordering: operations of one `DiskOut` may run and complete in any order. Who needs an order
//! waits for a completion before pushing the next. A [`DiskOp::Sync`] covers the writes of that
//! file that had *completed* before it was pushed, nothing else.
//!
//! Two drivers exist: `io::Ring` (the real one) and [`memory::MemoryDisk`] (deterministic, with
//! faults).

mod blocking;
mod error;
mod file;
pub mod memory;
mod op;
mod work;

pub use blocking::{BlockingDisk, Listed, parent_of};
pub use error::{DiskError, DiskErrorKind};
pub use file::{DirectoryPath, FileId, FileLease, FileName, FileRange};
pub use op::{Completion, ControlOp, DiskOp, DiskOut, DiskOutput, OpKey};
pub use work::{BlockingWork, Work};
