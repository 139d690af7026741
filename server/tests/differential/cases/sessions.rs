//! Incremental fetch sessions (KIP-227).

use logmill_wire::Uuid;
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::fetch::ForgottenTopic;

use super::Case;
use super::fetch::{Read, fill, read};
use crate::conversation::{Api, Conversation, DeleteTopics, Fetch};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("session", session),
    ("session-errors", session_errors),
    ("session-forgets", session_forgets),
    ("session-and-a-deleted-topic", deleted_topic),
    ("session-takes-turns", takes_turns),
    ("session-and-ids", names_and_ids),
];

fn in_session(mut read: Read<'_>, session: (i32, i32)) -> Read<'_> {
    (read.request.session_id, read.request.session_epoch) = session;
    read
}

/// Begins a session; its id.
fn begin(c: &mut Conversation, version: i16, read: Read<'_>) -> i32 {
    let reply = c.ask::<Fetch>("begin", version, &in_session(read, (0, 0)).build());
    reply.expect("an answer").body::<Fetch>().session_id
}

fn session(c: &mut Conversation) {
    for version in 7..=*Fetch::versions().end() {
        let (name, id) = c.topic(&format!("v{version}"), 3, &[]);
        fill(c, &name, 0, 1, 2);
        let all = read(&name, id).from(0, 0).from(1, 0).from(2, 0);
        let session = begin(c, version, all);
        c.note("a session", session != 0);
        let nothing = || read(&name, id);
        let ask = |c: &mut Conversation, what: &str, read: Read<'_>, epoch: i32| {
            c.ask::<Fetch>(what, version, &in_session(read, (session, epoch)).build());
        };
        ask(c, "moved on", nothing().from(0, 2), 1);
        ask(c, "nothing new", nothing(), 2);
        fill(c, &name, 1, 1, 1);
        ask(c, "one has news", nothing(), 3);
        ask(c, "it moved on", nothing().from(1, 1), 4);
        fill(c, &name, 2, 1, 1);
        fill(c, &name, 0, 1, 1);
        ask(c, "two have news", nothing(), 5);
        ask(c, "the end of it", nothing(), -1);
        ask(c, "after the end", nothing(), 6);
    }
}

fn session_errors(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 2);
    for version in 7..=*Fetch::versions().end() {
        let one = || read(&name, id).from(0, 0);
        let ask = |c: &mut Conversation, what: &str, session: (i32, i32)| {
            c.ask::<Fetch>(what, version, &in_session(one(), session).build());
        };
        ask(c, "no such session", (4711, 1));
        let session = begin(c, version, one());
        ask(c, "an epoch ahead", (session, 2));
        ask(c, "the right one after all", (session, 1));
        ask(c, "the same again", (session, 1));
        ask(c, "a new one in its place", (session, 0));
        ask(c, "the old one", (session, 2));
    }
}

fn session_forgets(c: &mut Conversation) {
    for version in 7..=*Fetch::versions().end() {
        let (name, id) = c.topic(&format!("v{version}"), 2, &[]);
        let session = begin(c, version, read(&name, id).from(0, 0).from(1, 0));
        let partitions = [1];
        let mut forgetting = read(&name, id);
        let forgotten = ForgottenTopic {
            topic: &name,
            topic_id: id,
            partitions: (&partitions).into(),
        };
        forgetting.request.forgotten_topics_data = vec![forgotten].into();
        c.ask::<Fetch>(
            "forget one",
            version,
            &in_session(forgetting, (session, 1)).build(),
        );
        fill(c, &name, 0, 1, 1);
        fill(c, &name, 1, 1, 1);
        c.ask::<Fetch>(
            "news of both",
            version,
            &in_session(read(&name, id), (session, 2)).build(),
        );
        let unknown = read("nowhere", Uuid([7; 16])).from(0, 0);
        c.ask::<Fetch>(
            "one that is not",
            version,
            &in_session(unknown, (session, 3)).build(),
        );
        c.ask::<Fetch>(
            "and again",
            version,
            &in_session(read(&name, id), (session, 4)).build(),
        );
    }
}

fn deleted_topic(c: &mut Conversation) {
    for version in [7, 12, 13, 18] {
        let (name, id) = c.topic(&format!("v{version}"), 1, &[]);
        fill(c, &name, 0, 1, 2);
        let session = begin(c, version, read(&name, id).from(0, 0));
        let topics = [DeleteTopicState {
            name: Some(&name),
            topic_id: Uuid::ZERO,
        }];
        let delete = DeleteTopicsRequest {
            topics: (&topics).into(),
            timeout_ms: 30_000,
            ..Default::default()
        };
        c.ask::<DeleteTopics>("delete", 6, &delete);
        c.await_gone(&name);
        let next = in_session(read(&name, id), (session, 1)).build();
        c.ask::<Fetch>("the session without it", version, &next);
        let (_, second) = c.topic(&format!("v{version}"), 1, &[]);
        fill(c, &name, 0, 1, 1);
        // By name the session reads on in the new topic, by id it must learn that the topic is
        // another.
        let next = in_session(read(&name, id), (session, 2)).build();
        c.ask::<Fetch>("the session after it", version, &next);
        c.ask::<Fetch>("the old id", version, &read(&name, id).from(0, 0).build());
        c.ask::<Fetch>(
            "the new id",
            version,
            &read(&name, second).from(0, 0).build(),
        );
    }
}

/// Where there is room for one partition only, the next one has its turn in the next fetch.
fn takes_turns(c: &mut Conversation) {
    for version in [7, 12, 13, 18] {
        let (name, id) = c.topic(&format!("v{version}"), 3, &[]);
        for partition in 0..3 {
            fill(c, &name, partition, 3, 3);
        }
        let mut all = read(&name, id).from(0, 0).from(1, 0).from(2, 0);
        all.request.max_bytes = 1;
        let session = begin(c, version, all);
        for epoch in 1..=6 {
            let mut next = read(&name, id);
            next.request.max_bytes = 1;
            let what = format!("turn {epoch}");
            c.ask::<Fetch>(&what, version, &in_session(next, (session, epoch)).build());
        }
    }
}

/// A session keeps to names or to ids, as it began.
fn names_and_ids(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 2);
    for (first, then) in [(12, 13), (13, 12), (7, 18), (18, 7)] {
        let session = begin(c, first, read(&name, id).from(0, 0));
        let next = in_session(read(&name, id).from(0, 1), (session, 1)).build();
        c.ask::<Fetch>(&format!("begun in version {first}"), then, &next);
        c.ask::<Fetch>("as it began", first, &next);
    }
}
