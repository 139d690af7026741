//! DescribeConfigs.

use logmill_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use logmill_wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse,
};
use logmill_wire::{ErrorCode, Writer};

use super::{Broker, answer, decoded, encoded};
use crate::handlers::{create_topics, describe_configs};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;

fn describe(broker: &mut Broker, version: i16, request: &DescribeConfigsRequest<'_>) -> Writer {
    broker.version = version;
    let bytes = encoded(request, version);
    let mut out = Writer::new();
    describe_configs::answer(&broker.context(), &decoded(&bytes, version), &mut out).unwrap();
    out
}

fn resource(resource_type: i8, resource_name: &str) -> DescribeConfigsResource<'_> {
    DescribeConfigsResource {
        resource_type,
        resource_name,
        configuration_keys: None,
    }
}

fn request<'a>(resources: &'a [DescribeConfigsResource<'a>]) -> DescribeConfigsRequest<'a> {
    DescribeConfigsRequest {
        resources: resources.into(),
        include_synonyms: true,
        ..DescribeConfigsRequest::default()
    }
}

fn with_topic(config: &str) -> Broker {
    let mut broker = Broker::with(config);
    let configs = [
        CreatableTopicConfig {
            name: "retention.ms",
            value: Some("99"),
        },
        CreatableTopicConfig {
            name: "segment.bytes",
            value: Some("2097152"),
        },
    ];
    let topics = [CreatableTopic {
        name: "t",
        num_partitions: 1,
        replication_factor: 1,
        configs: (&configs).into(),
        ..CreatableTopic::default()
    }];
    let request = CreateTopicsRequest {
        topics: (&topics).into(),
        ..Default::default()
    };
    broker.version = 7;
    let mut out = Writer::new();
    broker.finish(create_topics::plan(&request), &mut out);
    broker
}

fn synonyms<'a>(entry: &DescribeConfigsResourceResult<'a>) -> Vec<(&'a str, Option<&'a str>, i8)> {
    entry
        .synonyms
        .iter()
        .map(|s| (s.name, s.value, s.source))
        .collect()
}

#[test]
fn broker_is_described_in_every_version() {
    for version in 1..=4 {
        let mut broker = Broker::with("log.retention.hours=24\nlog.dirs=/d\nnode.id=1");
        let resources = [resource(BROKER, "1")];
        let described = DescribeConfigsRequest {
            include_documentation: version >= 3,
            ..request(&resources)
        };
        let out = describe(&mut broker, version, &described);
        let response: DescribeConfigsResponse<'_> = answer(&out, version);
        let result = response.results.first().unwrap();
        assert_eq!((result.error_code, result.error_message), (0, Some("")));
        let entries = result.configs.to_vec();
        let kafkas = entries
            .iter()
            .filter(|e| !e.name.starts_with("logmill.") && e.name != "fetch.path")
            .count();
        assert_eq!(kafkas, 316);
        let find = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();

        let hours = find("log.retention.hours");
        assert_eq!(
            (hours.value, hours.config_source, hours.read_only),
            (Some("24"), 4, true)
        );
        assert_eq!(
            synonyms(hours),
            [
                ("log.retention.hours", Some("24"), 4),
                ("log.retention.hours", Some("168"), 5)
            ]
        );
        let segment = find("log.segment.bytes");
        assert_eq!((segment.config_source, segment.read_only), (5, false));
        let ms = find("log.retention.ms");
        assert_eq!(
            (ms.value, ms.config_source, ms.synonyms.len()),
            (None, 5, 0)
        );
        let secret = find("ssl.keystore.password");
        assert!(secret.is_sensitive && secret.value.is_none());
        assert_eq!(find("broker.id").value, Some("1"));
        if version >= 3 {
            assert_eq!((segment.config_type, secret.config_type), (3, 9));
            assert!(segment.documentation.unwrap().contains("segment"));
        }
    }
}

#[test]
fn topic_is_described_with_sources_and_synonyms() {
    let mut broker = with_topic("log.segment.bytes=3145728\nlog.retention.hours=24");
    let resources = [resource(TOPIC, "t")];
    let out = describe(&mut broker, 4, &request(&resources));
    let response: DescribeConfigsResponse<'_> = answer(&out, 4);
    let entries = response.results.first().unwrap().configs.to_vec();
    assert_eq!(entries.len(), 34);
    assert!(
        entries
            .iter()
            .all(|entry| !entry.read_only && entry.documentation.is_none())
    );
    let find = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();
    let segment = find("segment.bytes");
    assert_eq!((segment.value, segment.config_source), (Some("2097152"), 1));
    assert_eq!(
        synonyms(segment),
        [
            ("segment.bytes", Some("2097152"), 1),
            ("log.segment.bytes", Some("3145728"), 4),
            ("log.segment.bytes", Some("1073741824"), 5)
        ]
    );
    let retention = find("retention.ms");
    assert_eq!(synonyms(retention), [("retention.ms", Some("99"), 1)]);
    let flush = find("flush.ms");
    assert_eq!(
        (flush.value, flush.config_source),
        (Some("9223372036854775807"), 5)
    );
}

#[test]
fn derived_defaults_follow_the_brokers_hours() {
    let mut broker = Broker::with("log.retention.hours=24");
    broker.create("t", 1);
    let keys = ["retention.ms"];
    let resources = [DescribeConfigsResource {
        configuration_keys: Some((&keys).into()),
        ..resource(TOPIC, "t")
    }];
    let out = describe(&mut broker, 4, &request(&resources));
    let response: DescribeConfigsResponse<'_> = answer(&out, 4);
    let entries = response.results.first().unwrap().configs.to_vec();
    assert_eq!(entries.len(), 1, "only the key that was asked for");
    assert_eq!(entries[0].value, Some("86400000"));
}

#[test]
fn what_cannot_be_described_is_refused_by_itself() {
    let mut broker = Broker::new();
    broker.create("t", 1);
    let resources = [
        resource(TOPIC, "no"),
        resource(TOPIC, "a b"),
        resource(TOPIC, ""),
        resource(BROKER, "2"),
        resource(BROKER, "x"),
        resource(77, "t"),
        resource(TOPIC, "t"),
        resource(BROKER, ""),
        resource(BROKER_LOGGER, "1"),
    ];
    let out = describe(&mut broker, 4, &request(&resources));
    let response: DescribeConfigsResponse<'_> = answer(&out, 4);
    let codes: Vec<_> = response
        .results
        .iter()
        .map(|result| result.error_code)
        .collect();
    let invalid = ErrorCode::INVALID_REQUEST.0;
    let name = ErrorCode::INVALID_TOPIC_EXCEPTION.0;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    assert_eq!(
        codes,
        [unknown, name, name, invalid, invalid, invalid, 0, 0, 0]
    );
    let counts: Vec<_> = response
        .results
        .iter()
        .map(|result| result.configs.len())
        .collect();
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 34, 0, 1]);
}
