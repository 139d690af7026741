//! The shard's view of the metadata, and on shard 0 the log that it comes from.
//!
//! A change is one batch of records in `__cluster_metadata-0`, always synced. Shard 0 takes one
//! command at a time: checks it against the newest image, appends what it makes, applies that when
//! it is synced, tells every peer, and answers when all have passed it.

use std::collections::VecDeque;
use std::sync::Arc;

use logmill_engine::base::{Now, Offset, ShardId};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::log::{LogConfig, Origin};
use logmill_engine::store::{
    Ack, AckError, AckLevel, LeaderBatch, PartitionKey, PartitionSpec, Role,
};
use logmill_wire::Uuid;
use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};
use rand::RngCore;

use super::Shard;
use super::out::Notice;
use super::requests::Work;
use crate::base::work::Token;
use crate::config::{Config, TopicConfig};
use crate::handlers::BrokerIdentity;
use crate::metadata::{
    ConfigResource, LocalController, MetadataCommand, MetadataError, MetadataImage,
    MetadataOutcome, MetadataWriter, OFFSETS_TOPIC, ProducerIdBlock, ResourceType, TopicImage,
};
use crate::partitions::catalog::{Partition, Topic};
use crate::partitions::mail::{ImageChange, Reply, Request};
use crate::partitions::placement::placement;

/// What a shard knows of the cluster.
pub struct Metadata {
    /// The newest image that this shard has passed.
    pub image: Arc<MetadataImage>,
    /// The broker's configuration, with what was set while it ran.
    pub config: Arc<Config>,
    /// What logs act on whose topics say nothing of their own.
    log_defaults: Arc<LogConfig>,
    /// The configuration is another one since the driver was last told.
    config_changed: bool,
    /// The broker as clients see it, by listener.
    pub brokers: Vec<BrokerIdentity>,
    /// The ids of `log.dirs`, in their order.
    pub directories: Vec<Uuid>,
    /// Producer ids to hand out.
    pub producer_ids: ProducerIdBlock,
    /// The log, on shard 0.
    log: Option<MetadataLog>,
}

/// The writing end of the metadata log.
pub struct MetadataLog {
    controller: LocalController,
    partition: PartitionKey,
    rng: Box<dyn RngCore + Send>,
    waiting: VecDeque<(Asker, MetadataCommand)>,
    current: Option<Change>,
}

#[derive(Clone, Copy, Debug)]
enum Asker {
    /// A request of this shard's.
    Own(Token),
    /// A peer's.
    Peer(ShardId, Token),
}

struct Change {
    asker: Asker,
    records: Vec<Vec<u8>>,
    base: Offset,
    outcome: MetadataOutcome,
    peers_left: usize,
}

impl Metadata {
    /// What a shard knows at its start; the image is given by [`Shard::load_image`].
    pub fn new(config: Arc<Config>, brokers: Vec<BrokerIdentity>, directories: Vec<Uuid>) -> Self {
        Self {
            image: Arc::default(),
            log_defaults: Arc::new(config.topic_defaults.log.clone()),
            config_changed: false,
            config,
            brokers,
            directories,
            producer_ids: ProducerIdBlock::default(),
            log: None,
        }
    }
}

impl MetadataLog {
    /// The log that stands in a partition of this shard's store, always synced. `rng` makes topic
    /// ids.
    pub fn new(
        controller: LocalController,
        partition: PartitionKey,
        rng: Box<dyn RngCore + Send>,
    ) -> Self {
        Self {
            controller,
            partition,
            rng,
            waiting: VecDeque::new(),
            current: None,
        }
    }
}

impl Shard {
    /// Gives shard 0 the metadata log.
    pub fn own_metadata_log(&mut self, log: MetadataLog) {
        assert_eq!(
            self.core.options.id, METADATA_SHARD,
            "one shard writes metadata"
        );
        self.metadata.log = Some(log);
    }

    /// Takes the image that start-up loaded: opens this shard's partitions of every topic.
    pub fn load_image(&mut self, now: Now, image: Arc<MetadataImage>) {
        self.metadata.configure(self.core.options.node_id, &image);
        for topic in image.topics() {
            self.open_topic(now, topic, &image);
        }
        self.metadata.image = image;
    }

    /// Appends what this start has to say, before anything is served: [`Shard::is_ready`] when it
    /// is synced.
    ///
    /// # Errors
    /// A log that takes no records.
    pub fn append_startup_records(&mut self, now: Now, records: &[Vec<u8>]) -> Result<(), String> {
        if records.is_empty() {
            return Ok(());
        }
        self.is_ready = false;
        self.append_metadata(now, records, Work::StartupBatch)
            .map(|_| ())
    }

