//! What may be asked of the metadata's writer, and what it answers.

use std::collections::BTreeMap;

use logmill_engine::base::TopicId;

use crate::config::TopicConfigError;
use crate::metadata::image::ConfigResource;
use crate::metadata::topic_name::TopicNameError;

/// A change of metadata. Owned, so that it can wait and travel between shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataCommand {
    /// New topics.
    CreateTopics(CreateTopics),
    /// Topics that go.
    DeleteTopics(DeleteTopics),
    /// More partitions for topics.
    CreatePartitions(CreatePartitions),
    /// Topics that a client asked about and that are made with the broker's defaults.
    AutoCreate(Vec<String>),
    /// A block of producer ids.
    AllocateProducerIds,
    /// Changed configurations.
    AlterConfigs(AlterConfigs),
}

/// New topics; each succeeds or fails by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTopics {
    /// The topics, in the request's order.
    pub topics: Vec<NewTopic>,
    /// Nothing is created, only checked.
    pub validate_only: bool,
}

/// A new topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Its partitions; -1 is the broker's default.
    pub partitions: i32,
    /// Its replicas; -1 is the broker's default.
    pub replication_factor: i16,
    /// Brokers of each partition, where the client chose them.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Its own values; `None` is a null, which no key takes.
    pub configs: Vec<(String, Option<String>)>,
}

/// Topics that go; each succeeds or fails by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTopics {
    /// The topics, in the request's order.
    pub topics: Vec<TopicRef>,
}

/// A topic as a client names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicRef {
    /// By its name.
    Name(String),
    /// By its id.
    Id(TopicId),
    /// By neither.
    Neither,
    /// By both.
    Both(String, TopicId),
}

/// More partitions for topics; each succeeds or fails by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePartitions {
    /// The topics, in the request's order.
    pub topics: Vec<NewPartitions>,
    /// Nothing is created, only checked.
    pub validate_only: bool,
}

/// More partitions for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartitions {
    /// The topic.
    pub name: String,
    /// Partitions that it shall have.
    pub count: i32,
    /// Brokers of each new partition, where the client chose them.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// Changed configurations; each resource's changes succeed or fail together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterConfigs {
    /// The resources, in the request's order.
    pub resources: Vec<AlteredResource>,
    /// Nothing is changed, only checked.
    pub validate_only: bool,
}

/// Changes to the configuration of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlteredResource {
    /// What is configured.
    pub resource: ConfigResource,
    /// Values that are not named go, as the older API has it.
    pub replaces: bool,
    /// The changes.
    pub operations: Vec<ConfigOperation>,
}

/// A change of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigOperation {
    /// The key.
    pub name: String,
    /// What is done with it.
    pub kind: OperationKind,
    /// The value, or the items of a list.
    pub value: Option<String>,
}

/// What is done with a value (KIP-339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// It is replaced.
    Set,
    /// It goes: the default counts again.
    Delete,
    /// Items are added to a list that it has not yet.
    Append,
    /// Items are taken off a list.
    Subtract,
    /// A number that no operation has.
    Unknown(i8),
}

impl OperationKind {
    /// The operation of this number in IncrementalAlterConfigs.
    #[must_use]
    pub fn from_i8(number: i8) -> Self {
        match number {
            0 => Self::Set,
            1 => Self::Delete,
            2 => Self::Append,
            3 => Self::Subtract,
            other => Self::Unknown(other),
        }
    }
}

/// What the writer made of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// Encoded records to append as one batch, synced, before the outcome is told; none when
    /// nothing changes.
    pub records: Vec<Vec<u8>>,
    /// What the client is told then.
    pub outcome: MetadataOutcome,
}

/// Answers, in the command's order.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataOutcome {
    /// To [`MetadataCommand::CreateTopics`].
    CreateTopics(Vec<(String, Result<CreatedTopic, MetadataError>)>),
    /// To [`MetadataCommand::DeleteTopics`]: name and id as far as they are known.
    DeleteTopics(Vec<(Option<String>, TopicId, Result<(), MetadataError>)>),
    /// To [`MetadataCommand::CreatePartitions`].
    CreatePartitions(Vec<(String, Result<(), MetadataError>)>),
    /// To [`MetadataCommand::AutoCreate`].
    AutoCreate(Vec<(String, Result<(), MetadataError>)>),
    /// To [`MetadataCommand::AlterConfigs`].
    AlterConfigs(Vec<(ConfigResource, Result<(), MetadataError>)>),
    /// To [`MetadataCommand::AllocateProducerIds`]: the first of the block, and how many.
    ProducerIds {
        /// The first id.
        first: i64,
        /// Number of ids.
        count: i32,
    },
}

/// A topic that was created, or that could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id.
    pub id: TopicId,
    /// Its partitions.
    pub partitions: i32,
    /// Its replicas.
    pub replication_factor: i16,
    /// Its own values.
    pub configs: BTreeMap<String, String>,
}

/// Why a part of a command was refused. `crate::error` gives each its code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A topic's name.
    #[error("{0}")]
    TopicName(#[from] TopicNameError),
    /// A topic of that name is there.
    // Scripts around Kafka's tools look for "already exists".
    #[error("the topic {0:?} already exists")]
    TopicExists(String),
    /// No topic of that name is there.
    #[error("The topic '{0}' does not exist.")]
    UnknownTopic(String),
    /// No topic of that id is there.
    #[error("there is no topic with the id {0}")]
    UnknownTopicId(TopicId),
    /// The metadata log is no topic for clients.
    #[error("the topic {0:?} is not for clients")]
    Forbidden(String),
    /// A topic's configuration.
    #[error("{0}")]
    Config(String),
    /// A number of partitions.
    #[error("{0}")]
    Partitions(String),
    /// A number of replicas.
    #[error("{0}")]
    ReplicationFactor(String),
    /// Brokers that a client chose.
    #[error("{0}")]
    Assignment(String),
    /// Topics are not deleted here.
    #[error("topics are not deleted: delete.topic.enable is false")]
    DeletionDisabled,
    /// A limit of this broker.
    #[error("{0}")]
    Limit(String),
    /// A request that contradicts itself.
    #[error("{0}")]
    Request(String),
    /// The metadata log takes no more records.
    #[error("the metadata log cannot be written: its directory has failed")]
    Unavailable,
}

impl From<TopicConfigError> for MetadataError {
    fn from(error: TopicConfigError) -> Self {
        Self::Config(error.to_string())
    }
}
