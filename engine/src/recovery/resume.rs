//! Where reading a segment may begin. What its index files vouch for need not be read again, so
//! that recovery reads what was written since the last checkpoint of a partition, not all of it.

use super::rebuild::{Folder, Trouble};
use crate::{
    base::Offset,
    disk::DiskError,
    format::{
        batch::BatchHeader,
        index::{IndexEntry, OffsetEntry, TimeEntry},
        names::FileKind,
        validate,
    },
    log::{PartitionLog, SegmentState},
    partition::ProducerTable,
};

/// The producers to go on from: those of `table` as of the offset `at`; without a table, those
/// that the log has already.
pub(super) struct ProducerStart {
    pub(super) at: Offset,
    table: Option<ProducerTable>,
}

impl ProducerStart {
    /// The next batch begins at `offset`: from `at` on the table is the log's.
    pub(super) fn reach(&mut self, log: &mut PartitionLog, offset: Offset) {
        if offset >= self.at
            && let Some(table) = self.table.take()
        {
            log.set_producers(table);
        }
    }
}

impl Folder<'_> {
    /// The newest sound `.snapshot` between the log's end so far and `limit`. With `is_blank` one
    /// of that end itself will do: the log knows no producers, though those of records that are
    /// gone were there.
    pub(super) fn producer_start(
        &self,
        log: &PartitionLog,
        limit: Offset,
        is_blank: bool,
    ) -> Result<ProducerStart, DiskError> {
        let newer = self.snapshots.range(log.end()..=limit.max(log.end())).rev();
        for &at in newer.filter(|at| **at > log.end() || is_blank) {
            let path = self.identity.file(at, FileKind::Snapshot);
            let directory = self.identity.directory;
            let bytes = self.disk.read_whole(directory, &path, SNAPSHOT_BYTES_MAX)?;
            // A damaged one is not needed: an older one will do, with more to read.
            if let Some(Ok(mut table)) = bytes.map(|bytes| ProducerTable::from_snapshot(&bytes)) {
                self.look_back(&mut table, at)?;
                let table = Some(table);
                return Ok(ProducerStart { at, table });
            }
        }
        let (at, table) = (log.end(), None);
        Ok(ProducerStart { at, table })
    }

    /// Takes up what the index files know of a segment below `limit`, if that is more than `log`
    /// knows. The batch at the last entry must be there: files of another life are no help.
    pub(super) fn resume(
        &self,
        log: &mut PartitionLog,
        base: Offset,
        limit: Offset,
    ) -> Result<(), Trouble> {
        let known = log.segments().next_back().filter(|last| last.base == base);
        let state = self.indexed(base, limit)?;
        if let Some(state) = state
            && known.is_none_or(|known| known.size < state.size)
        {
            log.note_indexed(&state);
        }
        Ok(())
    }

    fn indexed(&self, base: Offset, limit: Offset) -> Result<Option<SegmentState>, DiskError> {
        let Some(relative) = limit.relative_to(base).filter(|below| *below > 0) else {
            return Ok(None);
        };
        let log = self.identity.file(base, FileKind::Log);
        let len = self.disk.len(self.identity.directory, &log)?.unwrap_or(0);
        let is_index = |entry: &OffsetEntry| {
            let within = entry.offset < relative && u64::from(entry.position) < len;
            within && entry.offset > 0 && entry.position > 0
        };
        let is_time = |entry: &TimeEntry| {
            entry.offset < relative && (entry.timestamp > 0 || entry.offset > 0)
        };
        let entry = self.last_entry(base, FileKind::Index, is_index)?;
        let time = self.last_entry(base, FileKind::TimeIndex, is_time)?;
        let (Some((index_entries, entry)), Some((time_index_entries, time))) = (entry, time) else {
            return Ok(None);
        };
        let first = self.header_at(&log, 0)?;
        let batch = self.header_at(&log, u64::from(entry.position))?;
        let (Some(first), Some(batch)) = (first, batch) else {
            return Ok(None);
        };
        let last = Offset(base.0 + i64::from(entry.offset));
        if batch.last_offset() != last || batch.base_offset <= base || first.base_offset < base {
            return Ok(None);
        }
        Ok(Some(SegmentState {
            base,
            end: batch.base_offset,
            size: entry.position,
            first_timestamp: first.max_timestamp,
            max_timestamp: time.timestamp,
            max_timestamp_offset: Offset(base.0 + i64::from(time.offset)),
            bytes_since_index: 0,
            index_entries,
            time_index_entries,
            last_index_offset: entry.offset,
            last_index_position: entry.position,
            last_time_index_timestamp: time.timestamp,
            last_time_index_offset: time.offset,
        }))
    }

    /// The last entry of an index file for which `is_good` holds, and how many that makes. Good
    /// ones come first: what was torn or preallocated stands behind them.
    pub(super) fn last_entry<E: IndexEntry>(
        &self,
        base: Offset,
        kind: FileKind,
        is_good: impl Fn(&E) -> bool,
    ) -> Result<Option<(u32, E)>, DiskError> {
        let path = self.identity.file(base, kind);
        let directory = self.identity.directory;
        let len = self.disk.len(directory, &path)?.unwrap_or(0);
        let (mut good, mut bad) = (0, len / E::SIZE as u64);
        let mut found = None;
        while good < bad {
            let middle = good + (bad - good) / 2;
            let mut bytes = vec![0; E::SIZE];
            let position = middle * E::SIZE as u64;
            let read = self.disk.read_at(directory, &path, position, &mut bytes)?;
            match E::decode(&bytes[..read]).filter(&is_good) {
                Some(entry) => {
                    good = middle + 1;
                    found = Some((good as u32, entry));
                }
                None => bad = middle,
            }
        }
        Ok(found)
    }

    /// The head of the batch at `position`, if one stands there whole and sound.
    fn header_at(&self, path: &str, position: u64) -> Result<Option<BatchHeader>, DiskError> {
        let directory = self.identity.directory;
        let mut bytes = vec![0; BatchHeader::SIZE];
        let read = self.disk.read_at(directory, path, position, &mut bytes)?;
        let Ok(header) = BatchHeader::parse(&bytes[..read]) else {
            return Ok(None);
        };
        let len = self.disk.len(directory, path)?.unwrap_or(0);
        let left = len.saturating_sub(position);
        if header.size() as u64 > left || header.size() > super::rebuild::BATCH_BYTES_MAX {
            return Ok(None);
        }
        let mut bytes = vec![0; header.size()];
        let read = self.disk.read_at(directory, path, position, &mut bytes)?;
        let sound = validate::check_frame(&bytes[..read])
            .and_then(|header| validate::check_crc(&header, &bytes).map(|()| header));
        Ok(sound.ok())
    }
}

const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;
