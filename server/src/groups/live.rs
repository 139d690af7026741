//! The whole state as records: what a log that was written anew begins with.

use std::ops::Bound;
use std::sync::Arc;

use super::coordinator::Coordinator;
use super::effects::Record;
use super::group::Group;
use super::records::offset_record;

/// How far [`Coordinator::live_records`] has come. The state may change between portions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveCursor {
    /// The group whose records come next, if some of them are written already.
    group: Option<Arc<str>>,
    /// The last of its offsets that is written.
    offset: Option<(String, i32)>,
    /// Whether its own record is written.
    has_group_record: bool,
}

impl Coordinator {
    /// Adds the next portion of the live state's records: at least one, if there are any left, and
    /// then about `bytes_max` bytes of them. `true` when there is more.
    ///
    /// The host appends each portion before it lets the coordinator go on, in order with
    /// everything else. When the last one is synced, all that the log held before the first is
    /// superseded: its log start may move there.
    pub fn live_records(
        &self,
        cursor: &mut LiveCursor,
        bytes_max: usize,
        records: &mut Vec<Record>,
    ) -> bool {
        let mut room = Room {
            records,
            bytes_left: bytes_max,
        };
        let first = match &cursor.group {
            Some(group) => Bound::Included(group.clone()),
            None => Bound::Unbounded,
        };
        for group in self.groups_from(first) {
            if cursor.group.as_ref() != Some(&group.id) {
                *cursor = LiveCursor {
                    group: Some(group.id.clone()),
                    ..LiveCursor::default()
                };
            }
            if !room.write_group(group, cursor) {
                return true;
            }
        }
        false
    }
}

/// Where a portion goes.
struct Room<'a> {
    records: &'a mut Vec<Record>,
    bytes_left: usize,
}

impl Room<'_> {
    /// `false` when the portion is full before the group is done.
    fn write_group(&mut self, group: &Group, cursor: &mut LiveCursor) -> bool {
        if !cursor.has_group_record
            && let Some(stored) = &group.stored
        {
            if !self.push(stored.clone()) {
                return false;
            }
            cursor.has_group_record = true;
        }
        let after = cursor.offset.clone();
        let after = after
            .as_ref()
            .map(|(topic, partition)| (topic.as_str(), *partition));
        for (topic, partition, committed) in group.offsets.after(after) {
            let record = offset_record(&group.id, topic, partition, committed);
            if !self.push(record.expect("names that a record has held")) {
                return false;
            }
            cursor.offset = Some((topic.to_owned(), partition));
        }
        true
    }

    fn push(&mut self, record: Record) -> bool {
        let bytes = record.bytes();
        if bytes > self.bytes_left && !self.records.is_empty() {
            return false;
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.records.push(record);
        true
    }
}
