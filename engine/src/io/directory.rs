//! The log directories of the process and what their file systems give.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use super::lock::DirectoryLock;
use crate::{base::DirectoryIndex, disk::DiskError, sys};

/// The log directories, in the order that gives them their [`DirectoryIndex`]. Cloning shares.
#[derive(Clone, Debug)]
pub struct LogDirectories {
    known: Arc<Vec<(PathBuf, DirectoryFacts)>>,
    locks: Vec<DirectoryLock>,
}

/// What the file system of a log directory gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// Whether writes bypass the page cache. Without it every write is buffered (tmpfs, some
    /// network file systems).
    pub direct_io: bool,
    /// Alignment that direct I/O needs for file positions, in bytes; at least 4096.
    pub alignment: u32,
    /// Bytes free for this process when asked.
    pub free_bytes: u64,
    /// Bytes of the file system in all.
    pub total_bytes: u64,
}

impl LogDirectories {
    /// Probes directories that exist: writes, and removes, a small file in each.
    pub fn probe(paths: &[PathBuf]) -> io::Result<Self> {
        let probe = |path: &PathBuf| Ok((path.clone(), DirectoryFacts::probe(path)?));
        let directories: io::Result<Vec<_>> = paths.iter().map(probe).collect();
        Ok(Self {
            known: Arc::new(directories?),
            locks: Vec::new(),
        })
    }

    /// The same, with their locks: every ring made for them holds these.
    #[must_use]
    pub fn with_locks(self, locks: Vec<DirectoryLock>) -> Self {
        Self { locks, ..self }
    }

    pub(super) fn locks(&self) -> &[DirectoryLock] {
        &self.locks
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What a directory gives.
    pub fn facts(&self, directory: DirectoryIndex) -> &DirectoryFacts {
        &self.known[usize::from(directory.0)].1
    }

    /// A directory's path.
    pub fn path(&self, directory: DirectoryIndex) -> &Path {
        &self.known[usize::from(directory.0)].0
    }

    /// The path of a file in a directory; the empty path is the directory itself.
    pub fn join(&self, directory: DirectoryIndex, path: &str) -> PathBuf {
        match path {
            "" => self.path(directory).to_owned(),
            path => self.path(directory).join(path),
        }
    }

    /// Free bytes of a directory's file system at this moment.
    pub fn free_bytes(&self, directory: DirectoryIndex) -> io::Result<u64> {
        sys::file::space(self.path(directory)).map(|(free, _)| free)
    }

    /// The same without waiting for a disk; `None` if that cannot be.
    pub(super) fn open_cached(
        &self,
        directory: DirectoryIndex,
        path: &str,
        direct: bool,
    ) -> Result<Option<OwnedFd>, DiskError> {
        match sys::file::open_cached(&self.join(directory, path), direct) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let opened = self.open(directory, path, direct)?;
                Ok(Some(OwnedFd::from(opened)))
            }
            Err(error) => Err(failed(&error, "open", path)),
        }
    }

    pub(super) fn open(
        &self,
        directory: DirectoryIndex,
        path: &str,
        direct: bool,
    ) -> Result<File, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if direct {
            options.custom_flags(libc::O_DIRECT);
        }
        options
            .open(self.join(directory, path))
            .map_err(|error| failed(&error, "open", path))
    }
}

impl DirectoryFacts {
    fn probe(path: &Path) -> io::Result<Self> {
        let (free_bytes, total_bytes) = sys::file::space(path)?;
        let name = path.join(format!("logmill-probe-{}", std::process::id()));
        let mut probe = File::create(&name)?;
        let written = probe.write_all(&[0; PAGE as usize]);
        let direct = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_DIRECT)
            .open(&name);
        let aligned = direct
            .ok()
            .and_then(|file| sys::file::direct_alignment(file.as_fd()));
        fs::remove_file(&name)?;
        written?;
        let fits = aligned.filter(|(memory, position)| *memory <= PAGE && *position <= PAGE);
        Ok(Self {
            direct_io: fits.is_some(),
            alignment: PAGE,
            free_bytes,
            total_bytes,
        })
    }
}

pub(super) fn failed(error: &io::Error, operation: &'static str, path: &str) -> DiskError {
    DiskError::from_errno(error.raw_os_error().unwrap_or(0), operation, path)
}

/// Writes are laid out for this alignment; a device that asks for more gets buffered writes.
pub(super) const PAGE: u32 = 4096;
