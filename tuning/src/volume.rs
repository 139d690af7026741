//! Facts about the place where a data directory lies: file system, device, direct I/O, space.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::mounts;
use crate::quantity::Bytes;
use crate::sys::{self, DirectAlignment};
use crate::tree::Tree;

/// What is known about a data directory's volume; `None` means that it could not be found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// The data directory that was asked about.
    pub path: PathBuf,
    /// Where the facts were taken: `path`, or its nearest ancestor that is there.
    pub examined: PathBuf,
    /// Type of the file system, such as `ext4`.
    pub file_system: Option<String>,
    /// Options of the mount and its super block.
    pub mount_options: Vec<String>,
    /// The block device below, `None` for tmpfs, network and stacked file systems.
    pub device: Option<Device>,
    /// What direct I/O needs here; `None` when the file system refuses it, or when no file
    /// could be made (see `refusal`).
    pub direct_io: Option<Alignment>,
    /// Why no file could be made here, when that is so.
    pub refusal: Option<String>,
    /// Size of the file system, bytes.
    pub total_bytes: Option<u64>,
    /// Free space for an ordinary user, bytes.
    pub free_bytes: Option<u64>,
}

/// The alignment that direct I/O needs, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Alignment {
    /// Of the buffer's address.
    pub memory: u32,
    /// Of the position in the file and of the length.
    pub offset: u32,
    /// Whether the kernel said so (`STATX_DIOALIGN`, 6.1); else it is the safe 4096.
    pub reported: bool,
}

/// A block device, as `/sys/block/NAME/queue` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// The whole disk's name, such as `nvme0n1`.
    pub name: String,
    /// Whether the kernel takes the device for one with a volatile write cache.
    pub write_cache: Option<WriteCache>,
    /// The I/O scheduler in use.
    pub scheduler: Option<String>,
    /// Whether the device says that it rotates. Virtual disks often do without reason.
    pub rotational: Option<bool>,
    /// Smallest unit the device addresses, bytes.
    pub logical_block_bytes: Option<u32>,
    /// Smallest unit the device writes without reading first, bytes.
    pub physical_block_bytes: Option<u32>,
}

/// `queue/write_cache` of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteCache {
    /// Volatile cache: each sync sends a flush to the device.
    WriteBack,
    /// No volatile cache, says the device: a sync sends no flush.
    WriteThrough,
}

impl Volume {
    /// Reads all facts. Makes one unnamed scratch file for a moment to ask about direct I/O.
    /// A directory that is not there yet is judged by its nearest ancestor.
    pub fn inspect(path: &Path) -> Volume {
        Volume::read(&Tree::host(), path)
    }

    pub(crate) fn read(tree: &Tree, path: &Path) -> Volume {
        let examined = nearest_existing(path);
        let table = mounts::parse(&tree.text("/proc/self/mountinfo").unwrap_or_default());
        let mount = mounts::serving(&table, &examined);
        let space = sys::space(&examined).ok();
        let mut volume = Volume {
            path: path.to_owned(),
            device: device(tree, &examined, mount.map(|mount| mount.source.as_str())),
            file_system: mount.map(|mount| mount.file_system.clone()),
            mount_options: mount.map(|mount| mount.options.clone()).unwrap_or_default(),
            direct_io: None,
            refusal: None,
            total_bytes: space.map(|space| space.total),
            free_bytes: space.map(|space| space.free),
            examined,
        };
        match direct_io(&volume.examined) {
            Ok(alignment) => volume.direct_io = alignment.filter(|_| !volume.is_in_memory()),
            Err(error) => volume.refusal = Some(error.to_string()),
        }
        volume
    }

    /// Whether the files live in memory only. Since 6.6 tmpfs takes `O_DIRECT` without effect.
    pub fn is_in_memory(&self) -> bool {
        self.file_system
            .as_deref()
            .is_some_and(|name| matches!(name, "tmpfs" | "ramfs"))
    }
}

