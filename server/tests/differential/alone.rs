//! What has no counterpart in Apache Kafka, or none that could be asked: the broker under test by
//! itself.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use logmill_wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;
use logmill_wire::{ErrorCode, Uuid};

use crate::batches::Spec;
use crate::broker::Broker;
use crate::cases::one_partition;
use crate::conversation::{
    Api, Conversation, CreateTopics, DeleteTopics, DescribeTopicPartitions, FindCoordinator,
    Produce,
};
use crate::process;

/// The broker and a conversation with it; `None` where the tests run against something else.
fn logmill(case: &'static str, settings: &[(&str, &str)]) -> Option<(Broker, Conversation)> {
    let broker = Broker::start(settings).expect("the broker starts");
    if !broker.is_logmill() {
        process::say(&format!("NOT RUN  {case}: it is about Logmill only"));
        return None;
    }
    let conversation = Conversation::new(&broker.bootstrap, case, 0);
    Some((broker, conversation))
}

/// Groups have a coordinator; transactions and share groups get theirs when they are built. Kafka
/// makes the topic of transactions for the first who asks.
#[test]
fn transactions_have_no_coordinator_yet() {
    const TRANSACTION: i8 = 1;
    let Some((_broker, mut c)) = logmill("coordinators", &[]) else {
        return;
    };
    const NONE: (i16, i32, &str, i32) = (ErrorCode::COORDINATOR_NOT_AVAILABLE.0, -1, "", -1);
    for version in 1..=*FindCoordinator::versions().end() {
        let keys = ["one", "two"];
        let mut request = FindCoordinatorRequest {
            key_type: TRANSACTION,
            ..Default::default()
        };
        if version >= 4 {
            request.coordinator_keys = (&keys).into();
        } else {
            request.key = keys[0];
        }
        let reply = c
            .ask::<FindCoordinator>("transactions", version, &request)
            .expect("an answer");
        let body = reply.body::<FindCoordinator>();
        if version < 4 {
            assert_eq!(
                (body.error_code, body.node_id, body.host, body.port),
                NONE,
                "v{version}"
            );
        } else {
            let answered = body.coordinators.to_vec();
            assert_eq!(
                answered.iter().map(|c| c.key).collect::<Vec<_>>(),
                keys,
                "v{version}"
            );
            for c in answered {
                assert_eq!(
                    (c.error_code, c.node_id, c.host, c.port),
                    NONE,
                    "v{version}"
                );
            }
        }
    }
}

/// Kafka 4.1.1 throws inside and never answers; a client deserves to know.
#[test]
fn null_records_are_refused() {
    let Some((_broker, mut c)) = logmill("null-records", &[]) else {
        return;
    };
    let (name, id) = c.topic("log", 1, &[]);
    for version in Produce::versions() {
        let write = one_partition(&name, 0, None, 1).with_id(id);
        let reply = c
            .ask::<Produce>("null", version, &write.request())
            .expect("an answer");
        let body = reply.body::<Produce>();
        let partition = body
            .responses
            .first()
            .and_then(|topic| topic.partition_responses.first());
        let partition = partition.expect("the partition is answered");
        assert_ne!(partition.error_code, 0, "v{version}");
        assert_eq!(partition.base_offset, -1, "v{version}");
    }
}

/// Of two batches for one partition in a request Kafka drops the first without a word; here both
/// are written, in their order, and answered.
#[test]
fn two_batches_for_one_partition_are_both_written() {
    let Some((_broker, mut c)) = logmill("two-batches", &[]) else {
        return;
    };
    let (first, second) = (Spec::small(2, 0).bytes(), Spec::small(3, 9).bytes());
    for version in Produce::versions() {
        let (name, id) = c.topic(&format!("v{version}"), 1, &[]);
        let write = one_partition(&name, 0, Some(&first), -1)
            .with_id(id)
            .and(0, Some(&second));
        let reply = c
            .ask::<Produce>("twice", version, &write.request())
            .expect("an answer");
        let body = reply.body::<Produce>();
        let topic = body.responses.first().expect("the topic is answered");
        let answered: Vec<_> = topic
            .partition_responses
            .iter()
            .map(|part| (part.error_code, part.base_offset))
            .collect();
        assert_eq!(answered, [(0, 0), (0, 2)], "v{version}");
    }
}

