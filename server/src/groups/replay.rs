//! State from records: of the log when the coordinator is loaded.

use std::sync::Arc;

use logmill_wire::records::group::{
    GroupMetadataKey, GroupMetadataValue, LegacyOffsetCommitKey, MemberMetadata, OffsetCommitKey,
    OffsetCommitValue,
};
use logmill_wire::records::{read_key, read_key_type, read_value};
use logmill_wire::{DecodeError, Record as _};

use super::alarm::Alarm;
use super::ask::Protocol;
use super::effects::Record;
use super::group::{Group, State};
use super::member::Member;
use super::members::Members;
use super::offsets::Committed;

/// A record that a coordinator of classic groups cannot take in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Of a kind that this coordinator does not keep: another protocol's groups, or a later
    /// release's. Nothing has changed, and the load may go on without it.
    #[error("records of type {0} are not known here")]
    UnknownType(i16),
    /// The key is damaged.
    #[error("the record's key: {0}")]
    Key(DecodeError),
    /// The value is damaged, or of a version that is not known.
    #[error("the record's value: {0}")]
    Value(DecodeError),
}

/// A record, decoded.
pub(super) enum Replayed<'a> {
    Group {
        group: &'a str,
        value: Option<GroupMetadataValue<'a>>,
    },
    Offset {
        group: &'a str,
        topic: &'a str,
        partition: i32,
        committed: Option<Committed>,
    },
}

/// Decodes a record of the log.
pub(super) fn decode<'a>(
    key: &'a [u8],
    value: Option<&'a [u8]>,
) -> Result<Replayed<'a>, ReplayError> {
    let (record_type, rest) = read_key_type(key).map_err(ReplayError::Key)?;
    let (group, topic, partition) = match record_type {
        GroupMetadataKey::RECORD_TYPE => {
            let key: GroupMetadataKey<'_> = read_key(rest).map_err(ReplayError::Key)?;
            return Ok(Replayed::Group {
                group: key.group,
                value: value
                    .map(read_value)
                    .transpose()
                    .map_err(ReplayError::Value)?,
            });
        }
        OffsetCommitKey::RECORD_TYPE => {
            let key: OffsetCommitKey<'_> = read_key(rest).map_err(ReplayError::Key)?;
            (key.group, key.topic, key.partition)
        }
        LegacyOffsetCommitKey::RECORD_TYPE => {
            let key: LegacyOffsetCommitKey<'_> = read_key(rest).map_err(ReplayError::Key)?;
            (key.group, key.topic, key.partition)
        }
        other => return Err(ReplayError::UnknownType(other)),
    };
    let value = value.map(read_value::<OffsetCommitValue<'_>>);
    let value = value.transpose().map_err(ReplayError::Value)?;
    Ok(Replayed::Offset {
        group,
        topic,
        partition,
        committed: value.map(committed),
    })
}

fn committed(value: OffsetCommitValue<'_>) -> Committed {
    Committed {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.into(),
        commit_timestamp_ms: value.commit_timestamp,
        expire_timestamp_ms: value.expire_timestamp,
    }
}

impl Group {
    /// The group as a record tells it, instead of what it was. Its offsets stay.
    pub(super) fn restore(&mut self, value: &GroupMetadataValue<'_>, stored: Record) {
        self.members = Members::default();
        for member in value.members.iter() {
            let member = restored_member(&member, value.protocol);
            let instance = member.instance_id.as_deref();
            let taken = self.members.find(&member.id).is_some()
                || instance.is_some_and(|id| self.members.find_instance(id).is_some());
            // No coordinator writes a member twice; what is damaged must not stop the load.
            if !taken {
                self.members.insert(member);
            }
        }
        self.state = match self.members.is_empty() {
            true => State::Empty,
            false => State::Stable,
        };
        let timestamp = value.current_state_timestamp;
        self.state_since_ms = (timestamp != -1).then_some(timestamp);
        let protocol_type = value.protocol_type;
        self.protocol_type = (!protocol_type.is_empty()).then(|| protocol_type.to_owned());
        self.protocol = value.protocol.map(str::to_owned);
        self.generation = value.generation;
        let first = self.members.iter().next().map(|member| member.id.clone());
        self.leader = value.leader.map(Arc::from).or(first);
        self.stored = Some(stored);
        self.compute_subscribed();
    }

    /// The group as one that only has offsets.
    pub(super) fn forget_members(&mut self) {
        let offsets = std::mem::take(&mut self.offsets);
        *self = Self::new(self.id.clone(), self.state_since_ms.unwrap_or(-1));
        self.offsets = offsets;
    }
}

fn restored_member(value: &MemberMetadata<'_>, protocol: Option<&str>) -> Member {
    let rebalance_timeout_ms = match value.rebalance_timeout {
        -1 => value.session_timeout,
        timeout => timeout,
    };
    Member {
        id: value.member_id.into(),
        instance_id: value.group_instance_id.map(Arc::from),
        client_id: value.client_id.to_owned(),
        client_host: value.client_host.to_owned(),
        session_timeout_ms: value.session_timeout,
        rebalance_timeout_ms,
        protocols: vec![Protocol {
            name: protocol.unwrap_or_default().to_owned(),
            metadata: value.subscription.into(),
        }],
        assignment: value.assignment.into(),
        is_new: false,
        owes_sync: false,
        parked_join: None,
        parked_sync: None,
        session: Alarm::default(),
    }
}
