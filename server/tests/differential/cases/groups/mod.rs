//! Classic consumer groups: what members, and those who look after groups, ask of a coordinator.

mod commits;
mod coordinators;
mod fetches;
mod joining;
mod lists;
mod rebalancing;
mod statics;
mod timing;

use logmill_wire::messages::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition,
};
use logmill_wire::messages::describe_groups::DescribeGroupsRequest;
use logmill_wire::messages::heartbeat::HeartbeatRequest;
use logmill_wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use logmill_wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use logmill_wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use logmill_wire::{Message, Writer};

use super::Case;
use crate::conversation::{
    Conversation, DescribeGroups, Heartbeat, JoinGroup, LeaveGroup, SyncGroup,
};

/// All scripts about groups for brokers with their defaults.
pub fn all() -> Vec<Case> {
    [
        coordinators::CASES,
        lists::CASES,
        joining::CASES,
        rebalancing::CASES,
        statics::CASES,
        commits::CASES,
        fetches::CASES,
    ]
    .concat()
}

/// Kafka makes its topic of offsets when it is first asked for a coordinator.
pub use coordinators::await_coordinator;
/// Those for brokers with little time and room for members.
pub use timing::{CASES as SHORT, SETTINGS as SHORT_SETTINGS};

/// A member of a group, or one to be: what it says of itself, and what it learned.
#[derive(Clone)]
struct Member {
    group: String,
    /// The client's id, which is also its connection's name.
    client: &'static str,
    version: i16,
    id: String,
    instance: Option<&'static str>,
    generation: i32,
    session_ms: i32,
    rebalance_ms: i32,
    protocol_type: &'static str,
    /// Names of protocols, with the topics that each subscribes to.
    protocols: Vec<(&'static str, Vec<String>)>,
}

impl Member {
    /// A client that knows nothing of `group` yet.
    fn new(group: &str, client: &'static str, version: i16) -> Member {
        Member {
            group: group.to_owned(),
            client,
            version,
            id: String::new(),
            instance: None,
            generation: -1,
            session_ms: 10_000,
            rebalance_ms: 60_000,
            protocol_type: "consumer",
            protocols: vec![("range", vec!["a-topic".to_owned()])],
        }
    }

    /// One with the group's instance id `instance`.
    fn fixed(group: &str, client: &'static str, instance: &'static str, version: i16) -> Member {
        Member {
            instance: Some(instance),
            ..Member::new(group, client, version)
        }
    }

