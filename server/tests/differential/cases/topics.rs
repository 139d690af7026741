//! CreateTopics, DeleteTopics and CreatePartitions.

use logmill_wire::Uuid;
use logmill_wire::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use logmill_wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use super::Case;
use crate::conversation::{
    Api, Conversation, CreatePartitions, CreateTopics, DeleteTopics, Metadata,
};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("create", create),
    ("create-refused", create_refused),
    ("create-assigned", create_assigned),
    ("colliding", colliding),
    ("delete", delete),
    ("delete-by-id", delete_by_id),
    ("made-again", made_again),
    ("more-partitions", more_partitions),
];

fn topic<'a>(name: &'a str, num_partitions: i32, replication_factor: i16) -> CreatableTopic<'a> {
    CreatableTopic {
        name,
        num_partitions,
        replication_factor,
        ..Default::default()
    }
}

fn ask_create(
    c: &mut Conversation,
    what: &str,
    version: i16,
    validate_only: bool,
    topics: &[CreatableTopic<'_>],
) {
    let request = CreateTopicsRequest {
        topics: topics.to_vec().into(),
        validate_only,
        ..Default::default()
    };
    c.ask::<CreateTopics>(what, version, &request);
}

fn create(c: &mut Conversation) {
    for version in CreateTopics::versions() {
        let name = c.name(&format!("plain-{version}"));
        ask_create(c, "plain", version, false, &[topic(&name, 3, 1)]);
        c.await_topic(&name, 3);
        ask_create(c, "again", version, false, &[topic(&name, 3, 1)]);
        let name = c.name(&format!("configured-{version}"));
        let configs = [
            CreatableTopicConfig {
                name: "retention.ms",
                value: Some("3600000"),
            },
            CreatableTopicConfig {
                name: "cleanup.policy",
                value: Some("compact,delete"),
            },
        ];
        let configured = CreatableTopic {
            configs: (&configs).into(),
            ..topic(&name, 1, 1)
        };
        ask_create(c, "with configs", version, false, &[configured]);
        if version >= 4 {
            let name = c.name(&format!("defaults-{version}"));
            ask_create(c, "defaults", version, false, &[topic(&name, -1, -1)]);
        }
        let name = c.name(&format!("only-checked-{version}"));
        ask_create(c, "validate only", version, true, &[topic(&name, 2, 1)]);
        ask_create(
            c,
            "validate only, once more",
            version,
            true,
            &[topic(&name, 2, 1)],
        );
    }
}

fn create_refused(c: &mut Conversation) {
    let long = "x".repeat(250);
    for version in CreateTopics::versions() {
        for name in ["", ".", "..", "no/slash", "white space", "größe", &long] {
            ask_create(
                c,
                &format!("name {name:?}"),
                version,
                false,
                &[topic(name, 1, 1)],
            );
        }
        let name = c.name("never");
        for (partitions, replicas) in [(0, 1), (-2, 1), (1, 0), (1, 3), (1, -2), (-1, 3)] {
            let what = format!("{partitions} partitions, {replicas} replicas");
            ask_create(
                c,
                &what,
                version,
                false,
                &[topic(&name, partitions, replicas)],
            );
        }
        let twice = [topic(&name, 1, 1), topic(&name, 2, 1)];
        ask_create(c, "twice in a request", version, false, &twice);
        for (key, value) in [
            ("no.such.key", Some("1")),
            ("retention.ms", Some("soon")),
            ("retention.ms", Some("-2")),
            ("cleanup.policy", Some("burn")),
            ("compression.type", Some("rar")),
            ("segment.bytes", Some("13")),
            ("min.insync.replicas", Some("0")),
            ("retention.ms", None),
            ("max.message.bytes", Some("")),
        ] {
            let configs = [CreatableTopicConfig { name: key, value }];
            let configured = CreatableTopic {
                configs: (&configs).into(),
                ..topic(&name, 1, 1)
            };
            ask_create(
                c,
                &format!("{key} = {value:?}"),
                version,
                true,
                &[configured],
            );
        }
        let good = c.name(&format!("good-{version}"));
        ask_create(
            c,
            "one good, one bad",
            version,
            false,
            &[topic(&good, 1, 1), topic("no/slash", 1, 1)],
        );
    }
}

fn create_assigned(c: &mut Conversation) {
    for version in CreateTopics::versions() {
        type Assigned = &'static [(i32, &'static [i32])];
        let cases: [(&str, i32, i16, Assigned); 7] = [
            ("both replicas on the one broker", -1, -1, &[(0, &[1, 1])]),
            ("a broker that is not", -1, -1, &[(0, &[7])]),
            ("counts beside an assignment", 1, 1, &[(0, &[1])]),
            ("partition 0 left out", -1, -1, &[(1, &[1])]),
            ("a partition twice", -1, -1, &[(0, &[1]), (0, &[1])]),
            ("no replica", -1, -1, &[(0, &[])]),
            ("two partitions", -1, -1, &[(0, &[1]), (1, &[1])]),
        ];
        for (what, partitions, replicas, assigned) in cases {
            let name = c.name(&format!("v{version}"));
            let assignments: Vec<CreatableReplicaAssignment<'_>> = assigned
                .iter()
                .map(|(partition_index, brokers)| CreatableReplicaAssignment {
                    partition_index: *partition_index,
                    broker_ids: (*brokers).into(),
                })
                .collect();
            let assigned = CreatableTopic {
                assignments: assignments.into(),
                ..topic(&name, partitions, replicas)
            };
            ask_create(c, what, version, false, &[assigned]);
        }
    }
}

