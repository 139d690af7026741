//! Brokers that make and delete no topics by themselves, keep no sessions and send little at once.

use logmill_wire::Uuid;
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use super::Case;
use super::fetch::{fill, read};
use crate::conversation::{Api, Conversation, DeleteTopics, Fetch, Metadata};

/// What these brokers are started with.
pub const SETTINGS: &[(&str, &str)] = &[
    ("auto.create.topics.enable", "false"),
    ("delete.topic.enable", "false"),
    ("num.partitions", "4"),
    ("max.incremental.fetch.session.cache.slots", "0"),
    ("fetch.max.bytes", "1024"),
];

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("no-auto-creation", no_auto_creation),
    ("no-deletion", no_deletion),
    ("default-partitions", default_partitions),
    ("no-sessions", no_sessions),
    ("little-at-once", little_at_once),
];

fn no_auto_creation(c: &mut Conversation) {
    for version in Metadata::versions() {
        let topics = [MetadataRequestTopic {
            name: Some("never-made"),
            ..Default::default()
        }];
        let request = MetadataRequest {
            topics: Some((&topics).into()),
            ..Default::default()
        };
        for attempt in ["first", "second"] {
            c.ask::<Metadata>(attempt, version, &request);
        }
    }
}

fn no_deletion(c: &mut Conversation) {
    let (name, _) = c.topic("kept", 1, &[]);
    for version in DeleteTopics::versions() {
        let mut request = DeleteTopicsRequest {
            timeout_ms: 30_000,
            ..Default::default()
        };
        if version >= 6 {
            let state = DeleteTopicState {
                name: Some(&name),
                topic_id: Uuid::ZERO,
            };
            request.topics = vec![state].into();
        } else {
            request.topic_names = vec![name.as_str()].into();
        }
        c.ask::<DeleteTopics>("refused", version, &request);
    }
}

fn default_partitions(c: &mut Conversation) {
    let (name, _) = c.topic_of_defaults("four");
    let topics = [MetadataRequestTopic {
        name: Some(&name),
        ..Default::default()
    }];
    let request = MetadataRequest {
        topics: Some((&topics).into()),
        ..Default::default()
    };
    c.ask::<Metadata>("num.partitions", 12, &request);
}

/// A full cache is no error: the fetch is answered without a session.
fn no_sessions(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 2);
    for version in 7..=*Fetch::versions().end() {
        let mut all = read(&name, id).from(0, 0);
        (all.request.session_id, all.request.session_epoch) = (0, 0);
        let reply = c
            .ask::<Fetch>("begin", version, &all.build())
            .expect("an answer");
        c.note("session id", reply.body::<Fetch>().session_id);
    }
}

/// The broker's own limit counts, whatever the request allows; a first batch is sent all the same.
fn little_at_once(c: &mut Conversation) {
    let (name, id) = c.topic("log", 2, &[]);
    fill(c, &name, 0, 3, 9);
    fill(c, &name, 1, 3, 9);
    for version in Fetch::versions() {
        let all = read(&name, id).from(0, 0).from(1, 0);
        c.ask::<Fetch>("everything", version, &all.build());
    }
}