    /// The start's records are synced, or failed.
    pub(super) fn startup_synced(&mut self, result: Result<Offset, AckError>) {
        match result {
            Ok(_) => self.is_ready = true,
            Err(error) => {
                let text = format!("the metadata log cannot be written: {error}");
                self.net.notice(Notice::Storage { text });
            }
        }
    }

    /// Has the metadata changed for a request of this shard's.
    pub(super) fn change_metadata(&mut self, now: Now, token: Token, command: MetadataCommand) {
        if self.core.options.id == METADATA_SHARD {
            self.submit(now, Asker::Own(token), command);
        } else {
            self.core
                .ask(METADATA_SHARD, token, Request::Change(Box::new(command)));
        }
    }

    /// A peer wants the metadata changed.
    pub(super) fn peer_changes(
        &mut self,
        now: Now,
        from: ShardId,
        theirs: Token,
        command: MetadataCommand,
    ) {
        self.submit(now, Asker::Peer(from, theirs), command);
    }

    /// Shard 0 passed an image on.
    pub(super) fn pass_image(&mut self, now: Now, change: &ImageChange) {
        self.apply(now, change);
    }

    /// The batch of the current change is synced, or failed.
    pub(super) fn metadata_synced(&mut self, now: Now, result: Result<Offset, AckError>) {
        let Some(log) = &mut self.metadata.log else {
            return;
        };
        let Some(mut change) = log.current.take() else {
            return;
        };
        let values = change.records.iter().map(Vec::as_slice);
        let applied = match result {
            Ok(_) => self
                .metadata
                .image
                .apply(change.base, values)
                .map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let (image, delta) = match applied {
            Ok(applied) => applied,
            Err(text) => {
                self.net.notice(Notice::Storage {
                    text: format!("metadata change: {text}"),
                });
                let outcome = unavailable(change.outcome);
                self.tell(now, change.asker, outcome);
                self.next_change(now);
                return;
            }
        };
        let passed = Arc::new(ImageChange {
            image: Arc::new(image),
            delta,
        });
        self.apply(now, &passed);
        for peer in (0..self.core.options.shards).map(ShardId) {
            if peer != self.core.options.id
                && let Some(token) = self.work.reserve()
            {
                self.work.put(token, Work::Passing);
                self.core
                    .ask(peer, token, Request::Image(Arc::clone(&passed)));
                change.peers_left += 1;
            }
        }
        if let Some(log) = &mut self.metadata.log {
            log.current = Some(change);
        }
        self.finish_change(now);
    }

    /// A peer has passed the image of the current change.
    pub(super) fn image_passed(&mut self, now: Now) {
        if let Some(change) = self
            .metadata
            .log
            .as_mut()
            .and_then(|log| log.current.as_mut())
        {
            change.peers_left -= 1;
        }
        self.finish_change(now);
    }

    fn finish_change(&mut self, now: Now) {
        let Some(log) = &mut self.metadata.log else {
            return;
        };
        if let Some(change) = log.current.take_if(|change| change.peers_left == 0) {
            self.tell(now, change.asker, change.outcome);
            self.next_change(now);
        }
    }

    fn submit(&mut self, now: Now, asker: Asker, command: MetadataCommand) {
        if let Some(log) = &mut self.metadata.log {
            log.waiting.push_back((asker, command));
            self.next_change(now);
        }
    }

    /// Takes up the next command, if none is under way.
    fn next_change(&mut self, now: Now) {
        loop {
            let Some(log) = self
                .metadata
                .log
                .as_mut()
                .filter(|log| log.current.is_none())
            else {
                return;
            };
            let Some((asker, command)) = log.waiting.pop_front() else {
                return;
            };
            let image = &self.metadata.image;
            let made = log.controller.submit(now, image, command, &mut *log.rng);
            if made.records.is_empty() {
                self.tell(now, asker, made.outcome);
                continue;
            }
            match self.append_metadata(now, &made.records, Work::MetadataBatch) {
                Ok(base) => {
                    let change = Change {
                        asker,
                        records: made.records,
                        base,
                        outcome: made.outcome,
                        peers_left: 0,
                    };
                    if let Some(log) = &mut self.metadata.log {
                        log.current = Some(change);
                    }
                    return;
                }
                Err(text) => {
                    self.net.notice(Notice::Storage { text });
                    self.tell(now, asker, unavailable(made.outcome));
                }
            }
        }
    }

    fn append_metadata(
        &mut self,
        now: Now,
        records: &[Vec<u8>],
        work: Work,
    ) -> Result<Offset, String> {
        let Some(log) = &mut self.metadata.log else {
            return Err(String::new());
        };
        let mut builder = BatchBuilder::new();
        for value in records {
            let record = NewRecord {
                timestamp: now.wall_ms,
                value: Some(value),
                ..NewRecord::default()
            };
            builder.append(&record).map_err(|error| error.to_string())?;
        }
        let mut bytes = Vec::new();
        builder.finish(&BatchMeta::default(), &mut bytes);
        let header = BatchHeader::parse(&bytes).map_err(|error| error.to_string())?;
        let Some(token) = self.work.reserve() else {
            return Err("too many requests under way".to_owned());
        };
        let batch = LeaderBatch {
            header,
            bytes: &bytes,
            expected_epoch: None,
            origin: Origin::Coordinator,
        };
        let ack = Ack {
            level: AckLevel::Synced,
            token: token.to_bits(),
        };
        match self
            .core
            .store
            .append_as_leader(now, log.partition, &batch, ack)
        {
            Ok(answer) => {
                self.work.put(token, work);
                Ok(answer.base_offset)
            }
            Err(error) => {
                self.work.release(token);
                Err(format!("metadata change: {error}"))
            }
        }
    }

    fn tell(&mut self, now: Now, asker: Asker, outcome: MetadataOutcome) {
        match asker {
            Asker::Own(token) => self.changed(now, token, &outcome),
            Asker::Peer(peer, token) => {
                self.core
                    .answer(peer, token, Reply::Changed(Box::new(outcome)));
            }
        }
    }

    fn apply(&mut self, now: Now, change: &ImageChange) {
        let (image, delta) = (&change.image, &change.delta);
        let node_id = self.core.options.node_id;
        let own = [
            ConfigResource::broker(node_id),
            ConfigResource::all_brokers(),
        ];
        let of_broker = delta.configs.iter().any(|it| own.contains(it));
        if of_broker {
            self.metadata.configure(node_id, image);
        }
        for topic in &delta.deleted {
            if &*topic.name == OFFSETS_TOPIC {
                self.drop_coordinators(now);
            }
            self.drop_topic(now, topic);
        }
        if !delta.deleted.is_empty() {
            let names = delta.deleted.iter().map(|topic| topic.name.to_string());
            self.forget_offsets(now, &names.collect::<Vec<_>>());
        }
        for topic in &delta.created {
            self.open_topic(now, topic, image);
        }
        for changed in &delta.changed {
            self.open_topic(now, &changed.topic, image);
        }
        if of_broker {
            for topic in image.topics() {
                self.set_topic_config(now, topic, image);
            }
        } else {
            let topics = delta.configs.iter();
            for resource in topics.filter(|it| it.kind == ResourceType::TOPIC) {
                if let Some(topic) = image.topic(&resource.name) {
                    self.set_topic_config(now, topic, image);
                }
            }
        }
        self.metadata.image = Arc::clone(image);
    }

    fn drop_topic(&mut self, now: Now, topic: &TopicImage) {
        if let Some(known) = self.core.catalog.remove(topic.id) {
            for key in known
                .partitions
                .iter()
                .filter_map(|partition| partition.key)
            {
                if let Err(error) = self.core.store.drop_partition(now, key) {
                    let text = format!("{}: cannot be deleted: {error}", topic.name);
                    self.net.notice(Notice::Storage { text });
                }
            }
        }
    }

    /// Opens a topic's partitions that are not open yet, and gives all their roles.
    fn open_topic(&mut self, now: Now, topic: &Arc<TopicImage>, image: &MetadataImage) {
        let config = self.metadata.log_config(image, &topic.name);
        let known = self.core.catalog.remove(topic.id);
        let known = known.map_or_else(Vec::new, |known| known.partitions);
        let node_id = self.core.options.node_id;
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (at, image) in topic.partitions.iter().enumerate() {
            let owner = placement(topic.id, image.index, self.core.options.shards);
            let mut partition = Partition {
                owner,
                key: known.get(at).and_then(|known| known.key),
                leader: image.leader,
                epoch: image.leader_epoch,
            };
            if owner == self.core.options.id {
                let role = match image.leader {
                    leader if leader == node_id => Role::Leader(image.leader_epoch),
                    -1 => Role::Offline,
                    _ => Role::Follower(image.leader_epoch),
                };
                partition.key = match partition.key {
                    // A partition that is gone from the store has no key to keep.
                    Some(key) => self.core.store.set_role(now, key, role).ok().map(|()| key),
                    None => {
                        let replica = image.replicas.iter().position(|&id| id == node_id);
                        let directory = replica.and_then(|at| image.directories.get(at));
                        let spec = PartitionSpec {
                            topic_id: topic.id,
                            topic: topic.name.to_string(),
                            index: image.index,
                            directory: self.metadata.directory(directory),
                            config: Arc::clone(&config),
                            role,
                            always_synced: topic.is_internal(),
                        };
                        self.open_partition(now, spec)
                    }
                };
            }
            if let Some(key) = partition.key
                && &*topic.name == OFFSETS_TOPIC
                && partition.leader == node_id
            {
                self.host_coordinator(now, image.index.0, key);
            }
            partitions.push(partition);
        }
        self.core.catalog.insert(Topic {
            id: topic.id,
            name: Arc::clone(&topic.name),
            config,
            is_internal: topic.is_internal(),
            partitions,
        });
    }

    fn open_partition(&mut self, now: Now, spec: PartitionSpec) -> Option<PartitionKey> {
        let name = format!("{}-{}", spec.topic, spec.index);
        match self.core.store.open_partition(now, spec) {
            Ok(key) => Some(key),
            Err(error) => {
                let text = format!("partition {name} cannot be opened: {error}");
                self.net.notice(Notice::Storage { text });
                None
            }
        }
    }

    fn set_topic_config(&mut self, now: Now, topic: &TopicImage, image: &MetadataImage) {
        let config = self.metadata.log_config(image, &topic.name);
        let Some(known) = self.core.catalog.by_id_mut(topic.id) else {
            return;
        };
        if known.config == config {
            return;
        }
        known.config = Arc::clone(&config);
        for key in known
            .partitions
            .iter()
            .filter_map(|partition| partition.key)
        {
            // Fails only for a partition that is gone.
            let _ = self.core.store.set_config(now, key, Arc::clone(&config));
        }
    }
}

impl Metadata {
    /// Takes over what the image says of this broker and of all brokers.
    fn configure(&mut self, node_id: i32, image: &MetadataImage) {
        let own = image.config(&ConfigResource::broker(node_id));
        let all = image.config(&ConfigResource::all_brokers());
        self.config = Arc::new(self.config.with_dynamic(&own, &all));
        self.log_defaults = Arc::new(self.config.topic_defaults.log.clone());
        self.config_changed = true;
    }

