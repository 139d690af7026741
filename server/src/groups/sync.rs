//! Members ask for their assignments; the leader brings them.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_engine::base::SlabKey;
use logmill_wire::ErrorCode;

use super::answer::SyncAnswer;
use super::ask::SyncGroup;
use super::effects::When;
use super::group::State;
use super::turn::Turn;

impl Turn<'_> {
    /// SyncGroup to a group that exists.
    pub fn sync(&mut self, ticket: u64, ask: SyncGroup) {
        let member = match self.syncing_member(&ask) {
            Ok(member) => member,
            Err(error) => return self.reply_sync(ticket, SyncAnswer::failed(error), When::Now),
        };
        match self.group.state {
            State::Empty => unreachable!("an empty group has no members"),
            State::PreparingRebalance => {
                let error = ErrorCode::REBALANCE_IN_PROGRESS;
                self.reply_sync(ticket, SyncAnswer::failed(error), When::Now);
            }
            State::CompletingRebalance => {
                self.park_sync(ticket, member);
                if self.group.is_leader(&ask.member_id) {
                    self.complete_rebalance(ask.assignments);
                }
            }
            State::Stable => {
                self.settle_owed_sync(member);
                let answer = self.assigned(member);
                self.reply_sync(ticket, answer, When::Synced);
            }
        }
    }

    fn syncing_member(&self, ask: &SyncGroup) -> Result<SlabKey, ErrorCode> {
        let instance_id = ask.group_instance_id.as_deref();
        let member = self.group.member(&ask.member_id, instance_id)?;
        if ask.generation != self.group.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        let differs = |asked: &Option<String>, ours: &Option<String>| {
            asked.is_some() && ours.is_some() && asked != ours
        };
        if differs(&ask.protocol_type, &self.group.protocol_type)
            || differs(&ask.protocol_name, &self.group.protocol)
        {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(member)
    }

    fn park_sync(&mut self, ticket: u64, member: SlabKey) {
        self.settle_owed_sync(member);
        let entry = self.group.members.get_mut(member).expect("just found");
        if let Some(former) = entry.parked_sync.replace(ticket) {
            // The same member asked before, on another connection; only one can be answered.
            let error = ErrorCode::REBALANCE_IN_PROGRESS;
            self.reply_sync(former, SyncAnswer::failed(error), When::Now);
        }
    }

    fn settle_owed_sync(&mut self, member: SlabKey) {
        self.group.members.set_owes_sync(member, false);
        if self.group.members.owing_sync() == 0 {
            self.group.sync.clear(self.timers);
        }
    }

    /// The leader's assignment is here: stored, and told to those who have asked.
    fn complete_rebalance(&mut self, assignments: Vec<(String, Arc<[u8]>)>) {
        let mut assignments: BTreeMap<String, Arc<[u8]>> = assignments.into_iter().collect();
        for key in self.group.members.keys() {
            let member = self.group.members.get(key).expect("a member of this group");
            let assignment = assignments.remove(&*member.id).unwrap_or_default();
            self.group.members.assign(key, assignment);
        }
        if let Err(error) = self.store() {
            self.reset_assignments(error);
            self.prepare_rebalance();
            return;
        }
        // The record's time is the generation's.
        self.group.state = State::Stable;
        for key in self.group.members.keys() {
            let answer = self.assigned(key);
            self.answer_sync(key, answer);
        }
    }

    fn assigned(&self, member: SlabKey) -> SyncAnswer {
        let member = self
            .group
            .members
            .get(member)
            .expect("a member of this group");
        SyncAnswer {
            error: ErrorCode::NONE,
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol.clone(),
            assignment: member.assignment.clone(),
        }
    }
}
