//! Appending: what it answers, and why it refuses.

use super::memory::{BatchMark, SegmentMemory};
use super::segment::Segment;
use super::{LogIdentity, PartitionLog, TimestampType};
use crate::base::{FilePosition, LeaderEpoch, Now, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::format::batch::BatchHeader;
use crate::partition::{SequenceCheck, SequenceError};
use crate::sys::region::{RegionPool, Slices};

impl PartitionLog {
    /// Appends one batch as the partition's leader: offsets are assigned, the leader epoch and,
    /// where the topic says so, the append time are stamped in.
    ///
    /// `header` must be that of `bytes`, validated before ([`crate::format::validate`]); `bytes`
    /// are copied once, into the log's memory. After an error nothing has changed.
    pub fn append_as_leader(
        &mut self,
        now: Now,
        pool: &mut RegionPool,
        epoch: LeaderEpoch,
        header: &BatchHeader,
        bytes: &[u8],
        origin: Origin,
    ) -> Result<AppendOutcome, AppendError> {
        self.check_size(header, bytes)?;
        if let Some(latest) = self.epochs.latest().filter(|latest| *latest > epoch) {
            return Err(AppendError::StaleLeaderEpoch { epoch, latest });
        }
        if let Some(original) = self.check_producer(header, origin)? {
            return Ok(original);
        }
        let mut stamped = *header;
        stamped.base_offset = self.end;
        stamped.leader_epoch = epoch;
        if stamped
            .base_offset
            .checked_add(i64::from(header.last_offset_delta) + 1)
            .is_none()
        {
            return Err(AppendError::OffsetsExhausted { end: self.end });
        }
        let mut append_time = -1;
        if self.config.timestamps.timestamp_type == TimestampType::LogAppendTime {
            append_time = now.wall_ms;
            stamped.max_timestamp = now.wall_ms;
            stamped.attributes = header.attributes.with_log_append_time(true);
            stamped.crc = stamped.compute_crc(&bytes[BatchHeader::SIZE..]);
        }
        self.append_stamped(now, pool, &stamped, bytes, append_time)
            .map(AppendOutcome::Appended)
    }

    /// Appends one batch as a follower, or as a replay: its offsets and epoch stay as they are,
    /// and offsets may be missing between the log's end and its first.
    ///
    /// `bytes` are one whole batch, its CRC checked. After an error nothing has changed.
    pub fn append_as_follower(
        &mut self,
        now: Now,
        pool: &mut RegionPool,
        header: &BatchHeader,
        bytes: &[u8],
    ) -> Result<Appended, AppendError> {
        if header.size() != bytes.len() || header.last_offset_delta < 0 {
            return Err(AppendError::Malformed);
        }
        let offset = header.base_offset;
        let behind = offset.checked_add(i64::from(header.last_offset_delta) + 1);
        if offset < self.end || behind.is_none() {
            return Err(AppendError::NotContinuous {
                offset,
                end: self.end,
            });
        }
        self.append_stamped(now, pool, header, bytes, -1)
    }

    /// What both kinds of append share: room, roll, copy, indexes, producers, epochs.
    fn append_stamped(
        &mut self,
        now: Now,
        pool: &mut RegionPool,
        header: &BatchHeader,
        bytes: &[u8],
        append_time: i64,
    ) -> Result<Appended, AppendError> {
        let rolls = self.segments.last().is_none_or(|active| {
            let LogIdentity {
                topic_id, index, ..
            } = self.identity;
            let age_max = self.config.segment_age_max_ms(topic_id, index, active.base);
            active.must_roll(now.wall_ms, header, &self.config, age_max)
        });
        if rolls {
            self.segments.push(Segment::new(header.base_offset));
        }
        let Some(segment) = self.segments.last_mut() else {
            return Err(AppendError::Malformed);
        };
        let (position, previous_end) = (segment.size, self.end);
        let complete_from = segment.end;
        let memory = segment
            .memory
            .get_or_insert_with(|| Box::new(SegmentMemory::new(complete_from)));
        let growth = &mut self.growth;
        if !memory.reserve(now.monotonic, pool, growth, position, bytes.len()) {
            if memory.is_empty() {
                segment.memory = None;
            }
            if rolls {
                self.segments.pop();
            }
            return Err(AppendError::Backpressure);
        }
        memory.append(&header.to_bytes());
        memory.append(&bytes[BatchHeader::SIZE..]);
        if let Some(last_offset) = header.last_offset().relative_to(segment.base) {
            memory.mark(BatchMark {
                last_offset,
                position,
            });
        }
        let bytes = memory.slices(position, position + bytes.len() as u32);
        segment.note_batch(header, self.config.index_interval_bytes);
        segment.begun_ms.get_or_insert(now.wall_ms);
        let segment_base = segment.base;
        let rolled = rolls.then(|| self.rolled());
        self.end = header.last_offset().next();
        self.producers.record(header, None);
        if self.producers.len() > self.config.producers_max {
            self.expire_producers(now.wall_ms);
        }
        Ok(Appended {
            previous_end,
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            leader_epoch: header.leader_epoch,
            append_time,
            segment_base,
            position: FilePosition(u64::from(position)),
            bytes,
            epoch_started: self.epochs.assign(header.leader_epoch, header.base_offset),
            rolled,
        })
    }

    fn check_size(&self, header: &BatchHeader, bytes: &[u8]) -> Result<(), AppendError> {
        let size = bytes.len();
        if header.size() != size || header.last_offset_delta < 0 {
            return Err(AppendError::Malformed);
        }
        if size > self.config.max_message_bytes as usize {
            return Err(AppendError::TooLarge {
                size,
                max: self.config.max_message_bytes,
            });
        }
        if size > self.config.segment_bytes as usize {
            return Err(AppendError::LargerThanSegment {
                size,
                max: self.config.segment_bytes,
            });
        }
        Ok(())
    }

    fn check_producer(
        &self,
        header: &BatchHeader,
        origin: Origin,
    ) -> Result<Option<AppendOutcome>, AppendError> {
        let checked = match origin {
            Origin::Client => self.producers.check(header),
            Origin::Coordinator => self
                .producers
                .check_epoch(header)
                .map(|()| SequenceCheck::New),
        };
        let producer = header.producer_id;
        match checked {
            Ok(SequenceCheck::New) => Ok(None),
            Ok(SequenceCheck::Duplicate(original)) => Ok(Some(AppendOutcome::Duplicate {
                base_offset: Offset(original.last_offset.0 - i64::from(original.offset_delta)),
                last_offset: original.last_offset,
                timestamp: original.timestamp,
            })),
            Err(SequenceError::Fenced { latest }) => Err(AppendError::ProducerFenced {
                producer,
                epoch: header.producer_epoch,
                latest,
            }),
            Err(SequenceError::OutOfOrder { last }) => Err(AppendError::OutOfOrderSequence {
                producer,
                sequence: header.base_sequence,
                last,
            }),
        }
    }

    /// The last segment has just begun. Called before its first batch's producer is taken up.
    fn rolled(&self) -> Box<Rolled> {
        let mut newest = self.segments.iter().rev().map(|segment| segment.base);
        let base = newest.next().unwrap_or(self.end);
        let snapshot = self.producers.snapshot();
        Box::new(Rolled {
            sealed: newest.next(),
            base,
            snapshot,
        })
    }
}

/// Who appends as leader. Coordinators write control batches and skip the sequence checks of
/// clients, as in Kafka (`AppendOrigin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Produce request.
    Client,
    /// A coordinator or the metadata log of this broker.
    Coordinator,
}

