//! One group's turn: its state, and everything that a change of it may touch.

use std::sync::Arc;

use logmill_engine::base::{Micros, Now, SlabKey};
use logmill_wire::ErrorCode;
use rand::RngCore;

use super::alarm::{Timer, Timers};
use super::answer::{Answer, JoinAnswer, SyncAnswer};
use super::effects::{Effects, Reply, When};
use super::group::{Group, State};
use super::options::Options;
use super::records::group_record;

/// A group and what it may change besides itself.
pub(super) struct Turn<'a> {
    pub now: Now,
    pub options: &'a Options,
    pub timers: &'a mut Timers,
    pub rng: &'a mut dyn RngCore,
    pub effects: &'a mut Effects,
    /// Whether the coordinator holds as much as it may.
    pub memory_full: bool,
    pub key: SlabKey,
    pub group: &'a mut Group,
}

impl Turn<'_> {
    pub fn reply(&mut self, ticket: u64, answer: Answer, when: When) {
        self.effects.replies.push(Reply {
            ticket,
            answer,
            when,
        });
    }

    pub fn reply_join(&mut self, ticket: u64, answer: JoinAnswer, when: When) {
        self.reply(ticket, Answer::Join(Box::new(answer)), when);
    }

    /// A join that fails without having changed anything.
    pub fn refuse_join(&mut self, ticket: u64, error: ErrorCode, member_id: &str) {
        let answer = JoinAnswer::failed(error, member_id.to_owned());
        self.reply_join(ticket, answer, When::Now);
    }

    pub fn reply_sync(&mut self, ticket: u64, answer: SyncAnswer, when: When) {
        self.reply(ticket, Answer::Sync(answer), when);
    }

    /// The moment `millis` from now.
    pub fn after_ms(&self, millis: i32) -> Micros {
        let millis = u64::try_from(millis).unwrap_or(0);
        self.now
            .monotonic
            .saturating_add(Micros::from_millis(millis))
    }

    /// The member was heard of: its session begins anew.
    pub fn renew_session(&mut self, member: SlabKey) {
        let Some(timeout_ms) = self
            .group
            .members
            .get(member)
            .map(|it| it.session_timeout_ms)
        else {
            return;
        };
        self.expect_member(member, timeout_ms);
    }

    /// The member is given up after `timeout_ms`.
    pub fn expect_member(&mut self, member: SlabKey, timeout_ms: i32) {
        let deadline = self.after_ms(timeout_ms);
        let group = self.key;
        if let Some(entry) = self.group.members.get_mut(member) {
            let timer = Timer::Session { group, member };
            entry.session.set(self.timers, deadline, timer);
        }
    }

    /// Takes a member out. What it has parked is answered with 25, so that it joins anew if it is
    /// still there; a leader's place goes to the first of the others.
    pub fn remove_member(&mut self, key: SlabKey) {
        let Some(mut member) = self.group.members.remove(key) else {
            return;
        };
        member.session.clear(self.timers);
        let error = ErrorCode::UNKNOWN_MEMBER_ID;
        if let Some(ticket) = member.parked_join {
            self.refuse_join(ticket, error, "");
        }
        if let Some(ticket) = member.parked_sync {
            self.reply_sync(ticket, SyncAnswer::failed(error), When::Now);
        }
        if self.group.is_leader(&member.id) {
            self.group.leader = self.group.members.iter().next().map(|it| it.id.clone());
        }
    }

    /// Forgets a member id that was given out.
    pub fn remove_pending(&mut self, key: SlabKey) {
        if let Some((_, mut alarm)) = self.group.pending.remove(key) {
            alarm.clear(self.timers);
        }
    }

    /// Answers the parked sync of a member, and counts that as hearing of it.
    pub fn answer_sync(&mut self, member: SlabKey, answer: SyncAnswer) {
        let entry = self.group.members.get_mut(member);
        let Some(ticket) = entry.and_then(|entry| entry.parked_sync.take()) else {
            return;
        };
        self.reply_sync(ticket, answer, When::Synced);
        self.renew_session(member);
    }

    /// Writes the group as it is into the log.
    ///
    /// # Errors
    /// -1 when no batch can hold it, as Kafka has it; nothing is written.
    pub fn store(&mut self) -> Result<(), ErrorCode> {
        let record = group_record(self.group).map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        if record.bytes() > self.options.batch_bytes_max && !self.group.is(State::Empty) {
            return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
        }
        self.group.stored = Some(record.clone());
        self.effects.records.push(record);
        Ok(())
    }

    /// A new member id: `prefix`, and a random UUID behind it.
    pub fn new_member_id(&mut self, prefix: &str) -> Arc<str> {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        // The whole id must fit into a string of the protocol.
        let mut end = prefix.len().min(MEMBER_ID_PREFIX_BYTES_MAX);
        while !prefix.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}-{uuid}", &prefix[..end]).into()
    }
}

/// A hyphen and a UUID's 36 characters stand behind it.
const MEMBER_ID_PREFIX_BYTES_MAX: usize = i16::MAX as usize - 37;
