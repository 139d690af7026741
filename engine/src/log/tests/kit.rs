//! A log with files in memory: carries out its steps and resolves its plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::*;
use crate::format::batch::{BatchHeader, Batches};
use crate::format::builder::BatchBuilder;
use crate::format::compression::Codec;
use crate::format::index::{OffsetEntry, TimeEntry, decode_entries};
use crate::format::names::FileKind;
use crate::log::*;
use crate::sys::region::RegionPool;

pub(super) struct World {
    pub(super) log: PartitionLog,
    pub(super) pool: RegionPool,
    pub(super) now: Now,
    pub(super) files: BTreeMap<(Offset, FileKind), Vec<u8>>,
    pub(super) pending: Vec<SegmentWrite>,
}

pub(super) fn config() -> LogConfig {
    LogConfig {
        index_interval_bytes: 200,
        segment_bytes: 20_000,
        ..LogConfig::default()
    }
}

/// A batch of `count` records of `value_bytes` each.
pub(super) fn batch(count: usize, value_bytes: usize, timestamp: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for record in 0..count {
        let value = vec![record as u8; value_bytes];
        builder.push(timestamp + record as i64, None, Some(&value), &[]);
    }
    builder.build(Codec::None).unwrap()
}

impl World {
    pub(super) fn new(config: LogConfig) -> Self {
        let identity = LogIdentity {
            topic_id: TopicId([7; 16]),
            topic: "orders".into(),
            index: PartitionIndex(3),
            directory: DirectoryIndex(0),
        };
        Self {
            log: PartitionLog::new(identity, Arc::new(config), Offset::ZERO),
            pool: RegionPool::new(16 << 20),
            now: Now {
                monotonic: Micros(1),
                wall_ms: 1_700_000_000_000,
            },
            files: BTreeMap::new(),
            pending: Vec::new(),
        }
    }