/// What became of a leader's append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The producer sent this batch before: nothing was appended, the answer is the first one's.
    /// It must be held back until the original is as durable as this request asks.
    Duplicate {
        /// The original's first offset.
        base_offset: Offset,
        /// The original's last offset.
        last_offset: Offset,
        /// The original's largest timestamp, which Kafka answers as the append time.
        timestamp: i64,
    },
    /// The batch stands in the log's memory.
    Appended(Appended),
}

/// A batch that was appended: what the journal records and the caller answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The log end before: what must be there for a replay to go on from.
    pub previous_end: Offset,
    /// The first record's offset.
    pub base_offset: Offset,
    /// The last record's offset.
    pub last_offset: Offset,
    /// The term that was stamped in.
    pub leader_epoch: LeaderEpoch,
    /// The broker's clock at the append where the topic stamps by it, else -1.
    pub append_time: i64,
    /// Which segment the batch belongs to.
    pub segment_base: Offset,
    /// Where in that segment it stands.
    pub position: FilePosition,
    /// The batch as it will stand in the segment; several parts if it spans regions.
    pub bytes: Slices,
    /// The term began with this batch: the epoch checkpoint has a new line.
    pub epoch_started: bool,
    /// The batch began a new segment.
    pub rolled: Option<Box<Rolled>>,
}

/// A segment began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolled {
    /// The segment that ended, if there was one: it waits to be sealed.
    pub sealed: Option<Offset>,
    /// The new one, to be created.
    pub base: Offset,
    /// `<base>.snapshot`: the producers as they were before the new segment's first batch.
    pub snapshot: Vec<u8>,
}

/// Why a batch was not appended. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No memory within the budget: ask again when some was written behind.
    #[error("no memory for the batch within the tail budget")]
    Backpressure,
    /// MESSAGE_TOO_LARGE.
    #[error("batch of {size} bytes; max.message.bytes is {max}")]
    TooLarge {
        /// The batch.
        size: usize,
        /// The limit.
        max: u32,
    },
    /// RECORD_LIST_TOO_LARGE.
    #[error("batch of {size} bytes; segment.bytes is {max}")]
    LargerThanSegment {
        /// The batch.
        size: usize,
        /// The limit.
        max: u32,
    },
    /// The leader's term went on: NOT_LEADER_OR_FOLLOWER.
    #[error("append in epoch {epoch}, the log has {latest} already")]
    StaleLeaderEpoch {
        /// The caller's.
        epoch: LeaderEpoch,
        /// The log's.
        latest: LeaderEpoch,
    },
    /// INVALID_PRODUCER_EPOCH.
    #[error("producer {producer} with epoch {epoch}, the latest is {latest}")]
    ProducerFenced {
        /// Who.
        producer: ProducerId,
        /// The batch's epoch.
        epoch: ProducerEpoch,
        /// The known one.
        latest: ProducerEpoch,
    },
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    #[error("producer {producer} sent sequence {sequence} after {last}")]
    OutOfOrderSequence {
        /// Who.
        producer: ProducerId,
        /// The batch's first sequence.
        sequence: Sequence,
        /// The last known one; -1 where a new epoch must begin at 0.
        last: Sequence,
    },
    /// A follower's batch that does not continue the log, or bytes that are no batch.
    #[error("the batch at offset {offset} does not continue the log, which ends at {end}")]
    NotContinuous {
        /// The batch's first offset.
        offset: Offset,
        /// The log end.
        end: Offset,
    },
    /// The log has reached the last offset there is.
    #[error("no offsets are left behind {end}")]
    OffsetsExhausted {
        /// The log end.
        end: Offset,
    },
    /// The bytes are no whole batch that fits its own head.
    #[error("not a record batch: its head and its bytes do not agree")]
    Malformed,
}
