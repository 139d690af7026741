//! Records of the metadata log as this controller writes them.

use std::sync::Arc;

use logmill_engine::base::TopicId;
use logmill_wire::records::metadata::{ConfigRecord, MetadataRecord, PartitionRecord, TopicRecord};
use logmill_wire::{Array, Uuid, Writer};

use crate::metadata::image::ConfigResource;

/// Encodes a record, in the newest version of its type that `metadata.version` 27 has.
///
/// # Panics
/// When a name is longer than the log can hold, which checks before this exclude.
#[must_use]
pub fn encode<'a>(record: impl Into<MetadataRecord<'a>>) -> Vec<u8> {
    let record = record.into();
    let mut writer = Writer::new();
    record
        .encode(&mut writer, record.latest_version())
        .unwrap_or_else(|error| panic!("{}: {error}", record.name()));
    writer.bytes
}

/// A new topic.
pub(super) fn topic(name: &str, id: TopicId) -> Vec<u8> {
    encode(TopicRecord {
        name,
        topic_id: Uuid(id.0),
    })
}

/// A value of a resource's own, or that it has none any more.
pub(super) fn config(resource: &ConfigResource, name: &str, value: Option<&str>) -> Vec<u8> {
    encode(ConfigRecord {
        resource_type: resource.kind.0,
        resource_name: &resource.name,
        name,
        value,
    })
}

/// A new partition, led by its first replica, all replicas in sync.
pub(super) fn partition(
    topic: TopicId,
    index: i32,
    replicas: &[i32],
    directories: &Arc<[Uuid]>,
) -> Vec<u8> {
    encode(PartitionRecord {
        partition_id: index,
        topic_id: Uuid(topic.0),
        replicas: Array::Slice(replicas),
        isr: Array::Slice(replicas),
        leader: replicas[0],
        leader_epoch: 0,
        partition_epoch: 0,
        directories: Array::Slice(directories),
        ..PartitionRecord::default()
    })
}
