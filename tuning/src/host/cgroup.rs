//! The limits that control groups set on this process, in versions 1, 2 and both mixed.
//!
//! A limit of any ancestor holds as well, so the tightest on the way up counts
//! (cgroup-v2 "cpu.max", "memory.max"; cgroup-v1 "cpu.cfs_quota_us", "memory.limit_in_bytes").

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::mounts::{self, Mount};
use crate::tree::Tree;

/// What control groups leave to this process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ControlGroup {
    /// Processor time per second of wall time, in cores; `None` when no quota is set.
    pub cpu_cores: Option<Quota<f64>>,
    /// Memory in bytes; `None` when no limit is set.
    pub memory_bytes: Option<Quota<u64>>,
}

/// A limit and the file that sets it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quota<T> {
    /// How much.
    pub limit: T,
    /// The control file, where the limit can be raised.
    pub file: PathBuf,
}

impl ControlGroup {
    /// Reads the limits; `None` when the process's groups are not to be found.
    pub(super) fn read(tree: &Tree) -> Option<ControlGroup> {
        let memberships = tree.text("/proc/self/cgroup")?;
        let mounts = mounts::parse(&tree.text("/proc/self/mountinfo")?);
        let mut group = ControlGroup::default();
        for line in memberships.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
                continue;
            };
            let Some(mount) = hierarchy(&mounts, controllers) else {
                continue;
            };
            for folder in folders(mount, Path::new(path)) {
                group.tighten(tree, controllers, &folder);
            }
        }
        Some(group)
    }

    fn tighten(&mut self, tree: &Tree, controllers: &str, folder: &Path) {
        let unified = controllers.is_empty();
        let has = |name: &str| unified || controllers.split(',').any(|one| one == name);
        if has("cpu") {
            let file = folder.join(if unified {
                "cpu.max"
            } else {
                "cpu.cfs_quota_us"
            });
            let quota = match unified {
                true => tree.text(&file).as_deref().and_then(parse_cpu_max),
                false => tree
                    .value::<i64>(&file)
                    .zip(tree.value::<i64>(folder.join("cpu.cfs_period_us")))
                    .and_then(|(quota, period)| cores(quota, period)),
            };
            keep_tightest(&mut self.cpu_cores, quota, file);
        }
        if has("memory") {
            let file = folder.join(if unified {
                "memory.max"
            } else {
                "memory.limit_in_bytes"
            });
            let limit = tree
                .value::<u64>(&file)
                .filter(|bytes| *bytes < NO_LIMIT_V1);
            keep_tightest(&mut self.memory_bytes, limit, file);
        }
    }
}

/// The mount of version 2 (no controllers named) or of the version 1 controllers.
fn hierarchy<'a>(mounts: &'a [Mount], controllers: &str) -> Option<&'a Mount> {
    if controllers.is_empty() {
        return mounts.iter().find(|mount| mount.file_system == "cgroup2");
    }
    mounts.iter().find(|mount| {
        mount.file_system == "cgroup" && controllers.split(',').all(|name| mount.has(name))
    })
}

/// The group's folder and its ancestors up to the mount point. In a container the group's path
/// may lie outside the mount: then the mount point itself is the group.
fn folders(mount: &Mount, group: &Path) -> Vec<PathBuf> {
    let below = group.strip_prefix(&mount.root).unwrap_or(Path::new(""));
    below
        .ancestors()
        .map(|folder| mount.point.join(folder))
        .collect()
}

fn keep_tightest<T: PartialOrd>(kept: &mut Option<Quota<T>>, found: Option<T>, file: PathBuf) {
    let Some(limit) = found else { return };
    if kept.as_ref().is_none_or(|quota| limit < quota.limit) {
        *kept = Some(Quota { limit, file });
    }
}

/// `max 100000` is no quota, `150000 100000` one and a half cores.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    cores(quota.parse().ok()?, period.trim().parse().ok()?)
}

fn cores(quota_us: i64, period_us: i64) -> Option<f64> {
    (quota_us > 0 && period_us > 0).then(|| quota_us as f64 / period_us as f64)
}

/// Version 1 writes "no limit" as the greatest multiple of the page size below 2^63.
const NO_LIMIT_V1: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::at(folder.path());
        for (path, text) in files {
            let path = tree.locate(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (folder, tree)
    }

    #[test]
    fn version_2_takes_the_tightest_ancestor() {
        let (_folder, tree) = tree(&[
            ("/proc/self/cgroup", "0::/system.slice/logmill.service\n"),
            (
                "/proc/self/mountinfo",
                "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            ),
            ("/sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n"),
            (
                "/sys/fs/cgroup/system.slice/logmill.service/cpu.max",
                "max 100000\n",
            ),
            ("/sys/fs/cgroup/system.slice/memory.max", "8589934592\n"),
            (
                "/sys/fs/cgroup/system.slice/logmill.service/memory.max",
                "4294967296\n",
            ),
        ]);
        let group = ControlGroup::read(&tree).unwrap();
        let cpu = group.cpu_cores.unwrap();
        assert_eq!(cpu.limit, 1.5);
        assert_eq!(cpu.file, Path::new("/sys/fs/cgroup/system.slice/cpu.max"));
        assert_eq!(group.memory_bytes.unwrap().limit, 4 << 30);
    }

    #[test]
    fn version_1_beside_an_empty_version_2() {
        let (_folder, tree) = tree(&[
            (
                "/proc/self/cgroup",
                "4:memory:/box\n1:cpu,cpuacct:/\n0::/\n",
            ),
            (
                "/proc/self/mountinfo",
                "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                 35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                 41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            ),
            ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"),
            ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            (
                "/sys/fs/cgroup/memory/box/memory.limit_in_bytes",
                "536870912\n",
            ),
            (
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ]);
        let group = ControlGroup::read(&tree).unwrap();
        assert_eq!(group.cpu_cores.unwrap().limit, 0.5);
        assert_eq!(group.memory_bytes.unwrap().limit, 512 << 20);
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_mount_point() {
        let (_folder, tree) = tree(&[
            ("/proc/self/cgroup", "0::/../outer/box\n"),
            (
                "/proc/self/mountinfo",
                "30 23 0:26 /inner /sys/fs/cgroup ro - cgroup2 c rw\n",
            ),
            ("/sys/fs/cgroup/memory.max", "1073741824\n"),
        ]);
        let group = ControlGroup::read(&tree).unwrap();
        assert_eq!(group.memory_bytes.unwrap().limit, 1 << 30);
        assert_eq!(group.cpu_cores, None);
    }

    #[test]
    fn nothing_to_read_is_unknown_and_nothing_set_is_no_limit() {
        let (_folder, bare) = tree(&[]);
        assert_eq!(ControlGroup::read(&bare), None);
        let (_folder, unlimited) = tree(&[
            ("/proc/self/cgroup", "1:cpu:/\n"),
            (
                "/proc/self/mountinfo",
                "32 31 0:29 / /c rw - cgroup cgroup rw,cpu\n",
            ),
            ("/c/cpu.cfs_quota_us", "-1\n"),
            ("/c/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(
            ControlGroup::read(&unlimited),
            Some(ControlGroup::default())
        );
    }
}
