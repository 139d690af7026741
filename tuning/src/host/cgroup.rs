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
mod tests;