fn colliding(c: &mut Conversation) {
    let (dotted, score) = (c.name("one.two"), c.name("one_two"));
    ask_create(c, "dot", 7, false, &[topic(&dotted, 1, 1)]);
    c.await_topic(&dotted, 1);
    ask_create(c, "underscore", 7, false, &[topic(&score, 1, 1)]);
}

fn ask_delete(c: &mut Conversation, what: &str, version: i16, names: &[&str]) {
    let states: Vec<DeleteTopicState<'_>> = names
        .iter()
        .map(|name| DeleteTopicState {
            name: Some(name),
            topic_id: Uuid::ZERO,
        })
        .collect();
    let mut request = DeleteTopicsRequest {
        timeout_ms: 30_000,
        ..Default::default()
    };
    if version >= 6 {
        request.topics = states.into();
    } else {
        request.topic_names = names.into();
    }
    c.ask::<DeleteTopics>(what, version, &request);
}

fn delete(c: &mut Conversation) {
    for version in DeleteTopics::versions() {
        let (one, _) = c.topic(&format!("one-{version}"), 1, &[]);
        let (two, _) = c.topic(&format!("two-{version}"), 2, &[]);
        ask_delete(c, "one of two", version, &[&one]);
        ask_delete(c, "unknown", version, &["nowhere"]);
        ask_delete(c, "twice in a request", version, &[&two, &two]);
        ask_delete(c, "bad name", version, &["no/slash"]);
        ask_delete(c, "both gone", version, &[&one]);
        ask_delete(c, "nothing", version, &[]);
    }
}

fn delete_by_id(c: &mut Conversation) {
    let (name, id) = c.topic("known", 1, &[]);
    let ask = |c: &mut Conversation, what: &str, name: Option<&str>, topic_id: Uuid| {
        let topics = [DeleteTopicState { name, topic_id }];
        let request = DeleteTopicsRequest {
            topics: (&topics).into(),
            timeout_ms: 30_000,
            ..Default::default()
        };
        c.ask::<DeleteTopics>(what, 6, &request);
    };
    ask(c, "unknown id", None, Uuid([9; 16]));
    ask(c, "name and id", Some(&name), id);
    ask(c, "neither", None, Uuid::ZERO);
    ask(c, "id", None, id);
    ask(c, "id again", None, id);
}

fn made_again(c: &mut Conversation) {
    let (name, first) = c.topic("topic", 2, &[]);
    ask_delete(c, "delete", 6, &[&name]);
    let (_, second) = c.topic("topic", 1, &[]);
    c.note("another id", first != second);
    for (what, topic_id) in [("first id", first), ("second id", second)] {
        let topics = [MetadataRequestTopic {
            topic_id,
            name: None,
        }];
        let request = MetadataRequest {
            topics: Some((&topics).into()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        c.ask::<Metadata>(what, 12, &request);
    }
}

fn more_partitions(c: &mut Conversation) {
    for version in CreatePartitions::versions() {
        let (name, _) = c.topic(&format!("v{version}"), 2, &[]);
        let ask = |c: &mut Conversation,
                   what: &str,
                   topics: &[(&str, i32, Option<&[i32]>)],
                   check: bool| {
            let topics: Vec<CreatePartitionsTopic<'_>> = topics
                .iter()
                .map(|(name, count, brokers)| CreatePartitionsTopic {
                    name,
                    count: *count,
                    assignments: brokers.map(|ids| {
                        vec![CreatePartitionsAssignment {
                            broker_ids: ids.into(),
                        }]
                        .into()
                    }),
                })
                .collect();
            let request = CreatePartitionsRequest {
                topics: topics.into(),
                timeout_ms: 30_000,
                validate_only: check,
            };
            c.ask::<CreatePartitions>(what, version, &request);
        };
        ask(c, "validate only", &[(&name, 5, None)], true);
        ask(c, "three", &[(&name, 3, None)], false);
        c.await_topic(&name, 3);
        ask(c, "as many", &[(&name, 3, None)], false);
        ask(c, "fewer", &[(&name, 1, None)], false);
        ask(c, "none", &[(&name, 0, None)], false);
        ask(c, "below none", &[(&name, -1, None)], false);
        ask(c, "unknown", &[("nowhere", 3, None)], false);
        ask(c, "assigned", &[(&name, 4, Some(&[1]))], false);
        ask(c, "assigned to nobody", &[(&name, 5, Some(&[7]))], false);
        ask(
            c,
            "fewer assigned than made",
            &[(&name, 9, Some(&[1]))],
            false,
        );
        ask(
            c,
            "twice in a request",
            &[(&name, 6, None), (&name, 7, None)],
            false,
        );
    }
}
