//! IncrementalAlterConfigs, AlterConfigs and ListConfigResources, and what DescribeConfigs says
//! after them. Most texts of errors are compared too.

use logmill_wire::messages::alter_configs::{self as legacy, AlterConfigsRequest};
use logmill_wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
};
use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use logmill_wire::messages::list_config_resources::ListConfigResourcesRequest;

use super::Case;
use crate::conversation::{
    AlterConfigs, Api, Conversation, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources,
};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("alter-topics", topics),
    ("alter-topic-errors", topic_errors),
    ("alter-brokers", brokers),
    ("alter-broker-errors", broker_errors),
    ("alter-unknown-broker-keys", unknown_broker_keys),
    ("alter-groups", groups),
    ("alter-client-metrics", client_metrics),
    ("alter-loggers", loggers),
    ("alter-resources", resources),
    ("replace-configs", replace),
    ("list-config-resources", list),
];

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Change<'a> = (&'a str, i8, Option<&'a str>);

/// Resources, each with its changes.
fn alter(c: &mut Conversation, what: &str, version: i16, resources: &[(i8, &str, &[Change<'_>])]) {
    let resources: Vec<AlterConfigsResource<'_>> = resources
        .iter()
        .map(
            |&(resource_type, resource_name, changes)| AlterConfigsResource {
                resource_type,
                resource_name,
                configs: changes.iter().map(operation).collect::<Vec<_>>().into(),
            },
        )
        .collect();
    let request = IncrementalAlterConfigsRequest {
        resources: resources.into(),
        validate_only: what.starts_with("only checked"),
    };
    c.ask::<IncrementalAlterConfigs>(what, version, &request);
}

fn operation<'a>(&(name, config_operation, value): &Change<'a>) -> AlterableConfig<'a> {
    AlterableConfig {
        name,
        config_operation,
        value,
    }
}

/// One change, in every version.
fn alter_one(c: &mut Conversation, resource: (i8, &str), change: Change<'_>) {
    let (kind, name) = resource;
    for version in IncrementalAlterConfigs::versions() {
        let what = format!("{kind} {name} {change:?}");
        alter(c, &what, version, &[(kind, name, &[change])]);
    }
}

/// Describes some keys once the first has this value: Kafka's brokers follow their controller.
fn described(
    c: &mut Conversation,
    what: &str,
    (resource_type, resource_name): (i8, &str),
    keys: &[&str],
    expected: Option<&str>,
) {
    let resources = [DescribeConfigsResource {
        resource_type,
        resource_name,
        configuration_keys: Some(keys.into()),
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_synonyms: true,
        include_documentation: false,
    };
    let has_come = |body: &DescribeConfigsResponse<'_>| {
        let result = body.results.first().expect("the one asked for");
        let entry = result.configs.iter().find(|entry| entry.name == keys[0]);
        entry
            .and_then(|entry| entry.value.map(str::to_owned))
            .as_deref()
            == expected
    };
    c.ask_until::<DescribeConfigs>(what, 4, &request, has_come);
}

fn topics(c: &mut Conversation) {
    let (name, _) = c.topic("topic", 1, &[("retention.ms", "77000")]);
    for version in IncrementalAlterConfigs::versions() {
        let mut run = |change: Change<'_>, expected: &str| {
            let what = format!("{change:?}");
            alter(c, &what, version, &[(TOPIC, &name, &[change])]);
            described(c, &what, (TOPIC, &name), &[change.0], Some(expected));
        };
        run(("retention.ms", SET, Some("88000")), "88000");
        run(("retention.ms", SET, Some(" 99000 ")), "99000");
        run(("retention.ms", DELETE, None), "604800000");
        run(("retention.ms", DELETE, Some("1")), "604800000");
        run(
            ("cleanup.policy", APPEND, Some("compact")),
            "delete,compact",
        );
        run(
            ("cleanup.policy", APPEND, Some("compact")),
            "delete,compact",
        );
        run(("cleanup.policy", SUBTRACT, Some("delete")), "compact");
        run(
            ("cleanup.policy", SET, Some("delete , compact")),
            "delete,compact",
        );
        run(("cleanup.policy", DELETE, None), "delete");
        run(("min.cleanable.dirty.ratio", SET, Some("0.250")), "0.25");
        run(("min.cleanable.dirty.ratio", DELETE, None), "0.5");
        run(("preallocate", SET, Some("TRUE")), "true");
        run(("preallocate", DELETE, None), "false");
        let both: &[Change<'_>] = &[
            ("segment.bytes", SET, Some("2097152")),
            ("max.message.bytes", SET, Some("5000")),
        ];
        alter(c, "two at once", version, &[(TOPIC, &name, both)]);
        let keys = ["segment.bytes", "max.message.bytes"];
        described(c, "two at once", (TOPIC, &name), &keys, Some("2097152"));
        let gone = both.iter().map(|&(key, ..)| (key, DELETE, None));
        let gone: Vec<Change<'_>> = gone.collect();
        alter(c, "both gone", version, &[(TOPIC, &name, &gone)]);
        described(c, "both gone", (TOPIC, &name), &keys, Some("1073741824"));
        let checked: &[Change<'_>] = &[("segment.bytes", SET, Some("3145728"))];
        alter(c, "only checked", version, &[(TOPIC, &name, checked)]);
        described(c, "only checked", (TOPIC, &name), &keys, Some("1073741824"));
        let wrong: &[Change<'_>] = &[("segment.bytes", SET, Some("x"))];
        alter(
            c,
            "only checked and wrong",
            version,
            &[(TOPIC, &name, wrong)],
        );
    }
}

fn topic_errors(c: &mut Conversation) {
    let (name, _) = c.topic("topic", 1, &[]);
    c.compare_texts(true);
    for change in [
        ("no.such.key", SET, Some("1")),
        ("no.such.key", DELETE, None),
        ("retention.ms", SET, Some("soon")),
        ("retention.ms", SET, Some("-2")),
        ("retention.ms", SET, None),
        ("retention.ms", APPEND, Some("5")),
        ("retention.ms", SUBTRACT, Some("5")),
        ("cleanup.policy", SET, Some("burn")),
        ("cleanup.policy", APPEND, Some("burn")),
        ("segment.bytes", SET, Some("13")),
        ("compression.type", SET, Some("rar")),
        ("min.insync.replicas", SET, Some("0")),
        ("max.message.bytes", SET, Some("")),
        ("min.cleanable.dirty.ratio", SET, Some("2")),
        ("min.cleanable.dirty.ratio", SET, Some("half")),
        ("preallocate", SET, Some("maybe")),
        ("leader.replication.throttled.replicas", SET, Some("x")),
        ("compression.gzip.level", SET, Some("0")),
        ("compression.lz4.level", SET, Some("44")),
        ("message.timestamp.type", SET, Some("Never")),
    ] {
        alter_one(c, (TOPIC, &name), change);
    }
    alter_one(c, (TOPIC, "nowhere"), ("retention.ms", SET, Some("1")));
    alter_one(c, (TOPIC, ""), ("retention.ms", SET, Some("1")));
    let lags: &[Change<'_>] = &[
        ("min.compaction.lag.ms", SET, Some("10")),
        ("max.compaction.lag.ms", SET, Some("5")),
    ];
    alter(c, "lags cross", 1, &[(TOPIC, &name, lags)]);
    let twice: &[Change<'_>] = &[
        ("retention.ms", SET, Some("1")),
        ("retention.ms", DELETE, None),
    ];
    alter(c, "a key twice", 1, &[(TOPIC, &name, twice)]);
    let half: &[Change<'_>] = &[
        ("retention.ms", SET, Some("1")),
        ("segment.ms", SET, Some("x")),
    ];
    alter(c, "one of two is wrong", 1, &[(TOPIC, &name, half)]);
    c.compare_texts(false);
    described(
        c,
        "nothing of it",
        (TOPIC, &name),
        &["retention.ms"],
        Some("604800000"),
    );
    alter_one(c, (TOPIC, "no/slash"), ("retention.ms", SET, Some("1")));
    alter_one(
        c,
        (TOPIC, &name),
        ("remote.storage.enable", SET, Some("true")),
    );
}

fn brokers(c: &mut Conversation) {
    let (topic, _) = c.topic("topic", 1, &[]);
    for version in IncrementalAlterConfigs::versions() {
        layers(c, version, &topic);
        finer_units(c, version, &topic);
        let compact: Change<'_> = ("log.cleanup.policy", APPEND, Some("compact"));
        alter(c, "a list", version, &[(BROKER, "", &[compact])]);
        let key = ["log.cleanup.policy"];
        described(c, "a list", (BROKER, ""), &key, Some("delete,compact"));
        alter(c, "no list", version, &[(BROKER, "", &[gone(compact)])]);
        described(c, "no list", (BROKER, "1"), &key, Some("delete"));
        let rate: Change<'_> = ("log.cleaner.io.max.bytes.per.second", SET, Some("1000000"));
        alter(c, "a decimal number", version, &[(BROKER, "1", &[rate])]);
        described(
            c,
            "a decimal number",
            (BROKER, "1"),
            &[rate.0],
            Some("1000000.0"),
        );
        alter(
            c,
            "no decimal number",
            version,
            &[(BROKER, "1", &[gone(rate)])],
        );
    }
}

/// The same key deleted.
fn gone<'a>((name, ..): Change<'a>) -> Change<'a> {
    (name, DELETE, None)
}

