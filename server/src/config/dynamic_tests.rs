//! Values that change while the broker runs, and those of groups.

use super::*;

fn config(text: &str) -> Config {
    Config::load(Some(text), &[]).unwrap().config
}

fn values(pairs: &[(&str, &str)]) -> Dynamic {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

#[test]
fn layers_stand_over_what_was_written() {
    let written = config("message.max.bytes=10\nlog.retention.hours=2\nnum.partitions=3");
    let hour_ms = 3_600_000;
    let before = &written.topic_defaults.log;
    assert_eq!(before.retention.retention_ms, 2 * hour_ms);
    let all = values(&[
        ("message.max.bytes", "20"),
        ("log.retention.ms", " 77 "),
        ("log.segment.delete.delay.ms", "88"),
        ("max.connections", "5"),
        ("listeners", "PLAINTEXT://:1"),
        ("num.partitions", "9"),
        ("log.segment.bytes", "too few"),
        ("unknown", "1"),
    ]);
    let changed = written.with_dynamic(&values(&[("message.max.bytes", "30")]), &all);
    let log = &changed.topic_defaults.log;
    assert_eq!(
        (log.max_message_bytes, log.retention.retention_ms),
        (30, 77)
    );
    assert_eq!(
        log.segment_bytes,
        1 << 30,
        "what cannot be read is left out"
    );
    assert_eq!(log.file_delete_delay_ms, 88);
    assert_eq!(changed.limits.connections, 5);
    assert_eq!(changed.num_partitions, 3, "read at start only");
    let settings = &changed.settings;
    assert_eq!(settings.number("num.partitions"), 3);
    assert_ne!(
        settings.text("listeners"),
        "PLAINTEXT://:1",
        "each broker's own"
    );
    assert_eq!(settings.explicit("message.max.bytes"), Some("10"));
    let back = changed.with_dynamic(&Dynamic::new(), &Dynamic::new());
    assert_eq!(back, written, "nothing of it stays");
}

fn refused(name: &str, value: &str, of_one: bool) -> String {
    let config = config("listeners=PLAINTEXT://127.0.0.1:9092");
    let change = BrokerChange {
        settings: &config.settings,
        connections_max: 100,
        of_one,
    };
    match change.check(&values(&[(name, value)])) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn broker_values_are_judged_as_kafka_judges_them() {
    let accepted = [
        ("message.max.bytes", "2000"),
        ("log.retention.ms", "-1"),
        ("compression.type", "zstd"),
        ("max.connections", "100"),
        ("max.connections.per.ip.overrides", "127.0.0.1:5,[::1]:7"),
        ("max.connection.creation.rate", "50"),
        ("num.io.threads", "9"),
        ("unclean.leader.election.enable", "TRUE"),
        // Without effect, as in Kafka.
        ("message.max.byte", "5"),
        ("confluent.key", ""),
        ("", "x"),
    ];
    assert_eq!(refused("listener.name.a.own.key", "x", true), "");
    for (name, value) in accepted {
        for of_one in [true, false] {
            assert_eq!(refused(name, value, of_one), "", "{name}");
        }
    }
    assert_eq!(refused("listeners", "PLAINTEXT://127.0.0.1:9092", true), "");
    for (name, value, text) in REFUSALS {
        let error = refused(name, value, true);
        assert!(error.contains(text) && !error.contains("hush"), "{error}");
    }
    for name in ["listeners", "listener.name.a.ssl.keystore.password"] {
        let error = refused(name, "PLAINTEXT://:1", false);
        assert!(
            error.contains(&format!("broker id must be specified: Set({name})")),
            "{error}"
        );
    }
}

#[test]
fn groups_stay_inside_the_brokers_bounds() {
    let broker = config("group.consumer.session.timeout.ms=50000").settings;
    let check = |pairs: &[(&str, &str)]| match GroupConfig::check(&broker, &values(pairs)) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    let session = "consumer.session.timeout.ms";
    assert_eq!(
        check(&[
            (session, "46000"),
            ("consumer.heartbeat.interval.ms", "15000")
        ]),
        ""
    );
    assert_eq!(
        check(&[("share.auto.offset.reset", "by_duration:P1DT2H3M4.5S")]),
        ""
    );
    for (name, value, text) in [
        (
            session,
            "5",
            "must be greater than or equal to group.consumer.min.session.timeout.ms",
        ),
        (
            session,
            "9999999",
            "must be less than or equal to group.consumer.max.session.timeout.ms",
        ),
        (
            session,
            "x",
            "Invalid value x for configuration consumer.session.timeout.ms: Not a num",
        ),
        (
            "share.auto.offset.reset",
            "by_duration:1H",
            "The value must be either 'earliest'",
        ),
        (
            "share.auto.offset.reset",
            "by_duration:PT",
            "The value must be either 'earliest'",
        ),
        (
            "share.isolation.level",
            "x",
            "one of: read_committed, read_uncommitted",
        ),
        (
            "streams.num.standby.replicas",
            "9",
            "less than or equal to group.streams.max.standby",
        ),
        ("segment.ms", "9", "Unknown group config name: segment.ms"),
    ] {
        let error = check(&[(name, value)]);
        assert!(error.contains(text), "{error}");
    }
    let own = values(&[("consumer.heartbeat.interval.ms", "6000")]);
    let resolved = GroupConfig::resolve(&broker, &own);
    assert_eq!(resolved.consumer_heartbeat_interval_ms, 6000);
    assert_eq!(resolved.consumer_session_timeout_ms, 50_000, "the broker's");
    let narrower = config("group.consumer.max.heartbeat.interval.ms=5500").settings;
    let resolved = GroupConfig::resolve(&narrower, &own);
    assert_eq!(resolved.consumer_heartbeat_interval_ms, 5500);
}

#[test]
fn a_heartbeat_fits_into_a_session() {
    let wide = "group.consumer.max.heartbeat.interval.ms=90000";
    let own = values(&[("consumer.heartbeat.interval.ms", "45000")]);
    let error = GroupConfig::check(&config(wide).settings, &own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms"
    );
}

#[test]
fn values_are_shown_as_kafka_writes_them() {
    use super::key::Kind;
    let shown = |kind, raw| super::value::normal(kind, raw);
    assert_eq!(shown(Kind::List, " delete , compact "), "delete,compact");
    assert_eq!(shown(Kind::Long, "+007"), "7");
    assert_eq!(shown(Kind::Boolean, "TRUE"), "true");
    assert_eq!(shown(Kind::Double, "0.50"), "0.5");
    assert_eq!(shown(Kind::Double, "1000000"), "1000000.0");
    assert_eq!(shown(Kind::Double, "10000000"), "1.0E7");
    assert_eq!(
        shown(Kind::Double, "1.7976931348623157E308"),
        "1.7976931348623157E308"
    );
    assert_eq!(shown(Kind::Double, "0.0001"), "1.0E-4");
}

/// Key, value, and what the refusal says.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "node.id",
        "5",
        "Cannot update these configs dynamically: Set(node.id)",
    ),
    (
        "log.retention.hours",
        "5",
        "Cannot update these configs dynamically: Set(log.ret",
    ),
    (
        "ssl.keystore.password",
        "s",
        "These security configs can be dynamically updated only",
    ),
    ("message.max.bytes", "many", "Not a number of type INT"),
    ("message.max.bytes", "-5", "Value must be at least 0"),
    ("max.connections", "0", "room for 1 to 100"),
    ("max.connections", "101", "room for 1 to 100"),
    (
        "max.connections.per.ip.overrides",
        "noaddr",
        "not of the form address:count",
    ),
    ("listeners", "PLAINTEXT://127.0.0.1:1", "opened at start"),
    (
        "sasl.jaas.config",
        "hush",
        "sasl.jaas.config=(hidden) is refused: SASL",
    ),
    (
        "principal.builder.class",
        "x.Y",
        "Java classes cannot be loaded",
    ),
    (
        "listener.name.a.ssl.keystore.password",
        "hush",
        "(hidden) is refused",
    ),
    (
        "listener.name.a.plain.sasl.jaas.config",
        "hush",
        "(hidden) is refused",
    ),
];
