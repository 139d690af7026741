//! A log directory's lock outlasts its killed owner until the last write has ended.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use logmill_engine::{
    base::DirectoryIndex,
    disk::{DiskOp, DiskOut, FileId, FileName, OpKey},
    io::{DirectoryLock, LogDirectories, Ring, RingOptions},
    sys::region::{RegionPool, Slices},
};

/// Writes as fast as it can, once somebody asks it to by the environment, until it is killed.
#[test]
fn an_owner_that_writes_until_it_is_killed() {
    let Ok(home) = std::env::var(HOME) else {
        return;
    };
    let home = Path::new(&home);
    let lock = DirectoryLock::take(home, Duration::ZERO).unwrap().unwrap();
    let directories = LogDirectories::probe(&[home.to_owned()]).unwrap();
    let directories = directories.with_locks(vec![lock]);
    let mut ring = Ring::new(directories, RingOptions::default()).unwrap();
    let file = FileName::new(FileId(1), DirectoryIndex(0), FILE);
    let mut pool = RegionPool::new(WRITE_BYTES);
    let mut out = DiskOut::default();
    for round in 0u64.. {
        let mut region = pool.take_for(WRITE_BYTES).unwrap();
        region.append(&vec![round as u8 | 1; WRITE_BYTES]);
        let parts = Slices::from(region.slice(0..WRITE_BYTES));
        drop(region);
        for at in 0..WRITES {
            let (file, parts) = (file.clone(), parts.clone());
            let position = at * WRITE_BYTES as u64;
            out.push(
                OpKey(at),
                DiskOp::Write {
                    file,
                    position,
                    parts,
                },
            );
        }
        ring.submit(&mut out);
        ring.reap(drop).unwrap();
        println!("{BUSY}");
        std::io::stdout().flush().unwrap();
        while ring.in_flight() > 0 {
            ring.reap(drop).unwrap();
        }
    }
}

#[test]
fn a_lock_is_free_when_the_last_write_of_its_killed_owner_has_ended() {
    let home = tempfile::tempdir().unwrap();
    fs::write(
        home.path().join(FILE),
        vec![0; WRITES as usize * WRITE_BYTES],
    )
    .unwrap();
    for _ in 0..ROUNDS {
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "an_owner_that_writes_until_it_is_killed",
                "--nocapture",
            ])
            .env(HOME, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
        let is_busy = |line: std::io::Result<String>| line.unwrap().ends_with(BUSY);
        assert!(lines.by_ref().any(is_busy));
        let taken = DirectoryLock::take(home.path(), Duration::ZERO).unwrap();
        assert!(taken.is_none(), "its owner lives");
        owner.kill().unwrap();
        let lock = DirectoryLock::take(home.path(), Duration::from_secs(30)).unwrap();
        assert!(lock.is_some(), "the owner is gone");
        let before = fs::read(home.path().join(FILE)).unwrap();
        owner.wait().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let after = fs::read(home.path().join(FILE)).unwrap();
        assert!(before == after, "something was written behind the lock");
    }
}

const HOME: &str = "LOGMILL_LOCK_TEST_HOME";
const FILE: &str = "written";
const BUSY: &str = "writing";
const WRITES: u64 = 128;
const WRITE_BYTES: usize = 1 << 20;
const ROUNDS: usize = 3;
