//! From a partition's log to its coordinator: one at a time, in bounded pieces, so that neither
//! requests nor memory feel it.

use std::collections::{BTreeSet, VecDeque};

use logmill_engine::base::{Micros, Now, Offset};
use logmill_engine::disk::{Completion, DiskOp, DiskOutput, FileLease, FileRange, OpKey};
use logmill_engine::format::compression::{Codec, decompress};
use logmill_engine::store::{FetchRead, Isolation, ReadData};
use logmill_wire::batch::control::ControlType;
use logmill_wire::batch::{Batch, Batches, RecordIter};

use super::{Coordinators, Hosted};
use crate::base::work::Token;
use crate::groups::ReplayError;
use crate::metadata::OFFSETS_TOPIC;
use crate::shard::Shard;
use crate::shard::out::Notice;
use crate::shard::requests::Work;

/// Partitions to be loaded, and the one that is.
#[derive(Debug, Default)]
pub(super) struct Loads {
    waiting: VecDeque<i32>,
    current: Option<Load>,
    reads: u64,
    tally: Tally,
}

/// What was loaded since there was nothing to load.
#[derive(Debug, Default)]
struct Tally {
    began: Option<Micros>,
    partitions: usize,
    records: usize,
}

#[derive(Debug)]
struct Load {
    index: i32,
    token: Token,
    next: Offset,
    passed_over: PassedOver,
    /// The store or the disk will tell.
    waits: bool,
    /// Keeps the file of a read under way.
    reading: Option<(OpKey, FileLease)>,
}

/// Records of types that are not known here.
#[derive(Debug, Default)]
struct PassedOver {
    records: usize,
    /// The first that were met.
    types: BTreeSet<i16>,
}

/// A coordinator whose whole log was replayed, and waits until it is synced.
#[derive(Clone, Copy, Debug)]
pub struct CoordinatorLoaded {
    index: i32,
    life: u64,
}

