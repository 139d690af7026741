//! Members go, or say that they are still there.

use logmill_wire::ErrorCode;

use super::answer::{Answer, LeaveAnswer, LeftMember};
use super::ask::{Heartbeat, LeaveGroup, LeavingMember};
use super::effects::When;
use super::group::State;
use super::turn::Turn;

impl Turn<'_> {
    /// Heartbeat to a group that exists.
    pub fn heartbeat(&mut self, ask: &Heartbeat) -> ErrorCode {
        let instance_id = ask.group_instance_id.as_deref();
        let member = match self.group.member(&ask.member_id, instance_id) {
            Ok(member) => member,
            Err(error) => return error,
        };
        if ask.generation != self.group.generation {
            return ErrorCode::ILLEGAL_GENERATION;
        }
        self.renew_session(member);
        match self.group.state {
            State::PreparingRebalance => ErrorCode::REBALANCE_IN_PROGRESS,
            State::Empty | State::CompletingRebalance | State::Stable => ErrorCode::NONE,
        }
    }

    /// LeaveGroup to a group that exists.
    pub fn leave(&mut self, ticket: u64, ask: LeaveGroup) {
        let mut left = Vec::with_capacity(ask.members.len());
        for leaving in ask.members {
            let error = self.leave_one(&leaving).err().unwrap_or(ErrorCode::NONE);
            left.push(LeftMember {
                member_id: leaving.member_id,
                group_instance_id: leaving.group_instance_id,
                error,
            });
        }
        if left.iter().any(|member| member.error.is_none()) {
            match self.group.state {
                State::CompletingRebalance | State::Stable => self.prepare_rebalance(),
                State::PreparingRebalance => self.complete_join_if_due(),
                State::Empty => {}
            }
        }
        let answer = LeaveAnswer {
            error: ErrorCode::NONE,
            members: left,
        };
        self.reply(ticket, Answer::Leave(answer), When::Synced);
    }

    fn leave_one(&mut self, leaving: &LeavingMember) -> Result<(), ErrorCode> {
        let instance_id = leaving.group_instance_id.as_deref();
        let member = if leaving.member_id.is_empty() {
            // An administrator removes a static member.
            let holder = instance_id.and_then(|id| self.group.members.find_instance(id));
            holder.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?
        } else if let Some(pending) = self.group.pending.find(&leaving.member_id) {
            self.remove_pending(pending);
            return Ok(());
        } else {
            self.group.member(&leaving.member_id, instance_id)?
        };
        self.remove_member(member);
        Ok(())
    }
}
