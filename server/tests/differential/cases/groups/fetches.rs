//! OffsetFetch, and what becomes of offsets when their topic goes.

use logmill_wire::Uuid;
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};

use super::commits::Commit;
use super::{Case, Member, ONLOOKER, stable};
use crate::conversation::{Api, Conversation, DeleteTopics, OffsetFetch};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("fetch-offsets", fetch_offsets),
    ("fetch-offsets-of-groups", fetch_offsets_of_groups),
    ("fetch-offsets-as-member", fetch_offsets_as_member),
    ("offsets-of-a-deleted-topic", offsets_of_a_deleted_topic),
];

/// Notes all offsets of `group`, in the newest form.
pub fn fetch_all(c: &mut Conversation, what: &str, group: &str) {
    c.speak_as(ONLOOKER);
    c.ask::<OffsetFetch>(what, 9, &asked(9, group, None, false));
}

type Topics<'a> = Option<&'a [(&'a str, &'a [i32])]>;

/// One group's offsets, those of `topics` or all.
fn asked<'a>(
    version: i16,
    group: &'a str,
    topics: Topics<'a>,
    stable: bool,
) -> OffsetFetchRequest<'a> {
    let mut request = OffsetFetchRequest {
        require_stable: stable,
        ..Default::default()
    };
    if version >= 8 {
        request.groups = vec![of_group(group, topics)].into();
        return request;
    }
    request.group_id = group;
    request.topics = topics.map(|topics| {
        let topics = topics
            .iter()
            .map(|(name, partitions)| OffsetFetchRequestTopic {
                name,
                partition_indexes: (*partitions).into(),
            });
        topics.collect()
    });
    request
}

fn of_group<'a>(group_id: &'a str, topics: Topics<'a>) -> OffsetFetchRequestGroup<'a> {
    let topics = topics.map(|topics| {
        let topics = topics
            .iter()
            .map(|(name, partitions)| OffsetFetchRequestTopics {
                name,
                partition_indexes: (*partitions).into(),
                ..Default::default()
            });
        topics.collect()
    });
    OffsetFetchRequestGroup {
        group_id,
        topics,
        ..Default::default()
    }
}

fn fetch_offsets(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 3, &[]);
    let (other, _) = c.topic("other", 1, &[]);
    let group = c.name("group");
    for (topic, partition, offset) in [(&topic, 0, 5), (&topic, 2, 0), (&other, 0, 9)] {
        let commit = Commit::simple(&group, topic, offset, 9);
        Commit {
            partition,
            epoch: 0,
            metadata: Some("here"),
            ..commit
        }
        .ask(c, "an offset");
    }
    for version in OffsetFetch::versions() {
        let mut ask = |what: &str, group: &str, topics: Topics<'_>| {
            let request = asked(version, group, topics, false);
            c.ask::<OffsetFetch>(what, version, &request);
        };
        ask("one", &group, Some(&[(&topic, &[0])]));
        ask(
            "those with and without",
            &group,
            Some(&[(&topic, &[0, 1, 2, 3, -1]), (&other, &[0])]),
        );
        ask("no topic", &group, Some(&[("nowhere", &[0]), ("", &[0])]));
        ask("no partitions", &group, Some(&[(&topic, &[])]));
        ask("nothing", &group, Some(&[]));
        ask(
            "a group that is none",
            "no-such-group",
            Some(&[(&topic, &[0])]),
        );
        ask("no group's name", "", Some(&[(&topic, &[0])]));
        if version >= 2 {
            ask("all", &group, None);
            ask("all of a group that is none", "no-such-group", None);
            ask("all of no name", "", None);
        }
        if version >= 7 {
            let request = asked(version, &group, None, true);
            c.ask::<OffsetFetch>("all that are stable", version, &request);
            let some: [(&str, &[i32]); 1] = [(&topic, &[0, 1])];
            let request = asked(version, &group, Some(&some), true);
            c.ask::<OffsetFetch>("some that are stable", version, &request);
        }
    }
}

fn fetch_offsets_of_groups(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 2, &[]);
    let groups = ["one", "two"].map(|group| c.name(group));
    for (at, group) in groups.iter().enumerate() {
        Commit::simple(group, &topic, at as i64, 9).ask(c, "an offset");
    }
    for version in 8..=*OffsetFetch::versions().end() {
        let mut ask = |what: &str, groups: Vec<OffsetFetchRequestGroup<'_>>| {
            let request = OffsetFetchRequest {
                groups: groups.into(),
                ..Default::default()
            };
            c.ask::<OffsetFetch>(what, version, &request);
        };
        let [one, two] = &groups;
        let partitions: [(&str, &[i32]); 1] = [(&topic, &[0, 1])];
        let partition: Topics<'_> = Some(&partitions);
        ask("both", vec![of_group(one, None), of_group(two, partition)]);
        let nowhere = of_group("no-such-group", partition);
        ask("one that is none", vec![nowhere, of_group(one, None)]);
        ask(
            "one without a name",
            vec![of_group("", None), of_group(one, None)],
        );
        ask("no groups", Vec::new());
    }
}

/// A classic group's members may say who they are (version 9), and are checked.
fn fetch_offsets_as_member(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    let group = c.name("group");
    Commit::simple(&group, &topic, 3, 9).ask(c, "an offset");
    let ask = |c: &mut Conversation, what: &str, member: Option<&str>, epoch: i32| {
        let mut asked = of_group(&group, None);
        (asked.member_id, asked.member_epoch) = (member, epoch);
        let request = OffsetFetchRequest {
            groups: vec![asked].into(),
            ..Default::default()
        };
        c.ask::<OffsetFetch>(what, 9, &request);
    };
    ask(c, "a member of none", Some("a-stranger"), 3);
    let mut a = Member::new(&group, "a", 9);
    stable(c, &mut [&mut a]);
    ask(c, "its member", Some(&a.id), a.generation);
    ask(c, "another generation", Some(&a.id), a.generation + 4);
    ask(c, "another member", Some("a-stranger"), a.generation);
    ask(c, "nobody", None, -1);
}

/// They are gone with it, and do not come back with a topic of its name.
fn offsets_of_a_deleted_topic(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 2, &[]);
    let (kept, _) = c.topic("kept", 1, &[]);
    let group = c.name("group");
    for topic in [&topic, &kept] {
        Commit::simple(&group, topic, 3, 9).ask(c, "an offset");
    }
    let topics = [DeleteTopicState {
        name: Some(&topic),
        topic_id: Uuid::ZERO,
    }];
    let delete = DeleteTopicsRequest {
        topics: (&topics).into(),
        timeout_ms: 30_000,
        ..Default::default()
    };
    c.ask::<DeleteTopics>("delete", 6, &delete);
    c.await_gone(&topic);
    c.ask_until::<OffsetFetch>("one left", 9, &asked(9, &group, None, false), |body| {
        body.groups
            .first()
            .is_some_and(|group| group.topics.len() == 1)
    });
    Commit::simple(&group, &topic, 3, 9).ask(c, "to the topic that was");
    c.topic("log", 2, &[]);
    fetch_all(c, "after another topic of its name came", &group);
}
