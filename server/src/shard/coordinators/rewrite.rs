//! Keeps a coordinator's log small: when most of it is superseded, the live state is appended anew,
//! and the log begins there. What is left is a whole log of Kafka's own records, for whoever reads
//! it from its start.

use logmill_engine::base::Offset;
use logmill_engine::store::{PartitionKey, Store};

use super::NOBODY;
use crate::groups::{Coordinator, LiveCursor, Record};

/// How far the rewriting of one log has come.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// Records in the log at which it is looked at again.
    look_at: i64,
    under_way: Option<Pass>,
}

#[derive(Debug)]
struct Pass {
    /// Where the log will begin.
    first: Offset,
    cursor: LiveCursor,
    /// The batch that ends the pass, once it is made.
    last_batch: Option<u64>,
}

impl Rewrite {
    pub(super) fn new() -> Self {
        Self {
            look_at: RECORDS_MIN,
            under_way: None,
        }
    }

    /// Whether portions are still to be made.
    pub(super) fn is_busy(&self) -> bool {
        let pass = self.under_way.as_ref();
        pass.is_some_and(|pass| pass.last_batch.is_none())
    }

    /// Begins a pass if the log is long enough for one. All that the coordinator wanted recorded is
    /// in the log.
    pub(super) fn look(&mut self, store: &Store, key: PartitionKey, coordinator: &Coordinator) {
        let Some(marks) = store.watermarks(key).filter(|_| self.under_way.is_none()) else {
            return;
        };
        let first = marks.appended();
        let records = first.0 - marks.log_start().0;
        if records < self.look_at {
            return;
        }
        let counts = coordinator.counts();
        let live = (counts.groups + counts.offsets) as i64;
        if records < live * SUPERSEDED {
            self.look_at = live * SUPERSEDED;
            return;
        }
        self.look_at = RECORDS_MIN;
        self.under_way = Some(Pass {
            first,
            cursor: LiveCursor::default(),
            last_batch: None,
        });
    }

    /// Adds the next portion of the live state to `records`; `batch` is the number of the last
    /// batch that it will be in.
    pub(super) fn portion(
        &mut self,
        coordinator: &Coordinator,
        records: &mut Vec<Record>,
        batch: u64,
    ) {
        if let Some(pass) = self.under_way.as_mut().filter(|it| it.last_batch.is_none()) {
            let more = coordinator.live_records(&mut pass.cursor, PORTION_BYTES, records);
            if !more {
                pass.last_batch = Some(batch);
            }
        }
    }

    /// Lets the log begin at what was written anew, when that is synced.
    pub(super) fn synced(&mut self, store: &mut Store, key: PartitionKey, number: u64) {
        let done = |pass: &mut Pass| pass.last_batch.is_some_and(|last| last <= number);
        if let Some(pass) = self.under_way.take_if(done) {
            // A log that cannot be shortened now is looked at again later.
            let _ = store.advance_log_start(key, pass.first, NOBODY);
        }
    }
}

/// Below so many records no log is rewritten.
const RECORDS_MIN: i64 = if cfg!(test) { 200 } else { 20_000 };
/// A log is rewritten when it holds so many times what is live.
const SUPERSEDED: i64 = 4;
/// What one turn writes anew: some batches.
const PORTION_BYTES: usize = 128 << 10;
