//! A coordinator, its log and its clock; members that talk to it in few words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logmill_engine::base::{Micros, Now};
use logmill_wire::ErrorCode;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::groups::*;

/// A coordinator that is fed by hand.
pub struct World {
    pub coordinator: Coordinator,
    pub now: Now,
    pub log: Vec<Record>,
    /// Tickets without an answer.
    pub waiting: BTreeSet<u64>,
    answers: BTreeMap<u64, (Answer, When)>,
    next_ticket: u64,
}

/// What is different in a case of a table.
pub type Change<T> = dyn Fn(&mut T);

pub const GROUP: &str = "readers";

impl World {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let now = Now {
            monotonic: Micros::from_millis(1_000),
            wall_ms: 1_700_000_000_000,
        };
        let mut world = Self {
            coordinator: Self::loading(now, options, 1),
            now,
            log: Vec::new(),
            waiting: BTreeSet::new(),
            answers: BTreeMap::new(),
            next_ticket: 1,
        };
        world.load();
        world
    }

    fn loading(now: Now, options: Options, seed: u64) -> Coordinator {
        Coordinator::new(now, options, Box::new(StdRng::seed_from_u64(seed)))
    }

    /// Another coordinator takes over from the log; parked tickets are answered with 16.
    pub fn reload(&mut self) {
        let options = self.coordinator.options().clone();
        let fresh = Self::loading(self.now, options, self.next_ticket);
        let former = std::mem::replace(&mut self.coordinator, fresh);
        let mut effects = Effects::default();
        former.close(self.now, &mut effects);
        assert!(effects.records.is_empty(), "closing writes nothing");
        self.settle(effects);
        assert!(self.waiting.is_empty(), "closing answers all");
        self.load();
    }

    fn load(&mut self) {
        for record in &self.log {
            let replayed = self.coordinator.replay(&record.key, record.value());
            replayed.expect("our own record");
        }
        let mut effects = Effects::default();
        self.coordinator.loaded(self.now, &mut effects);
        self.settle(effects);
    }

    pub fn ask(&mut self, ask: Ask) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.insert(ticket);
        let mut effects = Effects::default();
        self.coordinator.take(self.now, ticket, ask, &mut effects);
        self.settle(effects);
        ticket
    }

    fn settle(&mut self, effects: Effects) {
        self.log.extend(effects.records);
        for reply in effects.replies {
            assert!(
                self.waiting.remove(&reply.ticket),
                "answered once: {reply:?}"
            );
            self.answers
                .insert(reply.ticket, (reply.answer, reply.when));
        }
    }

    /// Lets `millis` pass, and everything that falls due meanwhile happen.
    pub fn pass(&mut self, millis: u64) {
        let end = self
            .now
            .monotonic
            .saturating_add(Micros::from_millis(millis));
        loop {
            let due = self.coordinator.next_deadline().filter(|due| *due <= end);
            let next = due.unwrap_or(end).max(self.now.monotonic);
            let passed = next.saturating_since(self.now.monotonic).0;
            // The wall clock counts whole milliseconds of the other one.
            let whole = (self.now.monotonic.0 + passed) / 1_000 - self.now.monotonic.0 / 1_000;
            self.now.wall_ms += whole as i64;
            self.now.monotonic = next;
            let mut effects = Effects::default();
            self.coordinator.expire(self.now, &mut effects);
            self.settle(effects);
            let is_over = self.coordinator.next_deadline().is_none_or(|due| due > end);
            if next == end && is_over {
                return;
            }
        }
    }

    /// The answer to a ticket, which must be there.
    pub fn answer(&self, ticket: u64) -> &Answer {
        let answer = self.answers.get(&ticket);
        &answer.unwrap_or_else(|| panic!("ticket {ticket} waits")).0
    }

    pub fn when(&self, ticket: u64) -> When {
        self.answers[&ticket].1
    }

    pub fn waits(&self, ticket: u64) -> bool {
        self.waiting.contains(&ticket)
    }

    /// A join, by a client without an id that need not come back with one.
    pub fn join(&mut self, change: impl FnOnce(&mut JoinGroup)) -> u64 {
        let mut ask = join_ask();
        change(&mut ask);
        self.ask(Ask::Join(Box::new(ask)))
    }

    pub fn joined(&self, ticket: u64) -> &JoinAnswer {
        match self.answer(ticket) {
            Answer::Join(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub fn joined_or_waits(&self, ticket: u64) -> Option<&JoinAnswer> {
        (!self.waits(ticket)).then(|| self.joined(ticket))
    }

    pub fn sync(&mut self, member: &JoinAnswer, assignments: &[(&str, &[u8])]) -> u64 {
        let assignments = assignments.iter();
        let ask = SyncGroup {
            group_id: GROUP.to_owned(),
            generation: member.generation,
            member_id: member.member_id.clone(),
            group_instance_id: None,
            protocol_type: member.protocol_type.clone(),
            protocol_name: member.protocol_name.clone(),
            assignments: assignments
                .map(|(id, assignment)| ((*id).to_owned(), Arc::from(*assignment)))
                .collect(),
        };
        self.ask(Ask::Sync(Box::new(ask)))
    }

    pub fn synced(&self, ticket: u64) -> &SyncAnswer {
        match self.answer(ticket) {
            Answer::Sync(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub fn heartbeat(&mut self, member_id: &str, generation: i32) -> ErrorCode {
        let ticket = self.ask(Ask::Heartbeat(Heartbeat {
            group_id: GROUP.to_owned(),
            generation,
            member_id: member_id.to_owned(),
            group_instance_id: None,
        }));
        match self.answer(ticket) {
            Answer::Heartbeat(error) => *error,
            other => panic!("{other:?}"),
        }
    }

    pub fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<ErrorCode> {
        let members = members.iter().map(|(id, instance)| LeavingMember {
            member_id: (*id).to_owned(),
            group_instance_id: instance.map(str::to_owned),
        });
        let ticket = self.ask(Ask::Leave(LeaveGroup {
            group_id: GROUP.to_owned(),
            members: members.collect(),
        }));
        match self.answer(ticket) {
            Answer::Leave(answer) => answer.members.iter().map(|member| member.error).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Commits one offset of `topic`-0; the error of that partition.
    pub fn commit(
        &mut self,
        topic: &str,
        offset: i64,
        change: impl FnOnce(&mut OffsetCommit),
    ) -> ErrorCode {
        let mut ask = commit_ask(topic, &[(0, offset)]);
        change(&mut ask);
        let ticket = self.ask(Ask::Commit(ask));
        match self.answer(ticket) {
            Answer::Commit(topics) => topics[0].partitions[0].1,
            other => panic!("{other:?}"),
        }
    }

    /// All committed offsets of [`GROUP`], as `topic-partition: offset`.
    pub fn offsets(&mut self) -> Vec<String> {
        let ticket = self.ask(Ask::FetchOffsets(fetch_ask(None)));
        let Answer::FetchOffsets(answer) = self.answer(ticket) else {
            panic!("another answer");
        };
        let topics = answer.topics.iter();
        let partitions =
            topics.flat_map(|topic| topic.partitions.iter().map(move |it| (topic, it)));
        partitions
            .map(|(topic, it)| format!("{}-{}: {}", topic.topic, it.partition, it.offset))
            .collect()
    }

    pub fn describe(&mut self) -> DescribedGroup {
        let ticket = self.ask(Ask::Describe(DescribeGroups {
            groups: vec![GROUP.to_owned()],
            missing_is_error: false,
        }));
        match self.answer(ticket) {
            Answer::Describe(groups) => groups[0].clone(),
            other => panic!("{other:?}"),
        }
    }

    /// A stable group of `count` members; the leader first.
    pub fn stable_group(&mut self, count: usize) -> Vec<JoinAnswer> {
        let tickets: Vec<u64> = (0..count).map(|_| self.join(|_| {})).collect();
        self.pass(10_000);
        self.stabilize(&tickets)
    }

    /// Syncs the members of these answered joins; the leader first. Everybody gets its own id.
    pub fn stabilize(&mut self, tickets: &[u64]) -> Vec<JoinAnswer> {
        let joined = tickets.iter().map(|ticket| self.joined(*ticket).clone());
        let mut members: Vec<JoinAnswer> = joined.collect();
        members.sort_by_key(|member| member.member_id != member.leader);
        let ids: Vec<String> = members
            .iter()
            .map(|member| member.member_id.clone())
            .collect();
        let everybody: Vec<(&str, &[u8])> = ids.iter().map(|id| (&**id, id.as_bytes())).collect();
        for (number, member) in members.iter().enumerate() {
            let given: &[(&str, &[u8])] = if number == 0 { &everybody } else { &[] };
            let ticket = self.sync(member, given);
            let answer = self.synced(ticket);
            assert_eq!(answer.error, ErrorCode::NONE);
            assert_eq!(&*answer.assignment, member.member_id.as_bytes());
        }
        members
    }
}

pub fn join_ask() -> JoinGroup {
    JoinGroup {
        group_id: GROUP.to_owned(),
        member_id: String::new(),
        group_instance_id: None,
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range", &["events"])],
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        must_know_member_id: false,
        can_skip_assignment: true,
    }
}

/// A consumer's subscription to `topics`.
pub fn protocol(name: &str, topics: &[&str]) -> Protocol {
    let mut metadata = vec![0, 1];
    metadata.extend((topics.len() as u32).to_be_bytes());
    for topic in topics {
        metadata.extend((topic.len() as u16).to_be_bytes());
        metadata.extend(topic.as_bytes());
    }
    metadata.extend((-1i32).to_be_bytes());
    Protocol {
        name: name.to_owned(),
        metadata: metadata.into(),
    }
}

/// A commit without membership.
pub fn commit_ask(topic: &str, offsets: &[(i32, i64)]) -> OffsetCommit {
    let partitions = offsets.iter().map(|(partition, offset)| CommitPartition {
        partition: *partition,
        offset: *offset,
        leader_epoch: 3,
        metadata: "m".to_owned(),
    });
    OffsetCommit {
        group_id: GROUP.to_owned(),
        generation: -1,
        member_id: String::new(),
        group_instance_id: None,
        knows_group_not_found: true,
        retention_ms: None,
        topics: vec![CommitTopic {
            topic: topic.to_owned(),
            partitions: partitions.collect(),
        }],
    }
}

pub fn fetch_ask(topics: Option<Vec<FetchTopic>>) -> OffsetFetch {
    OffsetFetch {
        group_id: GROUP.to_owned(),
        member_id: None,
        member_epoch: -1,
        topics,
        require_stable: false,
    }
}
