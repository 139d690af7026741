//! The log of one partition: its state, and how it is made, restored and asked.

use std::collections::VecDeque;
use std::sync::Arc;

use super::memory::Growth;
use super::segment::Segment;
use super::write_behind::InFlight;
use super::{LogConfig, PartitionState};
use crate::base::{DirectoryIndex, LeaderEpoch, Offset, PartitionIndex, TopicId};
use crate::format::names::{self, FileKind};
use crate::partition::ProducerTable;
use crate::replica::{EpochCache, EpochEnd};

/// Whose log it is, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    /// The topic.
    pub topic_id: TopicId,
    /// Its name; shared by its partitions.
    pub topic: Arc<str>,
    /// Which of its partitions.
    pub index: PartitionIndex,
    /// The log directory.
    pub directory: DirectoryIndex,
}

impl LogIdentity {
    /// The partition's folder within the log directory.
    pub fn folder(&self) -> String {
        names::partition_folder(&self.topic, self.index)
    }

    /// The path of one of its files within the log directory.
    pub fn file(&self, base: Offset, kind: FileKind) -> String {
        format!("{}/{}", self.folder(), names::segment_file(base, kind))
    }
}

/// One partition's log: segments and their indexes, the memory in front of them, the idempotent
/// producers and the leader epochs. Pure: effects come out as plans, completions come back in.
///
/// Belongs to one shard. An idle log holds no region and under 1 KiB. What is durable where
/// (written, synced, visible) is kept beside it, in [`crate::base::Watermarks`].
#[derive(Debug)]
pub struct PartitionLog {
    pub(super) identity: LogIdentity,
    pub(super) config: Arc<LogConfig>,
    pub(super) log_start: Offset,
    pub(super) end: Offset,
    /// Oldest first; the last one is active. Empty until the first append.
    pub(super) segments: Vec<Segment>,
    /// As many of the oldest segments are synced whole: writing behind is done with them.
    pub(super) settled: usize,
    pub(super) epochs: EpochCache,
    pub(super) producers: ProducerTable,
    pub(super) in_flight: VecDeque<InFlight>,
    pub(super) growth: Growth,
    /// Counts cuts: a sync that was submitted before one says nothing about what came after.
    pub(super) cuts: u32,
}

impl PartitionLog {
    /// A new, empty log that begins at `start`.
    pub fn new(identity: LogIdentity, config: Arc<LogConfig>, start: Offset) -> Self {
        Self {
            identity,
            config,
            log_start: start,
            end: start,
            segments: Vec::new(),
            settled: 0,
            epochs: EpochCache::default(),
            producers: ProducerTable::default(),
            in_flight: VecDeque::new(),
            growth: Growth::new(),
            cuts: 0,
        }
    }

    /// The log that `state` describes, without reading any file.
    ///
    /// # Errors
    /// What contradicts itself in `state`: it was damaged, and the log must be recovered from its
    /// files instead.
    pub fn restored(state: &PartitionState, config: Arc<LogConfig>) -> Result<Self, StateError> {
        check(state)?;
        let identity = LogIdentity {
            topic_id: state.topic_id,
            topic: state.topic.as_str().into(),
            index: state.index,
            directory: state.directory,
        };
        let mut log = Self::new(identity, config, state.log_start);
        log.end = state.end;
        log.segments = state.segments.iter().map(Segment::restored).collect();
        let ended = log.segments.len().saturating_sub(1);
        log.segments[..ended]
            .iter_mut()
            .for_each(|segment| segment.sealed = true);
        log.settle();
        log.epochs = EpochCache::restored(state.epochs.iter().copied());
        log.producers = ProducerTable::restored(&state.producers);
        Ok(log)
    }

