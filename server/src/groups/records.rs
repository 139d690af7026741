//! The coordinator's records, as Kafka 4.1 writes them: Kafka's schemas in the versions of its
//! metadata version 4.1-IV1.

use std::sync::Arc;

use logmill_wire::records::group::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use logmill_wire::records::{write_key, write_value};
use logmill_wire::{Array, EncodeError, Message, Record as Key, Uuid, Writer};

use super::effects::Record;
use super::group::Group;
use super::offsets::Committed;

/// The state of a group between rebalances.
///
/// # Errors
/// A name in it is longer than the format holds.
pub(super) fn group_record(group: &Group) -> Result<Record, EncodeError> {
    let protocol = group.protocol.as_deref();
    let subscriptions: Vec<_> = group
        .members
        .iter()
        .map(|member| member.metadata(protocol.unwrap_or_default()))
        .collect();
    let members = group.members.iter().zip(&subscriptions);
    let members = members.map(|(member, subscription)| MemberMetadata {
        member_id: &member.id,
        group_instance_id: member.instance_id.as_deref(),
        client_id: &member.client_id,
        client_host: &member.client_host,
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription,
        assignment: &member.assignment,
    });
    let value = GroupMetadataValue {
        protocol_type: group.protocol_type.as_deref().unwrap_or_default(),
        generation: group.generation,
        protocol,
        leader: group.leader.as_deref(),
        current_state_timestamp: group.state_since_ms.unwrap_or(-1),
        members: Array::Owned(members.collect()),
    };
    // It may be large: its bytes are not to be moved while it grows.
    let bytes = group.members.bytes() + group.id.len();
    let key = GroupMetadataKey { group: &group.id };
    record(&key, &value, GROUP_VERSION, bytes)
}

/// The group is gone.
///
/// # Errors
/// Its id is longer than the format holds.
pub(super) fn group_tombstone(group_id: &str) -> Result<Record, EncodeError> {
    tombstone(&GroupMetadataKey { group: group_id })
}

/// A committed offset.
///
/// # Errors
/// A name in it is longer than the format holds.
pub(super) fn offset_record(
    group: &str,
    topic: &str,
    partition: i32,
    committed: &Committed,
) -> Result<Record, EncodeError> {
    let value = OffsetCommitValue {
        offset: committed.offset,
        leader_epoch: committed.leader_epoch,
        metadata: &committed.metadata,
        commit_timestamp: committed.commit_timestamp_ms,
        expire_timestamp: committed.expire_timestamp_ms,
        // Commits come with names.
        topic_id: Uuid::default(),
    };
    // The one version that holds a moment to go at; it has no place for an epoch.
    let version = match committed.expire_timestamp_ms {
        -1 => OFFSET_VERSION,
        _ => OFFSET_VERSION_EXPIRING,
    };
    let bytes = OFFSET_VALUE_BYTES + committed.metadata.len();
    record(&offset_key(group, topic, partition), &value, version, bytes)
}

/// A committed offset is gone.
///
/// # Errors
/// A name in the key is longer than the format holds.
pub(super) fn offset_tombstone(
    group: &str,
    topic: &str,
    partition: i32,
) -> Result<Record, EncodeError> {
    tombstone(&offset_key(group, topic, partition))
}

impl Record {
    /// What it takes in a batch, a little more than exactly.
    pub(crate) fn bytes(&self) -> usize {
        RECORD_OVERHEAD_BYTES + self.key.len() + self.value().map_or(0, <[u8]>::len)
    }
}

fn offset_key<'a>(group: &'a str, topic: &'a str, partition: i32) -> OffsetCommitKey<'a> {
    OffsetCommitKey {
        group,
        topic,
        partition,
    }
}

fn record<'a>(
    key: &impl Key<'a>,
    value: &impl Message<'a>,
    version: i16,
    bytes: usize,
) -> Result<Record, EncodeError> {
    let mut w = Writer::default();
    w.bytes.reserve(bytes);
    write_value(&mut w, value, version)?;
    // Groups keep it.
    w.bytes.shrink_to_fit();
    Ok(Record {
        value: Some(Arc::new(w.bytes)),
        ..tombstone(key)?
    })
}

fn tombstone<'a>(key: &impl Key<'a>) -> Result<Record, EncodeError> {
    let mut w = Writer::default();
    write_key(&mut w, key)?;
    Ok(Record {
        key: w.bytes,
        value: None,
    })
}

const GROUP_VERSION: i16 = 3;
/// An offset's value without its metadata.
const OFFSET_VALUE_BYTES: usize = 40;
const OFFSET_VERSION: i16 = 4;
const OFFSET_VERSION_EXPIRING: i16 = 1;
/// Length, attributes, deltas and lengths of a record: variable-length integers of at most five
/// bytes (ten for the timestamp's).
const RECORD_OVERHEAD_BYTES: usize = 36;
