//! Blocking disk access, for start, recovery and the last steps of a stop. No shard runs meanwhile.

use super::{DiskError, DiskErrorKind};
use crate::base::DirectoryIndex;

/// A directory entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name within its directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Length in bytes; 0 for directories.
    pub len: u64,
}

/// Files by (log directory, relative path); the empty path is the log directory itself.
///
/// Nothing is durable before [`BlockingDisk::sync`] (contents and length) and
/// [`BlockingDisk::sync_directory`] (names).
pub trait BlockingDisk {
    /// How many log directories there are.
    fn directory_count(&self) -> usize;

    /// The entries of a directory, in no order.
    fn list(&self, directory: DirectoryIndex, path: &str) -> Result<Vec<Listed>, DiskError>;

    /// A file's length, `None` if there is no such file.
    fn len(&self, directory: DirectoryIndex, path: &str) -> Result<Option<u64>, DiskError>;

    /// When a file's bytes or length last changed, in milliseconds since the Unix epoch; `None` if
    /// there is no such file.
    fn modified_ms(&self, directory: DirectoryIndex, path: &str) -> Result<Option<i64>, DiskError>;

    /// Reads up to `into.len()` bytes; fewer at the end of the file.
    fn read_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        into: &mut [u8],
    ) -> Result<usize, DiskError>;

    /// Creates an empty file or keeps the one that is there.
    fn create_file(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Writes all of `bytes` at `position` of an existing file.
    fn write_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), DiskError>;

    /// Sets a file's length; what is added reads as zeros.
    fn truncate(&self, directory: DirectoryIndex, path: &str, len: u64) -> Result<(), DiskError>;

    /// Makes a file's bytes and length durable.
    fn sync(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Renames within a log directory; an existing file at `to` is replaced.
    fn rename(&self, directory: DirectoryIndex, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file; fine if it is gone.
    fn remove(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Creates a directory; fine if it is there.
    fn create_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Removes a directory and all in it; fine if it is gone.
    fn remove_tree(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Makes creations, renames and removals in a directory durable.
    fn sync_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError>;

    /// Makes everything in a log directory durable, names and contents.
    fn sync_all(&self, directory: DirectoryIndex) -> Result<(), DiskError>;

    /// A whole file of at most `limit` bytes, `None` if there is no such file. A longer file is an
    /// error before anything of it is read.
    fn read_whole(
        &self,
        directory: DirectoryIndex,
        path: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(len) = self.len(directory, path)? else {
            return Ok(None);
        };
        if len > limit {
            return Err(DiskError::of(
                DiskErrorKind::Unsupported,
                "read beyond its limit",
                path,
            ));
        }
        let mut bytes = vec![0; len as usize];
        let read = self.read_at(directory, path, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Some(bytes))
    }

    /// Replaces a file, not durably.
    fn write_whole_unsynced(
        &self,
        directory: DirectoryIndex,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        let temporary = format!("{path}.tmp");
        self.patch(directory, &temporary, 0, bytes, bytes.len() as u64)?;
        self.rename(directory, &temporary, path)
    }

    /// Writes into a file, created if need be, and sets its length; not durably.
    fn patch(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
        len: u64,
    ) -> Result<(), DiskError> {
        self.create_file(directory, path)?;
        self.write_at(directory, path, position, bytes)?;
        self.truncate(directory, path, len)
    }

    /// See [`ControlOp::ClaimFolder`](super::ControlOp::ClaimFolder).
    fn claim_folder(
        &self,
        directory: DirectoryIndex,
        path: &str,
        sign: (&str, &[u8]),
        is_durable: bool,
    ) -> Result<(), DiskError> {
        self.create_directory(directory, path)?;
        let (name, metadata) = sign;
        let file = format!("{path}/{name}");
        match self.read_whole(directory, &file, SIGN_BYTES_MAX)? {
            Some(found) if found == metadata => Ok(()),
            Some(found) if is_others(&found, metadata) => {
                let kind = DiskErrorKind::Taken;
                Err(DiskError::of(kind, "make a folder", path))
            }
            _ if is_durable => self.write_whole(directory, &file, metadata),
            _ => self.write_whole_unsynced(directory, &file, metadata),
        }
    }

    /// Replaces a file durably: a crash leaves the old content or the new.
    fn write_whole(
        &self,
        directory: DirectoryIndex,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        let temporary = format!("{path}.tmp");
        self.create_file(directory, &temporary)?;
        self.truncate(directory, &temporary, 0)?;
        self.write_at(directory, &temporary, 0, bytes)?;
        self.sync(directory, &temporary)?;
        self.rename(directory, &temporary, path)?;
        self.sync_directory(directory, parent_of(path))
    }
}

/// Whether a sign is another's, and not one that a crash left torn: all are of one length.
pub(super) fn is_others(found: &[u8], own: &[u8]) -> bool {
    found != own && found.len() == own.len() && !found.contains(&0)
}

/// The directory part of a relative path, empty for a name at the top.
pub fn parent_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

/// A longer file is no sign.
const SIGN_BYTES_MAX: u64 = 4096;
