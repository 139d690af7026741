//! CreateTopics, DeleteTopics and CreatePartitions.

use logmill_wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use logmill_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use logmill_wire::messages::delete_topics::{
    DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use logmill_wire::{ErrorCode, Uuid, Writer};

use super::{Broker, answer, decoded, encoded};
use crate::handlers::{create_partitions, create_topics, delete_topics};

fn create(broker: &mut Broker, version: i16, request: &CreateTopicsRequest<'_>) -> Writer {
    broker.version = version;
    let bytes = encoded(request, version);
    let mut out = Writer::new();
    let planned = create_topics::plan(&decoded(&bytes, version));
    broker.finish(planned, &mut out);
    out
}

fn new_topic(name: &str) -> CreatableTopic<'_> {
    CreatableTopic {
        name,
        num_partitions: 2,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

#[test]
fn topics_are_created_in_every_version() {
    for version in 2..=7 {
        let mut broker = Broker::new();
        let configs = [CreatableTopicConfig {
            name: "retention.ms",
            value: Some("99"),
        }];
        let topics = [
            CreatableTopic {
                configs: (&configs).into(),
                ..new_topic("t")
            },
            CreatableTopic {
                replication_factor: 3,
                ..new_topic("u")
            },
        ];
        let request = CreateTopicsRequest {
            topics: (&topics).into(),
            ..Default::default()
        };
        let out = create(&mut broker, version, &request);
        let response: CreateTopicsResponse<'_> = answer(&out, version);
        let told = response.topics.to_vec();
        assert_eq!(
            (told[0].name, told[0].error_code, told[0].error_message),
            ("t", 0, None)
        );
        assert_eq!(told[1].error_code, ErrorCode::INVALID_REPLICATION_FACTOR.0);
        assert!(told[1].error_message.unwrap().contains("3 replicas"));
        let image = broker.image.topic("t").unwrap();
        let id = if version >= 7 {
            Uuid(image.id.0)
        } else {
            Uuid::ZERO
        };
        assert_eq!(told[0].topic_id, id);
        assert!(broker.image.topic("u").is_none());
        if version < 5 {
            continue;
        }
        assert_eq!((told[0].num_partitions, told[0].replication_factor), (2, 1));
        assert_eq!(
            (told[1].num_partitions, told[1].replication_factor),
            (-1, -1)
        );
        let configs = told[0].configs.as_ref().unwrap().to_vec();
        assert_eq!(configs.len(), 34, "33 keys of Kafka and one of ours");
        let retention = configs
            .iter()
            .find(|config| config.name == "retention.ms")
            .unwrap();
        assert_eq!((retention.value, retention.config_source), (Some("99"), 1));
    }
}

#[test]
fn only_validated_topics_are_not_there() {
    let mut broker = Broker::new();
    let topics = [new_topic("t")];
    let request = CreateTopicsRequest {
        topics: (&topics).into(),
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    let out = create(&mut broker, 7, &request);
    let response: CreateTopicsResponse<'_> = answer(&out, 7);
    let told = response.topics.first().unwrap();
    assert_eq!((told.error_code, told.num_partitions), (0, 2));
    assert_eq!(broker.image.topic_count(), 0);
}

fn delete(broker: &mut Broker, version: i16, request: &DeleteTopicsRequest<'_>) -> Writer {
    broker.version = version;
    let bytes = encoded(request, version);
    let mut out = Writer::new();
    let planned = delete_topics::plan(&broker.context(), &decoded(&bytes, version));
    broker.finish(planned, &mut out);
    out
}

#[test]
fn topics_are_deleted_by_name_in_every_version() {
    for version in 1..=6 {
        let mut broker = Broker::new();
        broker.create("t", 1);
        let names = ["t", "no"];
        let states = names.map(|name| DeleteTopicState {
            name: Some(name),
            ..Default::default()
        });
        let request = if version < 6 {
            DeleteTopicsRequest {
                topic_names: (&names).into(),
                ..Default::default()
            }
        } else {
            DeleteTopicsRequest {
                topics: (&states).into(),
                ..Default::default()
            }
        };
        let out = delete(&mut broker, version, &request);
        let response: DeleteTopicsResponse<'_> = answer(&out, version);
        let told = response.responses.to_vec();
        assert_eq!((told[0].name, told[0].error_code), (Some("t"), 0));
        assert_eq!(told[1].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
        assert_eq!(told[1].error_message.is_some(), version >= 5);
        assert_eq!(broker.image.topic_count(), 0);
    }
}

#[test]
fn topics_are_deleted_by_id_in_version_6() {
    let mut broker = Broker::new();
    let id = broker.create("t", 1);
    let unknown = Uuid([7; 16]);
    let states = [
        DeleteTopicState {
            name: None,
            topic_id: id,
        },
        DeleteTopicState {
            name: None,
            topic_id: unknown,
        },
        DeleteTopicState {
            name: Some("t"),
            topic_id: id,
        },
        DeleteTopicState::default(),
    ];
    let request = DeleteTopicsRequest {
        topics: (&states).into(),
        ..Default::default()
    };
    let out = delete(&mut broker, 6, &request);
    let response: DeleteTopicsResponse<'_> = answer(&out, 6);
    let told: Vec<_> = response
        .responses
        .iter()
        .map(|r| (r.name, r.topic_id, r.error_code))
        .collect();
    let refused = ErrorCode::INVALID_REQUEST.0;
    assert_eq!(
        told,
        [
            (Some("t"), id, 0),
            (None, unknown, ErrorCode::UNKNOWN_TOPIC_ID.0),
            (Some("t"), id, refused),
            (None, Uuid::ZERO, refused),
        ]
    );
}

#[test]
fn disabled_deletion_is_told_as_clients_know_it() {
    for version in 1..=6 {
        let mut broker = Broker::with("delete.topic.enable=false");
        broker.create("t", 1);
        let names = ["t"];
        let states = [DeleteTopicState {
            name: Some("t"),
            ..Default::default()
        }];
        let request = if version < 6 {
            DeleteTopicsRequest {
                topic_names: (&names).into(),
                ..Default::default()
            }
        } else {
            DeleteTopicsRequest {
                topics: (&states).into(),
                ..Default::default()
            }
        };
        let out = delete(&mut broker, version, &request);
        let response: DeleteTopicsResponse<'_> = answer(&out, version);
        let code = response.responses.first().unwrap().error_code;
        let expected = if version < 3 {
            ErrorCode::INVALID_REQUEST
        } else {
            ErrorCode::TOPIC_DELETION_DISABLED
        };
        assert_eq!(code, expected.0);
        assert_eq!(broker.image.topic_count(), 1);
    }
}

#[test]
fn partitions_are_added_in_every_version() {
    for version in 0..=3 {
        let mut broker = Broker::new();
        broker.version = version;
        broker.create("t", 2);
        let topics = [("t", 5), ("no", 2)].map(|(name, count)| CreatePartitionsTopic {
            name,
            count,
            assignments: None,
        });
        let request = CreatePartitionsRequest {
            topics: (&topics).into(),
            ..Default::default()
        };
        let bytes = encoded(&request, version);
        let mut out = Writer::new();
        let planned = create_partitions::plan(&decoded(&bytes, version));
        broker.finish(planned, &mut out);
        let response: CreatePartitionsResponse<'_> = answer(&out, version);
        let told = response.results.to_vec();
        assert_eq!(
            (told[0].name, told[0].error_code, told[0].error_message),
            ("t", 0, None)
        );
        assert_eq!(told[1].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
        assert_eq!(broker.image.topic("t").unwrap().partitions.len(), 5);
    }
}
