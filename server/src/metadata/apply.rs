//! Replay: records of the metadata log into the next image.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use logmill_wire::records::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord,
    RegisterBrokerRecord,
};
use logmill_wire::{DecodeError, Uuid};

use crate::metadata::delta::{MetadataDelta, TopicChange};
use crate::metadata::image::{
    BrokerImage, ConfigResource, Endpoint, MetadataImage, PartitionImage, ResourceType, TopicImage,
};

/// A metadata record that cannot be replayed. The log cannot be trusted further.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ApplyError {
    /// Its bytes are not a known record.
    #[error("the metadata record at offset {offset} cannot be read: {source}")]
    Decode {
        /// Where it stands.
        offset: i64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// It speaks of something that no record before it made.
    #[error("the metadata record at offset {offset} names {what}, which does not exist")]
    Missing {
        /// Where it stands.
        offset: i64,
        /// What it names.
        what: String,
    },
    /// A transaction begins inside another, or ends without a beginning.
    #[error("the metadata record at offset {offset} begins or ends a transaction out of turn")]
    Transaction {
        /// Where it stands.
        offset: i64,
    },
}

impl MetadataImage {
    /// The image after the records `values`, the first of which stands at `base`; also what
    /// changed. This image stays as it is.
    ///
    /// # Errors
    /// A record that cannot be read, or that names what does not exist.
    pub fn apply<'r>(
        &self,
        base: Offset,
        values: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<(Self, MetadataDelta), ApplyError> {
        let mut replay = Replay {
            image: self.clone(),
            ..Replay::default()
        };
        replay.batch(base, values)?;
        let delta = replay.delta(self);
        Ok((replay.image, delta))
    }
}

/// Replays a whole log at start, without an image between its batches.
#[derive(Default)]
pub struct ImageLoader(Replay);

impl ImageLoader {
    /// Replays one batch.
    ///
    /// # Errors
    /// As [`MetadataImage::apply`].
    pub fn batch<'r>(
        &mut self,
        base: Offset,
        values: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<(), ApplyError> {
        self.0.batch(base, values)
    }

    /// The image of all batches.
    #[must_use]
    pub fn finish(self) -> MetadataImage {
        self.0.image
    }
}

/// The next image while it is made, and what was touched.
#[derive(Default)]
struct Replay {
    image: MetadataImage,
    topics: BTreeSet<TopicId>,
    configs: BTreeSet<ConfigResource>,
    brokers: Interned<i32>,
    directories: Interned<Uuid>,
}

