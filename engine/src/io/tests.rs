//! The real disk: a ring and blocking files on a temporary folder.

use std::{
    os::fd::{AsFd, AsRawFd},
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{DirectoryLock, Files, LogDirectories, Ring, RingEvent, RingOptions, resident_bytes};
use crate::{
    base::DirectoryIndex,
    disk::{
        BlockingDisk, Completion, ControlOp, DiskErrorKind, DiskOp, DiskOut, DiskOutput, FileId,
        FileName, OpKey,
    },
    sys::{
        self,
        region::{RegionPool, Slices},
        ring::KernelRing,
    },
};

const TOP: DirectoryIndex = DirectoryIndex(0);

struct Rig {
    ring: Ring,
    out: DiskOut,
    next: u64,
}

impl Rig {
    fn new(path: &Path, descriptors_max: usize) -> Self {
        let directories = LogDirectories::probe(&[path.to_owned()]).unwrap();
        let options = RingOptions {
            entries: 8,
            descriptors_max,
        };
        Self {
            ring: Ring::new(directories, options).unwrap(),
            out: DiskOut::default(),
            next: 0,
        }
    }

    fn push(&mut self, op: DiskOp) -> OpKey {
        self.next += 1;
        self.out.push(OpKey(self.next), op);
        OpKey(self.next)
    }

    fn wait(&mut self) -> Vec<Completion> {
        self.ring.submit(&mut self.out);
        let mut all = Vec::new();
        while self.ring.in_flight() > 0 {
            self.ring
                .reap(|event| match event {
                    RingEvent::Disk(completion) => all.push(completion),
                    RingEvent::Ready { .. } => panic!("nothing is polled here"),
                })
                .unwrap();
            std::thread::sleep(Duration::from_micros(20));
        }
        all
    }

    /// Sleeps until something ends or becomes ready, for a second at most; gives the keys.
    fn sleep(&mut self) -> Vec<u64> {
        let mut keys = Vec::new();
        let latest = std::time::Instant::now() + Duration::from_secs(1);
        while keys.is_empty() {
            self.ring.wait(Some(Duration::from_secs(2))).unwrap();
            assert!(
                std::time::Instant::now() < latest,
                "nothing ended the sleep"
            );
            self.ring
                .reap(|event| match event {
                    RingEvent::Disk(completion) => keys.push(completion.key.0),
                    RingEvent::Ready { key, .. } => keys.push(key),
                })
                .unwrap();
        }
        keys
    }

    fn one(&mut self, op: DiskOp) -> Result<DiskOutput, crate::disk::DiskError> {
        let key = self.push(op);
        let mut all = self.wait();
        assert_eq!(all.len(), 1);
        let completion = all.remove(0);
        assert_eq!(completion.key, key);
        completion.result
    }
}

fn name(id: u64, path: &str) -> FileName {
    FileName::new(FileId(id), TOP, path)
}

#[test]
fn aligned_and_unaligned_writes_are_read_back_and_synced() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 4);
    let mut pool = RegionPool::new(1 << 22);
    let file = name(1, "segment");
    rig.one(DiskOp::Control(Box::new(ControlOp::CreateFile {
        file: file.clone(),
    })))
    .unwrap();
    rig.one(DiskOp::Allocate {
        file: file.clone(),
        position: 0,
        len: 1 << 20,
    })
    .unwrap();

    let mut parts = Slices::new();
    let mut expected = Vec::new();
    for index in 0..3u8 {
        let mut region = pool.take_for(8192).unwrap();
        region.append(&vec![index + 1; 8192]);
        expected.extend_from_slice(region.bytes());
        parts.push(region.slice(0..8192));
    }
    rig.one(DiskOp::Write {
        file: file.clone(),
        position: 0,
        parts,
    })
    .unwrap();
    let mut region = pool.take_for(4096).unwrap();
    region.append(b"unaligned");
    let parts = Slices::from(region.slice(0..9));
    rig.one(DiskOp::Write {
        file: file.clone(),
        position: 24_576,
        parts,
    })
    .unwrap();
    expected.extend_from_slice(b"unaligned");
    rig.one(DiskOp::Sync { file: file.clone() }).unwrap();

    let into = pool.take_for(64 * 1024).unwrap();
    let read = DiskOp::Read {
        direct: false,
        file: file.clone(),
        position: 0,
        len: 65_536,
        into,
    };
    let DiskOutput::Bytes(bytes) = rig.one(read).unwrap() else {
        panic!("a read gives bytes")
    };
    assert_eq!(&*bytes, &expected[..]);
    rig.one(DiskOp::ReadAhead {
        file: file.clone(),
        position: 0,
        len: 24_576,
    })
    .unwrap();
    let descriptor = rig.ring.open_for_send(&file).unwrap().unwrap();
    assert_eq!(resident_bytes(&descriptor, 0, 24_576), 24_576);
}