    /// The configuration, if it is another one since it was last asked for here.
    pub(super) fn changed_config(&mut self) -> Option<Arc<Config>> {
        std::mem::take(&mut self.config_changed).then(|| Arc::clone(&self.config))
    }

    /// What the logs of a topic act on. Topics that say nothing of their own share it.
    fn log_config(&self, image: &MetadataImage, topic: &str) -> Arc<LogConfig> {
        let own = image.topic_config(topic);
        if own.is_empty() {
            return Arc::clone(&self.log_defaults);
        }
        match TopicConfig::resolve(&self.config.settings, &own) {
            Ok(config) => Arc::new(config.log),
            Err(_) => Arc::clone(&self.log_defaults),
        }
    }

    fn directory(&self, id: Option<&Uuid>) -> logmill_engine::base::DirectoryIndex {
        let at = id.and_then(|id| self.directories.iter().position(|known| known == id));
        logmill_engine::base::DirectoryIndex(at.unwrap_or(0) as u16)
    }
}

/// The same answer with nothing done: the log could not take the records.
fn unavailable(outcome: MetadataOutcome) -> MetadataOutcome {
    fn refuse<N, T>(
        answers: Vec<(N, Result<T, MetadataError>)>,
    ) -> Vec<(N, Result<T, MetadataError>)> {
        let refuse =
            |result: Result<T, MetadataError>| result.and_then(|_| Err(MetadataError::Unavailable));
        answers
            .into_iter()
            .map(|(name, result)| (name, refuse(result)))
            .collect()
    }
    match outcome {
        MetadataOutcome::CreateTopics(answers) => MetadataOutcome::CreateTopics(refuse(answers)),
        MetadataOutcome::CreatePartitions(answers) => {
            MetadataOutcome::CreatePartitions(refuse(answers))
        }
        MetadataOutcome::AutoCreate(answers) => MetadataOutcome::AutoCreate(refuse(answers)),
        MetadataOutcome::AlterConfigs(answers) => MetadataOutcome::AlterConfigs(refuse(answers)),
        MetadataOutcome::DeleteTopics(answers) => MetadataOutcome::DeleteTopics(
            answers
                .into_iter()
                .map(|(name, id, result)| (name, id, result.and(Err(MetadataError::Unavailable))))
                .collect(),
        ),
        MetadataOutcome::ProducerIds { first, .. } => {
            MetadataOutcome::ProducerIds { first, count: 0 }
        }
    }
}

/// The shard that owns the metadata log.
pub const METADATA_SHARD: ShardId = ShardId(0);