/// Shares equal lists, of which there are few.
struct Interned<T>(BTreeSet<Arc<[T]>>);

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord> Interned<T> {
    fn share(&mut self, list: Vec<T>) -> Arc<[T]> {
        if let Some(known) = self.0.get(list.as_slice()) {
            return Arc::clone(known);
        }
        let shared: Arc<[T]> = list.into();
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

impl Replay {
    fn batch<'r>(
        &mut self,
        base: Offset,
        values: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<(), ApplyError> {
        for (value, offset) in values.into_iter().zip(base.0..) {
            self.record(offset, value)?;
            self.image.offset = Offset(offset);
        }
        Ok(())
    }

    fn record(&mut self, offset: i64, value: &[u8]) -> Result<(), ApplyError> {
        let record = MetadataRecord::decode(value)
            .map_err(|source| ApplyError::Decode { offset, source })?;
        let out_of_turn = || ApplyError::Transaction { offset };
        match record {
            MetadataRecord::BeginTransaction(_) if self.image.transaction.is_none() => {
                self.image.transaction = Some(Arc::default());
            }
            MetadataRecord::BeginTransaction(_) => return Err(out_of_turn()),
            MetadataRecord::AbortTransaction(_) => {
                self.image.transaction.take().ok_or_else(out_of_turn)?;
            }
            MetadataRecord::EndTransaction(_) => {
                let held = self.image.transaction.take().ok_or_else(out_of_turn)?;
                for value in held.iter() {
                    let record = MetadataRecord::decode(value)
                        .map_err(|source| ApplyError::Decode { offset, source })?;
                    self.effect(offset, record)?;
                }
            }
            record => match &mut self.image.transaction {
                Some(held) => Arc::make_mut(held).push(value.to_vec()),
                None => self.effect(offset, record)?,
            },
        }
        Ok(())
    }

    fn effect(&mut self, offset: i64, record: MetadataRecord<'_>) -> Result<(), ApplyError> {
        match record {
            MetadataRecord::Topic(topic) => {
                self.create_topic(topic.name, TopicId(topic.topic_id.0))
            }
            MetadataRecord::Partition(partition) => return self.partition(offset, &partition),
            MetadataRecord::PartitionChange(change) => return self.change(offset, &change),
            MetadataRecord::RemoveTopic(removed) => {
                return self.remove_topic(offset, TopicId(removed.topic_id.0));
            }
            MetadataRecord::Config(config) => self.set_config(
                ConfigResource {
                    kind: ResourceType(config.resource_type),
                    name: config.resource_name.to_owned(),
                },
                config.name,
                config.value,
            ),
            MetadataRecord::FeatureLevel(feature) => {
                let features = Arc::make_mut(&mut self.image.features);
                match feature.feature_level {
                    0 => features.remove(feature.name),
                    level => features.insert(feature.name.to_owned(), level),
                };
                self.image.features_offset = offset;
            }
            MetadataRecord::RegisterBroker(broker) => self.register(&broker),
            MetadataRecord::UnregisterBroker(broker) => {
                Arc::make_mut(&mut self.image.brokers).remove(&broker.broker_id);
            }
            MetadataRecord::BrokerRegistrationChange(change) => {
                return self.registration_change(offset, &change);
            }
            MetadataRecord::FenceBroker(broker) => self.fence(broker.id, true),
            MetadataRecord::UnfenceBroker(broker) => self.fence(broker.id, false),
            MetadataRecord::ProducerIds(ids) => {
                self.image.next_producer_id = ids.next_producer_id;
            }
            // Kept in the log; nothing here acts on them yet.
            MetadataRecord::DelegationToken(_)
            | MetadataRecord::RemoveDelegationToken(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::ClientQuota(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::RegisterController(_)
            | MetadataRecord::ClearElr(_)
            | MetadataRecord::ZkMigrationState(_)
            | MetadataRecord::NoOp(_) => {}
            MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => {
                return Err(ApplyError::Transaction { offset });
            }
        }
        Ok(())
    }

    fn create_topic(&mut self, name: &str, id: TopicId) {
        let name: Arc<str> = name.into();
        let topic = TopicImage {
            id,
            name,
            partitions: Vec::new(),
        };
        self.topics.insert(id);
        self.replace(topic);
    }

    fn partition(&mut self, offset: i64, record: &PartitionRecord<'_>) -> Result<(), ApplyError> {
        let index = PartitionIndex(record.partition_id);
        let partition = PartitionImage {
            index,
            replicas: self.brokers.share(record.replicas.to_vec()),
            isr: self.brokers.share(record.isr.to_vec()),
            directories: self.directories.share(record.directories.to_vec()),
            leader: record.leader,
            leader_epoch: LeaderEpoch(record.leader_epoch),
            partition_epoch: record.partition_epoch,
        };
        let mut topic = self.take(offset, TopicId(record.topic_id.0))?;
        let partitions = &mut topic.partitions;
        match partitions.binary_search_by_key(&index, |known| known.index) {
            Ok(at) => partitions[at] = partition,
            Err(at) => partitions.insert(at, partition),
        }
        self.replace(topic);
        Ok(())
    }

    fn change(
        &mut self,
        offset: i64,
        record: &PartitionChangeRecord<'_>,
    ) -> Result<(), ApplyError> {
        const UNCHANGED: i32 = -2;
        let index = PartitionIndex(record.partition_id);
        let isr = record
            .isr
            .as_ref()
            .map(|list| self.brokers.share(list.to_vec()));
        let replicas = record
            .replicas
            .as_ref()
            .map(|list| self.brokers.share(list.to_vec()));
        let directories = record
            .directories
            .as_ref()
            .map(|list| self.directories.share(list.to_vec()));
        let mut topic = self.take(offset, TopicId(record.topic_id.0))?;
        let name = Arc::clone(&topic.name);
        let at = topic
            .partitions
            .binary_search_by_key(&index, |known| known.index)
            .map_err(|_| ApplyError::Missing {
                offset,
                what: format!("partition {name}-{index}"),
            })?;
        let partition = &mut topic.partitions[at];
        partition.isr = isr.unwrap_or_else(|| Arc::clone(&partition.isr));
        partition.replicas = replicas.unwrap_or_else(|| Arc::clone(&partition.replicas));
        partition.directories = directories.unwrap_or_else(|| Arc::clone(&partition.directories));
        if record.leader != UNCHANGED {
            partition.leader = record.leader;
            partition.leader_epoch = LeaderEpoch(partition.leader_epoch.0.saturating_add(1));
        }
        partition.partition_epoch = partition.partition_epoch.saturating_add(1);
        self.replace(topic);
        Ok(())
    }

    fn remove_topic(&mut self, offset: i64, id: TopicId) -> Result<(), ApplyError> {
        let topic = self.take(offset, id)?;
        let resource = ConfigResource::topic(&topic.name);
        if Arc::make_mut(&mut self.image.configs)
            .remove(&resource)
            .is_some()
        {
            self.configs.insert(resource);
        }
        Ok(())
    }

    fn set_config(&mut self, resource: ConfigResource, name: &str, value: Option<&str>) {
        let configs = Arc::make_mut(&mut self.image.configs);
        let values = Arc::make_mut(configs.entry(resource.clone()).or_default());
        match value {
            Some(value) => values.insert(name.to_owned(), value.to_owned()),
            None => values.remove(name),
        };
        if values.is_empty() {
            configs.remove(&resource);
        }
        self.configs.insert(resource);
    }

    fn register(&mut self, record: &RegisterBrokerRecord<'_>) {
        let broker = BrokerImage {
            id: record.broker_id,
            epoch: record.broker_epoch,
            incarnation: record.incarnation_id,
            endpoints: record
                .end_points
                .iter()
                .map(|endpoint| Endpoint {
                    listener: endpoint.name.to_owned(),
                    host: endpoint.host.to_owned(),
                    port: endpoint.port,
                })
                .collect(),
            rack: record.rack.map(str::to_owned),
            fenced: record.fenced,
            directories: record.log_dirs.to_vec(),
        };
        Arc::make_mut(&mut self.image.brokers).insert(broker.id, broker);
    }

    fn registration_change(
        &mut self,
        offset: i64,
        change: &BrokerRegistrationChangeRecord<'_>,
    ) -> Result<(), ApplyError> {
        let brokers = Arc::make_mut(&mut self.image.brokers);
        let broker = brokers
            .get_mut(&change.broker_id)
            .ok_or_else(|| ApplyError::Missing {
                offset,
                what: format!("broker {}", change.broker_id),
            })?;
        match change.fenced {
            0 => {}
            fenced => broker.fenced = fenced > 0,
        }
        if !change.log_dirs.is_empty() {
            broker.directories = change.log_dirs.to_vec();
        }
        Ok(())
    }

    fn fence(&mut self, id: i32, fenced: bool) {
        if let Some(broker) = Arc::make_mut(&mut self.image.brokers).get_mut(&id) {
            broker.fenced = fenced;
        }
    }

    /// Takes a topic out, to be put back by [`Self::replace`].
    fn take(&mut self, offset: i64, id: TopicId) -> Result<TopicImage, ApplyError> {
        let topics = Arc::make_mut(&mut self.image.topics);
        let topic = topics
            .by_id
            .remove(&id)
            .ok_or_else(|| ApplyError::Missing {
                offset,
                what: format!("topic {id}"),
            })?;
        topics.by_name.remove(&topic.name);
        topics.partitions -= topic.partitions.len();
        self.topics.insert(id);
        Ok(Arc::try_unwrap(topic).unwrap_or_else(|shared| (*shared).clone()))
    }

    fn replace(&mut self, topic: TopicImage) {
        let topics = Arc::make_mut(&mut self.image.topics);
        topics.partitions += topic.partitions.len();
        let topic = Arc::new(topic);
        topics
            .by_name
            .insert(Arc::clone(&topic.name), Arc::clone(&topic));
        topics.by_id.insert(topic.id, topic);
    }

    fn delta(&self, before: &MetadataImage) -> MetadataDelta {
        let mut delta = MetadataDelta {
            offset: self.image.offset,
            configs: self.configs.iter().cloned().collect(),
            ..MetadataDelta::default()
        };
        for id in &self.topics {
            match (before.topic_by_id(*id), self.image.topic_by_id(*id)) {
                (None, Some(new)) => delta.created.push(Arc::clone(new)),
                (Some(old), None) => delta.deleted.push(Arc::clone(old)),
                (Some(old), Some(new)) => {
                    let partitions = changed_partitions(old, new);
                    if !partitions.is_empty() {
                        delta.changed.push(TopicChange {
                            topic: Arc::clone(new),
                            partitions,
                        });
                    }
                }
                (None, None) => {}
            }
        }
        delta
    }
}

fn changed_partitions(old: &TopicImage, new: &TopicImage) -> Vec<PartitionIndex> {
    let known: BTreeMap<_, _> = old.partitions.iter().map(|p| (p.index, p)).collect();
    new.partitions
        .iter()
        .filter(|partition| known.get(&partition.index) != Some(partition))
        .map(|partition| partition.index)
        .collect()
}
