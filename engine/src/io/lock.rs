//! One process per log directory, and no write of an earlier one under way.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::sys;

/// A log directory's lock, as Kafka takes it: `.lock` in it (`LogManager.LockFileName`). Cloning
/// shares; it is free when the last clone is dropped, or the process has ended, and every ring that
/// holds it is gone.
///
/// A killed process's descriptors are closed while requests of its ring may still be under way: the
/// kernel takes rings apart later. A lock that is held by descriptors alone would be free
/// before the last write has ended, and recovery would read files that still change. So each
/// [`Ring`](super::Ring) registers the locks of its directories: what is registered is let go of
/// after the ring's last request.
#[derive(Clone, Debug)]
pub struct DirectoryLock(Arc<File>);

impl DirectoryLock {
    /// Takes the lock. `None` if another process has it, and does not end within `patience`.
    pub fn take(directory: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let file = options.open(directory.join(".lock"))?;
        let until = Instant::now() + patience;
        while !sys::file::try_lock(file.as_fd())? {
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(POLL);
        }
        Ok(Some(Self(Arc::new(file))))
    }
}

impl AsFd for DirectoryLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How often a lock that another has is asked for.
const POLL: Duration = Duration::from_millis(5);
