//! Questions about offsets: ListOffsets.

use super::{
    FoundOffset, Isolation, OffsetAnswer, OffsetSpec, PartitionKey, Store, StoreError,
    reads::Loading,
};
use crate::{
    base::{LeaderEpoch, Now, Offset},
    log::{ReadError, TimestampQuery, TimestampStep},
};

impl Store {
    /// Finds an offset. With [`OffsetAnswer::Loading`] ask again, with the same token, at
    /// [`super::StoreEvent::Loaded`]. What is found by timestamp may lie beyond the high watermark
    /// or the last stable offset: compare with [`Store::watermarks`].
    pub fn list_offset(
        &mut self,
        _now: Now,
        key: PartitionKey,
        spec: OffsetSpec,
        token: u64,
    ) -> Result<OffsetAnswer, StoreError> {
        let query = match spec {
            OffsetSpec::Earliest => return self.mark(key, |entry| entry.marks.log_start()),
            OffsetSpec::Latest(isolation) => {
                return self.mark(key, |entry| match isolation {
                    Isolation::ReadUncommitted => entry.marks.high(),
                    Isolation::ReadCommitted => entry.marks.last_stable(),
                    Isolation::LogEnd => entry.marks.appended(),
                });
            }
            OffsetSpec::MaxTimestamp => TimestampQuery::Largest,
            OffsetSpec::AtOrAfter(timestamp) => TimestampQuery::AtOrAfter(timestamp),
        };
        let loaded = self.loads.take(key, token);
        let log = &self.live(key)?.log;
        let step = match loaded {
            Some((_, Loading::Search(search, _), Some(block))) => {
                log.find_timestamp_with_block(search, &block)
            }
            // The block could not be read, and not because it was deleted meanwhile.
            Some((base, Loading::Search(..), None)) if log.segments().any(|s| s.base == base) => {
                return Err(StoreError::Fenced);
            }
            _ => log.find_timestamp(query),
        };
        let (base, what, len) = match step {
            TimestampStep::NotFound => return Ok(OffsetAnswer::Ready(NOTHING)),
            TimestampStep::Found(found) => {
                return Ok(OffsetAnswer::Ready(FoundOffset {
                    offset: Some(found.offset),
                    timestamp: found.timestamp,
                    leader_epoch: found.leader_epoch,
                }));
            }
            TimestampStep::Corrupt {
                segment_base,
                position,
            } => {
                return Err(ReadError::Corrupt {
                    segment_base,
                    position,
                }
                .into());
            }
            TimestampStep::NeedIndex {
                segment_base,
                kind,
                len,
            } => (segment_base, Loading::Index(kind), len),
            TimestampStep::NeedBlock {
                search,
                segment_base,
                position,
                len,
            } => (segment_base, Loading::Search(search, position), len),
        };
        self.load(key, token, base, what, len)?;
        Ok(OffsetAnswer::Loading)
    }

    fn mark(
        &self,
        key: PartitionKey,
        of: impl FnOnce(&super::Entry) -> Offset,
    ) -> Result<OffsetAnswer, StoreError> {
        let entry = self.live(key)?;
        let offset = of(entry);
        // The term of the record at the offset, or of the one that would come next.
        let epochs = entry.log.epochs();
        let leader_epoch = epochs.epoch_at(offset).unwrap_or(LeaderEpoch::NONE);
        Ok(OffsetAnswer::Ready(FoundOffset {
            offset: Some(offset),
            timestamp: -1,
            leader_epoch,
        }))
    }
}

const NOTHING: FoundOffset = FoundOffset {
    offset: None,
    timestamp: -1,
    leader_epoch: LeaderEpoch::NONE,
};
