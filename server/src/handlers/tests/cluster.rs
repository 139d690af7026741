//! Metadata, DescribeCluster and DescribeTopicPartitions.

use logmill_wire::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use logmill_wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicRequest,
};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use logmill_wire::{ErrorCode, Uuid, Writer};

use super::{Broker, answer, decoded, encoded};
use crate::handlers::{describe_cluster, describe_topic_partitions, metadata};

/// Everything that a topic can do, and the cluster, without an authorizer.
const TOPIC_OPERATIONS: i32 = 3576;
const CLUSTER_OPERATIONS: i32 = 8096;

fn ask(broker: &mut Broker, version: i16, request: &MetadataRequest<'_>) -> Writer {
    broker.version = version;
    let bytes = encoded(request, version);
    let mut out = Writer::new();
    let planned = metadata::plan(&broker.context(), &decoded(&bytes, version), &mut out).unwrap();
    broker.finish(planned, &mut out);
    out
}

fn by_names<'a>(names: &[&'a str]) -> MetadataRequest<'a> {
    let topics: Vec<_> = names
        .iter()
        .map(|name| MetadataRequestTopic {
            name: Some(name),
            ..Default::default()
        })
        .collect();
    MetadataRequest {
        topics: Some(topics.into()),
        ..MetadataRequest::default()
    }
}

#[test]
fn metadata_tells_brokers_and_topics_in_every_version() {
    for version in 0..=13 {
        let mut broker = Broker::with("broker.rack=r1");
        let id = broker.create("t", 3);
        let out = ask(&mut broker, version, &by_names(&["t"]));
        let response: MetadataResponse<'_> = answer(&out, version);
        let node = response.brokers.first().unwrap();
        assert_eq!(
            (node.node_id, node.host, node.port),
            (1, "told.example", 19_092)
        );
        assert_eq!(node.rack, (version >= 1).then_some("r1"));
        assert_eq!(response.cluster_id, (version >= 2).then_some("the-cluster"));
        assert_eq!(response.controller_id, if version >= 1 { 1 } else { -1 });
        let topic = response.topics.first().unwrap();
        assert_eq!((topic.error_code, topic.name), (0, Some("t")));
        assert_eq!(topic.topic_id, if version >= 10 { id } else { Uuid::ZERO });
        assert!(!topic.is_internal);
        assert_eq!(topic.topic_authorized_operations, i32::MIN);
        let partitions = topic.partitions.to_vec();
        assert_eq!(partitions.len(), 3);
        for (index, partition) in (0..).zip(partitions) {
            assert_eq!(
                (partition.error_code, partition.partition_index),
                (0, index)
            );
            assert_eq!(partition.leader_id, 1);
            assert_eq!(partition.leader_epoch, if version >= 7 { 0 } else { -1 });
            assert_eq!(partition.replica_nodes.to_vec(), [1]);
            assert_eq!(partition.isr_nodes.to_vec(), [1]);
            assert!(partition.offline_replicas.is_empty());
        }
    }
}

#[test]
fn all_and_none_differ_from_version_1() {
    for version in 0..=13 {
        let mut broker = Broker::new();
        broker.create("a", 1);
        broker.create("b", 1);
        let none = ask(&mut broker, version, &by_names(&[]));
        let told = answer::<MetadataResponse<'_>>(&none, version).topics.len();
        assert_eq!(told, if version == 0 { 2 } else { 0 });
        if version >= 1 {
            let request = MetadataRequest {
                topics: None,
                ..MetadataRequest::default()
            };
            let all = ask(&mut broker, version, &request);
            assert_eq!(
                answer::<MetadataResponse<'_>>(&all, version).topics.len(),
                2
            );
        }
    }
}