impl Loads {
    pub(super) fn add(&mut self, index: i32) {
        if !self.waiting.contains(&index) {
            self.waiting.push_back(index);
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Whether there is something to do now.
    pub(super) fn is_busy(&self) -> bool {
        match &self.current {
            Some(load) => !load.waits,
            None => !self.waiting.is_empty(),
        }
    }
}

/// Why a piece of a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("{0}")]
    Batch(#[from] logmill_wire::batch::BatchError),
    #[error("{0}")]
    Compression(#[from] logmill_engine::format::compression::CompressionError),
    #[error("{0}")]
    Replay(#[from] ReplayError),
    #[error("{0}")]
    Store(#[from] logmill_engine::store::StoreError),
    #[error("{0}")]
    Disk(#[from] logmill_engine::disk::DiskError),
    #[error("no whole batch at offset {0}")]
    Stuck(Offset),
}

impl Shard {
    /// Loads a piece.
    pub(super) fn load_coordinators(&mut self, now: Now) {
        if !self.coordinators.loads.is_busy() {
            return;
        }
        if self.coordinators.loads.current.is_none() {
            let Some(index) = self.coordinators.loads.waiting.pop_front() else {
                return;
            };
            let Some(token) = self.work.reserve() else {
                self.coordinators.loads.waiting.push_front(index);
                return;
            };
            self.work.put(token, Work::CoordinatorLoad);
            self.coordinators
                .loads
                .tally
                .began
                .get_or_insert(now.monotonic);
            self.coordinators.loads.current = Some(Load {
                index,
                token,
                next: Offset(-1),
                passed_over: PassedOver::default(),
                waits: false,
                reading: None,
            });
        }
        if let Err(error) = self.load_piece(now) {
            self.load_failed(now, &error);
        }
    }

    /// The store has what the load waits for.
    pub(in crate::shard) fn coordinator_load_on(&mut self) {
        if let Some(load) = &mut self.coordinators.loads.current {
            load.waits = false;
        }
    }

    /// A read of a segment ended.
    pub(in crate::shard) fn coordinator_read(&mut self, now: Now, completion: Completion) {
        let Some(load) = &mut self.coordinators.loads.current else {
            return;
        };
        if load
            .reading
            .take_if(|(key, _)| *key == completion.key)
            .is_none()
        {
            return;
        }
        load.waits = false;
        let replayed = match completion.result {
            Ok(DiskOutput::Bytes(bytes)) => self.replay_piece(&bytes),
            Ok(DiskOutput::Done) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = replayed {
            self.load_failed(now, &error);
        }
        self.load_coordinators(now);
    }

    /// Whether a completion is one of a load's.
    pub(in crate::shard) fn is_coordinator_read(key: OpKey) -> bool {
        key.0 & READ != 0
    }

    fn load_piece(&mut self, now: Now) -> Result<(), LoadError> {
        let Some(load) = &mut self.coordinators.loads.current else {
            return Ok(());
        };
        let Some(hosted) = self.coordinators.hosted.get(&load.index) else {
            // Its topic was deleted.
            self.end_load();
            return Ok(());
        };
        let key = hosted.key();
        if let Some(marks) = self.core.store.watermarks(key) {
            load.next = load.next.max(marks.log_start());
        }
        let request = FetchRead {
            offset: load.next,
            max_bytes: PIECE_BYTES,
            whole_first_batch: true,
            isolation: Isolation::LogEnd,
            token: load.token.to_bits(),
        };
        match self.core.store.read(now, key, &request)?.data {
            ReadData::Loading => load.waits = true,
            ReadData::Memory(parts) => {
                let bytes = parts.to_vec();
                self.replay_piece(&bytes)?;
            }
            ReadData::File(range) => self.read_piece(range),
            ReadData::Empty => {
                let (index, life, end) = (load.index, hosted.life(), load.next);
                // Without a place for the wait, the next turn tries again.
                let Some(token) = self.work.reserve() else {
                    return Ok(());
                };
                self.tell_of_left_out();
                self.end_load();
                self.tell_of_loads(now);
                let loaded = CoordinatorLoaded { index, life };
                self.work.put(token, Work::CoordinatorLoaded(loaded));
                let last = Offset(end.0 - 1);
                self.core.store.wait_visible(key, last, token.to_bits());
            }
        }
        Ok(())
    }

    /// All that a coordinator knows from its log is synced: from here on it may be told. Where the
    /// log directory has failed that never comes, and the groups hear that they are being loaded.
    pub(in crate::shard) fn coordinator_loaded(&mut self, now: Now, loaded: CoordinatorLoaded) {
        let Coordinators {
            hosted, effects, ..
        } = &mut self.coordinators;
        let hosted = hosted.get_mut(&loaded.index);
        if let Some(hosted) = hosted.filter(|hosted| hosted.life() == loaded.life) {
            hosted.loaded(now, effects);
            self.carry_out(now, loaded.index);
        }
    }

    fn read_piece(&mut self, range: FileRange) {
        let Coordinators { loads, reads, .. } = &mut self.coordinators;
        let Some(load) = &mut loads.current else {
            return;
        };
        // Without memory now, the next turn tries again.
        let Some(into) = self.core.region(range.len as usize) else {
            return;
        };
        loads.reads += 1;
        let key = OpKey(READ | loads.reads);
        let op = DiskOp::Read {
            direct: false,
            file: range.file,
            position: range.position,
            len: range.len,
            into,
        };
        load.waits = true;
        load.reading = Some((key, range.lease));
        reads.push((key, op));
    }

    /// Replays the whole batches of a piece.
    fn replay_piece(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let Coordinators { loads, hosted, .. } = &mut self.coordinators;
        let Some(load) = &mut loads.current else {
            return Ok(());
        };
        let Some(hosted) = hosted.get_mut(&load.index) else {
            return Ok(());
        };
        let begin = load.next;
        for batch in Batches::new(bytes) {
            let batch = batch?;
            if batch.header.base_offset >= load.next.0 {
                loads.tally.records += replay(hosted, &batch, &mut load.passed_over)?;
            }
            load.next = load.next.max(Offset(batch.header.last_offset() + 1));
        }
        match load.next > begin {
            true => Ok(()),
            false => Err(LoadError::Stuck(begin)),
        }
    }

    /// Says what the log holds that the coordinator does not keep.
    fn tell_of_left_out(&mut self) {
        let Coordinators { loads, hosted, .. } = &mut self.coordinators;
        let Some(load) = &loads.current else {
            return;
        };
        let PassedOver { records, types } = &load.passed_over;
        if *records > 0 {
            let text = format!(
                "{OFFSETS_TOPIC}-{}: {records} records of types that are not known here were \
                 passed over: {types:?}; another release, or another protocol's groups, left them",
                load.index
            );
            self.net.notice(Notice::Storage { text });
        }
        let hosted = hosted.get_mut(&load.index);
        let undecided = hosted.map_or(0, |hosted| hosted.coordinator().undecided());
        if undecided > 0 {
            let text = format!(
                "{OFFSETS_TOPIC}-{}: {undecided} offsets were committed in transactions that \
                 never ended: they do not count",
                load.index
            );
            self.net.notice(Notice::Storage { text });
        }
    }

    /// Says what was loaded when that was the last, and there was something in it.
    fn tell_of_loads(&mut self, now: Now) {
        let loads = &mut self.coordinators.loads;
        loads.tally.partitions += 1;
        if !loads.waiting.is_empty() {
            return;
        }
        let tally = std::mem::take(&mut loads.tally);
        if let Some(began) = tally.began.filter(|_| tally.records > 0) {
            let text = format!(
                "{OFFSETS_TOPIC}: {} records of {} partitions loaded in {} ms",
                tally.records,
                tally.partitions,
                now.monotonic.saturating_since(began).0 / 1_000
            );
            self.net.notice(Notice::Storage { text });
        }
    }

    fn end_load(&mut self) {
        if let Some(load) = self.coordinators.loads.current.take()
            && self.work.take(load.token).is_some()
        {
            self.work.release(load.token);
        }
    }

    /// Serving a part of what was committed would be worse than serving none of it.
    fn load_failed(&mut self, now: Now, error: &LoadError) {
        let Coordinators { loads, hosted, .. } = &mut self.coordinators;
        if let Some(load) = &loads.current {
            if let Some(hosted) = hosted.get_mut(&load.index) {
                hosted.fail();
            }
            let text = format!(
                "{OFFSETS_TOPIC}-{} cannot be loaded at offset {}: {error}; its groups are not \
                 served",
                load.index, load.next
            );
            self.net.notice(Notice::Storage { text });
        }
        self.end_load();
        self.tell_of_loads(now);
    }
}

impl PassedOver {
    fn add(&mut self, record_type: i16) {
        self.records += 1;
        if self.types.len() < TYPES_TOLD_MAX {
            self.types.insert(record_type);
        }
    }
}

/// Says how many records there were.
fn replay(
    hosted: &mut Hosted,
    batch: &Batch<'_>,
    passed_over: &mut PassedOver,
) -> Result<usize, LoadError> {
    batch.check_crc()?;
    let (attributes, producer) = (batch.header.attributes, batch.header.producer_id);
    let codec = Codec::from_id(attributes.compression()? as u8).unwrap_or(Codec::None);
    let mut plain = Vec::new();
    let records = match codec {
        Codec::None => batch.record_bytes(),
        codec => {
            decompress(codec, batch.record_bytes(), PLAIN_BYTES_MAX, &mut plain)?;
            &plain
        }
    };
    let coordinator = hosted.coordinator();
    let mut count = 0;
    for record in RecordIter::new(records, &batch.header) {
        let record = record?;
        let (key, value) = (record.key.unwrap_or_default(), record.value);
        if attributes.is_control() {
            match ControlType::from_key(key) {
                Ok(ControlType::Commit) => coordinator.end_transaction(producer, true),
                Ok(ControlType::Abort) => coordinator.end_transaction(producer, false),
                _ => {}
            }
            continue;
        }
        let replayed = match producer {
            NO_PRODUCER => coordinator.replay(key, value),
            producer => coordinator.replay_of(producer, record.offset, key, value),
        };
        match replayed {
            Err(ReplayError::UnknownType(record_type)) => passed_over.add(record_type),
            replayed => replayed?,
        }
        count += 1;
    }
    Ok(count)
}

/// Marks the keys of these disk operations; the store's are smaller, the driver's larger.
const READ: u64 = 1 << 62;
/// Bytes of a log that are replayed in a turn.
const PIECE_BYTES: usize = 256 << 10;
/// The most that a compressed batch may hold.
const PLAIN_BYTES_MAX: usize = 64 << 20;
/// The producer of batches that have none.
const NO_PRODUCER: i64 = -1;
/// So many types that are not known are told by their numbers.
const TYPES_TOLD_MAX: usize = 16;
