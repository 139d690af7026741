//! Committed offsets, and groups of the classic protocol, in `__consumer_offsets`.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// The key of committed offsets in version 0; read, no longer written.
///
/// Key of record type 0, version 0. Schema `LegacyOffsetCommitKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0")]
pub struct LegacyOffsetCommitKey<'a> {
    pub group: &'a str,
    pub topic: &'a str,
    pub partition: i32,
}

/// A committed offset of the oldest layout.
///
/// Value of record type 0, version 0. Schema `LegacyOffsetCommitValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 0, versions = "0")]
pub struct LegacyOffsetCommitValue<'a> {
    pub offset: i64,
    pub metadata: &'a str,
    pub commit_timestamp: i64,
}

/// Tells whose progress, and where, the value is.
///
/// Key of record type 1, version 0. Schema `OffsetCommitKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0")]
pub struct OffsetCommitKey<'a> {
    pub group: &'a str,
    pub topic: &'a str,
    pub partition: i32,
}

/// A committed offset.
///
/// Value of record type 1, versions 0 to 4, flexible from 4. Schema `OffsetCommitValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 1, versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue<'a> {
    pub offset: i64,
    #[wire(versions = "3+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub metadata: &'a str,
    pub commit_timestamp: i64,
    #[wire(versions = "1", default = -1, ignorable)]
    pub expire_timestamp: i64,
    #[wire(versions = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
}

/// Tells whose state the value is.
///
/// Key of record type 2, version 0. Schema `GroupMetadataKey`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 2, versions = "0")]
pub struct GroupMetadataKey<'a> {
    pub group: &'a str,
}

/// A classic group between rebalances.
///
/// Value of record type 2, versions 0 to 4, flexible from 4. Schema `GroupMetadataValue`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(record = 2, versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue<'a> {
    pub protocol_type: &'a str,
    pub generation: i32,
    #[wire(nullable)]
    pub protocol: Option<&'a str>,
    #[wire(nullable)]
    pub leader: Option<&'a str>,
    #[wire(versions = "2+", default = -1, ignorable)]
    pub current_state_timestamp: i64,
    pub members: Array<'a, MemberMetadata<'a>>,
}

/// An element of [`GroupMetadataValue::members`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct MemberMetadata<'a> {
    pub member_id: &'a str,
    #[wire(versions = "3+", nullable, default = None, ignorable)]
    pub group_instance_id: Option<&'a str>,
    pub client_id: &'a str,
    pub client_host: &'a str,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout: i32,
    pub session_timeout: i32,
    pub subscription: &'a [u8],
    pub assignment: &'a [u8],
}
