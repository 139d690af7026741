//! The committed offsets of one group.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// -1 when not known.
    pub leader_epoch: i32,
    /// The client's own words, up to 4 KiB: answers share them.
    pub metadata: Arc<str>,
    pub commit_timestamp_ms: i64,
    /// When it goes, for clients that said so; -1 for the others.
    pub expire_timestamp_ms: i64,
}

/// Committed offsets by topic and partition.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    topics: BTreeMap<Box<str>, BTreeMap<i32, Committed>>,
    len: usize,
    bytes: usize,
}

impl Offsets {
    /// Keeps an offset in place of the one before.
    pub fn put(&mut self, topic: &str, partition: i32, committed: Committed) {
        let bytes = PARTITION_BYTES + committed.metadata.len();
        let partitions = match self.topics.get_mut(topic) {
            Some(partitions) => partitions,
            None => {
                self.bytes += TOPIC_BYTES + topic.len();
                self.topics.entry(topic.into()).or_default()
            }
        };
        self.bytes += bytes;
        match partitions.insert(partition, committed) {
            Some(former) => self.bytes -= PARTITION_BYTES + former.metadata.len(),
            None => self.len += 1,
        }
    }

    /// Forgets an offset; says whether there was one.
    pub fn remove(&mut self, topic: &str, partition: i32) -> bool {
        let Some(partitions) = self.topics.get_mut(topic) else {
            return false;
        };
        let Some(former) = partitions.remove(&partition) else {
            return false;
        };
        self.len -= 1;
        self.bytes -= PARTITION_BYTES + former.metadata.len();
        if partitions.is_empty() {
            self.topics.remove(topic);
            self.bytes -= TOPIC_BYTES + topic.len();
        }
        true
    }

    pub fn get(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.topics.get(topic)?.get(&partition)
    }

    /// All topics and their offsets, by name and partition.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &BTreeMap<i32, Committed>)> {
        let topics = self.topics.iter();
        topics.map(|(topic, partitions)| (&**topic, partitions))
    }

    /// All offsets behind `after`, by topic and partition.
    pub fn after(
        &self,
        after: Option<(&str, i32)>,
    ) -> impl Iterator<Item = (&str, i32, &Committed)> {
        use std::ops::Bound;
        let lower = after.map_or(Bound::Unbounded, |(topic, _)| Bound::Included(topic));
        let topics = self.topics.range::<str, _>((lower, Bound::Unbounded));
        topics.flat_map(move |(topic, partitions)| {
            let done = after.filter(|(name, _)| **topic == **name);
            let lower = done.map_or(Bound::Unbounded, |(_, last)| Bound::Excluded(last));
            let partitions = partitions.range((lower, Bound::Unbounded));
            partitions.map(|(partition, committed)| (&**topic, *partition, committed))
        })
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What they hold of memory, nearly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// An offset's own fields, its place in a map, the counters of its metadata.
pub(super) const PARTITION_BYTES: usize = size_of::<Committed>() + 40;
/// A topic's place in a map, and the map of its partitions.
pub(super) const TOPIC_BYTES: usize = 96;
