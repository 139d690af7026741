//! Hosts made of files, and this one.

use std::fs;
use std::path::PathBuf;

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
fn a_host_without_proc_and_sys_is_unknown_not_an_error() {
    let (_folder, tree) = tree(&[]);
    let host = Host::read(&tree);
    assert_eq!(host.kernel, None);
    assert_eq!(host.memory, None);
    assert_eq!(host.governors, None);
    assert_eq!(host.control_group, None);
    assert_eq!(host.dirty_pages, None);
    assert!(host.cores_usable() >= 1);
    assert_eq!(host.memory_usable_bytes(), None);
    assert!(host.to_string().starts_with("Linux (unknown), "));
}

#[test]
fn a_bare_metal_host() {
    let (_folder, tree) = tree(&[
        ("/proc/sys/kernel/osrelease", "6.12.3-generic\n"),
        (
            "/proc/self/status",
            "Name:\tlogmill\nCpus_allowed_list:\t0-1,4\nMems_allowed:\t1\n",
        ),
        (
            "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
            "performance\n",
        ),
        (
            "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
            "powersave\n",
        ),
        (
            "/sys/devices/system/cpu/cpu4/cpufreq/scaling_governor",
            "performance\n",
        ),
        (CLOCK_SOURCE, "tsc\n"),
        (
            "/proc/meminfo",
            "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    8192 kB\n\
             SwapTotal:       2048 kB\nSwapFree:        1024 kB\n",
        ),
        ("/proc/sys/vm/swappiness", "60\n"),
        ("/proc/sys/vm/dirty_ratio", "20\n"),
        ("/proc/sys/vm/dirty_bytes", "0\n"),
        ("/proc/sys/vm/dirty_background_ratio", "10\n"),
        ("/proc/sys/vm/dirty_background_bytes", "0\n"),
        (
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "[always] madvise never\n",
        ),
        ("/proc/sys/net/core/somaxconn", "128\n"),
    ]);
    let host = Host::read(&tree);
    assert!(
        host.kernel
            .as_ref()
            .is_some_and(|kernel| kernel.at_least(6, 12))
    );
    assert_eq!(host.processors, [0, 1, 4]);
    assert_eq!(host.governors.as_ref().map(BTreeSet::len), Some(2));
    assert_eq!(host.clock_source.as_deref(), Some("tsc"));
    let memory = host.memory.unwrap();
    assert_eq!((memory.total, memory.available), (16 << 20, 8 << 20));
    assert_eq!((memory.swap_total, memory.swap_used), (2 << 20, 1 << 20));
    assert_eq!(host.swappiness, Some(60));
    assert_eq!(host.huge_pages.as_deref(), Some("always"));
    assert_eq!(host.backlog_max, Some(128));
    assert_eq!(
        host.dirty_pages.map(|dirty| dirty.background_ratio),
        Some(10)
    );
    assert_eq!(
        host.to_string(),
        "Linux 6.12.3-generic, 3 cores, 16 MiB memory"
    );
}

#[test]
fn processor_lists() {
    for (list, processors) in [
        ("0", vec![0]),
        ("\t0-2,5\n", vec![0, 1, 2, 5]),
        ("3-1", vec![]),
        ("", vec![]),
        ("0,x,2", vec![0]),
        ("0-4294967295", vec![]),
    ] {
        assert_eq!(parse_processor_list(list), processors, "{list:?}");
    }
}

#[test]
fn a_quota_takes_cores_and_memory_away() {
    let quota = |cores| {
        Some(Quota {
            limit: cores,
            file: PathBuf::from("/cpu.max"),
        })
    };
    let (_folder, tree) = tree(&[
        ("/proc/self/status", "Cpus_allowed_list:\t0-7\n"),
        (
            "/proc/meminfo",
            "MemTotal: 4096 kB\nMemAvailable: 4096 kB\n",
        ),
    ]);
    let mut host = Host::read(&tree);
    for (cores, usable) in [(2.5, 2), (0.5, 1), (16.0, 8)] {
        host.control_group = Some(ControlGroup {
            cpu_cores: quota(cores),
            ..ControlGroup::default()
        });
        assert_eq!(host.cores_usable(), usable);
    }
    assert_eq!(host.memory_usable_bytes(), Some(4 << 20));
    let memory = Quota {
        limit: 1 << 20,
        file: PathBuf::from("/memory.max"),
    };
    host.control_group = Some(ControlGroup {
        memory_bytes: Some(memory),
        ..ControlGroup::default()
    });
    assert_eq!(host.memory_usable_bytes(), Some(1 << 20));
}

#[test]
fn this_host_is_read() {
    let host = Host::inspect();
    assert!(!host.processors.is_empty());
    assert!(host.file_descriptors.is_some() && host.locked_memory.is_some());
    assert!(host.kernel.is_some() && host.memory.is_some());
}
