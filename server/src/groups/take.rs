//! Asks find their groups.

use std::ops::Bound;
use std::sync::Arc;

use logmill_engine::base::{Now, SlabKey};
use logmill_wire::ErrorCode;

use super::answer::{Answer, LeaveAnswer, LeftMember, ListAnswer};
use super::ask::{
    Ask, DeleteGroups, Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, OffsetDelete, SyncGroup,
};
use super::coordinator::Coordinator;
use super::effects::{Effects, Reply, When};
use super::group::State;
use super::records::group_tombstone;
use super::reports;
use super::turn::Turn;

impl Coordinator {
    /// Takes an ask. Its ticket is answered once, in this call's effects or in later ones: a join
    /// and a sync may wait for other members. A connection that closes meanwhile changes nothing;
    /// its member stays until its session ends, and the answer finds nobody.
    ///
    /// All groups of the ask must belong to this coordinator. Tickets that wait must differ.
    pub fn take(&mut self, now: Now, ticket: u64, ask: Ask, effects: &mut Effects) {
        match ask {
            Ask::Join(ask) => self.take_join(now, ticket, *ask, effects),
            Ask::Sync(ask) => self.take_sync(now, ticket, *ask, effects),
            Ask::Heartbeat(ask) => {
                let error = self.take_heartbeat(now, &ask, effects);
                effects.answer(ticket, Answer::Heartbeat(error), When::Now);
            }
            Ask::Leave(ask) => self.take_leave(now, ticket, ask, effects),
            Ask::Commit(ask) => self.take_commit(now, ticket, &ask, effects),
            Ask::FetchOffsets(ask) => {
                let answer = reports::fetch(self.group(&ask.group_id), &ask);
                effects.answer(ticket, Answer::FetchOffsets(answer), When::Synced);
            }
            Ask::Describe(ask) => {
                let ids = ask.groups.iter();
                let groups = ids.map(|id| reports::describe(self.group(id), id, &ask));
                effects.answer(ticket, Answer::Describe(groups.collect()), When::Synced);
            }
            Ask::List(ask) => {
                let groups = self.groups_from(Bound::Unbounded);
                let answer = ListAnswer {
                    error: ErrorCode::NONE,
                    groups: groups
                        .filter_map(|group| reports::list(group, &ask))
                        .collect(),
                };
                effects.answer(ticket, Answer::List(answer), When::Synced);
            }
            Ask::Delete(ask) => self.take_delete(now, ticket, ask, effects),
            Ask::DeleteOffsets(ask) => self.take_delete_offsets(now, ticket, &ask, effects),
            Ask::TopicsDeleted(topics) => {
                let count = self.delete_topics(now, &topics, effects);
                effects.answer(ticket, Answer::TopicsDeleted(count), When::Synced);
            }
        }
    }

    fn take_join(&mut self, now: Now, ticket: u64, mut ask: JoinGroup, effects: &mut Effects) {
        ask.keep_first_of_each_protocol();
        let known = self.find(&ask.group_id);
        if let Err(error) = self.check_join(&ask, known) {
            return effects.answer(ticket, Ask::Join(Box::new(ask)).refused(error), When::Now);
        }
        let key = self.find_or_make(&ask.group_id, now.wall_ms);
        self.turn(now, key, effects, |turn| {
            turn.join(ticket, ask);
            if turn.group.stored.is_none() && !turn.is_unused() {
                turn.store_new();
            }
        });
    }

