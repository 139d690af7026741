//! What the metadata log says, as plain immutable data.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use logmill_wire::Uuid;

/// All metadata up to one offset of its log. Cloning shares everything; the next image shares what
/// did not change, so that a change costs a pointer for each topic at most.
#[derive(Clone, Debug)]
pub struct MetadataImage {
    /// The last record that this image holds; -1 before the first.
    pub offset: Offset,
    pub(super) topics: Arc<Topics>,
    pub(super) configs: Arc<BTreeMap<ConfigResource, Arc<BTreeMap<String, String>>>>,
    pub(super) features: Arc<BTreeMap<String, i16>>,
    pub(super) features_offset: i64,
    pub(super) brokers: Arc<BTreeMap<i32, BrokerImage>>,
    pub(super) next_producer_id: i64,
    /// Records of a metadata transaction (KIP-868) that has begun and not ended.
    pub(super) transaction: Option<Arc<Vec<Vec<u8>>>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Topics {
    pub(super) by_name: BTreeMap<Arc<str>, Arc<TopicImage>>,
    pub(super) by_id: BTreeMap<TopicId, Arc<TopicImage>>,
    pub(super) partitions: usize,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Its id, new at every creation.
    pub id: TopicId,
    /// Its name.
    pub name: Arc<str>,
    /// Its partitions, by index.
    pub partitions: Vec<PartitionImage>,
}

/// A partition. Broker lists are shared between partitions that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    /// Its number.
    pub index: PartitionIndex,
    /// Brokers that hold it, the preferred leader first.
    pub replicas: Arc<[i32]>,
    /// Brokers that are in sync.
    pub isr: Arc<[i32]>,
    /// The directory of each replica, in their order.
    pub directories: Arc<[Uuid]>,
    /// The leader, or -1.
    pub leader: i32,
    /// The leader's term.
    pub leader_epoch: LeaderEpoch,
    /// Counts every change of this record.
    pub partition_epoch: i32,
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    /// Its number.
    pub id: i32,
    /// The offset of its registration.
    pub epoch: i64,
    /// One start of its process.
    pub incarnation: Uuid,
    /// Where it can be reached.
    pub endpoints: Vec<Endpoint>,
    /// Its rack.
    pub rack: Option<String>,
    /// It does not serve yet, or no more.
    pub fenced: bool,
    /// Its log directories.
    pub directories: Vec<Uuid>,
}

/// An address of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name.
    pub listener: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// What a configuration belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigResource {
    /// The kind.
    pub kind: ResourceType,
    /// The name of the topic, group or subscription, or the broker's number; empty is all brokers.
    pub name: String,
}

impl ConfigResource {
    /// A topic's.
    #[must_use]
    pub fn topic(name: &str) -> Self {
        Self {
            kind: ResourceType::TOPIC,
            name: name.to_owned(),
        }
    }

    /// One broker's.
    #[must_use]
    pub fn broker(id: i32) -> Self {
        Self {
            kind: ResourceType::BROKER,
            name: id.to_string(),
        }
    }

    /// What holds for all brokers.
    #[must_use]
    pub fn all_brokers() -> Self {
        Self {
            kind: ResourceType::BROKER,
            name: String::new(),
        }
    }
}

/// Kinds of resources that have configurations, by Kafka's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceType(pub i8);

impl ResourceType {
    /// A topic.
    pub const TOPIC: Self = Self(2);
    /// A broker, or all of them.
    pub const BROKER: Self = Self(4);
    /// The log levels of a broker.
    pub const BROKER_LOGGER: Self = Self(8);
    /// A subscription to client metrics.
    pub const CLIENT_METRICS: Self = Self(16);
    /// A group.
    pub const GROUP: Self = Self(32);
}

impl Default for MetadataImage {
    fn default() -> Self {
        Self {
            offset: Offset(-1),
            topics: Arc::default(),
            configs: Arc::default(),
            features: Arc::default(),
            features_offset: -1,
            brokers: Arc::default(),
            next_producer_id: 0,
            transaction: None,
        }
    }
}

impl MetadataImage {
    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.by_name.get(name)
    }

    /// The topic of this id.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics.by_id.get(&id)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.topics.by_name.values()
    }

    /// Topics from `name` on, by name.
    pub fn topics_from(&self, name: &str) -> impl Iterator<Item = &Arc<TopicImage>> {
        let bounds = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
        self.topics
            .by_name
            .range::<str, _>(bounds)
            .map(|(_, topic)| topic)
    }

    /// Number of topics.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.by_name.len()
    }

    /// Number of partitions of all topics.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        self.topics.partitions
    }

    /// A partition by its topic's id.
    #[must_use]
    pub fn partition(&self, id: TopicId, index: PartitionIndex) -> Option<&PartitionImage> {
        self.topic_by_id(id)?.partition(index)
    }

    /// The values that a resource has of its own; none is an empty map.
    #[must_use]
    pub fn config(&self, resource: &ConfigResource) -> Arc<BTreeMap<String, String>> {
        self.configs.get(resource).cloned().unwrap_or_default()
    }

    /// The values that a topic has of its own.
    #[must_use]
    pub fn topic_config(&self, name: &str) -> Arc<BTreeMap<String, String>> {
        self.config(&ConfigResource::topic(name))
    }

    /// The resources of a kind that have values of their own, by name.
    pub fn config_resources(&self, kind: ResourceType) -> impl Iterator<Item = &ConfigResource> {
        let first = ConfigResource {
            kind,
            name: String::new(),
        };
        let from_first = self.configs.range(first..).map(|(resource, _)| resource);
        from_first.take_while(move |resource| resource.kind == kind)
    }

    /// The finalized level of a feature; 0 is none.
    #[must_use]
    pub fn feature(&self, name: &str) -> i16 {
        self.features.get(name).copied().unwrap_or_default()
    }

    /// Finalized features above level 0, by name.
    pub fn features(&self) -> impl Iterator<Item = (&str, i16)> {
        self.features
            .iter()
            .map(|(name, level)| (name.as_str(), *level))
    }

    /// The offset of the last record that set a feature; clients take the newer one.
    #[must_use]
    pub fn features_epoch(&self) -> i64 {
        self.features_offset
    }

    /// A broker by its number.
    #[must_use]
    pub fn broker(&self, id: i32) -> Option<&BrokerImage> {
        self.brokers.get(&id)
    }

    /// All registered brokers, by number.
    pub fn brokers(&self) -> impl Iterator<Item = &BrokerImage> {
        self.brokers.values()
    }

    /// The first producer id that was never given to a broker.
    #[must_use]
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }
}

impl TopicImage {
    /// A partition by its number.
    #[must_use]
    pub fn partition(&self, index: PartitionIndex) -> Option<&PartitionImage> {
        let at = usize::try_from(index.0).ok()?;
        match self.partitions.get(at) {
            Some(partition) if partition.index == index => Some(partition),
            // Only a log that states partitions out of order leaves gaps, and only for a while.
            _ => self
                .partitions
                .iter()
                .find(|partition| partition.index == index),
        }
    }

    /// Whether it is one of Kafka's own.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        super::is_internal(&self.name)
    }
}