fn layers(c: &mut Conversation, version: i16, topic: &str) {
    let key = ["message.max.bytes"];
    let bytes = |value| (key[0], SET, Some(value));
    let none = gone(bytes(""));
    let of_topic = ["max.message.bytes"];
    alter(
        c,
        "all brokers",
        version,
        &[(BROKER, "", &[bytes("2000000")])],
    );
    alter(
        c,
        "one broker",
        version,
        &[(BROKER, "1", &[bytes("3000000")])],
    );
    let both = "one and all";
    described(c, both, (BROKER, ""), &key, Some("2000000"));
    described(c, both, (BROKER, "1"), &key, Some("3000000"));
    described(c, both, (TOPIC, topic), &of_topic, Some("3000000"));
    alter(c, "one broker's gone", version, &[(BROKER, "1", &[none])]);
    described(c, "all alone", (BROKER, "1"), &key, Some("2000000"));
    described(c, "all alone", (TOPIC, topic), &of_topic, Some("2000000"));
    alter(c, "all gone", version, &[(BROKER, "", &[none])]);
    described(c, "none", (BROKER, "1"), &key, Some("1048588"));
}

fn finer_units(c: &mut Conversation, version: i16, topic: &str) {
    let units: [Change<'_>; 3] = [
        ("log.retention.ms", SET, Some("77000")),
        ("log.roll.ms", SET, Some("3600001")),
        ("log.flush.interval.ms", SET, Some("777")),
    ];
    alter(c, "finer units", version, &[(BROKER, "1", &units)]);
    let keys = [
        "log.retention.ms",
        "log.retention.minutes",
        "log.retention.hours",
        "log.roll.ms",
        "log.roll.hours",
        "log.roll.jitter.ms",
        "log.flush.interval.ms",
        "log.flush.scheduler.interval.ms",
    ];
    described(c, "finer units", (BROKER, "1"), &keys, Some("77000"));
    // One after the other: Kafka applies them so, and its answers show each as it comes.
    for (key, value) in [
        ("retention.ms", "77000"),
        ("segment.ms", "3600001"),
        ("flush.ms", "777"),
    ] {
        described(c, "finer units", (TOPIC, topic), &[key], Some(value));
    }
    alter(
        c,
        "no finer units",
        version,
        &[(BROKER, "1", &units.map(gone))],
    );
    for (key, value) in [
        ("retention.ms", "604800000"),
        ("segment.ms", "604800000"),
        ("flush.ms", "9223372036854775807"),
        ("segment.jitter.ms", "0"),
    ] {
        described(c, "no finer units", (TOPIC, topic), &[key], Some(value));
    }
}

