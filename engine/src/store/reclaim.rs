//! Journal files are used again once all that they hold is durable in segments.

use super::{Store, checkpoint::checkpoint_item, commit::member_key, entry::Folder};
use crate::{
    base::Offset,
    journal::{Item, ItemKind},
};

impl Store {
    /// Takes partitions that are done off the oldest journal file, with a checkpoint item each; the
    /// frame with the last of them declares the file unneeded.
    pub(super) fn pump_reclaim(&mut self, index: usize) {
        let line = &mut self.lines[index];
        if line.journal.is_failed() {
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
                    return;
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
}
