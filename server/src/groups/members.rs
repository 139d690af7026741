//! The members of a group: found by id and by instance id, counted as they wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_engine::base::{Slab, SlabKey};

use super::ask::Protocol;
use super::member::Member;
use super::votes::Votes;

/// All members of a group, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: Slab<Member>,
    by_id: BTreeMap<Arc<str>, SlabKey>,
    by_instance: BTreeMap<Arc<str>, SlabKey>,
    votes: Votes,
    waiting_join: usize,
    owing_sync: usize,
    bytes: usize,
}

impl Members {
    /// Takes in a member whose id, and instance id, are not taken.
    pub fn insert(&mut self, member: Member) -> SlabKey {
        assert!(
            !self.by_id.contains_key(&member.id),
            "a member id is given once"
        );
        self.votes.add(&member.protocols);
        self.bytes += member.bytes();
        self.waiting_join += usize::from(member.parked_join.is_some());
        self.owing_sync += usize::from(member.owes_sync);
        let (id, instance) = (member.id.clone(), member.instance_id.clone());
        let key = self.members.insert(member);
        self.by_id.insert(id, key);
        if let Some(instance) = instance {
            let former = self.by_instance.insert(instance, key);
            assert!(former.is_none(), "an instance id has one member");
        }
        key
    }

    /// Takes a member out. Its tickets and its alarm are the caller's to settle.
    pub fn remove(&mut self, key: SlabKey) -> Option<Member> {
        let member = self.members.remove(key)?;
        self.by_id.remove(&member.id);
        if let Some(instance) = &member.instance_id {
            self.by_instance.remove(instance);
        }
        self.votes.remove(&member.protocols);
        self.bytes -= member.bytes();
        self.waiting_join -= usize::from(member.parked_join.is_some());
        self.owing_sync -= usize::from(member.owes_sync);
        Some(member)
    }

    /// Parks a join; the ticket that was parked before is returned, to be answered.
    pub fn park_join(&mut self, key: SlabKey, ticket: u64) -> Option<u64> {
        let former = self.members.get_mut(key)?.parked_join.replace(ticket);
        self.waiting_join += usize::from(former.is_none());
        former
    }

    /// Takes a parked join, to be answered.
    pub fn take_join(&mut self, key: SlabKey) -> Option<u64> {
        let ticket = self.members.get_mut(key)?.parked_join.take()?;
        self.waiting_join -= 1;
        Some(ticket)
    }

    /// Whether the generation waits for the member's sync.
    pub fn set_owes_sync(&mut self, key: SlabKey, owes: bool) {
        let member = self.members.get_mut(key).expect("a member of this group");
        self.owing_sync -= usize::from(member.owes_sync);
        self.owing_sync += usize::from(owes);
        member.owes_sync = owes;
    }

    /// What the member says of itself when it joins again.
    pub fn update(&mut self, key: SlabKey, protocols: Vec<Protocol>, timeouts_ms: (i32, i32)) {
        let member = self.members.get_mut(key).expect("a member of this group");
        self.bytes -= member.bytes();
        self.votes.remove(&member.protocols);
        self.votes.add(&protocols);
        member.protocols = protocols;
        (member.session_timeout_ms, member.rebalance_timeout_ms) = timeouts_ms;
        self.bytes += member.bytes();
    }

    /// What the member is to do in this generation.
    pub fn assign(&mut self, key: SlabKey, assignment: Arc<[u8]>) {
        let member = self.members.get_mut(key).expect("a member of this group");
        self.bytes = self.bytes - member.assignment.len() + assignment.len();
        member.assignment = assignment;
    }

    /// The member, to change what is not counted here.
    pub fn get_mut(&mut self, key: SlabKey) -> Option<&mut Member> {
        self.members.get_mut(key)
    }

    pub fn get(&self, key: SlabKey) -> Option<&Member> {
        self.members.get(key)
    }

    /// The member with this id.
    pub fn find(&self, id: &str) -> Option<SlabKey> {
        self.by_id.get(id).copied()
    }

    /// The member with this instance id.
    pub fn find_instance(&self, instance_id: &str) -> Option<SlabKey> {
        self.by_instance.get(instance_id).copied()
    }

    /// All, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        let keys = self.by_id.values();
        keys.map(|key| self.members.get(*key).expect("ids lead to members"))
    }

    /// The keys of all, in the order of their ids.
    pub fn keys(&self) -> Vec<SlabKey> {
        self.by_id.values().copied().collect()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many joins are parked.
    pub fn waiting_join(&self) -> usize {
        self.waiting_join
    }

    /// How many members owe a sync.
    pub fn owing_sync(&self) -> usize {
        self.owing_sync
    }

    /// Whether every member speaks one of `protocols`.
    pub fn accept(&self, protocols: &[Protocol]) -> bool {
        self.votes.accept(protocols, self.len())
    }

    /// The members' choice of a protocol; `leader` decides between equals.
    pub fn choose(&self, leader: Option<&str>) -> Option<&str> {
        let is_leader = |member: &&Member| Some(&*member.id) == leader;
        let first = self.iter().filter(is_leader);
        let others = self.iter().filter(|member| !is_leader(member));
        let preferences = first
            .chain(others)
            .map(|member| member.protocols.as_slice());
        self.votes.choose(self.len(), preferences)
    }

    /// The longest rebalance time-out of a member.
    pub fn rebalance_timeout_ms_max(&self) -> i32 {
        let timeouts = self
            .members
            .iter()
            .map(|(_, member)| member.rebalance_timeout_ms);
        timeouts.max().unwrap_or(0).max(0)
    }

    /// What they hold of memory, nearly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
