//! A deterministic disk in memory that models what real ones do to unsynced data.
//!
//! Faults modelled: any subset of unsynced writes lost, reordered or torn at 512-byte sectors; a
//! file's new length lost or kept without its bytes (zeros); creations, renames and removals lost
//! until their directory is synced; operations completing in any order; any operation failing with
//! a chosen error; the machine switched off after a chosen number of operations. Not modelled: bit
//! rot (tests flip bits themselves through [`MemoryDisk::poke`]).
//!
//! One disk serves both interfaces: [`MemoryDisk::submit`] and [`MemoryDisk::step`] for shards, and
//! [`BlockingDisk`](super::BlockingDisk) for recovery.

mod blocking;
mod crash;
mod node;

use std::{cell::RefCell, collections::BTreeMap};

use self::node::Node;
use super::{
    Completion, ControlOp, DiskError, DiskErrorKind, DiskOp, DiskOut, DiskOutput, OpKey, Work,
};
use crate::base::DirectoryIndex;

pub use crash::Crash;

/// See the module.
#[derive(Debug)]
pub struct MemoryDisk {
    state: RefCell<State>,
}

/// A source of choices below a bound; tests pass a seeded generator.
pub type Choose<'a> = &'a mut dyn FnMut(u32) -> u32;

type Path = (u16, String);

#[derive(Debug, Default)]
struct State {
    directory_count: usize,
    /// Inodes by number; those without a name in either map are garbage.
    nodes: Vec<Node>,
    /// Names as running programs see them.
    names: BTreeMap<Path, Entry>,
    /// Name changes not yet covered by a directory sync, oldest first.
    unsynced_names: Vec<NameChange>,
    /// Names as of the last directory syncs.
    durable_names: BTreeMap<Path, Entry>,
    in_flight: Vec<InFlight>,
    operations: u64,
    power_off_at: Option<u64>,
    fail: Option<(u64, i32)>,
    /// Writes and syncs of files below this path fail.
    broken: Option<Path>,
    space_left: Option<u64>,
    /// What every file says of its last change.
    modified_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    File(usize),
}

#[derive(Clone, Debug)]
struct NameChange {
    path: Path,
    /// `None` removes the name.
    entry: Option<Entry>,
    /// The rest of a rename; all of it happens or nothing.
    also: Vec<(Path, Option<Entry>)>,
}

#[derive(Debug)]
struct InFlight {
    key: OpKey,
    op: DiskOp,
    /// For a sync: the newest change of the file that it covers.
    covers: u64,
}

impl MemoryDisk {
    /// An empty disk with that many log directories.
    pub fn new(directory_count: usize) -> Self {
        let state = State {
            directory_count,
            modified_ms: i64::MAX,
            ..State::default()
        };
        Self {
            state: RefCell::new(state),
        }
    }

    /// Takes the queued operations.
    pub fn submit(&self, out: &mut DiskOut) {
        let state = &mut *self.state.borrow_mut();
        for (key, op) in out.drain() {
            let covers = match &op {
                DiskOp::Sync { file } => state.newest_change(file.directory(), file.path()),
                _ => 0,
            };
            state.in_flight.push(InFlight { key, op, covers });
        }
    }

    /// Operations submitted and not yet completed.
    pub fn in_flight(&self) -> usize {
        self.state.borrow().in_flight.len()
    }

    /// Completes one operation in flight, chosen by `choose`; `None` when there is none or the
    /// machine is off.
    pub fn step(&self, choose: Choose<'_>) -> Option<Completion> {
        let state = &mut *self.state.borrow_mut();
        if state.in_flight.is_empty() || state.is_off() {
            return None;
        }
        let index = choose(state.in_flight.len() as u32) as usize;
        let InFlight { key, op, covers } = state.in_flight.remove(index);
        let result = state.carry_out(op, covers);
        if state.is_off() {
            return None;
        }
        Some(Completion { key, result })
    }

