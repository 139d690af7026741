//! Random histories: members that join, sync, commit, fall silent, restart and leave, while the
//! power goes and the log is written anew.
//!
//! What must hold in all of them: every ticket is answered once; a generation has one assignment,
//! and each of its members is told its own part; offsets that were acknowledged or shown never go
//! back; replaying the log gives the state.
//!
//! A failure prints the shortest history that was found; `PROPTEST_CASES` runs more of them.

use std::collections::BTreeMap;

use logmill_wire::ErrorCode;
use proptest::prelude::*;

use super::fixture::*;
use super::host::{Host, describe};
use crate::groups::*;

/// What happens next. The first number, where there are two, names a member.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Does what a client would do now.
    Act(usize),
    /// All do so for a while, and nothing else happens.
    Round,
    /// Joins with one of two subscriptions.
    Join(usize, bool),
    Sync(usize),
    Heartbeat(usize),
    Commit(usize, i32),
    CommitAlone(i32),
    Leave(usize),
    /// Forgets all; whatever it waits for finds nobody.
    Restart(usize),
    Fetch,
    DeleteGroup,
    DeleteOffset(i32),
    DeleteTopic,
    Pass(u64),
    SyncLog,
    Crash(usize),
    Reload,
    Compact,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let member = 0..MEMBERS;
    let step = prop_oneof![
        30 => member.clone().prop_map(Step::Act),
        4 => Just(Step::Round),
        3 => (member.clone(), any::<bool>()).prop_map(|(it, other)| Step::Join(it, other)),
        3 => member.clone().prop_map(Step::Sync),
        4 => member.clone().prop_map(Step::Heartbeat),
        8 => (member.clone(), 0..3).prop_map(|(it, partition)| Step::Commit(it, partition)),
        2 => (0..3).prop_map(Step::CommitAlone),
        2 => member.clone().prop_map(Step::Leave),
        2 => member.prop_map(Step::Restart),
        4 => Just(Step::Fetch),
        1 => Just(Step::DeleteGroup),
        1 => (0..3).prop_map(Step::DeleteOffset),
        1 => Just(Step::DeleteTopic),
        8 => prop::sample::select(vec![1, 900, 3_000, 5_500, 11_000, 61_000]).prop_map(Step::Pass),
        8 => Just(Step::SyncLog),
        2 => (0usize..4).prop_map(Step::Crash),
        1 => Just(Step::Reload),
        1 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 1..150)
}

/// A client: the last two are static members.
#[derive(Default)]
struct Client {
    instance_id: Option<String>,
    member_id: String,
    joined: Option<JoinAnswer>,
    has_assignment: bool,
    /// What it waits for. Other answers are for connections that are gone.
    waits_for: Option<u64>,
}

/// Which client asked, and the partition and offset that a commit was for.
type Asked = (Option<usize>, Option<(i32, i64)>);

impl Client {
    fn hear_error(&mut self, error: ErrorCode) {
        self.joined = None;
        match error {
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => self.member_id.clear(),
            // After a load a member is known to speak the chosen protocol alone.
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL
            | ErrorCode::ILLEGAL_GENERATION
            | ErrorCode::GROUP_ID_NOT_FOUND
            | ErrorCode::REBALANCE_IN_PROGRESS
            | ErrorCode::NOT_COORDINATOR => {}
            other => panic!("{other:?}"),
        }
    }
}

struct History {
    host: Host,
    clients: Vec<Client>,
    /// Asks by ticket: whose, and the offsets of commits.
    asked: BTreeMap<u64, Asked>,
    /// Which of the leaders' assignments a generation has.
    assignment_of: BTreeMap<i32, u64>,
    next_assignment: u64,
    /// By partition: the greatest offset that was acknowledged or shown.
    floors: BTreeMap<i32, i64>,
    next_offset: i64,
    completed: usize,
}

impl History {
    fn new() -> Self {
        let client = |number: usize| Client {
            instance_id: (number >= MEMBERS - 2).then(|| format!("static-{number}")),
            ..Client::default()
        };
        Self {
            host: Host::new(Options::default()),
            clients: (0..MEMBERS).map(client).collect(),
            asked: BTreeMap::new(),
            assignment_of: BTreeMap::new(),
            next_assignment: 1,
            floors: BTreeMap::new(),
            next_offset: 1,
            completed: 0,
        }
    }