#[test]
fn files_whose_names_are_not_in_memory_are_opened_off_the_shard() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 4);
    rig.ring.descriptors.is_cold = true;
    let mut pool = RegionPool::new(1 << 20);
    let file = name(1, "cold");
    rig.one(DiskOp::Control(Box::new(ControlOp::CreateFile {
        file: file.clone(),
    })))
    .unwrap();
    assert!(rig.ring.open_for_send(&file).unwrap().is_none());
    // Two operations at once want the same descriptor, and a third one a file that is not there.
    for position in [0, 4096] {
        let mut region = pool.take_for(4096).unwrap();
        region.append(&[7; 4096]);
        let parts = Slices::from(region.slice(0..4096));
        rig.push(DiskOp::Write {
            file: file.clone(),
            position,
            parts,
        });
    }
    let missing = rig.push(DiskOp::Sync {
        file: name(2, "missing"),
    });
    for completion in rig.wait() {
        match completion.result {
            Err(error) => {
                assert_eq!(
                    (completion.key, error.kind),
                    (missing, DiskErrorKind::NotFound)
                );
            }
            Ok(_) => assert_ne!(completion.key, missing),
        }
    }
    rig.one(DiskOp::Sync { file: file.clone() }).unwrap();
    rig.one(DiskOp::ReadAhead {
        file: file.clone(),
        position: 0,
        len: 8192,
    })
    .unwrap();
    let descriptor = rig.ring.open_for_send(&file).unwrap();
    assert!(descriptor.is_some(), "it stays open");
    for direct in [false, true] {
        let read = DiskOp::Read {
            direct,
            file: file.clone(),
            position: 0,
            len: 8192,
            into: pool.take_for(8192).unwrap(),
        };
        let DiskOutput::Bytes(bytes) = rig.one(read).unwrap() else {
            panic!("a read gives bytes")
        };
        assert_eq!(&*bytes, &[7; 8192]);
    }
}

#[test]
fn many_files_share_few_descriptors_and_a_small_ring() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let mut pool = RegionPool::new(1 << 22);
    let files: Vec<FileName> = (0..40).map(|id| name(id, &format!("f{id}"))).collect();
    for file in &files {
        rig.push(DiskOp::Control(Box::new(ControlOp::CreateFile {
            file: file.clone(),
        })));
    }
    assert!(
        rig.wait()
            .iter()
            .all(|completion| completion.result.is_ok())
    );
    for (id, file) in files.iter().enumerate() {
        let mut region = pool.take_for(4096).unwrap();
        region.append(&[id as u8; 4096]);
        let parts = Slices::from(region.slice(0..4096));
        rig.push(DiskOp::Write {
            file: file.clone(),
            position: 0,
            parts,
        });
    }
    let all = rig.wait();
    assert_eq!(all.len(), 40);
    assert!(all.iter().all(|completion| completion.result.is_ok()));
    let disk = Files::new(LogDirectories::probe(&[home.path().to_owned()]).unwrap());
    for (id, file) in files.iter().enumerate() {
        assert_eq!(
            disk.read_whole(TOP, file.path(), 4096).unwrap().unwrap(),
            [id as u8; 4096]
        );
    }
}