#[test]
fn asked_topics_are_created_where_both_sides_allow_it() {
    for (version, allowed, config, made) in [
        (3, true, "num.partitions=2", true),
        (12, true, "num.partitions=2", true),
        (12, false, "", false),
        (12, true, "auto.create.topics.enable=false", false),
    ] {
        let mut broker = Broker::with(config);
        let request = MetadataRequest {
            allow_auto_topic_creation: allowed,
            ..by_names(&["new"])
        };
        let out = ask(&mut broker, version, &request);
        let response: MetadataResponse<'_> = answer(&out, version);
        let topic = response.topics.first().unwrap();
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
        assert_eq!(topic.error_code, if made { 0 } else { unknown });
        assert_eq!(topic.partitions.len(), if made { 2 } else { 0 });
        assert_eq!(broker.image.topic("new").is_some(), made);
    }
}

#[test]
fn bad_and_internal_names_are_not_created() {
    let mut broker = Broker::new();
    broker.create("a.b", 1);
    let asked = by_names(&["a b", "__consumer_offsets", "a_b", "good"]);
    let out = ask(&mut broker, 12, &asked);
    let response: MetadataResponse<'_> = answer(&out, 12);
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|t| (t.name.unwrap(), t.error_code))
        .collect();
    let (invalid, unknown) = (
        ErrorCode::INVALID_TOPIC_EXCEPTION.0,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
    );
    assert_eq!(
        codes,
        [
            ("__consumer_offsets", unknown),
            ("a b", invalid),
            ("a_b", invalid),
            ("good", 0)
        ]
    );
    assert!(response.topics.first().unwrap().is_internal);
}

#[test]
fn topics_are_found_by_id_from_version_12() {
    for version in 10..=13 {
        let mut broker = Broker::new();
        let id = broker.create("t", 1);
        let unknown = Uuid([7; 16]);
        let topics = [id, unknown].map(|topic_id| MetadataRequestTopic {
            topic_id,
            name: None,
        });
        let request = MetadataRequest {
            topics: Some((&topics).into()),
            ..MetadataRequest::default()
        };
        let out = ask(&mut broker, version, &request);
        let response: MetadataResponse<'_> = answer(&out, version);
        let told: Vec<_> = response
            .topics
            .iter()
            .map(|t| (t.topic_id, t.name, t.error_code))
            .collect();
        if version < 12 {
            let refused = ErrorCode::INVALID_REQUEST.0;
            assert_eq!(
                told,
                [(id, Some(""), refused), (unknown, Some(""), refused)]
            );
            continue;
        }
        assert_eq!(told.len(), 2);
        assert!(told.contains(&(id, Some("t"), 0)));
        assert!(told.contains(&(unknown, None, ErrorCode::UNKNOWN_TOPIC_ID.0)));
    }
}

#[test]
fn operations_are_told_when_asked() {
    for version in 8..=13 {
        let mut broker = Broker::new();
        broker.create("t", 1);
        let request = MetadataRequest {
            include_topic_authorized_operations: true,
            include_cluster_authorized_operations: version <= 10,
            ..by_names(&["t"])
        };
        let out = ask(&mut broker, version, &request);
        let response: MetadataResponse<'_> = answer(&out, version);
        let cluster = if version <= 10 {
            CLUSTER_OPERATIONS
        } else {
            i32::MIN
        };
        assert_eq!(response.cluster_authorized_operations, cluster);
        let topic = response.topics.first().unwrap();
        assert_eq!(topic.topic_authorized_operations, TOPIC_OPERATIONS);
    }
}