    /// Operations carried out so far, on both interfaces.
    pub fn operations(&self) -> u64 {
        self.state.borrow().operations
    }

    /// Switches the machine off when that many operations have been carried out: from then on
    /// nothing changes and blocking calls fail.
    pub fn power_off_at(&self, operations: u64) {
        self.state.borrow_mut().power_off_at = Some(operations);
    }

    /// Whether the machine is off.
    pub fn is_off(&self) -> bool {
        self.state.borrow().is_off()
    }

    /// Lets the operation of that number (counted from 1) fail with `errno`, without effect.
    pub fn fail_operation(&self, number: u64, errno: i32) {
        self.state.borrow_mut().fail = Some((number, errno));
    }

    /// From now on writes and syncs of files whose path begins like this fail with EIO, whole and
    /// without effect; the next process finds the disk mended.
    pub fn break_below(&self, directory: DirectoryIndex, path: &str) {
        self.state.borrow_mut().broken = Some(key_of(directory, path));
    }

    /// What every file says of its last change from now on; until then it is never long ago.
    pub fn set_modified(&self, at_ms: i64) {
        self.state.borrow_mut().modified_ms = at_ms;
    }

    /// Limits the bytes that may still be taken: by `Allocate`, which counts them, and by new names
    /// and what control operations write, which need some; `None` lifts the limit.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.state.borrow_mut().space_left = bytes;
    }

    /// Changes bytes behind everyone's back, durably: bit rot, stale sectors.
    pub fn poke(&self, directory: DirectoryIndex, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let state = &mut *self.state.borrow_mut();
        let Some(Entry::File(node)) = state.names.get(&key_of(directory, path)).copied() else {
            return;
        };
        state.nodes[node].rot(change);
    }

    /// A file's bytes as running programs see them.
    pub fn contents(&self, directory: DirectoryIndex, path: &str) -> Option<Vec<u8>> {
        let state = self.state.borrow();
        match state.names.get(&key_of(directory, path)) {
            Some(Entry::File(node)) => Some(state.nodes[*node].bytes().to_vec()),
            _ => None,
        }
    }

    /// The paths of all files of a log directory.
    pub fn files(&self, directory: DirectoryIndex) -> Vec<String> {
        let state = self.state.borrow();
        let files = state
            .names
            .iter()
            .filter(|((index, _), entry)| *index == directory.0 && matches!(entry, Entry::File(_)));
        files.map(|((_, path), _)| path.clone()).collect()
    }
}

impl State {
    fn is_off(&self) -> bool {
        self.power_off_at.is_some_and(|at| self.operations >= at)
    }

    fn newest_change(&self, directory: DirectoryIndex, path: &str) -> u64 {
        match self.names.get(&key_of(directory, path)) {
            Some(Entry::File(node)) => self.nodes[*node].newest_change(),
            _ => 0,
        }
    }

    /// Counts an operation and says whether it may go on.
    fn begin(&mut self, operation: &'static str, path: &str) -> Result<(), DiskError> {
        if self.is_off() {
            return Err(DiskError::of(DiskErrorKind::PoweredOff, operation, path));
        }
        self.operations += 1;
        if let Some((number, errno)) = self.fail
            && number == self.operations
        {
            return Err(DiskError::from_errno(errno, operation, path));
        }
        if self.is_off() {
            return Err(DiskError::of(DiskErrorKind::PoweredOff, operation, path));
        }
        Ok(())
    }

    fn file(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        operation: &'static str,
    ) -> Result<&mut Node, DiskError> {
        self.begin(operation, path)?;
        let is_change = matches!(operation, "write" | "sync");
        let is_below = |(index, below): &Path| *index == directory.0 && path.starts_with(below);
        if is_change && self.broken.as_ref().is_some_and(is_below) {
            return Err(DiskError::from_errno(EIO, operation, path));
        }
        match self.names.get(&key_of(directory, path)) {
            Some(Entry::File(node)) => Ok(&mut self.nodes[*node]),
            _ => Err(DiskError::of(DiskErrorKind::NotFound, operation, path)),
        }
    }