#[test]
fn a_file_says_when_it_last_changed() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(LogDirectories::probe(&[folder.path().to_owned()]).unwrap());
    assert_eq!(files.modified_ms(TOP, "none").unwrap(), None);
    let path = folder.path().join("some");
    let file = std::fs::File::create(&path).unwrap();
    let at = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
    file.set_modified(at).unwrap();
    let told = files.modified_ms(TOP, "some").unwrap();
    assert_eq!(told, Some(1_234_567_890_123));
    files.write_at(TOP, "some", 0, b"more").unwrap();
    assert!(files.modified_ms(TOP, "some").unwrap() > told);
}

#[test]
fn failures_name_the_operation_and_the_path() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let error = rig
        .one(DiskOp::Sync {
            file: name(1, "absent"),
        })
        .unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::NotFound);
    assert_eq!(error.to_string(), "open of absent: not found (errno 2)");
}

#[test]
fn a_removed_file_keeps_no_descriptor_and_control_runs_in_order() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let journal = name(1, "logmill-journal-0-1");
    let ops = vec![
        ControlOp::CreateZeroed {
            file: journal.clone(),
            len: 3 << 20,
        },
        ControlOp::CreateDirectory {
            directory: TOP,
            path: "t-0".to_owned(),
        },
        ControlOp::WriteWhole {
            directory: TOP,
            path: "t-0/meta".to_owned(),
            bytes: vec![7; 9],
        },
        ControlOp::SyncDirectory {
            directory: TOP,
            path: String::new(),
        },
    ];
    rig.one(DiskOp::Control(Box::new(ControlOp::Sequence(ops))))
        .unwrap();
    let disk = Files::new(LogDirectories::probe(&[home.path().to_owned()]).unwrap());
    assert_eq!(disk.len(TOP, "logmill-journal-0-1").unwrap(), Some(3 << 20));
    assert_eq!(
        disk.read_whole(TOP, "t-0/meta", 100).unwrap().unwrap(),
        [7; 9]
    );
    assert!(
        disk.read_whole(TOP, "t-0/meta", 8).is_err(),
        "a limit is a limit"
    );

    rig.one(DiskOp::Sync {
        file: journal.clone(),
    })
    .unwrap();
    rig.one(DiskOp::Control(Box::new(ControlOp::Remove {
        file: journal.clone(),
    })))
    .unwrap();
    let error = rig.one(DiskOp::Sync { file: journal }).unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::NotFound);
    let tree = ControlOp::RemoveTree {
        directory: TOP,
        path: "t-0".to_owned(),
    };
    rig.one(DiskOp::Control(Box::new(tree))).unwrap();
    assert_eq!(disk.list(TOP, "").unwrap(), []);
}

#[test]
fn a_sleep_ends_with_completions_polls_the_bell_and_time() {
    use std::os::fd::AsRawFd;
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
    rig.ring.poll_add(near.as_raw_fd(), libc::POLLIN as u32, 77);
    let timeout = Duration::from_millis(20);
    let begun = std::time::Instant::now();
    rig.ring.wait(Some(timeout)).unwrap();
    assert!(begun.elapsed() >= timeout, "nothing ended the sleep");
    std::io::Write::write_all(&mut far, b"x").unwrap();
    assert_eq!(rig.sleep(), [77]);
    rig.ring
        .poll_add(near.as_raw_fd(), libc::POLLPRI as u32, 78);
    rig.ring.poll_remove(78);
    assert_eq!(rig.sleep(), [78], "a poll that was taken back ends");
    let tree = ControlOp::CreateDirectory {
        directory: TOP,
        path: "d".to_owned(),
    };
    rig.push(DiskOp::Control(Box::new(tree)));
    rig.ring.submit(&mut rig.out);
    assert_eq!(rig.sleep(), [1], "the helper rings");
    let bell = rig.ring.bell().try_clone_to_owned().unwrap();
    for _ in 0..3 {
        let bell = bell.try_clone().unwrap();
        let ringer = std::thread::spawn(move || crate::sys::file::signal(bell.as_fd()));
        rig.ring.wait(None).unwrap();
        ringer.join().unwrap();
        rig.ring.reap(|_| panic!("a bell is no event")).unwrap();
    }
}