    /// The log as plain data, as far as it stands in segments: after a clean stop, all of it.
    pub fn state(&self) -> PartitionState {
        PartitionState {
            topic_id: self.identity.topic_id,
            topic: self.identity.topic.to_string(),
            index: self.identity.index,
            directory: self.identity.directory,
            log_start: self.log_start,
            end: self.end,
            recovery_point: self.recovery_point(),
            epochs: self.epochs.starts().to_vec(),
            segments: self.segments.iter().map(Segment::state).collect(),
            producers: self.producers.states(),
        }
    }

    /// Whose log it is.
    pub fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    /// The topic's settings.
    pub fn config(&self) -> &Arc<LogConfig> {
        &self.config
    }

    /// The settings changed; they hold from the next append on.
    pub fn set_config(&mut self, config: Arc<LogConfig>) {
        self.config = config;
    }

    /// The first offset that may be read.
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The log end offset: the offset of the next record.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// The idempotent producers.
    pub fn producers(&self) -> &ProducerTable {
        &self.producers
    }

    /// Drops producers that were not heard for long; call it every now and then.
    pub fn expire_producers(&mut self, now_ms: i64) {
        let config = &self.config;
        self.producers.expire(
            now_ms,
            config.producer_id_expiration_ms,
            config.producers_max,
        );
    }

    /// Forgets the longest idle producers until there are only so many.
    pub fn drop_idle_producers(&mut self, now_ms: i64, producers_max: usize) {
        let expiration_ms = self.config.producer_id_expiration_ms;
        self.producers.expire(now_ms, expiration_ms, producers_max);
    }

    /// The bytes of `<end>.snapshot`: the producers as they are now.
    pub fn producer_snapshot(&self) -> Vec<u8> {
        self.producers.snapshot()
    }

    /// The leader epochs.
    pub fn epochs(&self) -> &EpochCache {
        &self.epochs
    }

    /// A leader's term begins at the log's end; says whether it is new.
    pub fn start_epoch(&mut self, epoch: LeaderEpoch) -> bool {
        self.epochs.assign(epoch, self.end)
    }

    /// Where a term ends, for OffsetForLeaderEpoch.
    pub fn epoch_end(&self, epoch: LeaderEpoch) -> EpochEnd {
        self.epochs.end_of(epoch, self.end)
    }