#[test]
fn cluster_is_described_in_every_version() {
    for version in 0..=2 {
        for (endpoint_type, code) in [
            (1, ErrorCode::NONE),
            (2, ErrorCode::MISMATCHED_ENDPOINT_TYPE),
            (9, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE),
        ] {
            if version == 0 && endpoint_type != 1 {
                continue;
            }
            let mut broker = Broker::new();
            broker.version = version;
            let request = DescribeClusterRequest {
                include_cluster_authorized_operations: true,
                endpoint_type,
                ..DescribeClusterRequest::default()
            };
            let bytes = encoded(&request, version);
            let mut out = Writer::new();
            let request: DescribeClusterRequest = decoded(&bytes, version);
            describe_cluster::answer(&broker.context(), &request, &mut out).unwrap();
            let response: DescribeClusterResponse<'_> = answer(&out, version);
            assert_eq!(response.error_code, code.0);
            if code.is_none() {
                assert_eq!(
                    (response.cluster_id, response.controller_id),
                    ("the-cluster", 1)
                );
                assert_eq!(response.cluster_authorized_operations, CLUSTER_OPERATIONS);
                let node = response.brokers.first().unwrap();
                assert_eq!(
                    (node.broker_id, node.host, node.port),
                    (1, "told.example", 19_092)
                );
            }
        }
    }
}

fn describe(broker: &Broker, request: &DescribeTopicPartitionsRequest<'_>) -> Writer {
    let bytes = encoded(request, 0);
    let request: DescribeTopicPartitionsRequest<'_> = decoded(&bytes, 0);
    let mut out = Writer::new();
    describe_topic_partitions::answer(&broker.context(), &request, &mut out).unwrap();
    out
}

#[test]
fn topics_come_in_pages_that_hold_every_partition_once() {
    let mut broker = Broker::new();
    broker.create("a", 10_000);
    broker.create("b", 1);
    broker.create("c", 2_500);
    let mut seen = Vec::new();
    let mut cursor: Option<(String, i32)> = None;
    let mut pages = 0;
    loop {
        let request = DescribeTopicPartitionsRequest {
            response_partition_limit: 5_000,
            cursor: cursor.as_ref().map(|(name, index)| Cursor {
                topic_name: name,
                partition_index: *index,
            }),
            ..DescribeTopicPartitionsRequest::default()
        };
        let out = describe(&broker, &request);
        let response: DescribeTopicPartitionsResponse<'_> = answer(&out, 0);
        let mut on_page = 0;
        for topic in response.topics.iter() {
            assert_eq!(topic.error_code, 0);
            assert_eq!(topic.topic_authorized_operations, TOPIC_OPERATIONS);
            for partition in topic.partitions.iter() {
                seen.push((topic.name.unwrap().to_owned(), partition.partition_index));
                on_page += 1;
            }
        }
        assert!(on_page <= 2_000, "max.request.partition.size.limit");
        pages += 1;
        cursor = response
            .next_cursor
            .map(|c| (c.topic_name.to_owned(), c.partition_index));
        if cursor.is_none() {
            break;
        }
    }
    let expected = [("a", 10_000), ("b", 1), ("c", 2_500)]
        .into_iter()
        .flat_map(|(name, count)| (0..count).map(move |index| (name.to_owned(), index)));
    assert!(seen.into_iter().eq(expected));
    assert_eq!(pages, 7);
}

#[test]
fn asked_topics_are_sorted_and_unknown_ones_told() {
    let mut broker = Broker::new();
    broker.create("b", 1);
    let names = ["z z", "b", "a"].map(|name| TopicRequest { name });
    let request = DescribeTopicPartitionsRequest {
        topics: (&names).into(),
        ..Default::default()
    };
    let out = describe(&broker, &request);
    let response: DescribeTopicPartitionsResponse<'_> = answer(&out, 0);
    let told: Vec<_> = response
        .topics
        .iter()
        .map(|t| (t.name.unwrap(), t.error_code))
        .collect();
    let (invalid, unknown) = (
        ErrorCode::INVALID_TOPIC_EXCEPTION.0,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
    );
    assert_eq!(told, [("a", unknown), ("b", 0), ("z z", invalid)]);
    let partition = response
        .topics
        .iter()
        .nth(1)
        .unwrap()
        .partitions
        .first()
        .unwrap();
    assert_eq!(
        partition.eligible_leader_replicas.map(|list| list.len()),
        Some(0)
    );
}