    fn offering(mut self, protocols: &[&'static str]) -> Member {
        let topics = self.protocols[0].1.clone();
        self.protocols = protocols
            .iter()
            .map(|name| (*name, topics.clone()))
            .collect();
        self
    }

    /// Asks for a place and notes the answer, whatever it is.
    fn join(&mut self, c: &mut Conversation, what: &str) -> i16 {
        self.ask_to_join(c);
        self.hear_of_join(c, what)
    }

    /// Takes a place: where the broker first gives an id, once more with it.
    fn enter(&mut self, c: &mut Conversation, what: &str) {
        if self.join(c, what) == MEMBER_ID_REQUIRED {
            self.join(c, &format!("{what}, with its id"));
        }
    }

    /// Sends the request to join alone; with an id first, where the broker wants that.
    fn begin_to_join(&mut self, c: &mut Conversation, what: &str) {
        let gets_id_first = self.version >= 4 && self.instance.is_none();
        if self.id.is_empty() && gets_id_first {
            self.join(c, what);
        }
        self.ask_to_join(c);
    }

    fn ask_to_join(&self, c: &mut Conversation) {
        c.speak_as(self.client);
        let metadata: Vec<Vec<u8>> = self
            .protocols
            .iter()
            .map(|(_, topics)| subscription(topics))
            .collect();
        let protocols: Vec<JoinGroupRequestProtocol<'_>> = self
            .protocols
            .iter()
            .zip(&metadata)
            .map(|((name, _), metadata)| JoinGroupRequestProtocol { name, metadata })
            .collect();
        let request = JoinGroupRequest {
            group_id: &self.group,
            session_timeout_ms: self.session_ms,
            rebalance_timeout_ms: self.rebalance_ms,
            member_id: &self.id,
            group_instance_id: self.instance,
            protocol_type: self.protocol_type,
            protocols: protocols.into(),
            reason: (self.version >= 8).then_some("the script says so"),
        };
        c.send::<JoinGroup>(self.version, &request);
    }

    fn hear_of_join(&mut self, c: &mut Conversation, what: &str) -> i16 {
        c.speak_as(self.client);
        let what = format!("JoinGroup v{}: {} {what}", self.version, self.client);
        let Some(reply) = c.receive::<JoinGroup>(what, self.version) else {
            return NO_ANSWER;
        };
        let body = reply.body::<JoinGroup>();
        if body.error_code == 0 || body.error_code == MEMBER_ID_REQUIRED {
            body.member_id.clone_into(&mut self.id);
        }
        if body.error_code == 0 {
            self.generation = body.generation_id;
        }
        body.error_code
    }

    /// Asks for its assignment, and gives `assignments` out if it is the leader.
    fn sync(&self, c: &mut Conversation, what: &str, assignments: &[&Member]) -> i16 {
        self.ask_to_sync(c, assignments);
        self.hear_of_sync(c, what)
    }

    fn ask_to_sync(&self, c: &mut Conversation, assignments: &[&Member]) {
        c.speak_as(self.client);
        let shares: Vec<Vec<u8>> = (0..assignments.len() as i32).map(share).collect();
        let assignments: Vec<SyncGroupRequestAssignment<'_>> = assignments
            .iter()
            .zip(&shares)
            .map(|(member, assignment)| SyncGroupRequestAssignment {
                member_id: &member.id,
                assignment,
            })
            .collect();
        let request = SyncGroupRequest {
            group_id: &self.group,
            generation_id: self.generation,
            member_id: &self.id,
            group_instance_id: self.instance.filter(|_| self.sync_version() >= 3),
            protocol_type: Some(self.protocol_type),
            protocol_name: self.protocols.first().map(|(name, _)| *name),
            assignments: assignments.into(),
        };
        c.send::<SyncGroup>(self.sync_version(), &request);
    }

    fn hear_of_sync(&self, c: &mut Conversation, what: &str) -> i16 {
        c.speak_as(self.client);
        let version = self.sync_version();
        let what = format!("SyncGroup v{version}: {} {what}", self.client);
        let reply = c.receive::<SyncGroup>(what, version);
        reply.map_or(NO_ANSWER, |reply| reply.body::<SyncGroup>().error_code)
    }

    fn heartbeat(&self, c: &mut Conversation, what: &str) -> i16 {
        c.speak_as(self.client);
        let version = self.version.min(4);
        let request = HeartbeatRequest {
            group_id: &self.group,
            generation_id: self.generation,
            member_id: &self.id,
            group_instance_id: self.instance.filter(|_| version >= 3),
        };
        let reply = c.ask::<Heartbeat>(&format!("{} {what}", self.client), version, &request);
        reply.map_or(NO_ANSWER, |reply| reply.body::<Heartbeat>().error_code)
    }

    fn leave(&self, c: &mut Conversation, what: &str) {
        c.speak_as(self.client);
        let version = self.version.min(5);
        let mut request = LeaveGroupRequest {
            group_id: &self.group,
            ..Default::default()
        };
        if version >= 3 {
            let member = MemberIdentity {
                member_id: &self.id,
                group_instance_id: self.instance,
                reason: (version >= 5).then_some("the script says so"),
            };
            request.members = vec![member].into();
        } else {
            request.member_id = &self.id;
        }
        c.ask::<LeaveGroup>(&format!("{} {what}", self.client), version, &request);
    }

    /// JoinGroup has four versions more than SyncGroup; which one goes with which is ours to say.
    fn sync_version(&self) -> i16 {
        self.version.min(5)
    }
}

/// Waits until `group` has this state and as many members; on a connection of its own.
fn await_group(c: &mut Conversation, group: &str, state: &str, members: usize) {
    c.speak_as(ONLOOKER);
    let groups = [group];
    let request = DescribeGroupsRequest {
        groups: (&groups).into(),
        include_authorized_operations: false,
    };
    c.ask_until_aside::<DescribeGroups>(5, &request, |body| {
        let group = body.groups.first().expect("the one asked for");
        group.group_state == state && group.members.len() == members
    });
}

/// Notes what anyone may see of `group`, in the newest form.
fn describe(c: &mut Conversation, what: &str, group: &str) {
    c.speak_as(ONLOOKER);
    let groups = [group];
    let request = DescribeGroupsRequest {
        groups: (&groups).into(),
        include_authorized_operations: false,
    };
    c.ask::<DescribeGroups>(what, 6, &request);
}

/// A group of `members`, the first of them its leader, all of them with their assignments.
fn stable(c: &mut Conversation, members: &mut [&mut Member]) {
    let (leader, others) = members.split_first_mut().expect("a leader");
    leader.enter(c, "enters");
    leader.sync(c, "syncs", &[leader]);
    for joined in 0..others.len() {
        let (before, rest) = others.split_at_mut(joined);
        let next = &mut rest[0];
        next.begin_to_join(c, "asks for its id");
        let group = next.group.clone();
        await_group(c, &group, "PreparingRebalance", joined + 2);
        for member in std::iter::once(&mut **leader).chain(before.iter_mut().map(|m| &mut **m)) {
            member.ask_to_join(c);
        }
        leader.hear_of_join(c, "hears who is there");
        for member in before.iter_mut() {
            member.hear_of_join(c, "goes on");
        }
        next.hear_of_join(c, "is in");
        let all: Vec<&Member> = std::iter::once(&**leader)
            .chain(before.iter().map(|m| &**m))
            .chain([&**next])
            .collect();
        leader.sync(c, "gives the partitions out", &all);
        for member in &all[1..] {
            member.sync(c, "gets its own", &[]);
        }
    }
}

/// A consumer's subscription, as members send it to their leader.
fn subscription(topics: &[String]) -> Vec<u8> {
    const VERSION: i16 = 1;
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let subscription = ConsumerProtocolSubscription {
        topics: topics.into(),
        ..Default::default()
    };
    versioned(VERSION, &subscription)
}

/// An assignment of one partition.
fn share(partition: i32) -> Vec<u8> {
    const VERSION: i16 = 1;
    let assigned = TopicPartition {
        topic: "a-topic",
        partitions: vec![partition].into(),
    };
    let assignment = ConsumerProtocolAssignment {
        assigned_partitions: vec![assigned].into(),
        user_data: None,
    };
    versioned(VERSION, &assignment)
}

fn versioned<'a>(version: i16, message: &impl Message<'a>) -> Vec<u8> {
    let mut writer = Writer::default();
    message
        .encode(&mut writer, version)
        .expect("it fits its version");
    [&version.to_be_bytes()[..], &writer.bytes].concat()
}

/// Who looks on from outside.
const ONLOOKER: &str = "onlooker";

/// In place of a code, where the broker closed the connection.
const NO_ANSWER: i16 = i16::MIN;

const MEMBER_ID_REQUIRED: i16 = 79;
