//! OffsetCommit and OffsetDelete.

use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use logmill_wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::fetches::fetch_all;
use super::{Case, Member, await_group, stable};
use crate::conversation::{Api, Conversation, OffsetCommit, OffsetDelete};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("commit-without-members", commit_without_members),
    ("commit-as-member", commit_as_member),
    ("commit-as-static-member", commit_as_static_member),
    ("commit-refused", commit_refused),
    ("commit-in-a-rebalance", commit_in_a_rebalance),
    ("offset-delete", offset_delete),
    (
        "offset-delete-of-a-subscription",
        offset_delete_of_a_subscription,
    ),
    (
        "offset-delete-beside-another-protocol",
        offset_delete_beside_another_protocol,
    ),
];

/// The broker's default `offset.metadata.max.bytes`.
const METADATA_BYTES_MAX: usize = 4096;

/// What a commit says.
pub struct Commit<'a> {
    pub who: Member,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub epoch: i32,
    pub metadata: Option<&'a str>,
}

impl<'a> Commit<'a> {
    /// Without a group's members: any client may, while there are none.
    pub fn simple(group: &str, topic: &'a str, offset: i64, version: i16) -> Commit<'a> {
        Commit {
            who: Member::new(group, "a", version),
            topic,
            partition: 0,
            offset,
            epoch: -1,
            metadata: Some(""),
        }
    }

    /// By a member of the group.
    fn by(who: &Member, topic: &'a str, offset: i64, version: i16) -> Commit<'a> {
        let who = Member {
            version,
            ..who.clone()
        };
        Commit {
            who,
            ..Commit::simple("", topic, offset, version)
        }
    }

    /// Commits and notes the answer.
    pub fn ask(&self, c: &mut Conversation, what: &str) {
        let Commit { who, .. } = self;
        c.speak_as(who.client);
        let partition = OffsetCommitRequestPartition {
            partition_index: self.partition,
            committed_offset: self.offset,
            committed_leader_epoch: self.epoch,
            committed_metadata: self.metadata,
        };
        let topic = OffsetCommitRequestTopic {
            name: self.topic,
            partitions: vec![partition].into(),
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: &who.group,
            generation_id_or_member_epoch: who.generation,
            member_id: &who.id,
            group_instance_id: who.instance.filter(|_| who.version >= 7),
            topics: vec![topic].into(),
            ..Default::default()
        };
        c.ask::<OffsetCommit>(what, who.version, &request);
    }
}

fn commit_without_members(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 3, &[]);
    for version in OffsetCommit::versions() {
        let group = c.name(&format!("v{version}"));
        let plain = || Commit::simple(&group, &topic, 17, version);
        plain().ask(c, "an offset");
        Commit {
            offset: 4,
            ..plain()
        }
        .ask(c, "a lower one");
        Commit {
            partition: 2,
            offset: i64::MAX,
            ..plain()
        }
        .ask(c, "the highest");
        fetch_all(c, "the three", &group);
        Commit {
            metadata: None,
            ..plain()
        }
        .ask(c, "no metadata");
        Commit {
            partition: 1,
            metadata: Some("größe"),
            epoch: 3,
            ..plain()
        }
        .ask(c, "metadata");
        fetch_all(c, "with metadata", &group);
        let longest = "m".repeat(METADATA_BYTES_MAX);
        Commit {
            metadata: Some(&longest),
            ..plain()
        }
        .ask(c, "the longest metadata");
        let longer = "m".repeat(METADATA_BYTES_MAX + 1);
        Commit {
            metadata: Some(&longer),
            offset: 99,
            ..plain()
        }
        .ask(c, "longer metadata");
        // Kafka counts characters, where its key says bytes.
        let wide = "ü".repeat(METADATA_BYTES_MAX - 100);
        Commit {
            partition: 1,
            metadata: Some(&wide),
            offset: 99,
            ..plain()
        }
        .ask(c, "wide metadata");
        let empty = OffsetCommitRequest {
            group_id: &group,
            ..Default::default()
        };
        c.ask::<OffsetCommit>("of nothing", version, &empty);
        fetch_all(c, "in the end", &group);
    }
}

fn commit_as_member(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    for version in OffsetCommit::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", 5);
        stable(c, &mut [&mut a]);
        let ask = |c: &mut Conversation, what: &str, change: fn(&mut Member)| {
            let mut commit = Commit::by(&a, &topic, 5, version);
            change(&mut commit.who);
            commit.ask(c, what);
        };
        ask(c, "its own", |_| {});
        ask(c, "an unknown member", |m| m.id = "a-stranger".to_owned());
        ask(c, "no member", |m| m.id.clear());
        ask(c, "a generation to come", |m| m.generation += 1);
        ask(c, "a generation that was", |m| m.generation -= 1);
        ask(c, "no generation", |m| m.generation = -1);
        ask(c, "neither member nor generation", |m| {
            m.generation = -1;
            m.id.clear();
        });
        a.leave(c, "leaves");
        ask(c, "after it left", |_| {});
        ask(c, "without members", |m| {
            m.generation = -1;
            m.id.clear();
        });
        fetch_all(c, "in the end", &group);
    }
}

fn commit_as_static_member(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    for version in 7..=*OffsetCommit::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", 5);
        stable(c, &mut [&mut a]);
        let before = a.clone();
        Commit::by(&a, &topic, 1, version).ask(c, "its own");
        a.id.clear();
        a.join(c, "comes back");
        Commit::by(&before, &topic, 2, version).ask(c, "its former life");
        Commit::by(&a, &topic, 3, version).ask(c, "its new life");
        a.instance = Some("two");
        Commit::by(&a, &topic, 4, version).ask(c, "another instance");
        a.instance = None;
        Commit::by(&a, &topic, 5, version).ask(c, "no instance");
        fetch_all(c, "in the end", &group);
    }
}

