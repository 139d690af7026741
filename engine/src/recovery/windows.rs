//! A `.snapshot` file knows each producer's newest batch only; a duplicate is recognised by the
//! last five. The others are looked up in the log before the snapshot, where they stand unless they
//! are far back, so that a producer that repeats all it had in flight gets its answers.

use super::rebuild::Folder;
use crate::{
    base::Offset,
    disk::DiskError,
    format::{batch::BatchHeader, index::OffsetEntry, names::FileKind, validate},
    partition::ProducerTable,
};

impl Folder<'_> {
    /// Fills the windows of `table`, which is of a snapshot at `at`, from the batches before it.
    /// Reads more as long as a producer whose last batch was read lacks others, within the bounds.
    pub(super) fn look_back(&self, table: &mut ProducerTable, at: Offset) -> Result<(), DiskError> {
        let mut bytes = READ_BACK_FIRST;
        while bytes <= READ_BACK_MAX && table.lacks_batches(Offset::ZERO) {
            let left = self.read_back_left.get();
            if left < bytes {
                return Ok(());
            }
            self.read_back_left.set(left - bytes);
            let Some(before) = self.headers_before(at, bytes)? else {
                return Ok(());
            };
            let mut seen = ProducerTable::default();
            for header in &before.headers {
                seen.record(header, None);
            }
            table.fill_windows(&seen);
            let from = before.headers.first().map_or(at, |first| first.base_offset);
            if before.is_all || !table.lacks_batches(from) {
                return Ok(());
            }
            bytes *= 4;
        }
        Ok(())
    }

    /// The batches that end at `at`, about `bytes` of them; `None` if they do not stand there whole
    /// and sound, one after the other.
    fn headers_before(&self, at: Offset, bytes: u64) -> Result<Option<Before>, DiskError> {
        let mut parts = Vec::new();
        let (mut end, mut left) = (at, bytes);
        for &base in self.bases.range(..at).rev() {
            let Some((headers, start, read)) = self.tail_of(base, end, left)? else {
                return Ok(None);
            };
            parts.push(headers);
            left = left.saturating_sub(read);
            end = base;
            if start > 0 || left == 0 {
                break;
            }
        }
        let is_all = left > 0;
        let headers = parts.into_iter().rev().flatten().collect();
        Ok(Some(Before { headers, is_all }))
    }

    /// The last batches of a segment below `end`, from where they begin in it, and their bytes.
    fn tail_of(
        &self,
        base: Offset,
        end: Offset,
        bytes: u64,
    ) -> Result<Option<(Vec<BatchHeader>, u64, u64)>, DiskError> {
        let directory = self.identity.directory;
        let path = self.identity.file(base, FileKind::Log);
        let len = self.disk.len(directory, &path)?.unwrap_or(0);
        let Some(relative) = end.relative_to(base) else {
            return Ok(None);
        };
        let is_below = |entry: &OffsetEntry| entry.offset < relative;
        let last = self.last_entry(base, FileKind::Index, is_below)?;
        let last = last.map_or(0, |(_, entry)| u64::from(entry.position));
        let first = last.saturating_sub(bytes);
        let is_before = |entry: &OffsetEntry| u64::from(entry.position) <= first;
        let start = self.last_entry(base, FileKind::Index, is_before)?;
        let start = start.map_or(0, |(_, entry)| u64::from(entry.position));
        // Without an index there may be far more than was asked for.
        let stop = len.min(start + bytes + BEHIND_LAST_MAX);
        let mut block = vec![0; (stop - start.min(stop)) as usize];
        let read = self.disk.read_at(directory, &path, start, &mut block)?;
        let mut rest = &block[..read];
        let mut headers: Vec<BatchHeader> = Vec::new();
        let mut reached = base;
        while reached < end {
            let Some(header) = sound_batch(rest) else {
                break;
            };
            if header.base_offset < reached || header.base_offset >= end {
                break;
            }
            reached = header.last_offset().next();
            rest = &rest[header.size()..];
            headers.push(header);
        }
        // What follows the last batch must be the next segment, or what is behind the snapshot.
        let goes_on = BatchHeader::parse(rest).is_ok_and(|next| next.base_offset >= end);
        let is_whole = reached == end || goes_on || start + read as u64 == len && rest.is_empty();
        Ok(is_whole.then_some((headers, start, (read - rest.len()) as u64)))
    }
}

/// The head of the batch that `bytes` begin with.
fn sound_batch(bytes: &[u8]) -> Option<BatchHeader> {
    let header = BatchHeader::parse(bytes).ok()?;
    let batch = bytes.get(..header.size())?;
    let sound = header.last_offset_delta >= 0 && validate::check_crc(&header, batch).is_ok();
    sound.then_some(header)
}

/// What stands before an offset.
struct Before {
    headers: Vec<BatchHeader>,
    /// There is nothing before them.
    is_all: bool,
}

/// Read before a snapshot at first; four times as much each time that it does not do.
const READ_BACK_FIRST: u64 = 256 << 10;
const READ_BACK_MAX: u64 = 4 << 20;
/// Behind the last index entry: its batch, and those up to the next entry's.
const BEHIND_LAST_MAX: u64 = 2 << 20;
/// In all, for a log directory.
pub(super) const READ_BACK_ALL: u64 = 256 << 20;
