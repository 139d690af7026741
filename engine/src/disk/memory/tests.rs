//! The disk in memory: what a crash keeps, errors on demand.

use super::{Crash, MemoryDisk};
use crate::{base::DirectoryIndex, disk::BlockingDisk};

const TOP: DirectoryIndex = DirectoryIndex(0);

fn with_file(path: &str, synced: &[u8]) -> MemoryDisk {
    let disk = MemoryDisk::new(1);
    disk.create_file(TOP, path).unwrap();
    disk.write_at(TOP, path, 0, synced).unwrap();
    disk.sync(TOP, path).unwrap();
    disk.sync_directory(TOP, "").unwrap();
    disk
}

#[test]
fn a_power_cut_may_lose_what_was_not_synced_and_nothing_else() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..64 {
        let disk = with_file("a", b"synced");
        disk.write_at(TOP, "a", 6, b" not yet").unwrap();
        let mut state: u64 = seed;
        let mut choose = |below: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(seed | 1);
            ((state >> 33) as u32) % below.max(1)
        };
        let after = disk.crash(Crash::Power, &mut choose);
        let bytes = after.contents(TOP, "a").unwrap();
        assert!(bytes.starts_with(b"synced"));
        if bytes.ends_with(b"yet") {
            kept += 1
        } else {
            lost += 1
        }
    }
    assert!(
        kept > 0 && lost > 0,
        "both fates must be drawn: {kept} kept, {lost} lost"
    );
}

#[test]
fn names_are_lost_until_their_directory_is_synced() {
    let disk = with_file("a", b"x");
    disk.create_directory(TOP, "d").unwrap();
    disk.create_file(TOP, "d/f").unwrap();
    let mut never = |_| 1;
    let after = disk.crash(Crash::Power, &mut never);
    assert_eq!(
        after.files(TOP),
        ["a", "d/f"].map(String::from).to_vec()[..1].to_vec()
    );
    disk.sync_directory(TOP, "").unwrap();
    disk.sync_directory(TOP, "d").unwrap();
    assert_eq!(
        disk.crash(Crash::Power, &mut never).files(TOP),
        ["a", "d/f"]
    );
}

#[test]
fn what_is_in_a_renamed_folder_goes_with_it() {
    let disk = MemoryDisk::new(1);
    disk.create_directory(TOP, "d").unwrap();
    disk.create_file(TOP, "d/f").unwrap();
    disk.sync_directory(TOP, "").unwrap();
    disk.sync_directory(TOP, "d").unwrap();
    // The file's own rename is not synced, the folder's is.
    disk.rename(TOP, "d/f", "d/g").unwrap();
    disk.rename(TOP, "d", "e").unwrap();
    disk.create_directory(TOP, "d").unwrap();
    disk.sync_directory(TOP, "").unwrap();
    assert_eq!(disk.files(TOP), ["e/g"]);
    for choice in 0..2 {
        let files = disk.crash(Crash::Power, &mut |_| choice).files(TOP);
        assert!(files == ["e/f"] || files == ["e/g"], "{files:?}");
    }
}

#[test]
fn a_replaced_file_is_old_or_new() {
    for choice in 0..6 {
        let disk = with_file("a", b"old");
        disk.power_off_at(disk.operations() + 5);
        let result = disk.write_whole(TOP, "a", b"new");
        assert!(result.is_err());
        let mut choose = |below: u32| choice % below.max(1);
        let bytes = disk
            .crash(Crash::Power, &mut choose)
            .contents(TOP, "a")
            .unwrap();
        assert!(bytes == b"old" || bytes == b"new", "{bytes:?}");
    }
}

#[test]
fn an_operation_told_to_fail_has_no_effect() {
    let disk = with_file("a", b"x");
    disk.fail_operation(disk.operations() + 1, 5);
    assert_eq!(disk.write_at(TOP, "a", 0, b"y").unwrap_err().errno, 5);
    assert_eq!(disk.contents(TOP, "a").unwrap(), b"x");
    disk.write_at(TOP, "a", 0, b"y").unwrap();
}