    /// The bases and sizes of the segments, oldest first.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = SegmentInfo> + DoubleEndedIterator {
        self.segments.iter().map(|segment| SegmentInfo {
            base: segment.base,
            end: segment.end,
            size: segment.size,
            max_timestamp: segment.max_timestamp,
        })
    }

    /// Bytes of regions that the log holds.
    pub fn resident_bytes(&self) -> usize {
        self.segments
            .iter()
            .rev()
            .map(Segment::resident_bytes)
            .sum()
    }

    /// Bytes that only memory and the journal have.
    pub fn unwritten_bytes(&self) -> u64 {
        let unsettled = self.segments.iter().skip(self.settled);
        unsettled
            .map(|segment| u64::from(segment.unwritten()))
            .sum()
    }

    /// Frees regions whose bytes are all in their segment, oldest first, until `wanted` bytes
    /// are free or none is left; says how many that was. Readers keep what they hold views of.
    pub fn evict_clean(&mut self, wanted: usize) -> usize {
        let mut freed = 0;
        for segment in &mut self.segments {
            let (written, size, base) = (segment.written, segment.size, segment.base);
            let Some(memory) = &mut segment.memory else {
                continue;
            };
            while freed < wanted {
                match memory.evict_front(written, size, base) {
                    0 => break,
                    bytes => freed += bytes,
                }
            }
            if memory.is_empty() {
                segment.memory = None;
            } else if freed < wanted {
                // Older bytes go first: nothing behind unwritten ones is clean.
                break;
            }
            if freed >= wanted {
                break;
            }
        }
        freed
    }

    /// Bytes that the indexes take in memory.
    pub fn index_bytes(&self) -> usize {
        let bytes = |s: &Segment| s.index.memory_bytes() + s.time_index.memory_bytes();
        self.segments.iter().map(bytes).sum()
    }

    /// Frees the memory of index entries that stand in files; they are loaded again when needed.
    pub fn release_indexes(&mut self) -> usize {
        let release = |s: &mut Segment| s.index.release_saved() + s.time_index.release_saved();
        self.segments.iter_mut().map(release).sum()
    }

    /// The content of an index file that a plan asked for. `false` if it is not what the log
    /// expects: then [`Self::index_lost`] goes on without it.
    pub fn index_loaded(&mut self, segment_base: Offset, kind: FileKind, bytes: &[u8]) -> bool {
        match (self.segment_mut(segment_base), kind) {
            (Some(segment), FileKind::Index) => segment.index.load(bytes),
            (Some(segment), FileKind::TimeIndex) => segment.time_index.load(bytes),
            // The segment went meanwhile: nothing is wrong.
            _ => true,
        }
    }

    /// An index file is missing or damaged: reads of that segment scan from its beginning.
    pub fn index_lost(&mut self, segment_base: Offset, kind: FileKind) {
        match (self.segment_mut(segment_base), kind) {
            (Some(segment), FileKind::Index) => {
                segment.index.forget_file();
                segment.sealed = false;
            }
            (Some(segment), FileKind::TimeIndex) => {
                segment.time_index.forget_file();
                segment.sealed = false;
            }
            _ => {}
        }
    }

    /// Moves on over segments that are synced whole now; the active one never counts.
    pub(super) fn settle(&mut self) {
        let ended = self.segments.len().saturating_sub(1);
        while self.settled < ended && self.segments[self.settled].is_synced() {
            self.settled += 1;
        }
    }

    /// The segment that an offset belongs to: the last that begins at or before it.
    pub(super) fn segment_at(&self, offset: Offset) -> usize {
        self.segments
            .partition_point(|segment| segment.base <= offset)
            .saturating_sub(1)
    }

    pub(super) fn segment_mut(&mut self, base: Offset) -> Option<&mut Segment> {
        let at = self
            .segments
            .binary_search_by_key(&base, |segment| segment.base)
            .ok()?;
        self.segments.get_mut(at)
    }

    pub(super) fn segment(&self, base: Offset) -> Option<&Segment> {
        let at = self
            .segments
            .binary_search_by_key(&base, |segment| segment.base)
            .ok()?;
        self.segments.get(at)
    }
}

/// What may be known of a segment from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The offset that names its files.
    pub base: Offset,
    /// The offset behind its last record.
    pub end: Offset,
    /// Bytes of its log, those still in memory only among them.
    pub size: u32,
    /// The largest timestamp of its records; -1 for none.
    pub max_timestamp: i64,
}

/// What contradicts itself in a [`PartitionState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Offsets run backwards.
    #[error(
        "log start {log_start}, recovery point {recovery_point} and end {end} are not in order"
    )]
    Offsets {
        /// The log start.
        log_start: Offset,
        /// The recovery point.
        recovery_point: Offset,
        /// The log end.
        end: Offset,
    },
    /// A segment begins before its predecessor, behind the end, or is too large.
    #[error("segment {base} is out of place")]
    Segment {
        /// Which.
        base: Offset,
    },
}

fn check(state: &PartitionState) -> Result<(), StateError> {
    let PartitionState {
        log_start,
        recovery_point,
        end,
        ..
    } = *state;
    if log_start.0 < 0 || log_start > end || recovery_point > end {
        return Err(StateError::Offsets {
            log_start,
            recovery_point,
            end,
        });
    }
    let mut previous_end = Offset::ZERO;
    for segment in &state.segments {
        let base = segment.base;
        let in_place = previous_end <= base && base <= segment.end && segment.end <= end;
        let sound = segment.size <= i32::MAX as u32 && (segment.size > 0) == (segment.end > base);
        if !in_place || !sound {
            return Err(StateError::Segment { base });
        }
        previous_end = segment.end;
    }
    Ok(())
}

// Ten thousand idle partitions must be cheap.
const _: () = assert!(size_of::<PartitionLog>() <= 320 && size_of::<Segment>() <= 256);
