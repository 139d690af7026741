//! Volumes made of files, and the one below the temporary folder.

use super::*;

fn write(tree: &Tree, path: &str, text: &str) {
    let path = tree.locate(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A tree in which the device of `path` is partition 1 of a disk called `nvme0n1`.
fn tree_with_partition(root: &Path, path: &Path) -> Tree {
    let tree = Tree::at(root);
    let number = fs::metadata(path).unwrap().dev();
    let (major, minor) = (libc::major(number), libc::minor(number));
    write(&tree, "/sys/devices/pci/nvme0n1/nvme0n1p1/partition", "1\n");
    let queue = |name: &str| format!("/sys/devices/pci/nvme0n1/queue/{name}");
    write(&tree, &queue("write_cache"), "write back\n");
    write(&tree, &queue("scheduler"), "[none] mq-deadline\n");
    write(&tree, &queue("rotational"), "0\n");
    write(&tree, &queue("logical_block_size"), "512\n");
    write(&tree, &queue("physical_block_size"), "4096\n");
    fs::create_dir_all(tree.locate("/sys/dev/block")).unwrap();
    let link = tree.locate(format!("/sys/dev/block/{major}:{minor}"));
    std::os::unix::fs::symlink("../../devices/pci/nvme0n1/nvme0n1p1", link).unwrap();
    tree
}

#[test]
fn a_partition_is_described_by_its_disk() {
    let root = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let tree = tree_with_partition(root.path(), data.path());
    write(
        &tree,
        "/proc/self/mountinfo",
        "27 1 259:1 / / rw,noatime - xfs /dev/nvme0n1p1 rw\n",
    );
    let volume = Volume::read(&tree, data.path());
    assert_eq!(volume.file_system.as_deref(), Some("xfs"));
    assert!(
        volume
            .mount_options
            .iter()
            .any(|option| option == "noatime")
    );
    let device = volume.device.unwrap();
    assert_eq!(device.name, "nvme0n1");
    assert_eq!(device.write_cache, Some(WriteCache::WriteBack));
    assert_eq!(device.scheduler.as_deref(), Some("none"));
    assert_eq!(device.rotational, Some(false));
    assert_eq!(device.physical_block_bytes, Some(4096));
}

#[test]
fn without_proc_and_sys_the_rest_is_still_found() {
    let root = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let volume = Volume::read(&Tree::at(root.path()), data.path());
    assert_eq!(volume.file_system, None);
    assert_eq!(volume.device, None);
    assert_eq!(volume.refusal, None);
    assert!(volume.total_bytes.is_some());
    assert!(volume.to_string().contains("unknown file system"));
}

#[test]
fn files_in_memory_have_no_direct_io() {
    let root = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let tree = Tree::at(root.path());
    write(
        &tree,
        "/proc/self/mountinfo",
        "27 1 0:9 / / rw - tmpfs tmpfs rw\n",
    );
    let volume = Volume::read(&tree, data.path());
    assert!(volume.is_in_memory());
    assert_eq!(volume.direct_io, None);
}

#[test]
fn a_directory_to_come_is_judged_by_its_ancestor() {
    let data = tempfile::tempdir().unwrap();
    let volume = Volume::inspect(&data.path().join("not/yet/there"));
    assert_eq!(volume.examined, fs::canonicalize(data.path()).unwrap());
    assert_eq!(volume.refusal, None);
}

#[test]
fn nothing_is_left_behind() {
    let data = tempfile::tempdir().unwrap();
    Volume::inspect(data.path());
    named_file(data.path(), 0).unwrap();
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_takes_no_file_says_why() {
    let volume = Volume::inspect(Path::new("/proc/self"));
    assert!(volume.refusal.is_some());
    assert_eq!(volume.direct_io, None);
}
