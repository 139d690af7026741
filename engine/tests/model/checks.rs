//! What the store says and gives against what the model has.

use logmill_engine::{
    base::Offset,
    disk::{BlockingDisk, memory::MemoryDisk},
    format::batch::Batches,
    log::{PartitionState, ReadError},
    store::{FetchRead, Isolation, OffsetAnswer, OffsetSpec, ReadData, StoreError},
};

use super::{
    program::SLOTS,
    shadow::{Batch, Shadow},
    world::World,
};

impl World {
    /// Everything, after every step.
    pub fn check(&mut self) {
        for slot in 0..SLOTS {
            self.check_marks(slot);
            self.check_contents(slot);
        }
    }

    /// Takes up how far the log is durable, and where retention made it begin.
    pub fn take_marks(&mut self, slot: usize) {
        let shadow = &mut self.shadows[slot];
        let Some(key) = shadow.key.filter(|_| shadow.cut.is_none()) else {
            return;
        };
        let marks = self.rig.store.watermarks(key).unwrap();
        let start = marks.log_start().0;
        assert!(start >= shadow.start, "slot {slot}");
        if start > shadow.start {
            check_retained(shadow, start, self.wall_ms);
            shadow.delete_to(start);
        }
        let (written, synced) = (marks.written().0, marks.synced().0);
        assert!(
            written >= shadow.written && synced >= shadow.synced,
            "slot {slot}: {marks:?} is less than was acknowledged"
        );
        (shadow.written, shadow.synced) = (written, synced);
    }

    fn check_marks(&mut self, slot: usize) {
        let shadow = &self.shadows[slot];
        let Some(key) = shadow.key.filter(|_| shadow.cut.is_none()) else {
            return;
        };
        let marks = self.rig.store.watermarks(key).unwrap();
        assert_eq!(marks.appended().0, shadow.end, "slot {slot}");
        assert_eq!(marks.log_start().0, shadow.start, "slot {slot}");
        let high = match shadow.shows_written() {
            true => marks.written(),
            false => marks.synced(),
        };
        assert_eq!(marks.high(), high.max(marks.log_start()), "slot {slot}");
        assert_eq!(marks.last_stable(), marks.high(), "slot {slot}");
    }

    /// All that may be read, read in one go and from the middle, and just outside.
    fn check_contents(&mut self, slot: usize) {
        self.check_read(slot, 0, usize::MAX, true);
        self.check_read(slot, 128, 5_000, true);
        let shadow = &self.shadows[slot];
        let (Some(key), None) = (shadow.key, shadow.cut) else {
            return;
        };
        for outside in [shadow.start - 1, shadow.end + 1] {
            let read = read_from(outside, 1, true);
            let refused = self.rig.store.read(self.rig.now, key, &read);
            assert!(
                matches!(
                    refused,
                    Err(StoreError::Read(ReadError::OffsetOutOfRange { .. }))
                ),
                "slot {slot}: {refused:?}"
            );
        }
    }

    /// Reads on from a place of the log until everything was seen, or `max_bytes` once.
    pub fn check_read(&mut self, slot: usize, at: u8, max_bytes: usize, whole: bool) {
        let shadow = &self.shadows[slot];
        let len = shadow.end - shadow.start;
        let mut from = shadow.start + len * i64::from(at) / 256;
        let limit = max_bytes.min(MAX_BYTES);
        loop {
            let Some(found) = self.read(slot, from, limit, whole) else {
                return;
            };
            let expected = self.shadows[slot].readable(from);
            let expected: Vec<&Batch> = expected.collect();
            let Some(first) = expected.first() else {
                assert!(found.is_empty(), "slot {slot}: records from nowhere");
                return;
            };
            let mut rest = &found[..];
            for batch in &expected {
                let len = rest.len().min(batch.bytes.len());
                assert!(
                    rest[..len] == batch.bytes[..len],
                    "slot {slot}: the batch that ends at {} reads otherwise",
                    batch.last
                );
                rest = &rest[len..];
            }
            assert!(rest.is_empty(), "slot {slot}: records from nowhere");
            if whole {
                assert!(found.len() >= first.bytes.len(), "slot {slot} from {from}");
            }
            assert!(found.len() <= limit.max(first.bytes.len()), "slot {slot}");
            if max_bytes < MAX_BYTES {
                return;
            }
            let mut seen = 0;
            let whole_ones = expected.iter().take_while(|batch| {
                seen += batch.bytes.len();
                seen <= found.len()
            });
            from = whole_ones.last().expect("checked above").last + 1;
        }
    }

