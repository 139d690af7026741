//! Control records of the metadata log and of its snapshots (KIP-595, KIP-630, KIP-853).

use logmill_wire_derive::{Element, Message};

use crate::{Array, Uuid};

/// A new leader of the quorum, first in its epoch.
///
/// Versions 0 to 1. Schema `LeaderChangeMessage`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage<'a> {
    pub version: i16,
    pub leader_id: i32,
    pub voters: Array<'a, Voter>,
    pub granting_voters: Array<'a, Voter>,
}

/// An element of [`LeaderChangeMessage::voters`] and [`LeaderChangeMessage::granting_voters`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct Voter {
    pub voter_id: i32,
    #[wire(versions = "1+")]
    pub voter_directory_id: Uuid,
}

/// First in a snapshot.
///
/// Version 0. Schema `SnapshotHeaderRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    pub version: i16,
    pub last_contained_log_timestamp: i64,
}

/// Last in a snapshot.
///
/// Version 0. Schema `SnapshotFooterRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    pub version: i16,
}

/// The version of KRaft that the quorum runs.
///
/// Version 0. Schema `KRaftVersionRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(versions = "0", flexible = "0+")]
pub struct KRaftVersionRecord {
    pub version: i16,
    pub k_raft_version: i16,
}

/// The quorum's voters.
///
/// Version 0. Schema `VotersRecord`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0", flexible = "0+")]
pub struct VotersRecord<'a> {
    pub version: i16,
    pub voters: Array<'a, RegisteredVoter<'a>>,
}

/// An element of [`VotersRecord::voters`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct RegisteredVoter<'a> {
    pub voter_id: i32,
    pub voter_directory_id: Uuid,
    pub endpoints: Array<'a, Endpoint<'a>>,
    pub k_raft_version_feature: KRaftVersionFeature,
}

/// An element of [`RegisteredVoter::endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct Endpoint<'a> {
    pub name: &'a str,
    pub host: &'a str,
    pub port: u16,
}

/// The struct in [`RegisteredVoter::k_raft_version_feature`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct KRaftVersionFeature {
    pub min_supported_version: i16,
    pub max_supported_version: i16,
}
