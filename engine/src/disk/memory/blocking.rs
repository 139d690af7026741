//! The blocking interface of the memory disk.

use super::{Entry, MemoryDisk, key_of};
use crate::{
    base::DirectoryIndex,
    disk::{BlockingDisk, DiskError, DiskErrorKind, Listed, parent_of},
};

impl BlockingDisk for MemoryDisk {
    fn directory_count(&self) -> usize {
        self.state.borrow().directory_count
    }

    fn list(&self, directory: DirectoryIndex, path: &str) -> Result<Vec<Listed>, DiskError> {
        let state = &mut *self.state.borrow_mut();
        state.begin("list", path)?;
        if !path.is_empty() && !state.names.contains_key(&key_of(directory, path)) {
            return Err(DiskError::of(DiskErrorKind::NotFound, "list", path));
        }
        let mut listed = Vec::new();
        for ((index, name), entry) in &state.names {
            if *index != directory.0 || parent_of(name) != path {
                continue;
            }
            let own = name.rsplit('/').next().unwrap_or(name).to_owned();
            listed.push(match entry {
                Entry::Directory => Listed {
                    name: own,
                    is_directory: true,
                    len: 0,
                },
                Entry::File(node) => {
                    let len = state.nodes[*node].bytes().len() as u64;
                    Listed {
                        name: own,
                        is_directory: false,
                        len,
                    }
                }
            });
        }
        Ok(listed)
    }

    fn len(&self, directory: DirectoryIndex, path: &str) -> Result<Option<u64>, DiskError> {
        let state = &mut *self.state.borrow_mut();
        state.begin("stat", path)?;
        Ok(match state.names.get(&key_of(directory, path)) {
            Some(Entry::File(node)) => Some(state.nodes[*node].bytes().len() as u64),
            _ => None,
        })
    }

    fn modified_ms(&self, directory: DirectoryIndex, path: &str) -> Result<Option<i64>, DiskError> {
        let state = &mut *self.state.borrow_mut();
        state.begin("stat", path)?;
        let is_file = matches!(
            state.names.get(&key_of(directory, path)),
            Some(Entry::File(_))
        );
        Ok(is_file.then_some(state.modified_ms))
    }

    fn read_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        into: &mut [u8],
    ) -> Result<usize, DiskError> {
        let state = &mut *self.state.borrow_mut();
        let bytes = state.file(directory, path, "read")?.bytes();
        let start = (position as usize).min(bytes.len());
        let len = into.len().min(bytes.len() - start);
        into[..len].copy_from_slice(&bytes[start..start + len]);
        Ok(len)
    }

    fn create_file(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().create(directory, path, false)
    }

    fn write_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        let state = &mut *self.state.borrow_mut();
        state
            .file(directory, path, "write")?
            .write(position, bytes.to_vec());
        Ok(())
    }

    fn truncate(&self, directory: DirectoryIndex, path: &str, len: u64) -> Result<(), DiskError> {
        self.state
            .borrow_mut()
            .file(directory, path, "truncate")?
            .truncate(len);
        Ok(())
    }

    fn sync(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state
            .borrow_mut()
            .file(directory, path, "sync")?
            .sync(u64::MAX);
        Ok(())
    }

    fn rename(&self, directory: DirectoryIndex, from: &str, to: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().rename(directory, from, to)
    }

    fn remove(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().remove(directory, path)
    }

    fn create_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().create(directory, path, true)
    }

    fn remove_tree(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().remove_tree(directory, path)
    }

    fn sync_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.state.borrow_mut().sync_directory(directory, path)
    }

    fn sync_all(&self, directory: DirectoryIndex) -> Result<(), DiskError> {
        self.state.borrow_mut().sync_all(directory)
    }
}
