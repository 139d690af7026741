//! The cluster's metadata: a log of Kafka's own records, replayed into an image that every shard
//! reads.
//!
//! [`MetadataImage`] is immutable and shared; [`MetadataImage::apply`] makes the next one and says
//! in a [`MetadataDelta`] what changed. Changes come from a [`MetadataWriter`]: here the
//! [`LocalController`], which checks a [`MetadataCommand`] against the image as Kafka's controller
//! does and returns records, never a changed image. The log's owner appends the records, synced,
//! and only then is the image applied and published.

mod alter_configs;
mod apply;
mod bootstrap;
mod command;
mod controller;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod delta;
mod image;
mod producer_ids;
mod records;
mod topic_name;

pub use alter_configs::{ROOT_LEVEL, ROOT_LOGGER};
pub use apply::{ApplyError, ImageLoader};
pub use bootstrap::{BrokerRegistration, SUPPORTED_FEATURES, SupportedFeature};
pub use command::{
    AlterConfigs, AlteredResource, ConfigOperation, CreatePartitions, CreateTopics, CreatedTopic,
    DeleteTopics, MetadataCommand, MetadataError, MetadataOutcome, NewPartitions, NewTopic,
    OperationKind, Submitted, TopicRef,
};
pub use controller::{LocalController, MetadataWriter, random_topic_id};
pub use delta::{MetadataDelta, TopicChange};
pub use image::{
    BrokerImage, ConfigResource, Endpoint, MetadataImage, PartitionImage, ResourceType, TopicImage,
};
pub use producer_ids::ProducerIdBlock;
pub use records::encode;
pub use topic_name::{OFFSETS_TOPIC, TopicNameError, check_topic_name, is_internal};

#[cfg(test)]
mod tests;