    /// Bytes from an offset on; `None` if that makes no sense now.
    fn read(&mut self, slot: usize, from: i64, max_bytes: usize, whole: bool) -> Option<Vec<u8>> {
        for _ in 0..1_000 {
            let shadow = &self.shadows[slot];
            let key = shadow.key.filter(|_| shadow.cut.is_none())?;
            if from < shadow.start {
                // Retention came between.
                return None;
            }
            let read = read_from(from, max_bytes, whole);
            match self.rig.store.read(self.rig.now, key, &read).unwrap().data {
                ReadData::Empty => return Some(Vec::new()),
                ReadData::Memory(parts) => return Some(parts.to_vec()),
                ReadData::File(range) => {
                    let (at, len) = (range.position as usize, range.len as usize);
                    let (directory, path) = (range.file.directory(), range.file.path());
                    let bytes = self.rig.disk.contents(directory, path).unwrap();
                    return Some(bytes[at..at + len].to_vec());
                }
                ReadData::Loading => self.turn(u32::MAX),
            }
        }
        panic!("slot {slot}: the read never ends");
    }

    pub fn check_lookup(&mut self, slot: usize, age_ms: i64) {
        let target = self.wall_ms - age_ms;
        if let Some((offset, timestamp)) = self.look_up(slot, OffsetSpec::AtOrAfter(target)) {
            let shadow = &self.shadows[slot];
            let first = shadow.records().find(|(_, stamp)| *stamp >= target);
            let expected = first.map_or((None, -1), |(at, stamp)| (Some(at), stamp));
            assert_eq!(
                (offset, timestamp),
                expected,
                "slot {slot} from {target} on"
            );
        }
        if let Some((offset, timestamp)) = self.look_up(slot, OffsetSpec::MaxTimestamp) {
            let shadow = &self.shadows[slot];
            let largest = shadow.records().map(|(_, stamp)| stamp).max();
            let first = shadow.records().find(|(_, stamp)| Some(*stamp) == largest);
            if largest.is_none_or(|largest| largest > shadow.max_gone()) {
                let expected = first.map_or((None, -1), |(at, stamp)| (Some(at), stamp));
                assert_eq!((offset, timestamp), expected, "slot {slot}, the largest");
            } else {
                // A segment's largest timestamp may be that of a deleted record.
                assert!(offset.is_none_or(|at| at >= shadow.start), "slot {slot}");
            }
        }
    }

    fn look_up(&mut self, slot: usize, spec: OffsetSpec) -> Option<(Option<i64>, i64)> {
        for _ in 0..1_000 {
            let shadow = &self.shadows[slot];
            let key = shadow.key.filter(|_| shadow.cut.is_none())?;
            let store = &mut self.rig.store;
            match store.list_offset(self.rig.now, key, spec, TOKEN).unwrap() {
                OffsetAnswer::Ready(found) => {
                    return Some((found.offset.map(|offset| offset.0), found.timestamp));
                }
                OffsetAnswer::Loading => self.turn(u32::MAX),
            }
        }
        panic!("slot {slot}: the look-up never ends");
    }

    /// After retention had time: nothing is left that it should have taken.
    pub fn check_retention_is_done(&mut self) {
        for shadow in &self.shadows {
            let config = Shadow::config(shadow.slot);
            let retention = config.retention;
            if shadow.key.is_none() || shadow.cut.is_some() || !retention.delete {
                continue;
            }
            if let Ok(bytes) = u64::try_from(retention.retention_bytes) {
                let most = bytes + u64::from(config.segment_bytes);
                let left = shadow.bytes_from(shadow.start);
                assert!(left < most, "slot {}: {left} bytes", shadow.slot);
            }
            // A segment is as young as its youngest record, deleted ones included.
            let gone_age = self.wall_ms - shadow.max_gone();
            let ages = shadow.records();
            let ages = ages.map(|(_, stamp)| gone_age.min(self.wall_ms - stamp));
            let youngest = ages.min().filter(|_| retention.retention_ms >= 0);
            assert!(
                youngest.is_none_or(|age| age <= retention.retention_ms),
                "slot {}: all is {youngest:?} old and more: {:?}",
                shadow.slot,
                self.rig.store
            );
        }
    }
}