/// One line for a log: `/data: ext4 on vda, direct I/O 512/512, 78 GiB free of 252 GiB`.
impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file_system = self.file_system.as_deref().unwrap_or("unknown file system");
        write!(f, "{}: {file_system}", self.path.display())?;
        if let Some(device) = &self.device {
            write!(f, " on {}", device.name)?;
        }
        match self.direct_io {
            Some(Alignment { memory, offset, .. }) => write!(f, ", direct I/O {memory}/{offset}")?,
            None => f.write_str(", no direct I/O")?,
        }
        match (self.free_bytes, self.total_bytes) {
            (Some(free), Some(total)) => write!(f, ", {} free of {}", Bytes(free), Bytes(total)),
            _ => Ok(()),
        }
    }
}

fn nearest_existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute
        .ancestors()
        .find_map(|folder| fs::canonicalize(folder).ok());
    found.unwrap_or_else(|| PathBuf::from("/"))
}

/// The device by its number; a file system with a number of its own (btrfs) by what was mounted.
fn device(tree: &Tree, path: &Path, source: Option<&str>) -> Option<Device> {
    let number = fs::metadata(path).ok()?.dev();
    let (major, minor) = (libc::major(number), libc::minor(number));
    let by_number = tree.resolve(format!("/sys/dev/block/{major}:{minor}"));
    let by_name = || {
        let resolved = fs::canonicalize(source?).ok()?;
        let name = resolved.file_name()?.to_str()?;
        tree.resolve(Path::new("/sys/class/block").join(name))
    };
    let folder = by_number.or_else(by_name)?;
    // A partition has no queue of its own: the disk is the folder above.
    let folder = if tree.holds(folder.join("partition")) {
        folder.parent()?
    } else {
        &folder
    };
    let queue = |name: &str| folder.join("queue").join(name);
    Some(Device {
        name: folder.file_name()?.to_str()?.to_owned(),
        write_cache: match tree.text(queue("write_cache"))?.as_str() {
            "write back" => Some(WriteCache::WriteBack),
            "write through" => Some(WriteCache::WriteThrough),
            _ => None,
        },
        scheduler: tree.choice(queue("scheduler")),
        rotational: tree.value::<u32>(queue("rotational")).map(|flag| flag != 0),
        logical_block_bytes: tree.value(queue("logical_block_size")),
        physical_block_bytes: tree.value(queue("physical_block_size")),
    })
}

/// Opens a scratch file with `O_DIRECT` and asks what it needs. `Ok(None)`: refused by the file
/// system; an error: no file could be made at all.
fn direct_io(folder: &Path) -> io::Result<Option<Alignment>> {
    let scratch = match scratch_file(folder, true) {
        Ok(scratch) => scratch,
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match sys::direct_alignment(&scratch) {
        DirectAlignment::Reported(memory, offset) => Some(Alignment {
            memory,
            offset,
            reported: true,
        }),
        DirectAlignment::Unknown => Some(Alignment {
            memory: PAGE_BYTES,
            offset: PAGE_BYTES,
            reported: false,
        }),
        DirectAlignment::Refused => None,
    })
}

/// A file that has no name, or has it no longer, so that it vanishes when it is closed.
pub(crate) fn scratch_file(folder: &Path, is_direct: bool) -> io::Result<File> {
    let flags = if is_direct { libc::O_DIRECT } else { 0 };
    match unnamed_file(folder, flags) {
        Err(error) if lacks_unnamed_files(&error) => named_file(folder, flags),
        opened => opened,
    }
}

/// A file without a name (`O_TMPFILE`): nothing is left behind, even by a crash.
fn unnamed_file(folder: &Path, flags: i32) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE | flags)
        .open(folder)
}

/// For file systems without unnamed files. The name is removed whether the open worked or not:
/// some refuse `O_DIRECT` after they have made the file.
fn named_file(folder: &Path, flags: i32) -> io::Result<File> {
    let path = folder.join(format!(".logmill-scratch-{}", std::process::id()));
    let mut options = OpenOptions::new();
    let opened = options
        .read(true)
        .write(true)
        .create_new(true)
        .custom_flags(flags)
        .open(&path);
    let taken = opened
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists);
    if !taken {
        let _ = fs::remove_file(&path);
    }
    opened
}

fn lacks_unnamed_files(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    errno.is_some_and(|errno| matches!(errno, libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL))
}

/// What every device in use takes when the kernel does not say.
const PAGE_BYTES: u32 = 4096;

#[cfg(test)]
mod tests;