/// Ten thousand partitions are described in pages of `max.request.partition.size.limit`, 2,000.
#[test]
fn ten_thousand_partitions_are_paged() {
    const PARTITIONS: i32 = 10_000;
    let Some((_broker, mut c)) = logmill("pages", &[]) else {
        return;
    };
    let topics = [CreatableTopic {
        name: "wide",
        num_partitions: PARTITIONS,
        replication_factor: 1,
        ..Default::default()
    }];
    let create = CreateTopicsRequest {
        topics: (&topics).into(),
        ..Default::default()
    };
    let reply = c
        .ask::<CreateTopics>("wide", 7, &create)
        .expect("an answer");
    let made = reply
        .body::<CreateTopics>()
        .topics
        .first()
        .map(|topic| topic.error_code);
    assert_eq!(made, Some(0));
    let mut pages = Vec::new();
    let mut next = 0;
    loop {
        let cursor = Cursor {
            topic_name: "wide",
            partition_index: next,
        };
        let request = DescribeTopicPartitionsRequest {
            topics: vec![TopicRequest { name: "wide" }].into(),
            response_partition_limit: 2000,
            cursor: (next > 0).then_some(cursor),
        };
        let reply = c
            .ask::<DescribeTopicPartitions>("page", 0, &request)
            .expect("an answer");
        let body = reply.body::<DescribeTopicPartitions>();
        let partitions = body.topics.first().expect("the topic").partitions;
        let indexes: Vec<i32> = partitions.iter().map(|p| p.partition_index).collect();
        assert_eq!(
            indexes,
            (next..next + indexes.len() as i32).collect::<Vec<_>>()
        );
        pages.push(indexes.len());
        match body.next_cursor {
            Some(cursor) => next = cursor.partition_index,
            None => break,
        }
    }
    assert_eq!(pages, [2000; 5]);
}

/// A deleted topic's folders are renamed at once and go after `file.delete.delay.ms`.
#[test]
fn the_folder_of_a_deleted_topic_goes() {
    let settings = [("log.segment.delete.delay.ms", "1500")];
    let Some((broker, mut c)) = logmill("deletion", &settings) else {
        return;
    };
    let (name, _) = c.topic("log", 1, &[]);
    let data = broker.data().expect("a broker of our own");
    let folder = data.join(format!("{name}-0"));
    // Partitions are served from the journal while their folders are made.
    await_that("the folder is made", || folder.is_dir());
    let topics = [DeleteTopicState {
        name: Some(&name),
        topic_id: Uuid::ZERO,
    }];
    let request = DeleteTopicsRequest {
        topics: (&topics).into(),
        timeout_ms: 30_000,
        ..Default::default()
    };
    let reply = c
        .ask::<DeleteTopics>("delete", 6, &request)
        .expect("an answer");
    let deleted = reply
        .body::<DeleteTopics>()
        .responses
        .first()
        .map(|topic| topic.error_code);
    assert_eq!(deleted, Some(0));
    let marked = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("the log directory is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names
            .filter(|entry| entry.starts_with(&name) && entry.ends_with("-delete"))
            .count()
    };
    await_that("the folder is renamed", || !folder.exists());
    await_that("and goes in the end", || marked(data) == 0);
}

/// Renames and removals are synced, and another test makes ten thousand folders on the same disk
/// meanwhile: the limit is one for a machine that has much else to do.
fn await_that(what: &str, holds: impl Fn() -> bool) {
    const LIMIT: Duration = Duration::from_secs(180);
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "{what}, within {LIMIT:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
