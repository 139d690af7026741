//! Operations of the asynchronous disk and their completions.

use super::{DiskError, FileName, Work};
use crate::{
    base::DirectoryIndex,
    sys::region::{RegionWriter, Slice, Slices},
};

/// Chosen by who pushes the operation, returned with its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpKey(pub u64);

/// One disk operation, owning all it needs.
#[derive(Debug)]
pub enum DiskOp {
    /// Writes `parts` back to back at `position`. Direct I/O when position, memory and lengths are
    /// multiples of 4096, through the page cache otherwise. The driver finishes short writes.
    Write {
        /// Where.
        file: FileName,
        /// File position of the first byte.
        position: u64,
        /// The bytes.
        parts: Slices,
    },
    /// Makes every write of `file` that completed before this was pushed durable (fdatasync).
    Sync {
        /// The file.
        file: FileName,
    },
    /// Reserves room so that writes there cannot run out of it. The file's length stays.
    Allocate {
        /// The file.
        file: FileName,
        /// First byte of the range.
        position: u64,
        /// Bytes.
        len: u64,
    },
    /// Reads up to `len` bytes; the answer may be shorter at the end of the file.
    Read {
        /// Past the page cache, if position, length and memory are multiples of 4096.
        direct: bool,
        /// The file.
        file: FileName,
        /// File position of the first byte.
        position: u64,
        /// Bytes wanted, at most what `into` has spare.
        len: u32,
        /// Receives the bytes.
        into: RegionWriter,
    },
    /// Brings a range into the page cache.
    ReadAhead {
        /// The file.
        file: FileName,
        /// First byte.
        position: u64,
        /// Bytes.
        len: u64,
    },
    /// Anything rare: names, lengths, directories, whole small files.
    Control(Box<ControlOp>),
}

/// Rare operations, run off the shard. Each is complete when it returns; durable only where it says
/// so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlOp {
    /// Creates a directory; fine if it is there.
    CreateDirectory {
        /// Log directory.
        directory: DirectoryIndex,
        /// Relative path.
        path: String,
    },
    /// Creates an empty file or keeps the one that is there.
    CreateFile {
        /// The file.
        file: FileName,
    },
    /// Creates a journal file: `len` zero bytes, written and durable with its directory entry.
    CreateZeroed {
        /// The file.
        file: FileName,
        /// Bytes.
        len: u64,
    },
    /// Sets a file's length and makes it durable.
    Truncate {
        /// The file.
        file: FileName,
        /// New length.
        len: u64,
    },
    /// Makes a folder with a small file in it that says whose it is, or finds just that; durable
    /// when the log directory is synced. [`DiskErrorKind::Taken`] while a folder is there whose
    /// file, of the same length, says something else.
    ///
    /// [`DiskErrorKind::Taken`]: super::DiskErrorKind::Taken
    ClaimFolder {
        /// Log directory.
        directory: DirectoryIndex,
        /// Relative path of the folder.
        path: String,
        /// Name and content of the file.
        sign: (&'static str, Vec<u8>),
    },
    /// Renames a file or a folder within a log directory; an existing file at the target is
    /// replaced, and nothing is wrong if there is none to be renamed. No descriptor is kept under
    /// the old name.
    Rename {
        /// Log directory.
        directory: DirectoryIndex,
        /// Old relative path.
        from: String,
        /// New relative path.
        to: String,
    },
    /// Removes a file; fine if it is gone.
    Remove {
        /// The file.
        file: FileName,
    },
    /// Removes a directory and all in it; fine if it is gone.
    RemoveTree {
        /// Log directory.
        directory: DirectoryIndex,
        /// Relative path.
        path: String,
    },
    /// Makes creations, renames and removals in a directory durable. The empty path is the log
    /// directory itself.
    SyncDirectory {
        /// Log directory.
        directory: DirectoryIndex,
        /// Relative path.
        path: String,
    },
    /// Replaces a small file durably: temporary file, sync, rename, directory sync.
    WriteWhole {
        /// Log directory.
        directory: DirectoryIndex,
        /// Relative path.
        path: String,
        /// Its new content.
        bytes: Vec<u8>,
    },
    /// Writes into a file, created if need be, sets its length, and makes both durable; its
    /// directory entry is not. For index files.
    Patch {
        /// The file.
        file: FileName,
        /// Where the bytes go.
        position: u64,
        /// The bytes.
        bytes: Vec<u8>,
        /// The file's length afterwards.
        len: u64,
    },
    /// Makes everything in a log directory durable, names and contents (syncfs): cheaper than one
    /// by one where there are many.
    SyncAll {
        /// Log directory.
        directory: DirectoryIndex,
    },
    /// Many blocking calls as one: durable as far as it says itself.
    Work(Work),
    /// Runs several in order without making anything durable, whatever they say: a
    /// [`ControlOp::SyncAll`] must follow. Stops at the first error.
    Unsynced(Vec<ControlOp>),
    /// Runs several in order, stopping at the first error.
    Sequence(Vec<ControlOp>),
}

/// What a completed operation gives back.
#[derive(Debug)]
pub enum DiskOutput {
    /// The operation is done.
    Done,
    /// A read's bytes.
    Bytes(Slice),
}

/// The end of an operation.
#[derive(Debug)]
pub struct Completion {
    /// The key it was pushed with.
    pub key: OpKey,
    /// What came of it.
    pub result: Result<DiskOutput, DiskError>,
}

/// A queue of operations on their way to the driver; reused, so its capacity stays.
#[derive(Debug, Default)]
pub struct DiskOut {
    ops: Vec<(OpKey, DiskOp)>,
}

impl DiskOut {
    /// Adds an operation.
    pub fn push(&mut self, key: OpKey, op: DiskOp) {
        self.ops.push((key, op));
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Takes all, in the order they were pushed, and keeps the capacity.
    pub fn drain(&mut self) -> impl Iterator<Item = (OpKey, DiskOp)> + '_ {
        self.ops.drain(..)
    }
}
