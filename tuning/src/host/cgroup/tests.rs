//! Control groups made of files.

use std::fs;

use super::*;

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