    fn carry_out(&mut self, op: DiskOp, covers: u64) -> Result<DiskOutput, DiskError> {
        match op {
            DiskOp::Write {
                file,
                position,
                parts,
            } => {
                let bytes = joined(&parts);
                self.file(file.directory(), file.path(), "write")?
                    .write(position, bytes);
            }
            DiskOp::Sync { file } => {
                self.file(file.directory(), file.path(), "sync")?
                    .sync(covers);
            }
            DiskOp::Allocate { file, len, .. } => {
                self.file(file.directory(), file.path(), "allocate")?;
                match &mut self.space_left {
                    Some(left) if *left < len => {
                        return Err(DiskError::from_errno(ENOSPC, "allocate", file.path()));
                    }
                    Some(left) => *left -= len,
                    None => {}
                }
            }
            DiskOp::Read {
                file,
                position,
                len,
                mut into,
                direct: _,
            } => {
                let node = self.file(file.directory(), file.path(), "read")?;
                let bytes = node.bytes();
                let start = (position as usize).min(bytes.len());
                let end = (start + len as usize).min(bytes.len());
                let from = into.len();
                into.append(&bytes[start..end]);
                return Ok(DiskOutput::Bytes(into.slice(from..into.len())));
            }
            DiskOp::ReadAhead { file, .. } => {
                self.file(file.directory(), file.path(), "read ahead")?;
            }
            DiskOp::Control(op) => self.control(*op, true)?,
        }
        Ok(DiskOutput::Done)
    }

    /// Carries a control operation out; durably, as it says, unless `is_durable` forbids that.
    fn control(&mut self, op: ControlOp, is_durable: bool) -> Result<(), DiskError> {
        match op {
            ControlOp::CreateDirectory { directory, path } => {
                self.create(directory, &path, true)?;
            }
            ControlOp::ClaimFolder {
                directory,
                path,
                sign,
            } => self.claim_folder(directory, &path, sign, is_durable)?,
            ControlOp::CreateFile { file } => self.create(file.directory(), file.path(), false)?,
            ControlOp::CreateZeroed { file, len } => {
                let (directory, path) = (file.directory(), file.path());
                self.create(directory, path, false)?;
                self.write_small(directory, path, 0, vec![0; len as usize])?;
                self.sync_file(directory, path, is_durable)?;
                self.sync_directory(directory, super::parent_of(path))?;
            }
            ControlOp::Truncate { file, len } => {
                let (directory, path) = (file.directory(), file.path());
                self.file(directory, path, "truncate")?.truncate(len);
                self.sync_file(directory, path, is_durable)?;
            }
            ControlOp::Rename {
                directory,
                from,
                to,
            } => match self.rename(directory, &from, &to) {
                Err(error) if error.kind == DiskErrorKind::NotFound => {}
                result => result?,
            },
            ControlOp::Remove { file } => self.remove(file.directory(), file.path())?,
            ControlOp::RemoveTree { directory, path } => self.remove_tree(directory, &path)?,
            ControlOp::SyncDirectory { directory, path } if is_durable => {
                self.sync_directory(directory, &path)?;
            }
            ControlOp::SyncDirectory { .. } => {}
            ControlOp::SyncAll { directory } => self.sync_all(directory)?,
            ControlOp::WriteWhole {
                directory,
                path,
                bytes,
            } => {
                self.write_whole(directory, &path, bytes, is_durable)?;
            }
            ControlOp::Patch {
                file,
                position,
                bytes,
                len,
            } => {
                let (directory, path) = (file.directory(), file.path());
                self.create(directory, path, false)?;
                self.write_small(directory, path, position, bytes)?;
                self.file(directory, path, "truncate")?.truncate(len);
                self.sync_file(directory, path, is_durable)?;
            }
            ControlOp::Work(work) => self.work(&work)?,
            ControlOp::Unsynced(ops) => {
                ops.into_iter().try_for_each(|op| self.control(op, false))?;
            }
            ControlOp::Sequence(ops) => {
                ops.into_iter()
                    .try_for_each(|op| self.control(op, is_durable))?;
            }
        }
        Ok(())
    }