fn commit_refused(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 2, &[]);
    for version in OffsetCommit::versions() {
        let group = c.name(&format!("v{version}"));
        let plain = || Commit::simple(&group, &topic, 17, version);
        Commit {
            topic: "nowhere",
            ..plain()
        }
        .ask(c, "no topic");
        Commit {
            topic: "",
            ..plain()
        }
        .ask(c, "no topic's name");
        Commit {
            partition: 2,
            ..plain()
        }
        .ask(c, "no partition");
        Commit {
            partition: -1,
            ..plain()
        }
        .ask(c, "a partition below 0");
        Commit {
            offset: -1,
            ..plain()
        }
        .ask(c, "an offset below 0");
        Commit {
            offset: -17,
            ..plain()
        }
        .ask(c, "an offset far below 0");
        Commit::simple("", &topic, 17, version).ask(c, "no group");
        let mut generation = plain();
        generation.who.generation = 0;
        generation.ask(c, "a generation of a group that is none");
        let mut member = plain();
        member.who.id = "a-stranger".to_owned();
        member.ask(c, "a member of a group that is none");
        fetch_all(c, "in the end", &group);
    }
}

fn commit_in_a_rebalance(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    for version in OffsetCommit::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", 5);
        let mut b = Member::new(&group, "b", 5);
        stable(c, &mut [&mut a]);
        b.begin_to_join(c, "asks for its id");
        await_group(c, &group, "PreparingRebalance", 2);
        Commit::by(&a, &topic, 1, version).ask(c, "while members gather");
        a.join(c, "leads");
        b.hear_of_join(c, "follows");
        Commit::by(&a, &topic, 2, version).ask(c, "before its word");
        a.sync(c, "gives the partitions out", &[&a, &b]);
        Commit::by(&a, &topic, 3, version).ask(c, "after it");
        Commit::by(&b, &topic, 4, version).ask(c, "before it heard");
        fetch_all(c, "in the end", &group);
    }
}

fn ask_offset_delete(c: &mut Conversation, what: &str, group: &str, of: &[(&str, &[i32])]) {
    let topics: Vec<OffsetDeleteRequestTopic<'_>> = of
        .iter()
        .map(|(name, partitions)| {
            let partitions: Vec<OffsetDeleteRequestPartition> = partitions
                .iter()
                .map(|partition_index| OffsetDeleteRequestPartition {
                    partition_index: *partition_index,
                })
                .collect();
            OffsetDeleteRequestTopic {
                name,
                partitions: partitions.into(),
            }
        })
        .collect();
    let request = OffsetDeleteRequest {
        group_id: group,
        topics: topics.into(),
    };
    c.ask::<OffsetDelete>(what, 0, &request);
}

fn offset_delete(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 3, &[]);
    let group = c.name("group");
    ask_offset_delete(c, "no such group", &group, &[(&topic, &[0])]);
    ask_offset_delete(c, "no group's name", "", &[(&topic, &[0])]);
    for partition in 0..3 {
        let commit = Commit::simple(&group, &topic, 8, 9);
        Commit {
            partition,
            ..commit
        }
        .ask(c, "an offset");
    }
    ask_offset_delete(c, "one", &group, &[(&topic, &[1])]);
    fetch_all(c, "without it", &group);
    ask_offset_delete(c, "it again", &group, &[(&topic, &[1])]);
    ask_offset_delete(c, "no partition", &group, &[(&topic, &[3, -1])]);
    ask_offset_delete(c, "no topic", &group, &[("nowhere", &[0])]);
    ask_offset_delete(c, "nothing", &group, &[]);
    ask_offset_delete(c, "no partitions of a topic", &group, &[(&topic, &[])]);
    ask_offset_delete(
        c,
        "the others",
        &group,
        &[(&topic, &[0, 2]), ("nowhere", &[5])],
    );
    fetch_all(c, "none left", &group);
    ask_offset_delete(c, "none left", &group, &[(&topic, &[0])]);
}

/// What members subscribe to is kept; other topics' offsets go.
fn offset_delete_of_a_subscription(c: &mut Conversation) {
    let (read, _) = c.topic("read", 1, &[]);
    let (unread, _) = c.topic("unread", 1, &[]);
    let group = c.name("group");
    let mut a = Member::new(&group, "a", 9);
    a.protocols = vec![("range", vec![read.clone()])];
    for topic in [&read, &unread] {
        Commit::simple(&group, topic, 8, 9).ask(c, "an offset");
    }
    stable(c, &mut [&mut a]);
    ask_offset_delete(c, "both", &group, &[(&read, &[0]), (&unread, &[0])]);
    fetch_all(c, "one left", &group);
    a.leave(c, "leaves");
    ask_offset_delete(c, "without members", &group, &[(&read, &[0])]);
    fetch_all(c, "none left", &group);
}

/// The coordinator cannot read what members of other kinds subscribe to.
fn offset_delete_beside_another_protocol(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    let group = c.name("group");
    let mut a = Member::new(&group, "a", 9);
    a.protocol_type = "connect";
    Commit::simple(&group, &topic, 8, 9).ask(c, "an offset");
    stable(c, &mut [&mut a]);
    ask_offset_delete(c, "beside members", &group, &[(&topic, &[0])]);
    a.leave(c, "leaves");
    ask_offset_delete(c, "without members", &group, &[(&topic, &[0])]);
}