    fn ask(&mut self, client: Option<usize>, offset: Option<(i32, i64)>, ask: Ask) {
        let ticket = self.host.ask(ask);
        self.asked.insert(ticket, (client, offset));
        if let Some(client) = client {
            self.clients[client].waits_for = Some(ticket);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Act(client) => self.act(client),
            Step::Round => self.round(),
            Step::Join(client, other) => self.join(client, other),
            Step::Sync(client) => self.sync(client),
            Step::Heartbeat(client) => self.heartbeat(client),
            Step::Commit(client, partition) => self.commit_as(client, partition),
            Step::CommitAlone(partition) => self.commit(None, partition, |_| {}),
            Step::Leave(client) => self.leave(client),
            Step::Restart(client) => {
                let instance_id = self.clients[client].instance_id.clone();
                self.clients[client] = Client {
                    instance_id,
                    ..Client::default()
                };
            }
            Step::Fetch => {
                let partitions = vec![0, 1, 2];
                let topic = "events".to_owned();
                let ask = fetch_ask(Some(vec![FetchTopic { topic, partitions }]));
                self.ask(None, None, Ask::FetchOffsets(ask));
            }
            Step::DeleteGroup | Step::DeleteOffset(_) | Step::DeleteTopic => self.delete(step),
            Step::Pass(millis) => self.host.pass(millis),
            Step::SyncLog => self.host.sync(),
            Step::Crash(kept) => {
                self.host.crash(kept);
                self.clients
                    .iter_mut()
                    .for_each(|client| client.waits_for = None);
            }
            Step::Reload => self.host.reload(),
            Step::Compact => self.host.compact(),
        }
        self.hear();
        if describe(&self.host.coordinator).state == "Dead" {
            // A group of that name will be another one.
            self.assignment_of.clear();
        }
    }

    fn act(&mut self, client: usize) {
        let member = &self.clients[client];
        match (member.waits_for, &member.joined, member.has_assignment) {
            (Some(_), _, _) => {}
            (None, None, _) => self.join(client, client > 2),
            (None, Some(_), false) => self.sync(client),
            (None, Some(_), true) if self.next_offset % 2 == 0 => {
                self.next_offset += 1;
                self.heartbeat(client);
            }
            (None, Some(_), true) => self.commit_as(client, (client % 3) as i32),
        }
    }

    fn round(&mut self) {
        for _ in 0..12 {
            for client in 0..MEMBERS {
                self.act(client);
                self.host.sync();
                self.hear();
            }
            self.host.pass(1_000);
            self.host.sync();
            self.hear();
        }
    }

    fn heartbeat(&mut self, client: usize) {
        let member = &self.clients[client];
        let Some(joined) = &member.joined else {
            return;
        };
        let ask = Ask::Heartbeat(Heartbeat {
            group_id: GROUP.to_owned(),
            generation: joined.generation,
            member_id: joined.member_id.clone(),
            group_instance_id: member.instance_id.clone(),
        });
        self.ask(Some(client), None, ask);
    }

    fn commit_as(&mut self, client: usize, partition: i32) {
        let member = &self.clients[client];
        let Some(joined) = member.joined.clone() else {
            return;
        };
        let instance_id = member.instance_id.clone();
        self.commit(Some(client), partition, |ask| {
            ask.generation = joined.generation;
            ask.member_id = joined.member_id;
            ask.group_instance_id = instance_id;
        });
    }

    fn join(&mut self, client: usize, other: bool) {
        let member = &self.clients[client];
        let mut ask = join_ask();
        ask.member_id = member.member_id.clone();
        ask.group_instance_id = member.instance_id.clone();
        ask.must_know_member_id = client.is_multiple_of(2);
        ask.can_skip_assignment = other;
        ask.protocols = match other {
            true => vec![protocol("range", &["events"])],
            false => vec![
                protocol("sticky", &["events"]),
                protocol("range", &["events"]),
            ],
        };
        self.ask(Some(client), None, Ask::Join(Box::new(ask)));
    }

    fn sync(&mut self, client: usize) {
        let member = &self.clients[client];
        let Some(joined) = &member.joined else {
            return;
        };
        let number = self.next_assignment;
        let assignments = joined.members.iter().map(|other| {
            let assignment = format!("{number} {}", other.member_id);
            (other.member_id.clone(), assignment.into_bytes().into())
        });
        let ask = SyncGroup {
            group_id: GROUP.to_owned(),
            generation: joined.generation,
            member_id: joined.member_id.clone(),
            group_instance_id: member.instance_id.clone(),
            protocol_type: joined.protocol_type.clone(),
            protocol_name: joined.protocol_name.clone(),
            assignments: match joined.skip_assignment {
                true => Vec::new(),
                false => assignments.collect(),
            },
        };
        self.next_assignment += 1;
        self.ask(Some(client), None, Ask::Sync(Box::new(ask)));
    }

    fn commit(
        &mut self,
        client: Option<usize>,
        partition: i32,
        by: impl FnOnce(&mut OffsetCommit),
    ) {
        let offset = self.next_offset;
        self.next_offset += 1;
        let mut ask = commit_ask("events", &[(partition, offset)]);
        by(&mut ask);
        self.ask(client, Some((partition, offset)), Ask::Commit(ask));
    }

    fn leave(&mut self, client: usize) {
        let member = &mut self.clients[client];
        let leaving = LeavingMember {
            member_id: std::mem::take(&mut member.member_id),
            group_instance_id: member.instance_id.clone(),
        };
        member.joined = None;
        let ask = Ask::Leave(LeaveGroup {
            group_id: GROUP.to_owned(),
            members: vec![leaving],
        });
        self.ask(Some(client), None, ask);
    }