    /// The work sees the disk through the blocking interface.
    fn work(&mut self, work: &Work) -> Result<(), DiskError> {
        let disk = MemoryDisk {
            state: RefCell::new(std::mem::take(self)),
        };
        let result = work.run(&disk);
        *self = disk.state.into_inner();
        result
    }

    fn claim_folder(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        (name, metadata): (&str, Vec<u8>),
        is_durable: bool,
    ) -> Result<(), DiskError> {
        self.create(directory, path, true)?;
        let file = format!("{path}/{name}");
        let found = match self.names.get(&key_of(directory, &file)) {
            Some(Entry::File(node)) => self.nodes[*node].bytes(),
            _ => &[],
        };
        if found == metadata {
            return Ok(());
        }
        if crate::disk::blocking::is_others(found, &metadata) {
            let kind = DiskErrorKind::Taken;
            return Err(DiskError::of(kind, "make a folder", path));
        }
        self.write_whole(directory, &file, metadata, is_durable)
    }

    /// Writes what was not allocated before.
    fn write_small(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: Vec<u8>,
    ) -> Result<(), DiskError> {
        self.check_space("write", path)?;
        self.file(directory, path, "write")?.write(position, bytes);
        Ok(())
    }

    fn check_space(&self, operation: &'static str, path: &str) -> Result<(), DiskError> {
        match self.space_left {
            Some(left) if left < SMALL_BYTES => Err(DiskError::from_errno(ENOSPC, operation, path)),
            _ => Ok(()),
        }
    }

    fn sync_file(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        is_durable: bool,
    ) -> Result<(), DiskError> {
        if is_durable {
            self.file(directory, path, "sync")?.sync(u64::MAX);
        }
        Ok(())
    }

    fn write_whole(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        bytes: Vec<u8>,
        is_durable: bool,
    ) -> Result<(), DiskError> {
        let temporary = format!("{path}.tmp");
        self.create(directory, &temporary, false)?;
        self.file(directory, &temporary, "truncate")?.truncate(0);
        self.write_small(directory, &temporary, 0, bytes)?;
        self.sync_file(directory, &temporary, is_durable)?;
        self.rename(directory, &temporary, path)?;
        if is_durable {
            self.sync_directory(directory, super::parent_of(path))?;
        }
        Ok(())
    }

    fn sync_all(&mut self, directory: DirectoryIndex) -> Result<(), DiskError> {
        self.begin("sync all", "")?;
        for (_, entry) in self.names.range((directory.0, String::new())..) {
            if let Entry::File(node) = entry {
                self.nodes[*node].sync(u64::MAX);
            }
        }
        for change in std::mem::take(&mut self.unsynced_names) {
            apply_names(&mut self.durable_names, &change);
        }
        Ok(())
    }

    fn create(
        &mut self,
        directory: DirectoryIndex,
        path: &str,
        is_directory: bool,
    ) -> Result<(), DiskError> {
        self.begin("create", path)?;
        let key = key_of(directory, path);
        let parent = super::parent_of(path);
        if !parent.is_empty() && !self.names.contains_key(&key_of(directory, parent)) {
            return Err(DiskError::of(DiskErrorKind::NotFound, "create", path));
        }
        if self.names.contains_key(&key) {
            return Ok(());
        }
        self.check_space("create", path)?;
        let entry = if is_directory {
            Entry::Directory
        } else {
            self.nodes.push(Node::default());
            Entry::File(self.nodes.len() - 1)
        };
        self.change_name(NameChange {
            path: key,
            entry: Some(entry),
            also: Vec::new(),
        });
        Ok(())
    }

