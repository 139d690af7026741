//! What a disk operation can fail with.

use thiserror::Error;

/// A failed disk operation: what was tried, on which path, what the system said.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{operation} of {path}: {kind} (errno {errno})")]
pub struct DiskError {
    /// The class of failure, which decides what it stops.
    pub kind: DiskErrorKind,
    /// The system's error number, 0 when there is none.
    pub errno: i32,
    /// The operation in words, such as `write`.
    pub operation: &'static str,
    /// The path, relative to its log directory.
    pub path: String,
}

/// Classes of failure. Only [`DiskErrorKind::NoSpace`] may be retried, and only by steps that take
/// room: allocations, new files, whole small ones.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DiskErrorKind {
    /// No room, or a quota is used up: ENOSPC, EDQUOT. Never of a sync: what that could not write
    /// is lost, and no room brings it back.
    #[error("no space left")]
    NoSpace,
    /// The file or directory does not exist.
    #[error("not found")]
    NotFound,
    /// The file system or the host refuses the kind of operation: EOPNOTSUPP, EINVAL.
    #[error("not supported")]
    Unsupported,
    /// Another partition's folder is in the way, for now.
    #[error("the folder of another partition of that name is there")]
    Taken,
    /// Fewer bytes are there than were asked for.
    #[error("unexpected end of file")]
    UnexpectedEnd,
    /// The simulated machine is off; only the memory disk says so.
    #[error("the machine is off")]
    PoweredOff,
    /// Anything else: EIO, EROFS, permissions.
    #[error("input/output error")]
    Io,
}

impl DiskError {
    /// An error from a system error number.
    pub fn from_errno(errno: i32, operation: &'static str, path: &str) -> Self {
        let kind = match errno {
            ENOENT => DiskErrorKind::NotFound,
            ENOSPC | EDQUOT if !operation.starts_with("sync") => DiskErrorKind::NoSpace,
            EINVAL | EOPNOTSUPP | ENOSYS => DiskErrorKind::Unsupported,
            _ => DiskErrorKind::Io,
        };
        Self {
            kind,
            errno,
            operation,
            path: path.to_owned(),
        }
    }

    /// An error without a system error number.
    pub fn of(kind: DiskErrorKind, operation: &'static str, path: &str) -> Self {
        Self {
            kind,
            errno: 0,
            operation,
            path: path.to_owned(),
        }
    }

    /// Whether room on the disk would mend it.
    pub fn is_no_space(&self) -> bool {
        self.kind == DiskErrorKind::NoSpace
    }
}

// Linux numbers, the same on every architecture Logmill runs on (asm-generic/errno.h).
const ENOENT: i32 = 2;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const ENOSYS: i32 = 38;
const EOPNOTSUPP: i32 = 95;
const EDQUOT: i32 = 122;
