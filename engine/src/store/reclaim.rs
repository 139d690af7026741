//! Journal files are used again once all that they hold is durable in segments, or, of partitions
//! that were fenced, in copies.

use super::{
    PartitionKey, Store, checkpoint::checkpoint_item, commit::member_key, entry::Folder, ops::Owner,
};
use crate::{
    base::{Micros, Now, Offset},
    disk::{ControlOp, DiskError, Work},
    journal::{CopyItems, Item, ItemKind},
};

/// The copies of what the oldest journal file holds of fenced partitions.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// They are being made: the file stays as it is.
    is_busy: bool,
    /// They could not be made: when to try again, and how often that was.
    retry: Option<Micros>,
    tries: u32,
}

impl Copies {
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        self.retry
    }
}

impl Store {
    /// Takes partitions that are done off the oldest journal file, with a checkpoint item each; the
    /// frame with the last of them declares the file unneeded.
    pub(super) fn pump_reclaim(&mut self, now: Now, index: usize) {
        let line = &mut self.lines[index];
        if line.copies.retry.is_some_and(|at| at <= now.monotonic) {
            line.copies.retry = None;
        }
        if line.journal.is_failed() || line.copies.is_busy {
            return;
        }
        let Some(members) = line.journal.oldest_members() else {
            return;
        };
        while let Some(&(member, end)) = members.last() {
            let entry = self
                .entries
                .get_mut(member_key(member).0)
                .filter(|entry| !entry.dropped);
            if let Some(entry) = entry {
                // Bytes that bypassed the journal may have been durable before their fact was.
                entry.advance_recovery();
                let wanted: Offset = end.min(entry.log.end());
                // Until files are cut, recovery must hear of the cut.
                let is_level = entry.recovery.offset >= wanted && !entry.is_cut;
                if entry.folder != Folder::Ready || !is_level {
                    let is_fenced = entry.fenced;
                    return if is_fenced {
                        self.copy_fenced(index);
                    };
                }
                line.extra.push_back(checkpoint_item(entry));
            }
            members.pop();
        }
        // A file that held nothing is freed by the next frame, or by one made for it.
        if line.extra.is_empty() && line.dirty.is_empty() && line.journal.can_free_oldest() {
            let nobody = crate::base::TopicId([0; 16]);
            let index = crate::base::PartitionIndex(0);
            line.extra
                .push_back(Item::new(ItemKind::Mark, nobody, index));
        }
    }

    /// Fenced partitions write nothing more into segments: what the oldest file holds of them goes
    /// into copies, or one bad file would hold the journal up for good.
    fn copy_fenced(&mut self, index: usize) {
        let Self {
            lines,
            entries,
            ops,
            options,
            ..
        } = self;
        let line = &mut lines[index];
        if line.copies.retry.is_some() {
            return;
        }
        let Some(source) = line.journal.copy_source() else {
            return;
        };
        let members = line.journal.oldest_members().map(|members| &members[..]);
        let mut keys = Vec::new();
        let mut partitions = Vec::new();
        for (member, _) in members.unwrap_or_default() {
            let key = member_key(*member);
            let entry = entries.get_mut(key.0);
            if let Some(entry) = entry.filter(|entry| entry.fenced && !entry.dropped) {
                entry.is_copied = true;
                partitions.push(entry.log.identity().clone());
                keys.push(key);
            }
        }
        line.copies.is_busy = true;
        let owner = Owner::Copy {
            line: index,
            number: source.number,
            keys,
        };
        let work = CopyItems {
            era: line.journal.era(),
            shard: options.shard,
            source,
            partitions,
        };
        ops.control(owner, ControlOp::Work(Work::new(work)));
    }

    /// The copies are there, durably. If they are not, the file stays, and they are tried again.
    pub(super) fn copied(
        &mut self,
        now: Now,
        index: usize,
        number: u64,
        keys: &[PartitionKey],
        result: &Result<(), DiskError>,
    ) {
        let line = &mut self.lines[index];
        line.copies.is_busy = false;
        if let Err(error) = result {
            if error.is_no_space() {
                line.room.refuse_copy(error);
            }
            let wait = RETRY_FIRST.0 << line.copies.tries.min(RETRY_DOUBLINGS_MAX);
            line.copies.tries += 1;
            line.copies.retry = Some(now.monotonic.saturating_add(Micros(wait)));
            return;
        }
        line.copies.tries = 0;
        let members: Vec<u64> = keys.iter().map(|key| key.0.to_bits()).collect();
        line.journal.members_copied(number, &members);
    }
}

/// The wait after the first failure; it doubles that often, to about a minute.
const RETRY_FIRST: Micros = Micros::from_millis(500);
const RETRY_DOUBLINGS_MAX: u32 = 7;
