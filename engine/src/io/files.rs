//! Blocking files over the standard library, for start, recovery and the end of a stop.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsFd, unix::fs::FileExt},
    time::SystemTime,
};

use super::directory::{LogDirectories, failed};
use crate::{
    base::DirectoryIndex,
    disk::{BlockingDisk, DiskError, Listed},
    sys,
};

/// Blocking files in the log directories. Opens a file per call: nothing stays open.
#[derive(Clone, Debug)]
pub struct Files {
    directories: LogDirectories,
}

impl Files {
    /// Files in these directories.
    pub fn new(directories: LogDirectories) -> Self {
        Self { directories }
    }

    /// The directories.
    pub fn directories(&self) -> &LogDirectories {
        &self.directories
    }

    fn run<T>(
        &self,
        directory: DirectoryIndex,
        path: &str,
        operation: &'static str,
        act: impl FnOnce(&std::path::Path) -> io::Result<T>,
    ) -> Result<T, DiskError> {
        act(&self.directories.join(directory, path)).map_err(|e| failed(&e, operation, path))
    }
}

impl BlockingDisk for Files {
    fn directory_count(&self) -> usize {
        self.directories.len()
    }

    fn list(&self, directory: DirectoryIndex, path: &str) -> Result<Vec<Listed>, DiskError> {
        self.run(directory, path, "list", |path| {
            let mut listed = Vec::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let found = entry.metadata()?;
                let is_directory = found.is_dir();
                listed.push(Listed {
                    // A name that is no UTF-8 is none of ours; it stays visible, altered.
                    name: entry.file_name().to_string_lossy().into_owned(),
                    is_directory,
                    len: if is_directory { 0 } else { found.len() },
                });
            }
            Ok(listed)
        })
    }

    fn len(&self, directory: DirectoryIndex, path: &str) -> Result<Option<u64>, DiskError> {
        self.run(directory, path, "stat", |path| match fs::metadata(path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn modified_ms(&self, directory: DirectoryIndex, path: &str) -> Result<Option<i64>, DiskError> {
        self.run(directory, path, "stat", |path| match fs::metadata(path) {
            Ok(found) => {
                let since = found.modified()?.duration_since(SystemTime::UNIX_EPOCH);
                // A file from before the epoch is as old as any.
                let millis = since.unwrap_or_default().as_millis();
                Ok(Some(i64::try_from(millis).unwrap_or(i64::MAX)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn read_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        into: &mut [u8],
    ) -> Result<usize, DiskError> {
        self.run(directory, path, "read", |path| {
            let file = File::open(path)?;
            let mut done = 0;
            while done < into.len() {
                match file.read_at(&mut into[done..], position + done as u64) {
                    Ok(0) => break,
                    Ok(count) => done += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(done)
        })
    }

    fn create_file(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "create", |path| {
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .map(drop)
        })
    }

    fn write_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        self.run(directory, path, "write", |path| {
            OpenOptions::new()
                .write(true)
                .open(path)?
                .write_all_at(bytes, position)
        })
    }

    fn patch(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
        len: u64,
    ) -> Result<(), DiskError> {
        self.run(directory, path, "write", |path| {
            let mut options = OpenOptions::new();
            let file = options
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            file.write_all_at(bytes, position)?;
            if file.metadata()?.len() != len {
                file.set_len(len)?;
            }
            Ok(())
        })
    }

    fn truncate(&self, directory: DirectoryIndex, path: &str, len: u64) -> Result<(), DiskError> {
        self.run(directory, path, "truncate", |path| {
            OpenOptions::new().write(true).open(path)?.set_len(len)
        })
    }

    fn sync(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "sync", |path| File::open(path)?.sync_all())
    }

    fn rename(&self, directory: DirectoryIndex, from: &str, to: &str) -> Result<(), DiskError> {
        let target = self.directories.join(directory, to);
        self.run(directory, from, "rename", |path| fs::rename(path, target))
    }

    fn remove(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "remove", |path| {
            fine_if_gone(fs::remove_file(path))
        })
    }

    fn create_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "create", |path| {
            match fs::create_dir(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        })
    }

    fn remove_tree(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "remove", |path| {
            fine_if_gone(fs::remove_dir_all(path))
        })
    }

    fn sync_all(&self, directory: DirectoryIndex) -> Result<(), DiskError> {
        self.run(directory, "", "sync all", |path| {
            sys::file::sync_file_system(File::open(path)?.as_fd())
        })
    }

    fn sync_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.run(directory, path, "sync directory", |path| {
            File::open(path)?.sync_all()
        })
    }
}

fn fine_if_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
