//! A bounded cache of open descriptors, by file identity.

use std::{
    collections::HashMap,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use super::directory::LogDirectories;
use crate::{
    base::DirectoryIndex,
    disk::{DiskError, FileId, FileName},
    sys,
};

/// Opens files on demand and keeps at most `limit` descriptors; which one goes is decided by the
/// clock algorithm (one pass spares what was used since the last). A descriptor that someone still
/// holds stays open until they drop it, so the process may have a few more open than `limit`.
#[derive(Debug)]
pub(super) struct Descriptors {
    directories: LogDirectories,
    index: HashMap<(FileId, Mode), usize>,
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    hand: usize,
    limit: usize,
    /// As if no name were in memory.
    #[cfg(test)]
    pub(super) is_cold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// Past the page cache.
    Direct,
    /// Through the page cache.
    Buffered,
}

#[derive(Debug)]
struct Entry {
    file: FileName,
    mode: Mode,
    descriptor: Arc<OwnedFd>,
    used: bool,
}

impl Descriptors {
    pub(super) fn new(directories: LogDirectories, limit: usize) -> Self {
        assert!(limit > 0, "a cache of descriptors holds at least one");
        Self {
            directories,
            index: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hand: 0,
            limit,
            #[cfg(test)]
            is_cold: false,
        }
    }

    pub(super) fn directories(&self) -> &LogDirectories {
        &self.directories
    }

    /// The file's descriptor, opened if that needs no disk; else `None`: [`Self::insert`] it then.
    /// Files are never created here.
    pub(super) fn open(
        &mut self,
        file: &FileName,
        mode: Mode,
    ) -> Result<Option<Arc<OwnedFd>>, DiskError> {
        if let Some(&place) = self.index.get(&(file.id(), mode)) {
            let entry = self.entries[place]
                .as_mut()
                .expect("the index names entries that are");
            entry.used = true;
            return Ok(Some(Arc::clone(&entry.descriptor)));
        }
        #[cfg(test)]
        if self.is_cold {
            return Ok(None);
        }
        let opened =
            self.directories
                .open_cached(file.directory(), file.path(), mode == Mode::Direct)?;
        Ok(opened.map(|opened| self.insert(file, mode, opened)))
    }

    /// Keeps a descriptor that was opened elsewhere.
    pub(super) fn insert(&mut self, file: &FileName, mode: Mode, opened: OwnedFd) -> Arc<OwnedFd> {
        if let Some(&place) = self.index.get(&(file.id(), mode)) {
            // Two operations wanted it at the same time.
            self.remove(place);
        }
        let descriptor = Arc::new(opened);
        if self.index.len() >= self.limit {
            self.evict();
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        self.index.insert((file.id(), mode), place);
        let kept = Arc::clone(&descriptor);
        self.entries[place] = Some(Entry {
            file: file.clone(),
            mode,
            descriptor: kept,
            used: false,
        });
        descriptor
    }

    /// Closes a file's descriptors, because it is gone.
    pub(super) fn forget(&mut self, file: FileId) {
        for mode in [Mode::Direct, Mode::Buffered] {
            if let Some(place) = self.index.remove(&(file, mode)) {
                self.entries[place] = None;
                self.free.push(place);
            }
        }
    }

    /// Closes the descriptors of a file, or of all files below a directory, because it is gone.
    pub(super) fn forget_below(&mut self, directory: DirectoryIndex, path: &str) {
        for place in 0..self.entries.len() {
            let below = self.entries[place].as_ref().is_some_and(|entry| {
                let rest = entry.file.path().strip_prefix(path);
                entry.file.directory() == directory
                    && rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
            });
            if below {
                self.remove(place);
            }
        }
    }

    fn evict(&mut self) {
        // The second pass finds every entry unused, so two passes suffice.
        for _ in 0..2 * self.entries.len() {
            self.hand = (self.hand + 1) % self.entries.len();
            match &mut self.entries[self.hand] {
                Some(entry) if entry.used => entry.used = false,
                Some(_) => return self.remove(self.hand),
                None => {}
            }
        }
    }

    fn remove(&mut self, place: usize) {
        if let Some(entry) = self.entries[place].take() {
            self.index.remove(&(entry.file.id(), entry.mode));
            self.free.push(place);
        }
    }
}

/// How many bytes from `position` on are in the page cache, up to `len`, as far as samples every
/// 16 KiB can tell: reading them will not block.
pub fn resident_bytes(file: &OwnedFd, position: u64, len: u64) -> u64 {
    let mut known = 0;
    while known < len {
        if !sys::file::is_resident(file.as_fd(), position + known) {
            return known;
        }
        known += SAMPLE_BYTES;
    }
    match sys::file::is_resident(file.as_fd(), position + len - 1) {
        true => len,
        false => len.saturating_sub(SAMPLE_BYTES),
    }
}

const SAMPLE_BYTES: u64 = 16 * 1024;
