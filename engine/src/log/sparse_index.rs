//! A sparse index in memory, in front of its file.

use crate::format::index::{IndexEntry, OffsetEntry, TimeEntry, decode_entries};

/// The entries of one index file. Those that stand in the file need not be in memory: `absent`
/// of them, always the first, are not, until [`SparseIndex::load`]. Empty it holds no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SparseIndex<E> {
    absent: u32,
    saved: u32,
    entries: Vec<E>,
}

/// Bytes to write into an index file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexWrite {
    /// From where in the file.
    pub position: u64,
    /// The entries.
    pub bytes: Vec<u8>,
    /// The file's whole length afterwards: trim it to that.
    pub len: u64,
}

impl<E: IndexEntry> SparseIndex<E> {
    pub(super) const fn new() -> Self {
        Self {
            absent: 0,
            saved: 0,
            entries: Vec::new(),
        }
    }

    /// An index whose `count` entries stand in its file.
    pub(super) fn in_file(count: u32) -> Self {
        Self {
            absent: count,
            saved: count,
            entries: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, entry: E) {
        self.entries.push(entry);
    }

    /// Takes in the file's content; says whether it is what it must be.
    pub(super) fn load(&mut self, bytes: &[u8]) -> bool {
        let Some(mut entries) = decode_entries::<E>(bytes, self.absent as usize) else {
            return false;
        };
        let ordered = match (entries.last(), self.entries.first()) {
            (Some(last), Some(first)) => last.precedes(first),
            _ => true,
        };
        if ordered {
            entries.append(&mut self.entries);
            self.entries = entries;
            self.absent = 0;
        }
        ordered
    }

    /// The file is lost: go on with what is in memory, and write everything anew. Look-ups before
    /// the first entry then begin at the segment's beginning.
    pub(super) fn forget_file(&mut self) {
        self.absent = 0;
        self.saved = 0;
    }

    /// Frees the memory of entries that stand in the file; says how many bytes that was.
    pub(super) fn release_saved(&mut self) -> usize {
        let dropped = (self.saved - self.absent) as usize;
        if dropped == 0 {
            return 0;
        }
        let before = self.memory_bytes();
        self.entries.drain(..dropped);
        self.entries.shrink_to_fit();
        self.absent = self.saved;
        before - self.memory_bytes()
    }

    /// Entries from the first that `gone` holds for are dropped. All must be in memory.
    pub(super) fn truncate(&mut self, gone: impl Fn(&E) -> bool) {
        debug_assert_eq!(self.absent, 0);
        let kept = self.entries.partition_point(|entry| !gone(entry));
        self.entries.truncate(kept);
        self.saved = self.saved.min(kept as u32);
    }

    /// What is not in the file yet, if anything.
    pub(super) fn unsaved(&self) -> Option<IndexWrite> {
        let count = self.count();
        if self.saved == count {
            return None;
        }
        let first = (self.saved - self.absent) as usize;
        let mut bytes = Vec::with_capacity((self.entries.len() - first) * E::SIZE);
        self.entries[first..]
            .iter()
            .for_each(|entry| entry.encode(&mut bytes));
        let position = u64::from(self.saved) * E::SIZE as u64;
        Some(IndexWrite {
            position,
            bytes,
            len: self.file_len() as u64,
        })
    }

    /// The file holds the first `count` entries from now on.
    pub(super) fn saved_to(&mut self, count: u32) {
        self.saved = self.saved.max(count.min(self.count()));
    }

    pub(super) fn count(&self) -> u32 {
        self.absent + self.entries.len() as u32
    }

    pub(super) fn saved_count(&self) -> u32 {
        self.saved
    }

    pub(super) fn file_len(&self) -> usize {
        self.count() as usize * E::SIZE
    }

    /// Bytes of the file that [`Self::load`] wants; 0 if all is in memory.
    pub(super) fn absent_len(&self) -> usize {
        self.absent as usize * E::SIZE
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<E>()
    }

    /// The last entry for which `before` holds, and whether that is certain: `Err` if it may be
    /// one of those that are not in memory.
    pub(super) fn floor(&self, before: impl Fn(&E) -> bool) -> Result<Option<E>, Absent> {
        match self.entries.partition_point(before).checked_sub(1) {
            Some(at) => Ok(Some(self.entries[at])),
            None if self.absent > 0 => Err(Absent),
            None => Ok(None),
        }
    }

    /// The first entry for which `before` does not hold, if it is in memory.
    pub(super) fn after(&self, before: impl Fn(&E) -> bool) -> Option<E> {
        self.entries
            .get(self.entries.partition_point(before))
            .copied()
    }

    pub(super) fn last(&self) -> Option<E> {
        self.entries.last().copied()
    }
}

/// The entry that is asked for may stand in the file only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Absent;

/// `.index`.
pub(super) type OffsetIndex = SparseIndex<OffsetEntry>;
/// `.timeindex`.
pub(super) type TimeIndex = SparseIndex<TimeEntry>;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u32) -> OffsetEntry {
        OffsetEntry {
            offset,
            position: offset * 100,
        }
    }

    #[test]
    fn saved_entries_leave_memory_and_come_back() {
        let mut index = OffsetIndex::new();
        [10, 20]
            .into_iter()
            .for_each(|offset| index.push(entry(offset)));
        let first = index.unsaved().unwrap();
        assert_eq!((first.position, first.len), (0, 16));
        index.saved_to(2);
        index.push(entry(30));
        assert!(index.release_saved() > 0);
        assert_eq!(index.floor(|e| e.offset <= 25), Err(Absent));
        assert_eq!(index.floor(|e| e.offset <= 35), Ok(Some(entry(30))));
        let second = index.unsaved().unwrap();
        assert_eq!(
            (second.position, second.len, second.bytes.len()),
            (16, 24, 8)
        );
        assert_eq!(index.absent_len(), 16);
        assert!(!index.load(&[0; 16]), "no such entries");
        assert!(index.load(&first.bytes));
        assert_eq!(index.floor(|e| e.offset <= 25), Ok(Some(entry(20))));
        assert_eq!(index.floor(|e| e.offset <= 5), Ok(None));
        assert_eq!(index.after(|e| e.offset <= 25), Some(entry(30)));
        assert_eq!((index.count(), index.unsaved().unwrap()), (3, second));
    }

    #[test]
    fn a_cut_writes_its_end_anew() {
        let mut index = OffsetIndex::new();
        [10, 20, 30]
            .into_iter()
            .for_each(|offset| index.push(entry(offset)));
        index.saved_to(3);
        index.truncate(|e| e.offset >= 20);
        assert_eq!((index.count(), index.unsaved()), (1, None));
        index.push(entry(25));
        assert_eq!(index.unsaved().unwrap().position, 8);
    }

    #[test]
    fn a_lost_file_is_written_anew_from_memory() {
        let mut index = OffsetIndex::in_file(5);
        index.push(entry(70));
        index.forget_file();
        assert_eq!(index.floor(|e| e.offset <= 60), Ok(None));
        assert_eq!(index.unsaved().unwrap().position, 0);
    }
}
