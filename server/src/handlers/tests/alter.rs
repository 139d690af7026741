//! IncrementalAlterConfigs, AlterConfigs, ListConfigResources, and what DescribeConfigs says after
//! them.

use logmill_wire::messages::alter_configs::{
    self as legacy, AlterConfigsRequest, AlterConfigsResponse,
};
use logmill_wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
};
use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use logmill_wire::messages::list_config_resources::{
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use logmill_wire::{ErrorCode, Writer};

use super::{Broker, answer, decoded, encoded};
use crate::handlers::{
    alter_configs, describe_configs, incremental_alter_configs, list_config_resources,
};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Answers = Vec<(i16, Option<String>)>;

fn op<'a>(name: &'a str, config_operation: i8, value: Option<&'a str>) -> AlterableConfig<'a> {
    AlterableConfig {
        name,
        config_operation,
        value,
    }
}

fn resource<'a>(
    resource_type: i8,
    resource_name: &'a str,
    configs: &'a [AlterableConfig<'a>],
) -> AlterConfigsResource<'a> {
    AlterConfigsResource {
        resource_type,
        resource_name,
        configs: configs.into(),
    }
}

fn send(
    broker: &mut Broker,
    version: i16,
    validate_only: bool,
    resources: &[AlterConfigsResource<'_>],
) -> Answers {
    let request = IncrementalAlterConfigsRequest {
        resources: resources.into(),
        validate_only,
    };
    broker.version = version;
    let bytes = encoded(&request, version);
    let mut out = Writer::new();
    let planned = incremental_alter_configs::plan(&decoded(&bytes, version));
    broker.finish(planned, &mut out);
    let response: IncrementalAlterConfigsResponse<'_> = answer(&out, version);
    let answers = response.responses.iter();
    let answers = answers.map(|it| (it.error_code, it.error_message.map(str::to_owned)));
    answers.collect()
}

/// One change of one value in the newest version; the code and the message.
fn change(
    broker: &mut Broker,
    (kind, name): (i8, &str),
    key: &str,
    operation: i8,
    value: Option<&str>,
) -> (i16, String) {
    let configs = [op(key, operation, value)];
    let (code, message) = send(broker, 1, false, &[resource(kind, name, &configs)]).remove(0);
    (code, message.unwrap_or_default())
}

/// Value, source and synonyms of a key.
type Described = (Option<String>, i8, Vec<(String, Option<String>, i8)>);

fn describe(broker: &mut Broker, kind: i8, name: &str, key: &str) -> Option<Described> {
    let keys = [key];
    let resources = [DescribeConfigsResource {
        resource_type: kind,
        resource_name: name,
        configuration_keys: Some((&keys).into()),
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_synonyms: true,
        ..DescribeConfigsRequest::default()
    };
    broker.version = 4;
    let bytes = encoded(&request, 4);
    let mut out = Writer::new();
    describe_configs::answer(&broker.context(), &decoded(&bytes, 4), &mut out).unwrap();
    let response: DescribeConfigsResponse<'_> = answer(&out, 4);
    let result = response.results.first().unwrap();
    assert_eq!(result.error_code, 0, "{:?}", result.error_message);
    let entry = result.configs.first()?;
    let text = |value: Option<&str>| value.map(str::to_owned);
    let synonyms = entry.synonyms.iter();
    let synonyms = synonyms.map(|it| (it.name.to_owned(), text(it.value), it.source));
    Some((text(entry.value), entry.config_source, synonyms.collect()))
}

fn value(broker: &mut Broker, kind: i8, name: &str, key: &str) -> String {
    let (value, ..) = describe(broker, kind, name, key).unwrap();
    value.unwrap_or_else(|| "null".to_owned())
}

fn with_topic() -> Broker {
    let mut broker = Broker::new();
    broker.create("t", 1);
    broker
}

#[test]
fn values_are_set_deleted_and_changed_as_lists_in_every_version() {
    for version in 0..=1 {
        let mut broker = with_topic();
        let policy = "cleanup.policy";
        let mut run = |operation, value, expected: &str| {
            let configs = [op(policy, operation, value)];
            let resources = [resource(TOPIC, "t", &configs)];
            assert_eq!(send(&mut broker, version, false, &resources), [(0, None)]);
            assert_eq!(self::value(&mut broker, TOPIC, "t", policy), expected);
        };
        run(APPEND, Some("compact"), "delete,compact");
        run(APPEND, Some("compact"), "delete,compact");
        run(SUBTRACT, Some("delete"), "compact");
        run(SET, Some(" compact , delete "), "compact,delete");
        run(DELETE, None, "delete");
        assert!(broker.image.topic_config("t").is_empty());
    }
}

#[test]
fn nothing_is_changed_when_only_checked_or_when_one_value_is_wrong() {
    let mut broker = with_topic();
    let configs = [op("retention.ms", SET, Some("5"))];
    let good = [resource(TOPIC, "t", &configs)];
    assert_eq!(send(&mut broker, 1, true, &good), [(0, None)]);
    let configs = [
        op("retention.ms", SET, Some("5")),
        op("segment.ms", SET, Some("x")),
    ];
    let half = [resource(TOPIC, "t", &configs)];
    let offset = broker.image.offset;
    assert_eq!(
        send(&mut broker, 1, false, &half)[0].0,
        ErrorCode::INVALID_CONFIG.0
    );
    assert_eq!(broker.image.offset, offset);
    assert_eq!(value(&mut broker, TOPIC, "t", "retention.ms"), "604800000");
}

#[test]
fn each_resource_fails_by_itself_and_none_may_come_twice() {
    let mut broker = with_topic();
    broker.create("u", 1);
    let five = [op("retention.ms", SET, Some("5"))];
    let none: [AlterableConfig<'_>; 0] = [];
    let resources = [
        resource(TOPIC, "nowhere", &five),
        resource(TOPIC, "t", &five),
        resource(TOPIC, "u", &five),
        resource(TOPIC, "u", &none),
        resource(GROUP, "u", &none),
        resource(99, "u", &none),
    ];
    let answers = send(&mut broker, 1, false, &resources);
    let codes: Vec<i16> = answers.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [3, 0, 42, 42, 0, 42]);
    let twice = "Each resource must appear at most once.";
    assert_eq!(answers[2].1.as_deref(), Some(twice));
    assert_eq!(value(&mut broker, TOPIC, "t", "retention.ms"), "5");
    assert_eq!(value(&mut broker, TOPIC, "u", "retention.ms"), "604800000");
}

#[test]
fn refusals_have_kafkas_codes_and_words() {
    let mut broker = with_topic();
    for &(resource, key, operation, value, code, text) in REFUSALS {
        let (answered, message) = change(&mut broker, resource, key, operation, value);
        assert_eq!((answered, message.as_str()), (code, text));
    }
    assert_eq!(
        change(&mut broker, (LOGGER, "1"), "root", SET, Some("INFO")).0,
        0
    );
    assert_eq!(
        change(&mut broker, (LOGGER, "1"), "root", SET, Some("DEBUG")).0,
        INVALID_CONFIG
    );
}

#[test]
fn broker_values_have_layers_which_topics_follow() {
    let mut broker = with_topic();
    let key = "message.max.bytes";
    assert_eq!(
        change(&mut broker, (BROKER, ""), key, SET, Some("2000000")).0,
        0
    );
    assert_eq!(
        change(&mut broker, (BROKER, "1"), key, SET, Some("3000000")).0,
        0
    );
    let named = |name: &str, value: &str, source| (name.to_owned(), Some(value.to_owned()), source);
    let layers = vec![
        named(key, "3000000", 2),
        named(key, "2000000", 3),
        named(key, "1048588", 5),
    ];
    let described = describe(&mut broker, BROKER, "1", key).unwrap();
    assert_eq!(described, (Some("3000000".to_owned()), 2, layers.clone()));
    let topic = describe(&mut broker, TOPIC, "t", "max.message.bytes").unwrap();
    assert_eq!(topic, (Some("3000000".to_owned()), 2, layers));
    let all = describe(&mut broker, BROKER, "", key).unwrap();
    assert_eq!(
        all,
        (
            Some("2000000".to_owned()),
            3,
            vec![named(key, "2000000", 3)]
        )
    );
    assert_eq!(
        broker.config.topic_defaults.log.max_message_bytes,
        3_000_000
    );
    assert_eq!(change(&mut broker, (BROKER, "1"), key, DELETE, None).0, 0);
    assert_eq!(
        value(&mut broker, TOPIC, "t", "max.message.bytes"),
        "2000000"
    );
}

#[test]
fn finer_units_go_before_coarser_ones() {
    let mut broker = Broker::with("log.retention.hours=24");
    broker.create("t", 1);
    let none = describe(&mut broker, BROKER, "1", "log.retention.ms").unwrap();
    assert_eq!(
        none,
        (None, 5, Vec::new()),
        "hours alone are not told of ms"
    );
    assert_eq!(
        change(
            &mut broker,
            (BROKER, "1"),
            "log.retention.ms",
            SET,
            Some("77")
        )
        .0,
        0
    );
    let named = |name: &str, value: &str, source| (name.to_owned(), Some(value.to_owned()), source);
    let synonyms = vec![
        named("log.retention.ms", "77", 2),
        named("log.retention.hours", "24", 4),
        named("log.retention.hours", "168", 5),
    ];
    let ms = describe(&mut broker, BROKER, "1", "log.retention.ms").unwrap();
    assert_eq!(ms, (Some("77".to_owned()), 2, synonyms.clone()));
    let topic = describe(&mut broker, TOPIC, "t", "retention.ms").unwrap();
    assert_eq!(topic, (Some("77".to_owned()), 2, synonyms));
    let hours = describe(&mut broker, BROKER, "1", "log.retention.hours").unwrap();
    assert_eq!((hours.1, hours.2.len()), (4, 2));
}

#[test]
fn older_api_replaces_everything_in_every_version() {
    for version in 0..=2 {
        let mut broker = with_topic();
        let send = |broker: &mut Broker, pairs: &[(&str, Option<&str>)]| {
            let configs: Vec<_> = pairs
                .iter()
                .map(|&(name, value)| legacy::AlterableConfig { name, value })
                .collect();
            let resources = [legacy::AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: "t",
                configs: configs.into(),
            }];
            let request = AlterConfigsRequest {
                resources: (&resources).into(),
                validate_only: false,
            };
            broker.version = version;
            let bytes = encoded(&request, version);
            let mut out = Writer::new();
            broker.finish(alter_configs::plan(&decoded(&bytes, version)), &mut out);
            let response: AlterConfigsResponse<'_> = answer(&out, version);
            response.responses.first().unwrap().error_code
        };
        assert_eq!(
            send(
                &mut broker,
                &[("retention.ms", Some("5")), ("segment.ms", Some("6"))]
            ),
            0
        );
        assert_eq!(send(&mut broker, &[("retention.ms", Some("7"))]), 0);
        assert_eq!(broker.image.topic_config("t").len(), 1);
        assert_eq!(value(&mut broker, TOPIC, "t", "retention.ms"), "7");
        assert_eq!(send(&mut broker, &[("retention.ms", None)]), 42);
        assert_eq!(send(&mut broker, &[("retention", Some("7"))]), 40);
        assert_eq!(send(&mut broker, &[]), 0);
        assert!(broker.image.topic_config("t").is_empty());
    }
}

#[test]
fn groups_and_subscriptions_are_configured_and_listed() {
    let mut broker = with_topic();
    let session = "consumer.session.timeout.ms";
    assert_eq!(
        change(&mut broker, (GROUP, "g"), session, SET, Some("50000")).0,
        0
    );
    assert_eq!(
        change(&mut broker, (METRICS, "m"), "metrics", SET, Some("org.")).0,
        0
    );
    let own = describe(&mut broker, GROUP, "g", session).unwrap();
    assert_eq!(
        own,
        (
            Some("50000".to_owned()),
            8,
            vec![(session.to_owned(), Some("50000".to_owned()), 8)]
        )
    );
    let other = describe(&mut broker, GROUP, "other", session).unwrap();
    assert_eq!((other.0.as_deref(), other.1), (Some("45000"), 5));
    let metrics = describe(&mut broker, METRICS, "m", "metrics").unwrap();
    assert_eq!((metrics.0.as_deref(), metrics.1), (Some("org."), 7));
    let interval = describe(&mut broker, METRICS, "m", "interval.ms").unwrap();
    assert_eq!(interval, (Some("300000".to_owned()), 5, Vec::new()));

    let list = |broker: &mut Broker, version, kinds: &[i8]| {
        let request = ListConfigResourcesRequest {
            resource_types: kinds.into(),
        };
        broker.version = version;
        let bytes = encoded(&request, version);
        let mut out = Writer::new();
        let request = decoded(&bytes, version);
        list_config_resources::answer(&broker.context(), &request, &mut out).unwrap();
        let response: ListConfigResourcesResponse<'_> = answer(&out, version);
        let found = response.config_resources.iter();
        let found = found.map(|it| (it.resource_type, it.resource_name.to_owned()));
        (response.error_code, found.collect::<Vec<_>>())
    };
    let named = |kind, name: &str| (kind, name.to_owned());
    assert_eq!(list(&mut broker, 0, &[]), (0, vec![named(METRICS, "m")]));
    let all = vec![
        named(TOPIC, "t"),
        named(BROKER, "1"),
        named(LOGGER, "1"),
        named(METRICS, "m"),
        named(GROUP, "g"),
    ];
    assert_eq!(list(&mut broker, 1, &[]), (0, all));
    assert_eq!(
        list(&mut broker, 1, &[GROUP, GROUP]),
        (0, vec![named(GROUP, "g")])
    );
    let unsupported = ErrorCode::UNSUPPORTED_VERSION.0;
    assert_eq!(
        list(&mut broker, 1, &[GROUP, 99]),
        (unsupported, Vec::new())
    );
}

#[test]
fn configurations_that_nothing_else_bounds_are_bounded() {
    let mut broker = Broker::new();
    let configs = [op("interval.ms", SET, Some("1000"))];
    let names: Vec<String> = (0..10_001).map(|number| format!("m{number}")).collect();
    let resources: Vec<_> = names
        .iter()
        .map(|name| resource(METRICS, name, &configs))
        .collect();
    let answers: Vec<i16> = resources
        .chunks(2000)
        .flat_map(|chunk| send(&mut broker, 1, false, chunk))
        .map(|(code, _)| code)
        .collect();
    assert!(answers[..10_000].iter().all(|code| *code == 0));
    assert_eq!(answers[10_000], ErrorCode::POLICY_VIOLATION.0);
    let long = "x".repeat(30_000);
    let configs = [op("metrics", SET, Some(&long))];
    let resources: Vec<_> = names[..20]
        .iter()
        .map(|name| resource(METRICS, name, &configs))
        .collect();
    let answers = send(&mut broker, 1, false, &resources);
    assert_eq!(answers[0].0, 0);
    assert_eq!(
        answers[19].0,
        ErrorCode::POLICY_VIOLATION.0,
        "more than a batch"
    );
}

/// As Apache Kafka 4.1.1 answers: kept, and told as a secret of no type.
#[test]
fn broker_keys_that_nobody_knows_are_kept_without_effect() {
    let mut broker = Broker::new();
    for (name, key) in [
        ("1", "one.key"),
        ("", "all.key"),
        ("1", "both"),
        ("", "both"),
    ] {
        let answered = change(&mut broker, (BROKER, name), key, SET, Some("hush"));
        assert_eq!(answered, (0, String::new()), "{name} {key}");
    }
    let told = |key: &str, sources: &[i8]| {
        let synonym = |source: &i8| (key.to_owned(), None, *source);
        Some((None, sources[0], sources.iter().map(synonym).collect()))
    };
    let (of_one, of_all) = (2, 3);
    for (name, key, expected) in [
        ("1", "one.key", told("one.key", &[of_one])),
        ("1", "all.key", told("all.key", &[of_all])),
        ("1", "both", told("both", &[of_one, of_all])),
        ("", "both", told("both", &[of_all])),
        ("", "one.key", None),
        ("1", "no.key", None),
    ] {
        let found = describe(&mut broker, BROKER, name, key);
        assert_eq!(found, expected, "{name} {key}");
    }
    let entry = describe_whole(&mut broker, "1", "both");
    assert_eq!(
        entry,
        (true, true, 0, None),
        "read-only, secret, of no type"
    );
    let gone = change(&mut broker, (BROKER, "1"), "both", DELETE, None);
    assert_eq!(gone.0, 0);
    let found = describe(&mut broker, BROKER, "1", "both");
    assert_eq!(found, told("both", &[of_all]));
    // A known key beside it that is wrong takes it along.
    let configs = [op("two.key", SET, Some("x")), op("node.id", SET, Some("7"))];
    let answers = send(&mut broker, 1, false, &[resource(BROKER, "1", &configs)]);
    let words = "Cannot update these configs dynamically: Set(node.id)";
    assert_eq!(answers, [(INVALID_REQUEST, Some(words.to_owned()))]);
    assert_eq!(describe(&mut broker, BROKER, "1", "two.key"), None);
}

#[test]
fn broker_keys_that_nobody_knows_have_a_bound() {
    let mut broker = Broker::new();
    let long = "x".repeat(30_000);
    let mut set = |key: &str, operation, value| {
        let (code, _) = change(&mut broker, (BROKER, "1"), key, operation, value);
        code
    };
    assert_eq!(set("a", SET, Some(&long)), 0);
    assert_eq!(set("b", SET, Some(&long)), 0);
    let full = ErrorCode::POLICY_VIOLATION.0;
    assert_eq!(set("c", SET, Some(&long)), full);
    assert_eq!(set("message.max.bytes", SET, Some("5000")), 0);
    assert_eq!(set("a", DELETE, None), 0);
    assert_eq!(set("c", SET, Some(&long)), 0);
}

/// Whether a broker's key is read-only and a secret, its type, what is said of it.
fn describe_whole(broker: &mut Broker, name: &str, key: &str) -> (bool, bool, i8, Option<String>) {
    let keys = [key];
    let resources = [DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: name,
        configuration_keys: Some((&keys).into()),
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_documentation: true,
        ..DescribeConfigsRequest::default()
    };
    broker.version = 4;
    let bytes = encoded(&request, 4);
    let mut out = Writer::new();
    describe_configs::answer(&broker.context(), &decoded(&bytes, 4), &mut out).unwrap();
    let response: DescribeConfigsResponse<'_> = answer(&out, 4);
    let configs = response.results.first().unwrap().configs.to_vec();
    let entry = &configs[0];
    assert!(entry.synonyms.is_empty(), "nobody asked for them");
    (
        entry.read_only,
        entry.is_sensitive,
        entry.config_type,
        entry.documentation.map(str::to_owned),
    )
}

const INVALID_CONFIG: i16 = ErrorCode::INVALID_CONFIG.0;
const INVALID_REQUEST: i16 = ErrorCode::INVALID_REQUEST.0;

/// Resource, key, operation and value; the code and the text of the refusal.
type Refusal = (
    (i8, &'static str),
    &'static str,
    i8,
    Option<&'static str>,
    i16,
    &'static str,
);

const REFUSALS: &[Refusal] = &[
    (
        (TOPIC, "t"),
        "no.key",
        SET,
        Some("1"),
        INVALID_CONFIG,
        "Unknown topic config name: no.key",
    ),
    (
        (TOPIC, "t"),
        "retention.ms",
        SET,
        None,
        INVALID_REQUEST,
        "Null value not supported for : retention.ms",
    ),
    (
        (TOPIC, "t"),
        "retention.ms",
        APPEND,
        Some("5"),
        INVALID_CONFIG,
        "Can't APPEND to key retention.ms because its type is not LIST.",
    ),
    (
        (TOPIC, "t"),
        "retention.ms",
        9,
        Some("5"),
        INVALID_REQUEST,
        "Unknown operations type 9",
    ),
    (
        (TOPIC, ""),
        "retention.ms",
        SET,
        Some("5"),
        INVALID_REQUEST,
        "Default topic resources are not allowed.",
    ),
    (
        (BROKER, "1"),
        "node.id",
        SET,
        Some("5"),
        INVALID_REQUEST,
        "Cannot update these configs dynamically: Set(node.id)",
    ),
    (
        (BROKER, ""),
        "message.max.bytes",
        SUBTRACT,
        Some("5"),
        INVALID_CONFIG,
        "Config value subtract is not allowed for config key: message.max.bytes",
    ),
    (
        (BROKER, "7"),
        "message.max.bytes",
        SET,
        Some("5"),
        INVALID_REQUEST,
        "Unexpected broker id, expected 1, but received 7",
    ),
    (
        (BROKER, "one"),
        "message.max.bytes",
        SET,
        Some("5"),
        INVALID_REQUEST,
        "Node id must be an integer, but it is: one",
    ),
    (
        (GROUP, ""),
        "consumer.session.timeout.ms",
        SET,
        Some("50000"),
        INVALID_REQUEST,
        "Default group resources are not allowed.",
    ),
    (
        (METRICS, "m"),
        "interval.ms",
        SET,
        Some("1"),
        INVALID_REQUEST,
        "Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)",
    ),
    (
        (METRICS, "m"),
        "match",
        SET,
        Some("client_id"),
        INVALID_CONFIG,
        "Illegal client matching pattern: client_id",
    ),
    (
        (LOGGER, "1"),
        "a.B",
        SET,
        Some("INFO"),
        INVALID_CONFIG,
        "Logger a.B does not exist!",
    ),
    (
        (LOGGER, "7"),
        "root",
        SET,
        Some("INFO"),
        INVALID_REQUEST,
        "Unexpected node id. Expected 1, but received 7",
    ),
];
