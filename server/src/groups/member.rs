//! One member of a group.

use std::sync::Arc;

use super::alarm::Alarm;
use super::ask::{JoinGroup, Protocol};

/// A member of a group of the classic protocol.
#[derive(Debug)]
pub(super) struct Member {
    pub id: Arc<str>,
    pub instance_id: Option<Arc<str>>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// The best first, no name twice.
    pub protocols: Vec<Protocol>,
    /// Empty until the leader's arrive.
    pub assignment: Arc<[u8]>,
    /// Its first join is parked. Until that is answered it has no id to send heartbeats with, and
    /// it is given up after a time of its own even though its join is here.
    pub is_new: bool,
    /// The current generation waits for its sync. Changed through `Members` alone.
    pub(super) owes_sync: bool,
    /// The ticket of its parked join. Changed through `Members` alone, which counts them.
    pub(super) parked_join: Option<u64>,
    /// The ticket of its parked sync.
    pub parked_sync: Option<u64>,
    /// When it is given up.
    pub session: Alarm,
}

impl Member {
    /// The member that a join makes.
    pub fn joining(id: Arc<str>, ask: JoinGroup) -> Self {
        Self {
            id,
            instance_id: ask.group_instance_id.map(Arc::from),
            client_id: ask.client_id,
            client_host: ask.client_host,
            session_timeout_ms: ask.session_timeout_ms,
            rebalance_timeout_ms: ask.rebalance_timeout_ms,
            protocols: ask.protocols,
            assignment: Arc::default(),
            is_new: true,
            owes_sync: false,
            parked_join: None,
            parked_sync: None,
            session: Alarm::default(),
        }
    }

    /// The subscription in the terms of `protocol`; empty when it is not spoken.
    pub fn metadata(&self, protocol: &str) -> Arc<[u8]> {
        let mut protocols = self.protocols.iter();
        let spoken = protocols.find(|spoken| spoken.name == protocol);
        spoken
            .map(|spoken| spoken.metadata.clone())
            .unwrap_or_default()
    }

    /// Whether it need not send heartbeats now: it waits for us.
    pub fn waits(&self) -> bool {
        !self.is_new && (self.parked_join.is_some() || self.parked_sync.is_some())
    }

    /// What it holds of memory, nearly.
    pub fn bytes(&self) -> usize {
        let words = self.id.len() * 2 + self.client_id.len() + self.client_host.len();
        let instance = self.instance_id.as_ref().map_or(0, |id| id.len() * 2);
        let protocols: usize = self.protocols.iter().map(protocol_bytes).sum();
        MEMBER_BYTES + words + instance + protocols + self.assignment.len()
    }
}

/// What a protocol of a member holds of memory, nearly.
pub(super) fn protocol_bytes(protocol: &Protocol) -> usize {
    // The name stands in the votes as well.
    size_of::<Protocol>() + protocol.name.len() * 2 + protocol.metadata.len()
}

/// A member's own fields, its places in maps, and its timer.
const MEMBER_BYTES: usize = size_of::<Member>() + 160;
