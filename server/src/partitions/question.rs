//! What is asked of a partition, and its answer on the shard that owns it.

use logmill_engine::base::{LeaderEpoch, Now, Offset};
use logmill_engine::replica::EpochEnd;
use logmill_engine::store::{
    FoundOffset, Isolation, OffsetAnswer, OffsetSpec, PartitionKey, StoreError,
};

use super::core::Core;
use crate::base::work::Token;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// An offset, and up to where the asker may see.
    Offset(OffsetSpec, Isolation),
    /// Where a term ended.
    EpochEnd(LeaderEpoch),
    /// The log is to begin at this offset; at the high watermark of that moment if it is -1.
    DeleteBefore(i64),
}

/// What is answered.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// An offset.
    Offset(FoundOffset),
    /// A term and its end.
    EpochEnd(EpochEnd),
    /// Where the log begins, durably.
    LogStart(Offset),
}

/// An answer, if it is there already.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It is.
    Told(Told),
    /// The store says [`logmill_engine::store::StoreEvent::Loaded`] with the token: ask again then.
    Loading,
}

/// Asks the store. The question may be made more exact, for the next time that it is asked.
pub fn answer(
    now: Now,
    core: &mut Core,
    key: PartitionKey,
    question: &mut Question,
    token: Token,
) -> Result<Answer, StoreError> {
    match *question {
        Question::DeleteBefore(offset) => {
            let to = match offset {
                HIGH_WATERMARK => limit(core, key, Isolation::ReadUncommitted)?,
                offset => Offset(offset),
            };
            *question = Question::DeleteBefore(to.0);
            let start = core.store.advance_log_start(key, to, token.to_bits())?;
            Ok(start.map_or(Answer::Loading, |start| Answer::Told(Told::LogStart(start))))
        }
        Question::EpochEnd(epoch) => {
            let end = core
                .store
                .epoch_end(key, epoch)
                .ok_or(StoreError::UnknownPartition)?;
            Ok(Answer::Told(Told::EpochEnd(end)))
        }
        Question::Offset(spec, isolation) => {
            match core.store.list_offset(now, key, spec, token.to_bits())? {
                OffsetAnswer::Loading => Ok(Answer::Loading),
                OffsetAnswer::Ready(found) => {
                    let limit = limit(core, key, isolation)?;
                    Ok(Answer::Told(Told::Offset(visible(found, spec, limit))))
                }
            }
        }
    }
}

fn limit(core: &Core, key: PartitionKey, isolation: Isolation) -> Result<Offset, StoreError> {
    let marks = core
        .store
        .watermarks(key)
        .ok_or(StoreError::UnknownPartition)?;
    Ok(match isolation {
        Isolation::ReadUncommitted => marks.high(),
        Isolation::ReadCommitted => marks.last_stable(),
        Isolation::LogEnd => marks.appended(),
    })
}

/// A record that the asker may not see yet was not found.
fn visible(found: FoundOffset, spec: OffsetSpec, limit: Offset) -> FoundOffset {
    let by_time = matches!(spec, OffsetSpec::AtOrAfter(_) | OffsetSpec::MaxTimestamp);
    if by_time && found.offset.is_some_and(|offset| offset >= limit) {
        return FoundOffset {
            offset: None,
            timestamp: -1,
            leader_epoch: LeaderEpoch::NONE,
        };
    }
    found
}

/// `DeleteRecordsRequest.HIGH_WATERMARK`.
const HIGH_WATERMARK: i64 = -1;
