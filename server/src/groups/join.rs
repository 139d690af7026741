//! Members join: new ones, known ones, and static ones that come back under a new id.

use std::sync::Arc;

use logmill_engine::base::SlabKey;
use logmill_wire::ErrorCode;

use super::alarm::Timer;
use super::answer::{JoinAnswer, JoinedMember, SyncAnswer};
use super::ask::{JoinGroup, Protocol};
use super::effects::When;
use super::group::State;
use super::member::{Member, protocol_bytes};
use super::turn::Turn;

impl Turn<'_> {
    /// JoinGroup, by a client whose words are in bounds.
    pub fn join(&mut self, ticket: u64, ask: JoinGroup) {
        if !self.accepts(&ask.member_id) {
            if let Some(member) = self.group.members.find(&ask.member_id) {
                self.remove_member(member);
            }
            if let Some(pending) = self.group.pending.find(&ask.member_id) {
                self.remove_pending(pending);
            }
            self.refuse_join(ticket, ErrorCode::GROUP_MAX_SIZE_REACHED, "");
        } else if !self.supports(&ask.protocol_type, &ask.protocols) {
            let error = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            self.refuse_join(ticket, error, &ask.member_id);
        } else if ask.member_id.is_empty() {
            self.join_new(ticket, ask);
        } else {
            self.join_known(ticket, ask);
        }
    }

    /// Whether the group's size lets this member in.
    fn accepts(&self, member_id: &str) -> bool {
        let member = self.group.members.find(member_id);
        let size_max = self.options.group_size_max;
        match self.group.state {
            State::Empty => true,
            // Those who wait count, not the members: when the bound was lowered, the last to join
            // are the ones that have to go.
            State::PreparingRebalance => {
                let member = member.and_then(|key| self.group.members.get(key));
                let waits = member.is_some_and(|member| member.parked_join.is_some());
                waits || self.group.members.waiting_join() < size_max
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.group.members.len() < size_max
            }
        }
    }

    /// Whether a member with these protocols fits to the others.
    fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.group.is(State::Empty) {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let same_type = self.group.protocol_type.as_deref() == Some(protocol_type);
        same_type && self.group.members.accept(protocols)
    }

    fn join_new(&mut self, ticket: u64, ask: JoinGroup) {
        let Some(instance_id) = &ask.group_instance_id else {
            let member_id = self.new_member_id(&ask.client_id);
            if ask.must_know_member_id {
                self.hand_out_id(ticket, &ask, member_id);
            } else {
                self.add_member(ticket, ask, member_id);
            }
            return;
        };
        let member_id = self.new_member_id(instance_id);
        match self.group.members.find_instance(instance_id) {
            Some(former) => self.replace_static(ticket, ask, former, member_id),
            None => self.add_member(ticket, ask, member_id),
        }
    }

    /// KIP-394: the member is taken in when it comes back with its id, so that clients which give
    /// up and try again leave nothing behind.
    fn hand_out_id(&mut self, ticket: u64, ask: &JoinGroup, member_id: Arc<str>) {
        if self.memory_full || self.group.pending.len() >= PENDING_MEMBERS_MAX {
            self.refuse_join(ticket, ErrorCode::GROUP_MAX_SIZE_REACHED, "");
            return;
        }
        let pending = self.group.pending.insert(member_id.clone());
        let deadline = self.after_ms(ask.session_timeout_ms);
        let group = self.key;
        if let Some(alarm) = self.group.pending.alarm_mut(pending) {
            alarm.set(self.timers, deadline, Timer::Pending { group, pending });
        }
        self.refuse_join(ticket, ErrorCode::MEMBER_ID_REQUIRED, &member_id);
    }

    fn join_known(&mut self, ticket: u64, ask: JoinGroup) {
        if let Some(pending) = self.group.pending.find(&ask.member_id) {
            if ask.group_instance_id.is_some() {
                // Static members are never sent away with an id.
                self.refuse_join(ticket, ErrorCode::UNKNOWN_SERVER_ERROR, "");
                return;
            }
            self.remove_pending(pending);
            let member_id = Arc::from(ask.member_id.as_str());
            self.add_member(ticket, ask, member_id);
            return;
        }
        let instance_id = ask.group_instance_id.as_deref();
        let key = match self.group.member(&ask.member_id, instance_id) {
            Ok(key) => key,
            Err(error) => return self.refuse_join(ticket, error, &ask.member_id),
        };
        let member = self.group.members.get(key).expect("just found");
        let changed = member.protocols != ask.protocols;
        let is_leader = self.group.is_leader(&ask.member_id);
        let rebalances = match self.group.state {
            State::PreparingRebalance => true,
            State::CompletingRebalance => changed,
            // A leader that joins saw something change that others did not: partitions, say.
            State::Stable => changed || is_leader,
            State::Empty => unreachable!("an empty group has no members"),
        };
        if rebalances {
            self.update_member(ticket, key, ask);
            self.rebalance_or_complete_join();
        } else {
            // It may have missed the answer: the generation as it is.
            let sees_members = is_leader && self.group.is(State::CompletingRebalance);
            let answer = self.joined(&ask.member_id, sees_members);
            self.reply_join(ticket, answer, When::Synced);
        }
    }

    /// Takes in a new member and starts, or goes on with, a rebalance.
    fn add_member(&mut self, ticket: u64, ask: JoinGroup, member_id: Arc<str>) {
        let protocol_type = ask.protocol_type.clone();
        let member = Member::joining(member_id, ask);
        let bytes = self.group.members.bytes().saturating_add(member.bytes());
        if self.memory_full || bytes > self.options.group_bytes_max() {
            self.refuse_join(ticket, ErrorCode::GROUP_MAX_SIZE_REACHED, "");
            return;
        }
        if self.group.is(State::PreparingRebalance) && self.group.is_initial_rebalance {
            self.group.new_member_added = true;
        }
        if self.group.members.is_empty() {
            self.group.protocol_type = Some(protocol_type);
        }
        if self.group.leader.is_none() {
            self.group.leader = Some(member.id.clone());
        }
        let key = self.group.members.insert(member);
        self.group.members.park_join(key, ticket);
        // Until it is answered it cannot send heartbeats. A client that went away meanwhile must
        // not be waited for without end.
        self.expect_member(key, NEW_MEMBER_JOIN_TIMEOUT_MS);
        self.rebalance_or_complete_join();
    }

    /// Takes over what a member says of itself, and parks its join.
    fn update_member(&mut self, ticket: u64, key: SlabKey, ask: JoinGroup) {
        let timeouts = (ask.session_timeout_ms, ask.rebalance_timeout_ms);
        self.group.members.update(key, ask.protocols, timeouts);
        if let Some(former) = self.group.members.park_join(key, ticket) {
            // The same member asked before, on another connection; only one can be answered.
            let error = ErrorCode::REBALANCE_IN_PROGRESS;
            self.refuse_join(former, error, &ask.member_id);
        }
    }

    /// KIP-345: a static member comes back without its id. Whoever has the old id is fenced; the
    /// generation stays if the group's protocol does.
    fn replace_static(&mut self, ticket: u64, ask: JoinGroup, former: SlabKey, id: Arc<str>) {
        let can_skip_assignment = ask.can_skip_assignment;
        let former_leader = self.group.leader.clone();
        let key = self.rename_member(former, id.clone());
        self.update_member(ticket, key, ask);
        self.renew_session(key);
        match self.group.state {
            State::Stable => {
                let choice = self.group.members.choose(self.group.leader.as_deref());
                let keeps_protocol = choice == self.group.protocol.as_deref();
                if !keeps_protocol || self.store().is_err() {
                    self.rebalance_or_complete_join();
                    return;
                }
                let is_leader = self.group.is_leader(&id);
                let mut answer = self.joined(&id, is_leader && can_skip_assignment);
                if can_skip_assignment {
                    answer.skip_assignment = is_leader;
                } else if let Some(leader) = former_leader {
                    // Under its former id the leader does not know itself, and makes no assignment.
                    answer.leader = String::from(&*leader);
                }
                if let Some(ticket) = self.group.members.take_join(key) {
                    self.reply_join(ticket, answer, When::Synced);
                }
            }
            // The leader may have been told of the old id.
            State::CompletingRebalance => self.prepare_rebalance(),
            State::PreparingRebalance => self.complete_join_if_due(),
            State::Empty => unreachable!("an empty group has no members"),
        }
    }

    /// Gives a static member a new id. What the old id has parked is fenced.
    fn rename_member(&mut self, former: SlabKey, id: Arc<str>) -> SlabKey {
        let mut member = self.group.members.remove(former).expect("a static member");
        member.session.clear(self.timers);
        let error = ErrorCode::FENCED_INSTANCE_ID;
        if let Some(ticket) = member.parked_join.take() {
            let answer = JoinAnswer::failed(error, String::from(&*member.id));
            self.reply_join(ticket, answer, When::Synced);
        }
        if let Some(ticket) = member.parked_sync.take() {
            self.reply_sync(ticket, SyncAnswer::failed(error), When::Synced);
        }
        if self.group.is_leader(&member.id) {
            self.group.leader = Some(id.clone());
        }
        member.id = id;
        member.is_new = false;
        self.group.members.insert(member)
    }

    /// The generation as a member of it is told.
    pub fn joined(&self, member_id: &str, with_members: bool) -> JoinAnswer {
        let protocol = self.group.protocol.as_deref().unwrap_or_default();
        let all = self.group.members.iter().filter(|_| with_members);
        let members = all.map(|member| JoinedMember {
            member_id: String::from(&*member.id),
            group_instance_id: member.instance_id.as_deref().map(str::to_owned),
            metadata: member.metadata(protocol),
        });
        JoinAnswer {
            error: ErrorCode::NONE,
            generation: self.group.generation,
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol.clone(),
            leader: self.group.leader.as_deref().unwrap_or_default().to_owned(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: members.collect(),
        }
    }
}

impl JoinGroup {
    /// Drops protocols that are named twice: the first counts.
    pub(super) fn keep_first_of_each_protocol(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        self.protocols
            .retain(|protocol| seen.insert(protocol.name.clone()));
    }

    /// What the largest of its protocols takes in a record, a little more than exactly. The record
    /// holds one.
    pub(super) fn largest_protocol_bytes(&self) -> usize {
        self.protocols.iter().map(protocol_bytes).max().unwrap_or(0)
    }
}

/// As in Kafka, not configurable.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i32 = 5 * 60 * 1_000;
/// Member ids of one group that were given out and have not come back. Above: error 81.
const PENDING_MEMBERS_MAX: usize = 10_000;
