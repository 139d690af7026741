//! The table is whole, and what files and `--set` say is read as Kafka reads it.

use logmill_engine::format::compression::Codec;
use logmill_engine::log::Durability;

use super::key::{Kind, State, Update};
use super::table::{broker_key, broker_keys, topic_key, topic_keys};
use super::*;

fn load(text: &str) -> Result<Loaded, ConfigError> {
    Config::load(Some(text), &[])
}

fn config(text: &str) -> Config {
    load(text).unwrap().config
}

fn error(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn table_has_all_keys_of_kafka_4_1() {
    let own = |name: &str| name.starts_with("logmill.") || name == "fetch.path";
    assert_eq!(broker_keys().filter(|key| !own(key.name)).count(), 336);
    assert_eq!(
        broker_keys()
            .filter(|key| !own(key.name) && !key.internal)
            .count(),
        316
    );
    assert_eq!(
        topic_keys()
            .filter(|key| !own(key.name) && !key.internal)
            .count(),
        33
    );
}

#[test]
fn table_is_consistent() {
    let mut names: Vec<_> = broker_keys().map(|key| key.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        broker_keys().count(),
        "a broker key stands twice"
    );
    for key in broker_keys().chain(topic_keys()) {
        assert!(
            key.doc.ends_with('.') && key.doc.len() > 10,
            "{} lacks prose",
            key.name
        );
        if let Some(default) = key.default {
            check(key, default).unwrap_or_else(|e| panic!("the default of {}: {e}", key.name));
        }
        if let Some(synonym) = key.synonym {
            assert!(
                broker_key(synonym).is_some(),
                "{} names {synonym}",
                key.name
            );
        }
        if key.state == State::Honoured && key.kind == Kind::Password {
            panic!("{}: nothing here takes a secret yet", key.name);
        }
    }
    assert_eq!(broker_key("listeners").unwrap().update, Update::PerBroker);
    assert_eq!(
        broker_key("log.retention.ms").unwrap().update,
        Update::ClusterWide
    );
    assert_eq!(
        broker_key("log.retention.hours").unwrap().update,
        Update::ReadOnly
    );
    assert_eq!(
        topic_key("retention.ms").unwrap().synonym,
        Some("log.retention.ms")
    );
}

/// What the server.properties of Kafka 4.1.1 sets, line by line.
const STOCK_FILE: &str = "\
    process.roles=broker,controller\n\
    node.id=1\n\
    controller.quorum.bootstrap.servers=localhost:9093\n\
    listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
    inter.broker.listener.name=PLAINTEXT\n\
    advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
    controller.listener.names=CONTROLLER\n\
    listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,\
    SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
    num.network.threads=3\n\
    num.io.threads=8\n\
    socket.send.buffer.bytes=102400\n\
    socket.receive.buffer.bytes=102400\n\
    socket.request.max.bytes=104857600\n\
    log.dirs=/tmp/kraft-combined-logs\n\
    num.partitions=1\n\
    num.recovery.threads.per.data.dir=1\n\
    offsets.topic.replication.factor=1\n\
    share.coordinator.state.topic.replication.factor=1\n\
    share.coordinator.state.topic.min.isr=1\n\
    transaction.state.log.replication.factor=1\n\
    transaction.state.log.min.isr=1\n\
    log.retention.hours=168\n\
    log.segment.bytes=1073741824\n\
    log.retention.check.interval.ms=300000\n";

#[test]
fn stock_file_of_kafka_starts() {
    let Loaded { config, notices } = load(STOCK_FILE).unwrap();
    assert_eq!(config.node_id, 1);
    assert_eq!(config.listeners.len(), 1);
    assert_eq!(config.listeners[0].bind_address(), "0.0.0.0:9092");
    assert_eq!(
        config.listeners[0].advertised_host.as_deref(),
        Some("localhost")
    );
    assert_eq!(
        config.log_dirs,
        [std::path::PathBuf::from("/tmp/kraft-combined-logs")]
    );
    let noted: Vec<_> = notices
        .iter()
        .flat_map(|n| &n.keys)
        .map(String::as_str)
        .collect();
    assert!(
        noted.contains(&"num.io.threads") && noted.contains(&"process.roles"),
        "{noted:?}"
    );
    assert!(!noted.contains(&"log.segment.bytes"), "{noted:?}");
}

#[test]
fn keys_of_what_is_not_here_are_inert_and_of_what_cannot_be_kept_refused() {
    for name in INERT_KEYS {
        let key = broker_key(name).expect(name);
        assert!(matches!(key.state, State::Inert(_)), "{name}");
    }
    for (name, value) in REFUSED {
        let key = broker_key(name).expect(name);
        assert!(matches!(key.state, State::Refused(_)), "{name}");
        let error = error(&format!("{name}={value}"));
        assert!(
            error.contains(name) && error.contains("refused"),
            "{name}: {error}"
        );
    }
    let providers = error("config.providers=file");
    assert_eq!(providers, "unknown key config.providers");
    for name in [
        "preallocate",
        "unclean.leader.election.enable",
        "leader.replication.throttled.replicas",
        "follower.replication.throttled.replicas",
    ] {
        let key = topic_key(name).expect(name);
        assert!(matches!(key.state, State::Inert(_)), "{name}");
    }
}

const INERT_KEYS: &[&str] = &[
    "num.network.threads",
    "num.io.threads",
    "num.replica.fetchers",
    "num.recovery.threads.per.data.dir",
    "background.threads",
    "queued.max.requests",
    "process.roles",
    "controller.quorum.bootstrap.servers",
    "replica.lag.time.max.ms",
    "inter.broker.listener.name",
    "auto.leader.rebalance.enable",
    "leader.imbalance.check.interval.seconds",
    "unclean.leader.election.enable",
    "metric.reporters",
    "log.preallocate",
    "group.share.session.timeout.ms",
    "group.streams.session.timeout.ms",
    "offsets.load.buffer.size",
    "transaction.state.log.load.buffer.size",
];

/// Keys that ask for what is not built, and a value that does.
const REFUSED: &[(&str, &str)] = &[
    ("authorizer.class.name", "x.Y"),
    ("create.topic.policy.class.name", "x.Y"),
    ("alter.config.policy.class.name", "x.Y"),
    ("principal.builder.class", "x.Y"),
    ("client.quota.callback.class", "x.Y"),
    ("replica.selector.class", "x.Y"),
    ("remote.log.storage.system.enable", "true"),
];

#[test]
fn nothing_set_is_a_loopback_broker_in_data() {
    let Loaded { config, notices } = Config::load(None, &[]).unwrap();
    assert_eq!(notices, []);
    assert_eq!(config.listeners[0].bind_address(), "127.0.0.1:9092");
    assert_eq!(
        config.listeners[0].advertised_host.as_deref(),
        Some("127.0.0.1")
    );
    assert_eq!(config.log_dirs, [std::path::PathBuf::from("data")]);
    assert_eq!(config.topic_defaults.log.max_message_bytes, 1_048_588);
    assert_eq!(config.topic_defaults.log.durability, Durability::Synced);
    assert_eq!(
        (config.num_partitions, config.default_replication_factor),
        (1, 1)
    );
    assert_eq!(config.limits.connections, 16_384);
}

#[test]
fn set_wins_over_the_file() {
    let sets = [("num.partitions".to_owned(), "7".to_owned())];
    let loaded = Config::load(Some("num.partitions=3\nnode.id = 5 \n"), &sets).unwrap();
    assert_eq!(
        (loaded.config.num_partitions, loaded.config.node_id),
        (7, 5)
    );
}

#[test]
fn mistakes_name_the_way_out() {
    assert_eq!(
        error("log.segment.byte=1"),
        "unknown key log.segment.byte: did you mean log.segment.bytes?"
    );
    assert_eq!(
        error("qwertzuiop.asdfghjkl.yxcvbnm=1"),
        "unknown key qwertzuiop.asdfghjkl.yxcvbnm"
    );
    assert_eq!(
        error("log.segment.bytes=14"),
        "Invalid value 14 for configuration log.segment.bytes: Value must be at least 1048576"
    );
    assert_eq!(
        error("num.partitions=many"),
        "Invalid value many for configuration num.partitions: Not a number of type INT"
    );
    assert!(error("compression.type=brotli").contains("one of: uncompressed, zstd"));
    assert!(error("remote.log.storage.system.enable=true").contains("refused"));
    assert!(load("remote.log.storage.system.enable=false").is_ok());
    let hidden = error("delegation.token.secret.key=hush");
    assert!(
        hidden.contains("(hidden)") && !hidden.contains("hush"),
        "{hidden}"
    );
    assert!(error("authorizer.class.name=x.Y").contains("authorization is not built yet"));
    assert!(error("process.roles=broker").contains("set broker,controller"));
    assert!(error("broker.id=2\nnode.id=1").contains("set one of them"));
    assert!(error("log.dirs=a,,b").contains("no name"));
    assert!(error("log.dirs=a,b,a").contains("named twice"));
}

#[test]
fn other_products_keys_are_noted() {
    let notices = load("listener.name.internal.ssl.keystore.location=/k\n")
        .unwrap()
        .notices;
    assert_eq!(
        notices[0].keys,
        ["listener.name.internal.ssl.keystore.location"]
    );
}

#[test]
fn replication_of_internal_topics_is_lowered_aloud() {
    let notices = load("offsets.topic.replication.factor=3").unwrap().notices;
    assert!(
        notices.iter().any(|n| n.text.contains("lowered to 1")),
        "{notices:?}"
    );
}

#[test]
fn several_listeners() {
    let config = config(
        "listeners=IN://127.0.0.1:9092,OUT://[::1]:9094\n\
         listener.security.protocol.map=IN:PLAINTEXT,OUT:PLAINTEXT\n\
         advertised.listeners=OUT://public.example:19094,IN://inside:9092\n",
    );
    assert_eq!(config.listeners[1].bind_address(), "[::1]:9094");
    assert_eq!(
        config.listeners[1].advertised_host.as_deref(),
        Some("public.example")
    );
    assert_eq!(config.listeners[1].advertised_port, 19_094);
    assert_eq!(
        config.listeners[0].advertised_host.as_deref(),
        Some("inside")
    );
}

#[test]
fn listeners_that_cannot_be_kept() {
    assert!(error("listeners=SSL://:9092").contains("not built yet"));
    assert!(error("listeners=FOO://:9092").contains("add FOO:PLAINTEXT"));
    assert!(error("listeners=PLAINTEXT:9092").contains("NAME://host:port"));
    assert!(error("listeners=PLAINTEXT://:99999").contains("0 to 65535"));
    assert!(error("listeners=").contains("none for clients"));
    assert!(
        error("listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://0.0.0.0:9092")
            .contains("no address that a client can connect to")
    );
    let two = "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n";
    assert!(error(&format!("{two}listeners=A://:9092,B://:9092")).contains("port 9092"));
    assert!(error(&format!("{two}listeners=A://:9092,A://:9093")).contains("called A"));
    let stray = "listeners=A://:9092\nadvertised.listeners=A://h:1,B://h:2";
    assert!(error(&format!("{two}{stray}")).contains("B is not one of the listeners"));
}

#[test]
fn everywhere_is_advertised_as_the_host() {
    assert_eq!(
        config("listeners=PLAINTEXT://0.0.0.0:9092").listeners[0].advertised_host,
        None
    );
}

#[test]
fn finer_units_win() {
    let retention = |text: &str| config(text).topic_defaults.log.retention.retention_ms;
    assert_eq!(retention(""), 168 * 3_600_000);
    assert_eq!(retention("log.retention.hours=1"), 3_600_000);
    assert_eq!(
        retention("log.retention.hours=1\nlog.retention.minutes=3"),
        180_000
    );
    assert_eq!(
        retention("log.retention.hours=1\nlog.retention.minutes=3\nlog.retention.ms=9"),
        9
    );
    assert_eq!(retention("log.retention.hours=-1"), -1);
    assert_eq!(
        config("log.roll.hours=2").topic_defaults.log.segment_ms,
        7_200_000
    );
    assert_eq!(
        config("log.roll.hours=2\nlog.roll.ms=5")
            .topic_defaults
            .log
            .segment_ms,
        5
    );
}

fn topic(values: &[(&str, &str)]) -> Result<TopicConfig, TopicConfigError> {
    let own = values
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    TopicConfig::resolve(&config("message.max.bytes=2000\n").settings, &own)
}

#[test]
fn topics_take_the_brokers_values_unless_they_have_their_own() {
    assert_eq!(topic(&[]).unwrap().log.max_message_bytes, 2000);
    assert_eq!(
        topic(&[("max.message.bytes", "77")])
            .unwrap()
            .log
            .max_message_bytes,
        77
    );
    let both = topic(&[("cleanup.policy", "compact, delete")])
        .unwrap()
        .log
        .retention;
    assert_eq!((both.delete, both.compact), (true, true));
    let zstd = topic(&[
        ("compression.type", "zstd"),
        ("compression.zstd.level", "-7"),
    ])
    .unwrap();
    assert_eq!(zstd.log.compression, Some(Codec::Zstd));
    assert_eq!(zstd.log.compression_level, Some(-7));
    let lz4 = topic(&[("compression.type", "lz4"), ("compression.lz4.level", "12")]).unwrap();
    assert_eq!(lz4.log.compression_level, Some(12));
    let written = topic(&[("logmill.durability", "written")]).unwrap();
    assert_eq!(written.log.durability, Durability::Written);
    assert_eq!(
        topic(&[("internal.segment.bytes", "1000")])
            .unwrap()
            .log
            .segment_bytes,
        1000
    );
}

#[test]
fn bad_topic_values_are_refused() {
    let error = |name: &str, value: &str| topic(&[(name, value)]).unwrap_err().to_string();
    assert_eq!(
        error("nonsense", "1"),
        "Unknown topic config name: nonsense"
    );
    assert!(error("segment.bytes", "10").contains("at least 1048576"));
    assert!(error("cleanup.policy", "shred").contains("one of: compact, delete"));
    assert!(error("remote.storage.enable", "true").contains("refused"));
    assert!(error("min.cleanable.dirty.ratio", "1.5").contains("Value must be no more than 1"));
    assert!(
        error("leader.replication.throttled.replicas", "a:b").contains("[partitionId]:[brokerId]")
    );
    assert!(topic(&[("leader.replication.throttled.replicas", "0:1,1:1")]).is_ok());
}

#[test]
fn memory_plan_fits_its_budget() {
    const GIB: u64 = 1 << 30;
    for (host, shards) in [(GIB, 1), (2 * GIB, 2), (24 * GIB, 2), (256 * GIB, 64)] {
        let plan = MemoryPlan::new(&config(""), host, shards).unwrap();
        assert!(
            plan.worst_bytes() <= plan.budget_bytes,
            "{host} {shards} {plan:?}"
        );
        assert!(u64::from(plan.frame_max_bytes) <= plan.per_shard(plan.requests_bytes));
    }
    let plan = MemoryPlan::new(&config(""), 24 * GIB, 2).unwrap();
    assert_eq!((plan.budget_bytes, plan.partitions_max), (6 * GIB, 100_000));
    assert_eq!(
        (plan.connections_max, plan.frame_max_bytes),
        (16_384, 104_857_600)
    );
    let small = MemoryPlan::new(&config(""), GIB, 2).unwrap();
    assert!(
        small.frame_max_bytes < 104_857_600 && small.lowered.len() == 2,
        "{small:?}"
    );
}

#[test]
fn memory_over_budget_is_refused() {
    const GIB: u64 = 1 << 30;
    let plan = |text: &str| MemoryPlan::new(&config(text), 4 * GIB, 2);
    let error = plan("max.connections=10000000").unwrap_err().to_string();
    assert!(error.contains("lower max.connections"), "{error}");
    let error = plan("logmill.memory.bytes=134217728\nsocket.request.max.bytes=104857600")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("queued.max.request.bytes leaves 15.9 MiB"),
        "{error}"
    );
}

#[test]
fn readme_text_holds_every_key() {
    let text = readme::markdown();
    for key in broker_keys().chain(topic_keys()) {
        assert!(
            text.contains(&format!("`{}`", key.name)),
            "{} is not in README",
            key.name
        );
    }
}