    pub(super) fn try_append(&mut self, bytes: &[u8]) -> Result<AppendOutcome, AppendError> {
        self.now.monotonic.0 += 1_000;
        let header = BatchHeader::parse(bytes).unwrap();
        let (log, pool) = (&mut self.log, &mut self.pool);
        log.append_as_leader(
            self.now,
            pool,
            LeaderEpoch(0),
            &header,
            bytes,
            Origin::Client,
        )
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Appended {
        match self.try_append(bytes) {
            Ok(AppendOutcome::Appended(appended)) => appended,
            other => panic!("not appended: {other:?}"),
        }
    }

    pub(super) fn append_at(&mut self, offset: i64, epoch: i32, bytes: &[u8]) -> Appended {
        self.now.monotonic.0 += 1_000;
        let mut header = BatchHeader::parse(bytes).unwrap();
        header.base_offset = Offset(offset);
        header.leader_epoch = LeaderEpoch(epoch);
        self.log
            .append_as_follower(self.now, &mut self.pool, &header, bytes)
            .unwrap()
    }

    /// Hands out one write; `false` if there is none to hand out.
    pub(super) fn sweep(&mut self, to: Offset, mode: SweepMode, max_bytes: usize) -> bool {
        loop {
            match self
                .log
                .next_segment_write(&mut self.pool, to, mode, max_bytes)
            {
                SegmentStep::Idle => return false,
                SegmentStep::LoadPage {
                    segment_base,
                    position,
                    len,
                } => {
                    let page = self.file_range(segment_base, position, len).to_vec();
                    assert!(self.log.page_loaded(segment_base, position, &page));
                }
                SegmentStep::Write(write) => {
                    assert!(write.position.0 % 4096 == 0 && write.parts.len() % 4096 == 0);
                    for part in write.parts.iter() {
                        assert!(part.len() % 4096 == 0 && part.as_ptr().align_offset(4096) == 0);
                    }
                    self.pending.push(write);
                    return true;
                }
            }
        }
    }

    /// Completes one of the writes in flight.
    pub(super) fn complete(&mut self, at: usize) {
        let write = self.pending.remove(at);
        let file = self
            .files
            .entry((write.segment_base, FileKind::Log))
            .or_default();
        let (start, bytes) = (write.position.0 as usize, write.parts.to_vec());
        if file.len() < start + bytes.len() {
            file.resize(start + bytes.len(), 0);
        }
        file[start..start + bytes.len()].copy_from_slice(&bytes);
        self.log
            .segment_write_completed(write.segment_base, write.position);
    }

    /// Writes everything, partial pages too, and syncs it.
    pub(super) fn flush(&mut self) {
        loop {
            while !self.pending.is_empty() {
                self.complete(0);
            }
            if !self.sweep(Offset::MAX, SweepMode::Partial, usize::MAX) {
                break;
            }
        }
        self.sync();
        assert_eq!(self.log.unwritten_bytes(), 0);
        assert_eq!(self.log.recovery_point(), self.log.end());
    }

    pub(super) fn sync(&mut self) {
        for base in self.log.unsynced_segments().collect::<Vec<_>>() {
            let point = self.log.sync_point(base).expect("it wants one");
            self.log.segment_synced(point);
        }
    }

    /// Brings the files of all segments that ended, or of all, to what they must be.
    pub(super) fn seal(&mut self, active_too: bool) {
        let mut bases: Vec<Offset> = std::iter::from_fn(|| {
            let base = self.log.next_to_seal()?;
            self.save(base);
            Some(base)
        })
        .collect();
        if active_too {
            bases.extend(self.log.segments().last().map(|segment| segment.base));
            if let Some(base) = bases.last() {
                self.save(*base);
            }
        }
    }

    fn save(&mut self, base: Offset) {
        let files = self.log.segment_files(base).unwrap();
        let log = self.files.entry((base, FileKind::Log)).or_default();
        assert!(log.len() as u64 >= files.log_len);
        log.truncate(files.log_len as usize);
        for (kind, write) in [
            (FileKind::Index, &files.index),
            (FileKind::TimeIndex, &files.time_index),
        ] {
            let Some(write) = write else { continue };
            let file = self.files.entry((base, kind)).or_default();
            file.truncate(write.position as usize);
            assert_eq!(file.len() as u64, write.position, "no hole");
            file.extend_from_slice(&write.bytes);
            assert_eq!(file.len() as u64, write.len);
        }
        self.log.segment_files_saved(&files);
    }

    /// The log as it comes back after a clean stop.
    pub(super) fn restart(&mut self) {
        self.flush();
        self.seal(true);
        let state = self.log.state();
        assert_eq!(state.end, self.log.end());
        self.log = PartitionLog::restored(&state, Arc::clone(self.log.config())).unwrap();
        assert_eq!(self.log.state(), state);
        assert_eq!(self.log.resident_bytes(), 0);
    }

    pub(super) fn truncate(&mut self, to: Offset) {
        let mut step = self.log.truncate_to(to);
        loop {
            step = match step {
                TruncateStep::Unchanged => return,
                TruncateStep::NeedIndex {
                    segment_base,
                    kind,
                    len,
                } => {
                    let file = self.files[&(segment_base, kind)].clone();
                    assert!(self.log.index_loaded(segment_base, kind, &file[..len]));
                    self.log.truncate_to(to)
                }
                TruncateStep::NeedBlock {
                    scan,
                    segment_base,
                    position,
                    len,
                } => {
                    let block = self.file_range(segment_base, position, len).to_vec();
                    self.log.truncate_with_block(scan, &block)
                }
                TruncateStep::Done(cut) => return self.carry_out(&cut),
                other => panic!("{other:?}"),
            }
        }
    }

    fn carry_out(&mut self, cut: &Truncated) {
        for base in &cut.removed {
            FileKind::ALL
                .into_iter()
                .for_each(|kind| drop(self.files.remove(&(*base, kind))));
        }
        if let Some(active) = cut.active {
            for (kind, len) in [
                (FileKind::Log, active.log_len),
                (FileKind::Index, active.index_len),
                (FileKind::TimeIndex, active.time_index_len),
            ] {
                if let Some(file) = self.files.get_mut(&(active.segment_base, kind)) {
                    file.truncate(len as usize);
                }
            }
        }
    }

    pub(super) fn advance_log_start(&mut self, to: Offset) {
        for base in self.log.advance_log_start(to) {
            FileKind::ALL
                .into_iter()
                .for_each(|kind| drop(self.files.remove(&(base, kind))));
        }
    }

    /// Resolves a read to its bytes, wherever they are.
    pub(super) fn read(&mut self, request: &ReadRequest) -> Result<Vec<u8>, ReadError> {
        let mut plan = self.log.read(request)?;
        for _ in 0..10_000 {
            plan = match plan {
                ReadPlan::Empty => return Ok(Vec::new()),
                ReadPlan::Memory(slices) => return Ok(slices.to_vec()),
                ReadPlan::File {
                    segment_base,
                    position,
                    len,
                } => {
                    return Ok(self.file_range(segment_base, position, len).to_vec());
                }
                ReadPlan::NeedIndex { segment_base, len } => {
                    let file = self.files[&(segment_base, FileKind::Index)].clone();
                    assert!(
                        self.log
                            .index_loaded(segment_base, FileKind::Index, &file[..len])
                    );
                    self.log.read(request)?
                }
                ReadPlan::NeedBlock {
                    segment_base,
                    position,
                    len,
                } => {
                    let block = self.file_range(segment_base, position, len).to_vec();
                    self.log
                        .read_with_block(request, segment_base, position, &block)?
                }
            }
        }
        panic!("a read does not come to an end: {request:?}");
    }

    /// Everything from `from` on that `limit` allows, batch by batch.
    pub(super) fn read_all(&mut self, from: Offset, limit: Offset) -> Vec<u8> {
        let mut all = Vec::new();
        let mut offset = from;
        loop {
            let request = ReadRequest {
                offset,
                max_bytes: 3_000,
                limit,
                whole_first_batch: true,
            };
            let bytes = self.read(&request).unwrap();
            let mut batches = Batches::new(&bytes);
            let Some(last) = batches.by_ref().map(Result::unwrap).last() else {
                return all;
            };
            all.extend_from_slice(&bytes[..bytes.len() - batches.rest().len()]);
            offset = last.0.last_offset().next();
        }
    }

    /// The rules by which Kafka's DumpLogSegments judges a sealed segment's files.
    pub(super) fn check_files(&self, base: Offset) {
        let log = &self.files[&(base, FileKind::Log)];
        let mut batches = Vec::new();
        let mut position = 0;
        for batch in Batches::new(log) {
            let (header, bytes) = batch.unwrap();
            assert_eq!(header.crc, header.compute_crc(&bytes[BatchHeader::SIZE..]));
            batches.push((position, header));
            position += bytes.len() as u32;
        }
        assert_eq!(position as usize, log.len(), "nothing but batches");
        let empty = Vec::new();
        let index = self.files.get(&(base, FileKind::Index)).unwrap_or(&empty);
        let entries: Vec<OffsetEntry> = decode_entries(index, index.len() / 8).unwrap();
        for entry in &entries {
            let (_, header) = batches
                .iter()
                .find(|(position, _)| *position == entry.position)
                .expect("a batch begins there");
            assert_eq!(header.last_offset().relative_to(base), Some(entry.offset));
        }
        let index = self
            .files
            .get(&(base, FileKind::TimeIndex))
            .unwrap_or(&empty);
        let times: Vec<TimeEntry> = decode_entries(index, index.len() / 12).unwrap();
        let mut max = -1;
        let mut times = times.iter().peekable();
        for (_, header) in &batches {
            max = max.max(header.max_timestamp);
            let relative = header.last_offset().relative_to(base);
            if let Some(entry) = times.next_if(|entry| Some(entry.offset) == relative) {
                assert_eq!((entry.timestamp, header.max_timestamp), (max, max));
            }
        }
        assert_eq!(times.next(), None, "an entry without its batch");
    }

    fn file_range(&self, base: Offset, position: FilePosition, len: usize) -> &[u8] {
        let file = &self.files[&(base, FileKind::Log)];
        &file[position.0 as usize..position.0 as usize + len]
    }
}