impl Shadow {
    /// Batches that a read from `from` may see.
    fn readable(&self, from: i64) -> impl Iterator<Item = &Batch> {
        self.batches
            .values()
            .filter(move |batch| batch.last >= from)
    }

    /// Offsets and timestamps of what may be read.
    fn records(&self) -> impl Iterator<Item = (i64, i64)> {
        let of = |(base, batch): (&i64, &Batch)| {
            let base = *base;
            let stamps = batch.timestamps.clone().into_iter();
            stamps.zip(base..).map(|(stamp, offset)| (offset, stamp))
        };
        let all = self.batches.iter().flat_map(of);
        all.filter(|(offset, _)| *offset >= self.start)
    }

    /// What a clean stop says of the partition.
    pub fn check_state(&self, state: Option<&PartitionState>) {
        let Some(state) = state else {
            assert!(self.key.is_none(), "slot {} is gone", self.slot);
            return;
        };
        assert_eq!(state.log_start.0, self.start, "slot {}", self.slot);
        assert_eq!(state.end.0, self.end, "slot {}", self.slot);
    }

    /// After a clean stop the segments hold the batches, one behind the other, and nothing else.
    pub fn check_files(&self, disk: &MemoryDisk) {
        let directory = logmill_engine::base::DirectoryIndex((self.slot % 2) as u16);
        let folder = format!("topic-{}", self.slot);
        if self.key.is_none() {
            return;
        }
        let mut names = disk.files(directory);
        names.retain(|path| path.starts_with(&format!("{folder}/")) && path.ends_with(".log"));
        let logs = names.iter().map(|path| {
            let len = disk.len(directory, path).unwrap().unwrap();
            disk.read_whole(directory, path, len).unwrap().unwrap()
        });
        let logs: Vec<u8> = logs.flatten().collect();
        let mut batches = Batches::new(&logs);
        let found = batches.by_ref().map(|it| it.unwrap());
        let found: Vec<_> = found
            .filter(|(header, _)| header.last_offset() >= Offset(self.start))
            .map(|(header, bytes)| (header.base_offset.0, bytes))
            .collect();
        assert!(batches.rest().is_empty(), "slot {}: more", self.slot);
        let readable = self.batches.iter().filter(|(_, it)| it.last >= self.start);
        let expected: Vec<_> = readable.map(|(base, it)| (*base, &it.bytes[..])).collect();
        assert!(found == expected, "slot {}: the files differ", self.slot);
    }
}

/// What retention took was too old, or too much.
fn check_retained(shadow: &Shadow, start: i64, wall_ms: i64) {
    let retention = Shadow::config(shadow.slot).retention;
    assert!(retention.delete, "slot {} keeps all", shadow.slot);
    let is_surplus = u64::try_from(retention.retention_bytes)
        .is_ok_and(|bytes| shadow.bytes_from(start) >= bytes);
    let gone = shadow.batches.values().filter(|batch| batch.last < start);
    let mut gone = gone.filter(|batch| batch.last >= shadow.start);
    let too_old = |batch: &Batch| {
        retention.retention_ms >= 0 && wall_ms - batch.max_timestamp() > retention.retention_ms
    };
    assert!(
        is_surplus || gone.all(too_old),
        "slot {} was to keep what lies before {start}",
        shadow.slot
    );
}

fn read_from(offset: i64, max_bytes: usize, whole_first_batch: bool) -> FetchRead {
    FetchRead {
        offset: Offset(offset),
        max_bytes,
        whole_first_batch,
        isolation: Isolation::LogEnd,
        token: TOKEN,
    }
}

/// Of reads and look-ups: one is under way at a time.
const TOKEN: u64 = u64::MAX;

/// More than a segment has.
const MAX_BYTES: usize = 1 << 20;
