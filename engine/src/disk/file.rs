//! Names of files, and leases that keep a file as it is while someone sends from it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::base::DirectoryIndex;

/// Identity of a file within the process; never reused, so that a descriptor cached under it cannot
/// stand for another file of the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

/// A file: identity, log directory, path relative to it. Cloning shares.
///
/// Drivers open it on demand and keep descriptors in a bounded cache keyed by [`FileId`].
#[derive(Clone)]
pub struct FileName(Arc<Inner>);

struct Inner {
    id: FileId,
    directory: DirectoryIndex,
    path: Box<str>,
    leases: AtomicU32,
}

impl FileName {
    /// Names a file. `path` is relative to the log directory.
    pub fn new(id: FileId, directory: DirectoryIndex, path: &str) -> Self {
        Self(Arc::new(Inner {
            id,
            directory,
            path: path.into(),
            leases: AtomicU32::new(0),
        }))
    }

    /// The identity.
    pub fn id(&self) -> FileId {
        self.0.id
    }

    /// The log directory that holds it.
    pub fn directory(&self) -> DirectoryIndex {
        self.0.directory
    }

    /// The path relative to the log directory.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Takes a lease: while it lives the file is neither truncated, zeroed nor unlinked. Called on
    /// the owning shard only; the lease itself may travel to any shard.
    pub fn lease(&self) -> FileLease {
        self.0.leases.fetch_add(1, Ordering::Relaxed);
        FileLease(self.clone())
    }

    /// Whether anyone holds a lease. Only the owning shard grants leases, so `false` stays `false`
    /// until that shard grants another.
    pub fn is_leased(&self) -> bool {
        self.0.leases.load(Ordering::Acquire) != 0
    }
}

impl PartialEq for FileName {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for FileName {}

impl fmt::Debug for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "FileName({}, {}:{})",
            self.0.id.0, self.0.directory, self.0.path
        )
    }
}

/// A path within a log directory, before it is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryPath {
    /// The log directory.
    pub directory: DirectoryIndex,
    /// The path relative to it.
    pub path: String,
}

/// Keeps a file's bytes in place until dropped, from any shard.
#[derive(Debug)]
pub struct FileLease(FileName);

impl FileLease {
    /// The leased file.
    pub fn file(&self) -> &FileName {
        &self.0
    }
}

impl Clone for FileLease {
    fn clone(&self) -> Self {
        self.0.lease()
    }
}

impl Drop for FileLease {
    fn drop(&mut self) {
        let before = self.0.0.leases.fetch_sub(1, Ordering::Release);
        assert!(before > 0, "a lease was returned twice: {:?}", self.0);
    }
}

/// A range of a file to be sent to a reader, with the lease that keeps it in place. All its bytes
/// are written (their write completed) and lie below the file's end.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The file.
    pub file: FileName,
    /// First byte.
    pub position: u64,
    /// Bytes.
    pub len: u32,
    /// Drop it when the socket has drained past the range.
    pub lease: FileLease,
}
