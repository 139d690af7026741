//! A group: its generation, its state, its members and its offsets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logmill_engine::base::{Slab, SlabKey};
use logmill_wire::messages::consumer_protocol::ConsumerProtocolSubscription;
use logmill_wire::{ErrorCode, Message, Reader};

use super::alarm::Alarm;
use super::effects::Record;
use super::members::Members;
use super::offsets::Offsets;
use crate::base::planted::{self, Planted};

/// The states of a group of the classic protocol. `Dead` is one that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No members.
    Empty,
    /// Members are joining; the rest is waited for.
    PreparingRebalance,
    /// The generation is made; the leader's assignment is waited for.
    CompletingRebalance,
    /// Members have their assignments.
    Stable,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A group of the classic protocol, or one that only has offsets.
#[derive(Debug)]
pub(super) struct Group {
    pub id: Arc<str>,
    pub state: State,
    /// Whether members join a group that was empty: it gives them more time.
    pub is_initial_rebalance: bool,
    /// Since when the state is as it is, by the wall clock; `None` in records of old.
    pub state_since_ms: Option<i64>,
    /// `None` for a group that only has offsets.
    pub protocol_type: Option<String>,
    pub protocol: Option<String>,
    pub generation: i32,
    /// The leader's member id.
    pub leader: Option<Arc<str>>,
    pub members: Members,
    pub pending: PendingMembers,
    /// The topics of a consumers' group; `None` when they are not known.
    pub subscribed: Option<BTreeSet<String>>,
    subscribed_bytes: usize,
    /// The initial rebalance has seen a new member since its delay began.
    pub new_member_added: bool,
    /// The initial rebalance's delay that runs, and how much more it may be extended.
    pub initial_delay_ms: (i32, i32),
    /// The end of the wait for joins.
    pub join: Alarm,
    /// The end of the wait for syncs.
    pub sync: Alarm,
    /// The group's last record in the log: what is written when the log is written anew. In the
    /// middle of a rebalance it is the generation before.
    pub stored: Option<Record>,
    pub offsets: Offsets,
}

impl Group {
    /// A group without members, offsets and records.
    pub fn new(id: Arc<str>, wall_ms: i64) -> Self {
        Self {
            id,
            state: State::Empty,
            is_initial_rebalance: false,
            state_since_ms: Some(wall_ms),
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: Members::default(),
            pending: PendingMembers::default(),
            subscribed: None,
            subscribed_bytes: 0,
            new_member_added: false,
            initial_delay_ms: (0, 0),
            join: Alarm::default(),
            sync: Alarm::default(),
            stored: None,
            offsets: Offsets::default(),
        }
    }

    pub fn is(&self, state: State) -> bool {
        self.state == state
    }

    pub fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// Whether its members are consumers, whose subscriptions can be read.
    pub fn is_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some("consumer")
    }

    /// Whether members consume the topic. A consumers' group whose topics are not known may
    /// consume any.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumers(),
        }
    }

    /// Whether everybody who is expected has joined.
    pub fn all_joined(&self) -> bool {
        self.members.len() == self.members.waiting_join() && self.pending.is_empty()
    }

    /// The member with this id, if its instance id is its own.
    ///
    /// # Errors
    /// 25 without such a member, 82 when another holds the instance id.
    pub fn member(&self, member_id: &str, instance_id: Option<&str>) -> Result<SlabKey, ErrorCode> {
        let member = self.members.find(member_id);
        if let Some(instance_id) = instance_id {
            let holder = self.members.find_instance(instance_id);
            let holder = holder.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
            if member != Some(holder) && !planted::is(Planted::OldInstanceServed) {
                return Err(ErrorCode::FENCED_INSTANCE_ID);
            }
        }
        member.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
    }

    /// Whether there is nothing to keep it for: no member, no offset, no record in the log.
    pub fn is_blank(&self) -> bool {
        let unused = self.is(State::Empty) && self.pending.is_empty() && self.offsets.is_empty();
        unused && self.stored.is_none()
    }

    /// Reads the members' subscriptions anew.
    pub fn compute_subscribed(&mut self) {
        self.subscribed = match &self.protocol {
            _ if !self.is_consumers() => None,
            _ if self.members.is_empty() => Some(BTreeSet::new()),
            None => None,
            Some(protocol) => {
                let mut topics = BTreeSet::new();
                let mut members = self.members.iter();
                let read =
                    members.all(|member| read_topics(&member.metadata(protocol), &mut topics));
                read.then_some(topics)
            }
        };
        let topics = self.subscribed.iter().flatten();
        self.subscribed_bytes = topics.map(|topic| TOPIC_BYTES + topic.len()).sum();
    }

    /// What it holds of memory, nearly.
    pub fn bytes(&self) -> usize {
        let stored = self.stored.as_ref().map_or(0, Record::bytes);
        let words = self.id.len() * 2 + self.subscribed_bytes + stored + self.pending.bytes;
        GROUP_BYTES + words + self.members.bytes() + self.offsets.bytes()
    }
}

/// Member ids that were given out and have not come back yet (KIP-394).
#[derive(Debug, Default)]
pub(super) struct PendingMembers {
    alarms: Slab<(Arc<str>, Alarm)>,
    by_id: BTreeMap<Arc<str>, SlabKey>,
    bytes: usize,
}

impl PendingMembers {
    pub fn insert(&mut self, id: Arc<str>) -> SlabKey {
        self.bytes += PENDING_BYTES + id.len();
        let key = self.alarms.insert((id.clone(), Alarm::default()));
        self.by_id.insert(id, key);
        key
    }

    /// Takes one out; its alarm is the caller's to clear.
    pub fn remove(&mut self, key: SlabKey) -> Option<(Arc<str>, Alarm)> {
        let (id, alarm) = self.alarms.remove(key)?;
        self.by_id.remove(&id);
        self.bytes -= PENDING_BYTES + id.len();
        Some((id, alarm))
    }

    pub fn find(&self, id: &str) -> Option<SlabKey> {
        self.by_id.get(id).copied()
    }

    pub fn alarm_mut(&mut self, key: SlabKey) -> Option<&mut Alarm> {
        self.alarms.get_mut(key).map(|(_, alarm)| alarm)
    }

    pub fn keys(&self) -> Vec<SlabKey> {
        self.by_id.values().copied().collect()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// Adds the topics of a consumer's subscription; `false` when it cannot be read. All versions
/// begin like version 0, so what follows does not matter.
fn read_topics(subscription: &[u8], topics: &mut BTreeSet<String>) -> bool {
    let mut r = Reader::new(subscription);
    if r.i16().is_err() {
        return false;
    }
    let Ok(read) = ConsumerProtocolSubscription::decode(&mut r, 0) else {
        return false;
    };
    for topic in read.topics.iter() {
        if !topics.contains(topic) {
            topics.insert(topic.to_owned());
        }
    }
    true
}

/// A topic's place in the set of those that are subscribed.
const TOPIC_BYTES: usize = 48;
/// A group's own fields and its places in maps.
const GROUP_BYTES: usize = size_of::<Group>() + 200;
/// A pending member's fields, its places in maps, and its timer.
const PENDING_BYTES: usize = 160;
