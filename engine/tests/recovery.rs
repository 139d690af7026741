//! How much recovery reads, and what it makes of damage.

mod rig;

use std::cell::Cell;

use logmill_engine::{
    base::DirectoryIndex,
    disk::{BlockingDisk, DiskError, Listed, memory::Crash},
    log::LogConfig,
    recovery::recover,
    store::{AckLevel, Isolation, StoreError},
};
use rig::{Rig, batch, options};

/// Counts the bytes that are read.
struct Counting<'d> {
    disk: &'d dyn BlockingDisk,
    bytes: Cell<u64>,
}

impl BlockingDisk for Counting<'_> {
    fn directory_count(&self) -> usize {
        self.disk.directory_count()
    }
    fn list(&self, directory: DirectoryIndex, path: &str) -> Result<Vec<Listed>, DiskError> {
        self.disk.list(directory, path)
    }
    fn len(&self, directory: DirectoryIndex, path: &str) -> Result<Option<u64>, DiskError> {
        self.disk.len(directory, path)
    }
    fn modified_ms(&self, directory: DirectoryIndex, path: &str) -> Result<Option<i64>, DiskError> {
        self.disk.modified_ms(directory, path)
    }
    fn read_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        into: &mut [u8],
    ) -> Result<usize, DiskError> {
        let read = self.disk.read_at(directory, path, position, into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
    fn create_file(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.create_file(directory, path)
    }
    fn write_at(
        &self,
        directory: DirectoryIndex,
        path: &str,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        self.disk.write_at(directory, path, position, bytes)
    }
    fn truncate(&self, directory: DirectoryIndex, path: &str, len: u64) -> Result<(), DiskError> {
        self.disk.truncate(directory, path, len)
    }
    fn sync(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.sync(directory, path)
    }
    fn rename(&self, directory: DirectoryIndex, from: &str, to: &str) -> Result<(), DiskError> {
        self.disk.rename(directory, from, to)
    }
    fn remove(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.remove(directory, path)
    }
    fn create_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.create_directory(directory, path)
    }
    fn remove_tree(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.remove_tree(directory, path)
    }
    fn sync_directory(&self, directory: DirectoryIndex, path: &str) -> Result<(), DiskError> {
        self.disk.sync_directory(directory, path)
    }
    fn sync_all(&self, directory: DirectoryIndex) -> Result<(), DiskError> {
        self.disk.sync_all(directory)
    }
}

/// Appends `rounds` records of about 2 KB to three partitions, kills the process, and recovers.
/// The bytes that recovery read, and those that were appended.
fn written_and_read(rounds: u32, bypass_bytes: usize, segment_bytes: u32) -> (u64, u64) {
    let mut options = options(u64::from(rounds));
    options.rescan_bytes_max = RESCAN_BYTES;
    options.bypass_bytes = bypass_bytes;
    let mut rig = {
        let disk = logmill_engine::disk::memory::MemoryDisk::new(1);
        let found = recover(&disk, [1; 16]).unwrap();
        options.eras = vec![found.directories[0].era];
        Rig::on(disk, options.clone(), Vec::new(), &[1])
    };
    let config = LogConfig {
        segment_bytes,
        ..LogConfig::default()
    };
    let keys: Vec<_> = (0..3)
        .map(|index| rig.open(index, config.clone()))
        .collect();
    let mut expected = vec![Vec::new(); 3];
    let mut appended = 0;
    for round in 0..rounds {
        let at = (round % 3) as usize;
        let value: Vec<u8> = (0..2_000 + round % 7 * 300)
            .map(|index| (index.wrapping_mul(round) >> 3) as u8)
            .collect();
        let bytes = batch(&[&value]);
        while let Err(error) = rig.append(keys[at], &bytes, AckLevel::Written, u64::from(round)) {
            assert!(matches!(error, StoreError::Append(_)), "{error}");
            rig.turn(5);
        }
        appended += bytes.len() as u64;
        expected[at].push(value);
        let completions = rig.random.below(6);
        rig.turn(completions);
    }
    while rig.acked.len() < rounds as usize {
        rig.turn(5);
    }
    let random = &mut rig.random;
    let disk = rig
        .disk
        .crash(Crash::Process, &mut |bound| random.below(bound));
    let counting = Counting {
        disk: &disk,
        bytes: Cell::new(0),
    };
    let found = recover(&counting, [1; 16]).unwrap();
    assert_eq!(found.fenced, [], "{:?}", found.findings);
    let read = counting.bytes.get();
    options.eras = vec![found.directories[0].era];
    let next = found.directories[0].next_journal_name;
    let mut again = Rig::on(disk, options, found.partitions, &[next]);
    for (index, values) in expected.iter().enumerate() {
        let key = again.open(index as i32, config.clone());
        let found = again.read_all(key, Isolation::LogEnd);
        let found: Vec<_> = found.into_iter().map(|(_, value)| value).collect();
        assert!(found == *values, "partition {index}");
    }
    (read, appended)
}

const RESCAN_BYTES: u64 = 256 << 10;

#[test]
fn recovery_reads_no_more_of_a_long_life_than_of_a_short_one() {
    for bypass_bytes in [0, 1_000] {
        for segment_bytes in [300_000, 64 << 20] {
            let (short, _) = written_and_read(900, bypass_bytes, segment_bytes);
            let (long, appended) = written_and_read(6_000, bypass_bytes, segment_bytes);
            println!(
                "bypass {bypass_bytes}, segments of {segment_bytes}: {short} bytes read, \
                 {long} of {appended} after a long life"
            );
            // Four journal files of 64 KiB, the checkpoints' share, a tail of each sealed segment.
            let bound = (256 << 10) + 2 * RESCAN_BYTES + appended / 20;
            assert!(long < bound, "{long} of {appended} were read");
        }
    }
}
