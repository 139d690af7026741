//! The table of mounts, `/proc/self/mountinfo` (proc(5)).

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The folder of the file system that is mounted, `/` unless it is a bind mount.
    pub(crate) root: PathBuf,
    /// Where it is mounted.
    pub(crate) point: PathBuf,
    /// Type, such as `ext4`.
    pub(crate) file_system: String,
    /// Device or name that was mounted, such as `/dev/vda1`.
    pub(crate) source: String,
    /// Options of the mount and of its super block.
    pub(crate) options: Vec<String>,
}

impl Mount {
    /// Whether an option is set, such as `nobarrier` or `barrier=0`.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|set| set == option)
    }
}

/// Parses the table; lines it does not understand are left out.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

/// The mount that serves `path` (absolute, links followed): the deepest, of equals the last.
pub(crate) fn serving<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let depth = |mount: &&Mount| mount.point.components().count();
    mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(depth)
}

/// `36 35 98:0 /root /point rw,noatime [optional ...] - ext3 /dev/root rw,errors=continue`
fn parse_line(line: &str) -> Option<Mount> {
    let (mount, super_block) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let root = unescape(mount.next()?);
    let point = unescape(mount.next()?);
    let mount_options = mount.next()?;
    let mut super_block = super_block.split(' ');
    let file_system = super_block.next()?.to_owned();
    let source = super_block.next()?.to_owned();
    let super_options = super_block.next().unwrap_or("");
    let options = mount_options.split(',').chain(super_options.split(','));
    Some(Mount {
        root,
        point,
        file_system,
        source,
        options: options
            .filter(|option| !option.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// Blank, tab, line feed and backslash are written as `\` and three octal digits.
fn unescape(text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'\\')
            .then(|| text.get(at + 1..at + 4))
            .flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
22 27 0:21 / /proc rw - proc proc rw
40 27 254:16 / /data rw,noatime shared:5 master:1 - xfs /dev/vdb rw,nobarrier
41 40 254:32 /sub /data/my\\040logs rw - btrfs /dev/vdc rw
42 27 0:99 / /data rw - tmpfs tmpfs rw
not a mount";

    #[test]
    fn lines_are_read_with_and_without_optional_fields() {
        let mounts = parse(TABLE);
        assert_eq!(mounts.len(), 5);
        assert_eq!(mounts[2].source, "/dev/vdb");
        assert!(mounts[2].has("nobarrier") && mounts[2].has("noatime"));
        assert!(!mounts[2].has("barrier"));
        assert_eq!(mounts[3].point, Path::new("/data/my logs"));
        assert_eq!(mounts[3].root, Path::new("/sub"));
    }

    #[test]
    fn the_deepest_mount_serves_and_of_equals_the_last() {
        let mounts = parse(TABLE);
        let served = |path: &str| {
            serving(&mounts, Path::new(path))
                .unwrap()
                .file_system
                .clone()
        };
        assert_eq!(served("/data/my logs/a"), "btrfs");
        assert_eq!(served("/data/a"), "tmpfs");
        assert_eq!(served("/database"), "ext4");
        assert!(serving(&[], Path::new("/")).is_none());
    }
}
