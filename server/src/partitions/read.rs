//! A partition's part of a fetch, on the shard that owns it.

use logmill_engine::base::{LeaderEpoch, Now, Offset};
use logmill_engine::log::{AppendError, ReadError};
use logmill_engine::replica::EpochEnd;
use logmill_engine::store::{FetchRead, Isolation, PartitionKey, ReadData, StoreError};

use super::core::Core;
use crate::base::work::Token;

/// What is asked of a partition.
#[derive(Clone, Copy, Debug)]
pub struct PartRead {
    /// The first offset wanted.
    pub offset: Offset,
    /// Bytes wanted at most; the first batch is given whole all the same.
    pub max_bytes: usize,
    /// How far it may see.
    pub isolation: Isolation,
    /// The term of what the client has before `offset`, or none: if that term ended earlier here,
    /// the client has records that this log lost.
    pub last_fetched_epoch: LeaderEpoch,
}

/// What a partition answers.
#[derive(Debug)]
pub struct PartAnswer {
    /// The high watermark.
    pub high: Offset,
    /// The last stable offset.
    pub last_stable: Offset,
    /// The first offset.
    pub log_start: Offset,
    /// The client's log and this one part here: a term and its end. No records then.
    pub diverging: Option<(LeaderEpoch, Offset)>,
    /// Records.
    pub data: ReadData,
}

impl PartAnswer {
    /// Bytes of records.
    pub fn record_bytes(&self) -> usize {
        match &self.data {
            ReadData::Empty | ReadData::Loading => 0,
            ReadData::Memory(slices) => slices.len(),
            ReadData::File(range) => range.len as usize,
        }
    }
}

/// Reads; with `Loading` the store says [`logmill_engine::store::StoreEvent::Loaded`] with `token`,
/// then ask again.
pub fn read(
    now: Now,
    core: &mut Core,
    key: PartitionKey,
    read: &PartRead,
    token: Token,
) -> Result<PartAnswer, StoreError> {
    if let Some(answer) = diverging(core, key, read)? {
        return Ok(answer);
    }
    let request = FetchRead {
        offset: read.offset,
        max_bytes: read.max_bytes,
        whole_first_batch: true,
        isolation: read.isolation,
        token: token.to_bits(),
    };
    let (marks, data) = match core.store.read(now, key, &request) {
        Ok(read) => (read.watermarks, read.data),
        // No memory for an index block now: nothing this time, the client asks again.
        Err(StoreError::Append(AppendError::Backpressure)) => {
            let marks = core
                .store
                .watermarks(key)
                .ok_or(StoreError::UnknownPartition)?;
            (marks, ReadData::Empty)
        }
        Err(error) => return Err(error),
    };
    Ok(PartAnswer {
        high: marks.high(),
        last_stable: marks.last_stable(),
        log_start: marks.log_start(),
        diverging: None,
        data,
    })
}

/// KAFKA: `Partition.readRecords`: the terms are compared before the offset's range, except that an
/// offset below the log's start is out of range in any case.
fn diverging(
    core: &Core,
    key: PartitionKey,
    read: &PartRead,
) -> Result<Option<PartAnswer>, StoreError> {
    if read.last_fetched_epoch == LeaderEpoch::NONE {
        return Ok(None);
    }
    let (Some(marks), Some(end)) = (
        core.store.watermarks(key),
        core.store.epoch_end(key, read.last_fetched_epoch),
    ) else {
        return Err(StoreError::UnknownPartition);
    };
    if end == EpochEnd::UNKNOWN || read.offset < marks.log_start() {
        return Err(StoreError::Read(ReadError::OffsetOutOfRange {
            offset: read.offset,
            log_start: marks.log_start(),
            end: marks.appended(),
        }));
    }
    let diverges = end.epoch < read.last_fetched_epoch || end.end < read.offset;
    Ok(diverges.then(|| PartAnswer {
        high: marks.high(),
        last_stable: marks.last_stable(),
        log_start: marks.log_start(),
        diverging: Some((end.epoch, end.end)),
        data: ReadData::Empty,
    }))
}
