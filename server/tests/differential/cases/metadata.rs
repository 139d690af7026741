//! Metadata and DescribeTopicPartitions.

use logmill_wire::Uuid;
use logmill_wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use super::Case;
use crate::PAGE_PARTITIONS_MAX;
use crate::conversation::{Api, Conversation, DescribeTopicPartitions, Metadata};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("all-topics", all_topics),
    ("metadata-by-name", by_name),
    ("metadata-by-id", by_id),
    ("authorized-operations", authorized_operations),
    ("auto-creation", auto_creation),
    ("describe-partitions", describe_partitions),
    ("describe-pages", describe_pages),
];

fn request(names: &[&str]) -> MetadataRequest<'static> {
    let topic = |name: &&str| MetadataRequestTopic {
        name: Some(Box::leak(name.to_string().into_boxed_str())),
        ..Default::default()
    };
    let topics: Vec<MetadataRequestTopic<'static>> = names.iter().map(topic).collect();
    MetadataRequest {
        topics: Some(topics.into()),
        ..Default::default()
    }
}

/// The version's request: before 4 there is no flag, and topics are always made.
fn without_creation(mut request: MetadataRequest<'_>, version: i16) -> MetadataRequest<'_> {
    request.allow_auto_topic_creation = version < 4;
    request
}

fn all_topics(c: &mut Conversation) {
    c.topic("a", 3, &[]);
    c.topic("b", 1, &[]);
    for version in Metadata::versions() {
        let none = without_creation(request(&[]), version);
        // In version 0 an empty list is all topics, as there is no null.
        c.ask::<Metadata>("an empty list", version, &none);
        if version >= 1 {
            let all = without_creation(
                MetadataRequest {
                    topics: None,
                    ..Default::default()
                },
                version,
            );
            c.ask::<Metadata>("all", version, &all);
        }
    }
}

fn by_name(c: &mut Conversation) {
    let (two, _) = c.topic("two", 2, &[]);
    let (one, _) = c.topic("one", 1, &[]);
    let long = "x".repeat(250);
    for version in Metadata::versions() {
        c.ask::<Metadata>(
            "two topics",
            version,
            &without_creation(request(&[&two, &one]), version),
        );
        c.ask::<Metadata>(
            "the same twice",
            version,
            &without_creation(request(&[&two, &two]), version),
        );
        let bad = ["no/slash", ".", "..", "white space", "größe", &long];
        for name in bad {
            c.ask::<Metadata>(
                &format!("name {name:?}"),
                version,
                &without_creation(request(&[name]), version),
            );
        }
        if version >= 4 {
            c.ask::<Metadata>(
                "unknown",
                version,
                &without_creation(request(&["nowhere", &one]), version),
            );
            c.ask::<Metadata>(
                "no name",
                version,
                &without_creation(request(&[""]), version),
            );
        }
    }
}

fn by_id(c: &mut Conversation) {
    let (_, id) = c.topic("known", 2, &[]);
    for version in 10..=*Metadata::versions().end() {
        for (what, topic_id) in [("known", id), ("unknown", Uuid([7; 16]))] {
            let topics = [MetadataRequestTopic {
                topic_id,
                name: None,
            }];
            let request = MetadataRequest {
                topics: Some((&topics).into()),
                allow_auto_topic_creation: false,
                ..Default::default()
            };
            c.ask::<Metadata>(what, version, &request);
        }
    }
}

fn authorized_operations(c: &mut Conversation) {
    let (name, _) = c.topic("topic", 1, &[]);
    for version in 8..=*Metadata::versions().end() {
        let mut request = without_creation(request(&[&name]), version);
        request.include_topic_authorized_operations = true;
        request.include_cluster_authorized_operations = version <= 10;
        c.ask::<Metadata>("operations", version, &request);
    }
}

/// The first answer may come before or after the topic is there; that it comes into being, and how,
/// is compared.
fn auto_creation(c: &mut Conversation) {
    for version in [0, 3, 4, 9, 13] {
        let name = c.name(&format!("by-version-{version}"));
        let request = request(&[&name]);
        c.ask_aside::<Metadata>(version, &request);
        c.await_topic(&name, 1);
        c.ask::<Metadata>("made", version, &request);
    }
    let bad = request(&["not/possible"]);
    c.ask::<Metadata>("a bad name", 9, &bad);
    let name = c.name("a.b");
    c.ask_aside::<Metadata>(9, &request(&[&name]));
    c.await_topic(&name, 1);
}

fn describe(
    c: &mut Conversation,
    what: &str,
    names: &[&str],
    limit: i32,
    cursor: Option<(&str, i32)>,
) {
    let topics: Vec<TopicRequest<'_>> = names.iter().map(|name| TopicRequest { name }).collect();
    let request = DescribeTopicPartitionsRequest {
        topics: topics.into(),
        response_partition_limit: limit,
        cursor: cursor.map(|(topic_name, partition_index)| Cursor {
            topic_name,
            partition_index,
        }),
    };
    c.ask::<DescribeTopicPartitions>(what, 0, &request);
}

fn describe_partitions(c: &mut Conversation) {
    let (three, _) = c.topic("three", 3, &[]);
    let (one, _) = c.topic("one", 1, &[]);
    describe(c, "two topics", &[&three, &one], 2000, None);
    describe(c, "unknown", &["nowhere", &one], 2000, None);
    describe(c, "bad name", &["no/slash"], 2000, None);
    describe(c, "the same twice", &[&one, &one], 2000, None);
}

/// Pages by the request's limit, by the broker's, and from a cursor.
fn describe_pages(c: &mut Conversation) {
    let many = PAGE_PARTITIONS_MAX + 10;
    let (big, _) = c.topic("big", many, &[]);
    let (small, _) = c.topic("small", 3, &[]);
    describe(c, "limit 2", &[&big, &small], 2, None);
    describe(c, "limit 0", &[&big], 0, None);
    describe(c, "limit below 0", &[&big], -1, None);
    describe(c, "the broker's limit", &[&big, &small], 2000, None);
    describe(
        c,
        "second page",
        &[&big, &small],
        2000,
        Some((&big, PAGE_PARTITIONS_MAX)),
    );
    describe(
        c,
        "across topics",
        &[&big, &small],
        15,
        Some((&big, many - 2)),
    );
    describe(
        c,
        "cursor at a later topic",
        &[&big, &small],
        2000,
        Some((&small, 1)),
    );
    describe(c, "cursor at no topic", &[&small], 2000, Some(("a", 0)));
    describe(c, "cursor beyond", &[&small], 2000, Some((&small, 99)));
    describe(c, "cursor below 0", &[&small], 2000, Some((&small, -1)));
}