#[test]
fn a_sleeper_is_told_of_every_completion_of_a_burst() {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let pairs: Vec<_> = (0..200).map(|_| UnixStream::pair().unwrap()).collect();
    for (key, (near, _)) in pairs.iter().enumerate() {
        let readable = libc::POLLIN as u32;
        rig.ring.poll_add(near.as_raw_fd(), readable, key as u64);
    }
    rig.ring.wait(Some(Duration::from_millis(1))).unwrap();
    for (_, far) in &pairs {
        std::io::Write::write_all(&mut &*far, b"x").unwrap();
    }
    let mut ready = Vec::new();
    while ready.len() < pairs.len() {
        ready.append(&mut rig.sleep());
    }
    ready.sort_unstable();
    assert!(ready.into_iter().eq(0..200));
}

#[test]
fn a_folder_is_claimed_once_and_renamed_with_all_its_files() {
    let home = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(home.path(), 3);
    let metadata = |id: u8| {
        let id = crate::base::TopicId([id; 16]);
        crate::format::checkpoint::encode_partition_metadata(id).into_bytes()
    };
    let mut claim = |id: u8| {
        let op = ControlOp::ClaimFolder {
            directory: TOP,
            path: "t-0".to_owned(),
            sign: ("partition.metadata", metadata(id)),
        };
        rig.one(DiskOp::Control(Box::new(op)))
    };
    claim(1).unwrap();
    claim(1).unwrap();
    assert_eq!(claim(2).unwrap_err().kind, DiskErrorKind::Taken);
    let file = FileName::new(FileId(900), TOP, "t-0/partition.metadata");
    rig.one(DiskOp::Sync { file: file.clone() }).unwrap();
    let rename = || ControlOp::Rename {
        directory: TOP,
        from: "t-0".to_owned(),
        to: "t-0.1-delete".to_owned(),
    };
    rig.one(DiskOp::Control(Box::new(rename()))).unwrap();
    rig.one(DiskOp::Control(Box::new(rename())))
        .expect("nothing is wrong if it is renamed already");
    let error = rig.one(DiskOp::Sync { file }).unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::NotFound, "no descriptor is kept");
    let claim = ControlOp::ClaimFolder {
        directory: TOP,
        path: "t-0".to_owned(),
        sign: ("partition.metadata", metadata(2)),
    };
    rig.one(DiskOp::Control(Box::new(claim))).unwrap();
    let disk = Files::new(LogDirectories::probe(&[home.path().to_owned()]).unwrap());
    let found = |path: &str| disk.read_whole(TOP, path, 100).unwrap();
    assert_eq!(found("t-0/partition.metadata"), Some(metadata(2)));
    assert_eq!(found("t-0.1-delete/partition.metadata"), Some(metadata(1)));
}

/// What outlives the descriptors of a killed process, whose ring the kernel takes apart later.
#[test]
fn a_lock_that_a_ring_holds_is_free_when_the_ring_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let take = |patience| DirectoryLock::take(home.path(), patience).unwrap();
    let lock = take(Duration::ZERO).unwrap();
    let bell = Arc::new(sys::file::event_fd().unwrap());
    let mut kernel = KernelRing::new(8, bell).unwrap();
    kernel.hold(&[lock.as_fd().as_raw_fd()]).unwrap();
    assert!(take(Duration::ZERO).is_none());
    drop(lock);
    assert!(
        take(Duration::from_millis(30)).is_none(),
        "the ring holds it"
    );
    drop(kernel);
    assert!(take(Duration::from_secs(10)).is_some());
}
