//! The topics as this shard needs them on every request: by name and id, to owner and key.
//!
//! Built from metadata images only. Other shards' partitions are here with their owner, this
//! shard's with their key in the store.

use std::collections::HashMap;
use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, PartitionIndex, ShardId, TopicId};
use logmill_engine::log::LogConfig;
use logmill_engine::store::PartitionKey;

/// All topics.
#[derive(Debug, Default)]
pub struct Catalog {
    by_name: HashMap<Arc<str>, TopicId>,
    by_id: HashMap<TopicId, Topic>,
}

/// One topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: Arc<str>,
    /// Its settings.
    pub config: Arc<LogConfig>,
    /// Kafka's own: clients do not write to it.
    pub is_internal: bool,
    /// Its partitions by index.
    pub partitions: Vec<Partition>,
}

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The shard that owns it.
    pub owner: ShardId,
    /// Its key in this shard's store, if this is the owner and could open it.
    pub key: Option<PartitionKey>,
    /// Its leader, -1 for none.
    pub leader: i32,
    /// The leader's term.
    pub epoch: LeaderEpoch,
}

impl Catalog {
    /// Adds a topic, or replaces what is known of it.
    pub fn insert(&mut self, topic: Topic) {
        self.by_name.insert(Arc::clone(&topic.name), topic.id);
        self.by_id.insert(topic.id, topic);
    }

    /// Forgets a topic. Another of the same name stays.
    pub fn remove(&mut self, id: TopicId) -> Option<Topic> {
        let topic = self.by_id.remove(&id)?;
        if self.by_name.get(&topic.name) == Some(&id) {
            self.by_name.remove(&topic.name);
        }
        Some(topic)
    }

    /// The topic of this name.
    pub fn by_name(&self, name: &str) -> Option<&Topic> {
        self.by_id.get(self.by_name.get(name)?)
    }

    /// The topic of this id.
    pub fn by_id(&self, id: TopicId) -> Option<&Topic> {
        self.by_id.get(&id)
    }

    /// The topic of this id, to change.
    pub fn by_id_mut(&mut self, id: TopicId) -> Option<&mut Topic> {
        self.by_id.get_mut(&id)
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl Topic {
    /// The partition of this index.
    pub fn partition(&self, index: PartitionIndex) -> Option<&Partition> {
        self.partitions.get(usize::try_from(index.0).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(id: u8, name: &str) -> Topic {
        Topic {
            id: TopicId([id; 16]),
            name: name.into(),
            config: Arc::new(LogConfig::default()),
            is_internal: false,
            partitions: Vec::new(),
        }
    }

    #[test]
    fn a_topic_created_anew_under_a_name_replaces_the_old_one() {
        let mut catalog = Catalog::default();
        catalog.insert(topic(1, "t"));
        catalog.insert(topic(2, "t"));
        assert_eq!(catalog.by_name("t").unwrap().id, TopicId([2; 16]));
        catalog.remove(TopicId([1; 16]));
        assert_eq!(catalog.by_name("t").unwrap().id, TopicId([2; 16]));
        assert!(catalog.by_id(TopicId([1; 16])).is_none());
        catalog.remove(TopicId([2; 16]));
        assert!(catalog.by_name("t").is_none() && catalog.is_empty());
    }
}