    /// From here on offsets may be gone: whether or not that survives.
    fn delete(&mut self, step: Step) {
        let ask = match step {
            Step::DeleteOffset(partition) => Ask::DeleteOffsets(OffsetDelete {
                group_id: GROUP.to_owned(),
                topics: vec![FetchTopic {
                    topic: "events".to_owned(),
                    partitions: vec![partition],
                }],
            }),
            Step::DeleteTopic => Ask::TopicsDeleted(vec!["events".to_owned()]),
            _ => Ask::Delete(DeleteGroups {
                groups: vec![GROUP.to_owned()],
            }),
        };
        self.ask(None, None, ask);
        self.floors.clear();
        // What was committed before may still be shown, and then be gone.
        self.host.sync();
        self.hear();
        self.floors.clear();
    }

    fn hear(&mut self) {
        for (ticket, answer) in std::mem::take(&mut self.host.delivered) {
            let (client, offset) = self.asked.remove(&ticket).expect("asked, and once");
            let is_heard = client.is_none_or(|it| self.clients[it].waits_for == Some(ticket));
            if !is_heard {
                continue;
            }
            if let Some(client) = client {
                self.clients[client].waits_for = None;
            }
            match answer {
                Answer::Join(answer) => self.hear_join(client.expect("a client"), *answer),
                Answer::Sync(answer) => self.hear_sync(client.expect("a client"), &answer),
                Answer::Commit(topics) => {
                    let (partition, offset) = offset.expect("a commit");
                    let error = topics[0].partitions[0].1;
                    if error.is_none() {
                        self.raise_floor(partition, offset);
                    } else if let Some(client) = client {
                        self.clients[client].hear_error(error);
                    }
                }
                Answer::Heartbeat(error) if !error.is_none() => {
                    self.clients[client.expect("a client")].hear_error(error);
                }
                Answer::FetchOffsets(answer) => {
                    for shown in &answer.topics[0].partitions {
                        let floor = self.floors.get(&shown.partition).copied().unwrap_or(-1);
                        assert!(shown.offset >= floor, "{shown:?} after {floor}");
                        self.raise_floor(shown.partition, shown.offset);
                    }
                }
                _ => {}
            }
        }
    }

    fn raise_floor(&mut self, partition: i32, offset: i64) {
        let floor = self.floors.entry(partition).or_insert(offset);
        *floor = offset.max(*floor);
    }

    fn hear_join(&mut self, client: usize, answer: JoinAnswer) {
        let member = &mut self.clients[client];
        match answer.error {
            ErrorCode::NONE => {
                member.member_id = answer.member_id.clone();
                member.has_assignment = false;
                member.joined = Some(answer);
            }
            ErrorCode::MEMBER_ID_REQUIRED => member.member_id = answer.member_id,
            error => member.hear_error(error),
        }
    }

    fn hear_sync(&mut self, client: usize, answer: &SyncAnswer) {
        if !answer.error.is_none() {
            return self.clients[client].hear_error(answer.error);
        }
        self.clients[client].has_assignment = true;
        self.completed += 1;
        let joined = self.clients[client].joined.as_ref().expect("it has joined");
        let told = std::str::from_utf8(&answer.assignment).expect("as the leader wrote it");
        let (number, member_id) = told.split_once(' ').expect("nobody is left out");
        let number: u64 = number.parse().expect("a number");
        let one = *self
            .assignment_of
            .entry(joined.generation)
            .or_insert(number);
        assert_eq!(
            one, number,
            "one assignment for generation {}",
            joined.generation
        );
        let is_own = match &self.clients[client].instance_id {
            // Or a former id's, of the same static member.
            Some(instance_id) => member_id.starts_with(instance_id.as_str()),
            None => member_id == joined.member_id,
        };
        assert!(is_own, "{told} for {}", joined.member_id);
    }

    /// Nothing more happens but time.
    fn end(&mut self) {
        self.host.pass(1_000_000);
        self.host.sync();
        self.hear();
        assert!(
            self.host.open.is_empty(),
            "parked for ever: {:?}",
            self.host.open
        );
        self.host.check_replay();
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_history_keeps_its_promises(steps in steps()) {
        let mut history = History::new();
        for (number, step) in steps.into_iter().enumerate() {
            history.step(step);
            if number % 4 == 0 || matches!(step, Step::Crash(_) | Step::Reload | Step::Compact) {
                history.host.check_replay();
            }
        }
        history.end();
    }
}

/// The histories would prove nothing if their rebalances never ended.
#[test]
fn histories_complete_rebalances() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut completed = 0;
    for _ in 0..50 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        let mut history = History::new();
        steps.into_iter().for_each(|step| history.step(step));
        completed += history.completed;
    }
    assert!(completed > 500, "{completed}");
}

const MEMBERS: usize = 5;