fn broker_errors(c: &mut Conversation) {
    c.compare_texts(true);
    let (one, all) = ((BROKER, "1"), (BROKER, ""));
    for (resource, change) in [
        (one, ("node.id", SET, Some("5"))),
        (one, ("log.retention.hours", SET, Some("5"))),
        (
            one,
            ("group.consumer.session.timeout.ms", SET, Some("50000")),
        ),
        (all, ("node.id", SET, Some("5"))),
        (all, ("listeners", SET, Some("PLAINTEXT://:1"))),
        (all, ("sasl.enabled.mechanisms", SET, Some("PLAIN"))),
        (all, ("ssl.keystore.location", SET, Some("/x"))),
        (one, ("ssl.keystore.password", SET, Some("secret"))),
        (
            all,
            (
                "listener.name.plaintext.ssl.keystore.password",
                SET,
                Some("secret"),
            ),
        ),
        (all, ("message.max.bytes", SET, Some("many"))),
        (all, ("message.max.bytes", SET, Some("-5"))),
        (all, ("message.max.bytes", SET, None)),
        (all, ("message.max.bytes", APPEND, Some("7"))),
        (one, ("message.max.bytes", SUBTRACT, Some("7"))),
        (one, ("compression.type", SET, Some("rar"))),
        (one, ("log.segment.bytes", SET, Some("14"))),
        (one, ("log.message.timestamp.type", SET, Some("Never"))),
        (one, ("num.io.threads", SET, Some("0"))),
        (one, ("max.connections.per.ip", SET, Some("5x"))),
        (one, ("message.max.bytes", 9, Some("5"))),
        ((BROKER, "7"), ("message.max.bytes", SET, Some("5"))),
        ((BROKER, "one"), ("message.max.bytes", SET, Some("5"))),
    ] {
        alter_one(c, resource, change);
    }
    let two: &[Change<'_>] = &[("node.id", SET, Some("5")), ("node.id", SET, Some("6"))];
    alter(c, "a key twice", 1, &[(BROKER, "1", two)]);
    c.compare_texts(false);
    alter_one(
        c,
        one,
        ("max.connections.per.ip.overrides", SET, Some("noaddr")),
    );
    alter_one(c, one, ("max.connections", SET, Some("0")));
    alter_one(c, one, ("log.retention.ms", SET, Some("0")));
    alter_one(c, one, ("listeners", SET, Some("bad")));
    alter_one(
        c,
        one,
        ("principal.builder.class", SET, Some("no.such.Class")),
    );
    alter_one(c, one, ("no.such.key", SET, Some("5")));
    alter_one(c, one, ("no.such.key", DELETE, None));
}

/// They are kept, and told as secrets of no type.
fn unknown_broker_keys(c: &mut Conversation) {
    c.compare_texts(true);
    let keys = ["differential.one", "differential.both", "differential.all"];
    for version in IncrementalAlterConfigs::versions() {
        let mut run = |name: &str, changes: &[Change<'_>], told: usize, told_of_all: usize| {
            let what = format!("{name} {changes:?}");
            alter(c, &what, version, &[(BROKER, name, changes)]);
            keys_told(c, &what, "1", &keys, told);
            keys_told(c, &what, "", &keys, told_of_all);
        };
        let [one, both, all] = keys;
        run("1", &[(one, SET, Some("1")), (both, SET, Some(""))], 2, 0);
        run("", &[(both, SET, Some("2")), (all, SET, Some("3"))], 4, 2);
        run("1", &[(both, DELETE, None)], 3, 2);
        run("1", &[(one, DELETE, None), (all, DELETE, None)], 2, 2);
        run("", &[(both, DELETE, None), (all, DELETE, None)], 0, 0);
    }
    alter_one(c, (BROKER, "1"), (keys[0], SET, None));
    let beside_wrong: &[Change<'_>] = &[(keys[0], SET, Some("1")), ("node.id", SET, Some("5"))];
    alter(c, "beside a wrong one", 1, &[(BROKER, "1", beside_wrong)]);
    let of_a_listener = ("listener.name.plaintext.own.key", SET, Some("x"));
    alter_one(c, (BROKER, ""), of_a_listener);
}

/// Describes a broker once so many values of these keys are told, each with where it comes from:
/// a key deleted while it looks, Kafka lists without.
fn keys_told(c: &mut Conversation, what: &str, name: &str, keys: &[&str], count: usize) {
    let resources = [DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: name,
        configuration_keys: Some(keys.into()),
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_synonyms: true,
        include_documentation: true,
    };
    let have_come = |body: &DescribeConfigsResponse<'_>| {
        let result = body.results.first().expect("the one asked for");
        let entries = || result.configs.iter().map(|entry| entry.synonyms.len());
        entries().all(|values| values > 0) && entries().sum::<usize>() == count
    };
    c.ask_until::<DescribeConfigs>(what, 4, &request, have_come);
}

fn groups(c: &mut Conversation) {
    c.compare_texts(true);
    let group = c.name("group");
    let session = "consumer.session.timeout.ms";
    for version in IncrementalAlterConfigs::versions() {
        let mut run = |key, change: Option<&str>, expected| {
            let operation = if change.is_some() { SET } else { DELETE };
            let what = format!("{key} {change:?}");
            alter(
                c,
                &what,
                version,
                &[(GROUP, &group, &[(key, operation, change)])],
            );
            described(c, &what, (GROUP, &group), &[key], Some(expected));
        };
        run(session, Some("50000"), "50000");
        run(session, None, "45000");
        run("consumer.heartbeat.interval.ms", Some("6000"), "6000");
        run("consumer.heartbeat.interval.ms", None, "5000");
        run(
            "share.auto.offset.reset",
            Some("by_duration:PT1H"),
            "by_duration:PT1H",
        );
        run("share.auto.offset.reset", None, "latest");
        run("streams.num.standby.replicas", Some("1"), "1");
        run("streams.num.standby.replicas", None, "0");
    }
    for change in [
        (session, SET, Some("5")),
        (session, SET, Some("99999999")),
        (session, SET, Some("x")),
        (session, SET, Some("0")),
        (session, APPEND, Some("50000")),
        ("consumer.heartbeat.interval.ms", SET, Some("4")),
        ("consumer.heartbeat.interval.ms", SET, Some("20000")),
        ("share.session.timeout.ms", SET, Some("1")),
        ("share.heartbeat.interval.ms", SET, Some("1")),
        ("share.record.lock.duration.ms", SET, Some("100")),
        ("share.record.lock.duration.ms", SET, Some("3000")),
        ("share.auto.offset.reset", SET, Some("never")),
        ("share.auto.offset.reset", SET, Some("by_duration:1H")),
        ("share.isolation.level", SET, Some("none")),
        ("streams.session.timeout.ms", SET, Some("9")),
        ("streams.heartbeat.interval.ms", SET, Some("99999")),
        ("streams.num.standby.replicas", SET, Some("9")),
        ("no.such.key", SET, Some("9")),
    ] {
        alter_one(c, (GROUP, &group), change);
    }
    alter_one(c, (GROUP, ""), (session, SET, Some("50000")));
    for version in DescribeConfigs::versions() {
        for name in [group.as_str(), ""] {
            describe_all(c, GROUP, name, version);
        }
    }
}

fn client_metrics(c: &mut Conversation) {
    c.compare_texts(true);
    let name = c.name("metrics");
    let subscription = (METRICS, name.as_str());
    for change in [
        ("interval.ms", SET, Some("1000")),
        ("metrics", SET, Some("org.apache.kafka. , other")),
        ("match", SET, Some("client_id=abc,client_software_name=x.*")),
        ("interval.ms", SET, Some("1")),
        ("interval.ms", SET, Some("x")),
        ("match", SET, Some("bad")),
        ("match", SET, Some("other=abc")),
        ("metrics", APPEND, Some("more")),
        ("no.such.key", SET, Some("9")),
    ] {
        alter_one(c, subscription, change);
    }
    let three = ["interval.ms", "metrics", "match"];
    described(c, "set", subscription, &three, Some("1000"));
    alter_one(c, (METRICS, ""), ("interval.ms", SET, Some("1000")));
    let gone: Vec<Change<'_>> = three.iter().map(|&key| (key, DELETE, None)).collect();
    alter(c, "gone", 1, &[(METRICS, &name, &gone)]);
    described(c, "gone", subscription, &three, Some("300000"));
    for version in DescribeConfigs::versions() {
        for name in [name.as_str(), ""] {
            describe_all(c, METRICS, name, version);
        }
    }
}

fn describe_all(c: &mut Conversation, resource_type: i8, resource_name: &str, version: i16) {
    let resources = [DescribeConfigsResource {
        resource_type,
        resource_name,
        configuration_keys: None,
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_synonyms: true,
        include_documentation: false,
    };
    c.ask::<DescribeConfigs>("all", version, &request);
}

fn loggers(c: &mut Conversation) {
    c.compare_texts(true);
    for (name, change) in [
        ("1", ("nobody.knows", SET, Some("INFO"))),
        ("1", ("nobody.knows", DELETE, None)),
        ("1", ("root", SET, Some("NOPE"))),
        ("1", ("root", DELETE, None)),
        ("1", ("root", APPEND, Some("INFO"))),
        ("1", ("root", SUBTRACT, Some("INFO"))),
        ("7", ("root", SET, Some("INFO"))),
        ("one", ("root", SET, Some("INFO"))),
        ("", ("root", SET, Some("INFO"))),
    ] {
        alter_one(c, (LOGGER, name), change);
    }
    let same: &[Change<'_>] = &[("root", SET, Some("INFO"))];
    alter(c, "only checked", 1, &[(LOGGER, "1", same)]);
    describe_all(c, LOGGER, "7", 4);
    describe_all(c, LOGGER, "", 4);
}

fn resources(c: &mut Conversation) {
    c.compare_texts(true);
    let (name, _) = c.topic("topic", 1, &[]);
    let one: &[Change<'_>] = &[("retention.ms", SET, Some("1000"))];
    for version in IncrementalAlterConfigs::versions() {
        let none: &[Change<'_>] = &[];
        alter(c, "no resource", version, &[]);
        alter(c, "no change", version, &[(TOPIC, &name, none)]);
        alter(
            c,
            "nothing of nowhere",
            version,
            &[(TOPIC, "nowhere", none)],
        );
        let twice = [(TOPIC, name.as_str(), one), (TOPIC, &name, none)];
        alter(c, "a resource twice", version, &twice);
        let unlike = [(TOPIC, name.as_str(), one), (TOPIC, "nowhere", one)];
        alter(c, "one good, one bad", version, &unlike);
        alter(c, "no such kind", version, &[(99, "x", one)]);
        alter(c, "no kind", version, &[(0, "x", one)]);
    }
    described(c, "good", (TOPIC, &name), &["retention.ms"], Some("1000"));
}

fn replace(c: &mut Conversation) {
    c.compare_texts(true);
    let (name, _) = c.topic("topic", 1, &[("segment.ms", "99000")]);
    let topic = (TOPIC, name.as_str());
    let keys = ["retention.ms", "segment.ms"];
    for version in AlterConfigs::versions() {
        let mut run = |what: &str, (kind, name): (i8, &str), pairs: &[(&str, Option<&str>)]| {
            let configs = pairs
                .iter()
                .map(|&(name, value)| legacy::AlterableConfig { name, value })
                .collect::<Vec<_>>();
            let resources = [legacy::AlterConfigsResource {
                resource_type: kind,
                resource_name: name,
                configs: configs.into(),
            }];
            let request = AlterConfigsRequest {
                resources: (&resources).into(),
                validate_only: what.starts_with("only checked"),
            };
            c.ask::<AlterConfigs>(what, version, &request);
        };
        let retention = ("retention.ms", Some("44000"));
        run("two", topic, &[retention, ("segment.ms", Some("55000"))]);
        run("no value", topic, &[("retention.ms", None)]);
        run("unknown", topic, &[("no.such.key", Some("1"))]);
        run("wrong", topic, &[("retention.ms", Some("x"))]);
        run("twice", topic, &[retention, retention]);
        run("nowhere", (TOPIC, "nowhere"), &[retention]);
        run("only checked", topic, &[("segment.ms", Some("5"))]);
        run("logger", (LOGGER, "1"), &[("root", Some("INFO"))]);
        run("no such kind", (99, "x"), &[]);
        run("read only", (BROKER, "1"), &[("node.id", Some("3"))]);
        run("another broker", (BROKER, "7"), &[]);
        run(
            "group",
            (GROUP, &name),
            &[("consumer.session.timeout.ms", Some("5"))],
        );
        described(c, "two", topic, &keys, Some("44000"));
        let mut run = |what: &str, pairs: &[(&str, Option<&str>)], expected: &str| {
            let configs = pairs
                .iter()
                .map(|&(name, value)| legacy::AlterableConfig { name, value })
                .collect::<Vec<_>>();
            let resources = [legacy::AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: &name,
                configs: configs.into(),
            }];
            let request = AlterConfigsRequest {
                resources: (&resources).into(),
                validate_only: false,
            };
            c.ask::<AlterConfigs>(what, version, &request);
            described(c, what, topic, &keys, Some(expected));
        };
        run("one", &[("retention.ms", Some("33000"))], "33000");
        run("none", &[], "604800000");
    }
}

fn list(c: &mut Conversation) {
    let (name, _) = c.topic("topic", 1, &[]);
    let group: &[Change<'_>] = &[("consumer.session.timeout.ms", SET, Some("50000"))];
    let metrics: &[Change<'_>] = &[("interval.ms", SET, Some("1000"))];
    alter(
        c,
        "made",
        1,
        &[(GROUP, &name, group), (METRICS, &name, metrics)],
    );
    described(c, "made", (GROUP, &name), &[group[0].0], Some("50000"));
    described(c, "made", (METRICS, &name), &[metrics[0].0], Some("1000"));
    let mut ask = |version, kinds: &[i8]| {
        let request = ListConfigResourcesRequest {
            resource_types: kinds.into(),
        };
        c.ask::<ListConfigResources>(&format!("{kinds:?}"), version, &request);
    };
    ask(0, &[]);
    for kinds in [
        [].as_slice(),
        &[TOPIC],
        &[BROKER],
        &[LOGGER],
        &[METRICS],
        &[GROUP],
    ] {
        ask(1, kinds);
    }
    ask(1, &[TOPIC, GROUP, TOPIC]);
    ask(1, &[0]);
    ask(1, &[GROUP, 99]);
    for (kind, key) in [(GROUP, group[0].0), (METRICS, metrics[0].0)] {
        alter(c, "gone", 1, &[(kind, &name, &[(key, DELETE, None)])]);
    }
}