    /// What can be said of a join before its group is looked at, or made.
    fn check_join(&self, ask: &JoinGroup, group: Option<SlabKey>) -> Result<(), ErrorCode> {
        let options = self.options();
        let timeouts_ms = options.session_timeout_ms_min..=options.session_timeout_ms_max;
        check_group_id(&ask.group_id)?;
        if !timeouts_ms.contains(&ask.session_timeout_ms) {
            return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
        }
        if ask.largest_protocol_bytes() > options.batch_bytes_max {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        if group.is_none() && !ask.member_id.is_empty() {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if group.is_none() && (ask.protocol_type.is_empty() || ask.protocols.is_empty()) {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(())
    }

    fn take_sync(&mut self, now: Now, ticket: u64, ask: SyncGroup, effects: &mut Effects) {
        match self.member_group(&ask.group_id) {
            Ok(key) => {
                self.turn(now, key, effects, |turn| turn.sync(ticket, ask));
            }
            Err(error) => {
                effects.answer(ticket, Ask::Sync(Box::new(ask)).refused(error), When::Now);
            }
        }
    }

    fn take_heartbeat(&mut self, now: Now, ask: &Heartbeat, effects: &mut Effects) -> ErrorCode {
        let error = self.member_group(&ask.group_id).and_then(|key| {
            let error = self.turn(now, key, effects, |turn| turn.heartbeat(ask));
            error.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
        });
        error.unwrap_or_else(|error| error)
    }

    fn take_leave(&mut self, now: Now, ticket: u64, ask: LeaveGroup, effects: &mut Effects) {
        match self.member_group(&ask.group_id) {
            Ok(key) => {
                self.turn(now, key, effects, |turn| turn.leave(ticket, ask));
            }
            Err(ErrorCode::UNKNOWN_MEMBER_ID) => {
                let members = ask.members.into_iter().map(|member| LeftMember {
                    member_id: member.member_id,
                    group_instance_id: member.group_instance_id,
                    error: ErrorCode::UNKNOWN_MEMBER_ID,
                });
                let answer = LeaveAnswer {
                    error: ErrorCode::NONE,
                    members: members.collect(),
                };
                effects.answer(ticket, Answer::Leave(answer), When::Now);
            }
            Err(error) => effects.answer(ticket, Ask::Leave(ask).refused(error), When::Now),
        }
    }

    /// The group of a request that only members make.
    fn member_group(&self, group_id: &str) -> Result<SlabKey, ErrorCode> {
        check_group_id(group_id)?;
        self.find(group_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
    }

    fn take_commit(&mut self, now: Now, ticket: u64, ask: &OffsetCommit, effects: &mut Effects) {
        let checked = match self.group(&ask.group_id) {
            Some(group) => group.check_commit(ask),
            None if ask.generation < 0 => Ok(()),
            None if ask.knows_group_not_found => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            None => Err(ErrorCode::ILLEGAL_GENERATION),
        };
        if let Err(error) = checked {
            let answer = Ask::Commit(ask.clone()).refused(error);
            let is_there = self.find(&ask.group_id).is_some();
            let when = if is_there { When::Now } else { GONE };
            return effects.answer(ticket, answer, when);
        }
        let key = self.find_or_make(&ask.group_id, now.wall_ms);
        self.turn(now, key, effects, |turn| turn.commit(ticket, ask));
    }

    fn take_delete(&mut self, now: Now, ticket: u64, ask: DeleteGroups, effects: &mut Effects) {
        let mut answers = Vec::with_capacity(ask.groups.len());
        for id in ask.groups {
            let error = match self.group(&id).map(|group| group.state) {
                None => ErrorCode::GROUP_ID_NOT_FOUND,
                Some(State::Empty) => ErrorCode::NONE,
                Some(_) => ErrorCode::NON_EMPTY_GROUP,
            };
            if let Some(key) = self.find(&id).filter(|_| error.is_none()) {
                self.turn(now, key, effects, |turn| turn.delete());
            }
            answers.push((id, error));
        }
        effects.answer(ticket, Answer::Delete(answers), When::Synced);
    }

    fn take_delete_offsets(
        &mut self,
        now: Now,
        ticket: u64,
        ask: &OffsetDelete,
        effects: &mut Effects,
    ) {
        let found = check_group_id(&ask.group_id).and_then(|()| {
            self.find(&ask.group_id)
                .ok_or(ErrorCode::GROUP_ID_NOT_FOUND)
        });
        let key = match found {
            Ok(key) => key,
            Err(error) => {
                let answer = Ask::DeleteOffsets(ask.clone()).refused(error);
                return effects.answer(ticket, answer, GONE);
            }
        };
        self.turn(now, key, effects, |turn| {
            turn.delete_offsets(ticket, &ask.topics)
        });
    }

    fn delete_topics(&mut self, now: Now, topics: &[String], effects: &mut Effects) -> usize {
        let groups = self.groups_from(Bound::Unbounded);
        let groups: Vec<Arc<str>> = groups.map(|group| group.id.clone()).collect();
        let keys: Vec<SlabKey> = groups.iter().filter_map(|id| self.find(id)).collect();
        let mut count = 0;
        for key in keys {
            let deleted = self.turn(now, key, effects, |turn| turn.delete_topics(topics));
            count += deleted.unwrap_or(0);
        }
        count
    }
}

impl Turn<'_> {
    /// A group that somebody waits to be a member of stands in the log from now on: as it was when
    /// it was made, or had offsets alone, empty.
    fn store_new(&mut self) {
        let group = super::group::Group::new(self.group.id.clone(), self.now.wall_ms);
        let record = super::records::group_record(&group);
        let record = record.expect("a group without members fits into a record");
        self.group.stored = Some(record.clone());
        self.effects.records.push(record);
    }

    fn is_unused(&self) -> bool {
        self.group.is(State::Empty) && self.group.pending.is_empty()
    }

    /// Deletes a group without members, and its offsets.
    fn delete(&mut self) {
        self.delete_offsets_where(|_| true);
        for pending in self.group.pending.keys() {
            self.remove_pending(pending);
        }
        let record = group_tombstone(&self.group.id);
        self.effects
            .records
            .push(record.expect("an id that a record has held"));
        self.group.stored = None;
    }

    fn delete_topics(&mut self, topics: &[String]) -> usize {
        self.delete_offsets_where(|topic| topics.iter().any(|deleted| deleted == topic))
    }

    fn delete_offsets_where(&mut self, is_meant: impl Fn(&str) -> bool) -> usize {
        let topics = self
            .group
            .offsets
            .topics()
            .filter(|(topic, _)| is_meant(topic));
        let numbers = topics.flat_map(|(topic, partitions)| {
            partitions
                .keys()
                .map(move |partition| (topic.to_owned(), *partition))
        });
        let meant: Vec<(String, i32)> = numbers.collect();
        for (topic, partition) in &meant {
            self.delete_offset(topic, *partition);
        }
        meant.len()
    }
}

impl Effects {
    fn answer(&mut self, ticket: u64, answer: Answer, when: When) {
        self.replies.push(Reply {
            ticket,
            answer,
            when,
        });
    }
}

/// Members' groups have names; committed offsets may stand under the empty one.
fn check_group_id(group_id: &str) -> Result<(), ErrorCode> {
    match group_id.len() {
        1..=GROUP_ID_BYTES_MAX => Ok(()),
        _ => Err(ErrorCode::INVALID_GROUP_ID),
    }
}

/// What a string of the protocol, and of a record, holds.
const GROUP_ID_BYTES_MAX: usize = i16::MAX as usize;

/// That a group is not there is said once its end is in the log: a crash might bring it back.
const GONE: When = When::Synced;