    fn rename(&mut self, directory: DirectoryIndex, from: &str, to: &str) -> Result<(), DiskError> {
        self.begin("rename", from)?;
        let (from_key, to_key) = (key_of(directory, from), key_of(directory, to));
        let Some(entry) = self.names.get(&from_key).copied() else {
            return Err(DiskError::of(DiskErrorKind::NotFound, "rename", from));
        };
        let also = vec![(from_key, None)];
        if entry == Entry::Directory {
            self.rename_unsynced(directory, from, to);
        }
        self.change_name(NameChange {
            path: to_key,
            entry: Some(entry),
            also,
        });
        Ok(())
    }

    /// Unsynced changes in a folder are the folder's, whatever it is called: they follow.
    fn rename_unsynced(&mut self, directory: DirectoryIndex, from: &str, to: &str) {
        let from = key_of(directory, from);
        for change in &mut self.unsynced_names {
            let paths = change.also.iter_mut().map(|(path, _)| path);
            for path in paths.chain([&mut change.path]) {
                if let Some(path_now) = moved(path, &from, to) {
                    *path = path_now;
                }
            }
        }
    }

    fn remove(&mut self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.begin("remove", path)?;
        let key = key_of(directory, path);
        if self.names.contains_key(&key) {
            self.change_name(NameChange {
                path: key,
                entry: None,
                also: Vec::new(),
            });
        }
        Ok(())
    }

    fn remove_tree(&mut self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        let inside = format!("{path}/");
        let below: Vec<String> = self
            .names
            .keys()
            .filter(|(index, name)| *index == directory.0 && name.starts_with(&inside))
            .map(|(_, name)| name.clone())
            .collect();
        for name in below.iter().rev() {
            self.remove(directory, name)?;
        }
        self.remove(directory, path)
    }

    fn sync_directory(&mut self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.begin("sync directory", path)?;
        let mut later = Vec::new();
        for change in std::mem::take(&mut self.unsynced_names) {
            let here = change.path.0 == directory.0 && super::parent_of(&change.path.1) == path;
            if here {
                apply_names(&mut self.durable_names, &change);
            } else {
                later.push(change);
            }
        }
        self.unsynced_names = later;
        Ok(())
    }

    fn change_name(&mut self, change: NameChange) {
        apply_names(&mut self.names, &change);
        self.unsynced_names.push(change);
    }
}

fn apply_names(names: &mut BTreeMap<Path, Entry>, change: &NameChange) {
    if let (Some(Entry::Directory), [(from, None)]) = (change.entry, &change.also[..]) {
        // What is in a folder goes with it, known by the name that is durable or a newer one.
        let inside = names.keys().filter_map(|path| {
            let path_now = moved(path, from, &change.path.1)?;
            Some((path.clone(), path_now))
        });
        for (path, path_now) in inside.collect::<Vec<_>>() {
            if let Some(entry) = names.remove(&path) {
                names.insert(path_now, entry);
            }
        }
    }
    for (path, entry) in &change.also {
        set_name(names, path, *entry);
    }
    set_name(names, &change.path, change.entry);
}

/// The path of something in the folder `from` when that is called `to`.
fn moved(path: &Path, from: &Path, to: &str) -> Option<Path> {
    let rest = path.1.strip_prefix(&from.1)?.strip_prefix('/')?;
    (path.0 == from.0).then(|| (path.0, format!("{to}/{rest}")))
}

fn set_name(names: &mut BTreeMap<Path, Entry>, path: &Path, entry: Option<Entry>) {
    match entry {
        Some(entry) => names.insert(path.clone(), entry),
        None => names.remove(path),
    };
}

fn key_of(directory: DirectoryIndex, path: &str) -> Path {
    (directory.0, path.to_owned())
}

fn joined(parts: &crate::sys::region::Slices) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts.iter() {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The same on every Linux.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// Where less is left nothing new is made.
const SMALL_BYTES: u64 = 4096;

#[cfg(test)]
mod tests;
