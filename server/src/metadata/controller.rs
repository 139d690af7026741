//! The writer of a standalone broker's metadata.

use std::sync::Arc;

use logmill_engine::base::{Now, TopicId};
use logmill_wire::Uuid;
use rand::RngCore;

use crate::config::{Config, Settings};
use crate::metadata::command::{MetadataCommand, MetadataOutcome, Submitted};
use crate::metadata::image::MetadataImage;
use crate::metadata::{
    alter_configs, create_partitions, create_topics, delete_topics, producer_ids,
};

/// Whoever turns commands into records. Local now; later a forwarder to a controller quorum.
pub trait MetadataWriter {
    /// Checks `command` against `image`, the newest there is, and returns the records that carry
    /// it out. `rng` makes topic ids.
    fn submit(
        &mut self,
        now: Now,
        image: &MetadataImage,
        command: MetadataCommand,
        rng: &mut dyn RngCore,
    ) -> Submitted;
}

/// The controller of a cluster that is this one process. Lives on the shard that owns the
/// metadata log; the image passed in must hold every record that it returned before.
#[derive(Clone, Debug)]
pub struct LocalController {
    pub(super) node_id: i32,
    /// Directories of `log.dirs`, in their order.
    pub(super) directories: Vec<Arc<[Uuid]>>,
    pub(super) settings: Settings,
    pub(super) num_partitions: i32,
    pub(super) replication_factor: i16,
    pub(super) delete_topics: bool,
    pub(super) partitions_max: u32,
    pub(super) connections_max: u32,
    /// How many partitions each of them holds, those of the command under way among them.
    partitions_in: Vec<usize>,
}

impl LocalController {
    /// A controller for a broker with these log directories and room for `partitions_max`.
    ///
    /// # Panics
    /// When there is no directory.
    #[must_use]
    pub fn new(config: &Config, directories: &[Uuid], partitions_max: u32) -> Self {
        assert!(!directories.is_empty(), "a broker has a log directory");
        Self {
            node_id: config.node_id,
            directories: directories.iter().map(|id| Arc::from([*id])).collect(),
            settings: config.settings.clone(),
            num_partitions: config.num_partitions,
            replication_factor: config.default_replication_factor,
            delete_topics: config.delete_topics,
            partitions_max,
            connections_max: u32::MAX,
            partitions_in: vec![0; directories.len()],
        }
    }

    /// The same for a broker that has room for so many connections.
    #[must_use]
    pub fn with_connections_max(mut self, connections_max: u32) -> Self {
        self.connections_max = connections_max;
        self
    }

    /// The log directory with the fewest partitions, as Kafka places them.
    pub(super) fn next_directory(&mut self) -> Arc<[Uuid]> {
        let counts = self.partitions_in.iter().enumerate();
        let (at, _) = counts.min_by_key(|(_, count)| **count).unwrap_or((0, &0));
        self.partitions_in[at] += 1;
        Arc::clone(&self.directories[at])
    }

    fn count_partitions(&mut self, image: &MetadataImage) {
        if self.directories.len() < 2 {
            return;
        }
        self.partitions_in.fill(0);
        for partition in image.topics().flat_map(|topic| topic.partitions.iter()) {
            let is_here = |own: &Arc<[Uuid]>| partition.directories.contains(&own[0]);
            if let Some(at) = self.directories.iter().position(is_here) {
                self.partitions_in[at] += 1;
            }
        }
    }

    fn allocate_producer_ids(&self, image: &MetadataImage) -> Submitted {
        let epoch = image.broker(self.node_id).map_or(-1, |broker| broker.epoch);
        let (record, first, count) = producer_ids::allocate(image, self.node_id, epoch);
        Submitted {
            records: vec![record],
            outcome: MetadataOutcome::ProducerIds { first, count },
        }
    }
}

impl MetadataWriter for LocalController {
    fn submit(
        &mut self,
        _now: Now,
        image: &MetadataImage,
        command: MetadataCommand,
        rng: &mut dyn RngCore,
    ) -> Submitted {
        self.count_partitions(image);
        match command {
            MetadataCommand::CreateTopics(command) => {
                create_topics::create(self, image, command, rng)
            }
            MetadataCommand::AutoCreate(names) => {
                create_topics::auto_create(self, image, names, rng)
            }
            MetadataCommand::DeleteTopics(command) => delete_topics::delete(self, image, command),
            MetadataCommand::CreatePartitions(command) => {
                create_partitions::create(self, image, command)
            }
            MetadataCommand::AlterConfigs(command) => alter_configs::alter(self, image, command),
            MetadataCommand::AllocateProducerIds => self.allocate_producer_ids(image),
        }
    }
}

/// A random id in the form of RFC 9562's version 4. Like Kafka's, its text never begins with a
/// dash, which command lines would take for an option.
#[must_use]
pub fn random_topic_id(rng: &mut dyn RngCore) -> TopicId {
    /// The first six bits of an id whose text begins with `-`.
    const DASH: u8 = 62;
    let mut bytes = [0; 16];
    loop {
        rng.fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        if bytes[0] >> 2 != DASH {
            return TopicId(bytes);
        }
    }
}
