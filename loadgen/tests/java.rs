//! What the load generator writes, in every codec and at some levels, as Apache Kafka's own client
//! reads it: with `check.crcs`, and judged here record by record, byte for byte.

#[path = "../../server/tests/interop/apache_kafka.rs"]
#[allow(dead_code, reason = "the suite of stock clients uses all of it")]
mod apache_kafka;
#[path = "../../server/tests/interop/process.rs"]
#[allow(dead_code, reason = "the suite of stock clients uses all of it")]
mod process;
#[path = "../../server/tests/interop/toolchains.rs"]
#[allow(dead_code, reason = "the suite of stock clients uses all of it")]
mod toolchains;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logmill_engine::format::compression::Codec;
use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::consumer::ConsumerConfig;
use logmill_loadgen::load::{Arrivals, LoadPlan, Pace, Steer, run};
use logmill_loadgen::net::{Admin, TopicPlan};
use logmill_loadgen::payload::{Arena, Filler, Inspector, KeyPlan, SizePlan, Source, Verdict};
use logmill_loadgen::producer::{Acks, PartitionPlan, ProducerConfig};

const LIMIT: Duration = Duration::from_secs(60);
const JAVA_LIMIT: Duration = Duration::from_secs(240);

/// Every codec at its default level, and at the ends of what Kafka allows it.
const CODINGS: [(&str, Codec, Option<i32>); 11] = [
    ("none", Codec::None, None),
    ("gzip", Codec::Gzip, None),
    ("gzip-fast", Codec::Gzip, Some(1)),
    ("gzip-small", Codec::Gzip, Some(9)),
    ("snappy", Codec::Snappy, None),
    ("lz4", Codec::Lz4, None),
    ("lz4-fast", Codec::Lz4, Some(1)),
    ("lz4-small", Codec::Lz4, Some(17)),
    ("zstd", Codec::Zstd, None),
    ("zstd-fast", Codec::Zstd, Some(-5)),
    ("zstd-small", Codec::Zstd, Some(22)),
];

#[test]
fn apache_kafkas_client_reads_what_it_writes_in_every_codec() {
    let class_path = match toolchains::java() {
        Ok(class_path) => class_path,
        Err(why) if toolchains::must_be_there() => panic!("CI must have Java: {why}"),
        Err(why) => return process::say(&format!("NOT RUN  the Java client: {why}")),
    };
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[]).unwrap()
    };
    let broker = Broker::start(plan).unwrap();
    let source = Source::Synthetic(Arc::new(Arena::new(Filler::Text, 16)));
    let written: Vec<u64> = CODINGS
        .iter()
        .map(|&coding| write(broker.address(), &source, coding))
        .collect();
    let lines = read_with_java(broker.address(), &class_path, folder.path());
    for ((topic, ..), written) in CODINGS.iter().zip(written) {
        let read = judge(topic, &lines, &source);
        assert!(written > 1_000, "{topic}: {written} records are few");
        assert_eq!(read, written, "{topic}");
    }
}

/// Writes a topic of one partition; how many records were acknowledged.
fn write(
    bootstrap: SocketAddr,
    source: &Source,
    (topic, codec, level): (&str, Codec, Option<i32>),
) -> u64 {
    let bootstrap = vec![bootstrap];
    let topic_plan = TopicPlan {
        name: topic.to_owned(),
        partitions: 1,
        replication_factor: 1,
        configs: Vec::new(),
    };
    let mut admin = Admin::new(&bootstrap, topic, LIMIT);
    admin.create_topic(&topic_plan).unwrap();
    let plan = LoadPlan {
        bootstrap,
        topic: topic.to_owned(),
        producer: ProducerConfig {
            acks: Acks::All,
            idempotent: true,
            // Batches of more than one block of LZ4, 64 KiB.
            batch_size: 200_000,
            linger: Duration::from_millis(200),
            codec,
            level,
            partitioner: PartitionPlan::RoundRobin,
            ..ProducerConfig::default()
        },
        consumer: ConsumerConfig::default(),
        producers: 1,
        consumers: 0,
        group: None,
        trouble: None,
        follow: false,
        from_start: true,
        pace: Pace::Open {
            rate: 5_000.0,
            arrivals: Arrivals::Poisson,
        },
        source: source.clone(),
        // Java tells no more than the checksum of what is longer than 256 bytes.
        sizes: SizePlan::Uniform(64, 256),
        keys: KeyPlan::None,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(1),
        drain: LIMIT,
        bytes_max: u64::MAX,
        seed: 1,
        broker_pid: None,
    };
    let result = run(&plan, |_| Steer::GoOn).unwrap();
    assert!(result.is_good(), "{topic}: {:?}", result.failure);
    result.findings.acknowledged
}

/// Canonical lines of all topics: topic, offset, key, value, timestamp, headers.
fn read_with_java(bootstrap: SocketAddr, class_path: &str, folder: &Path) -> String {
    let topics: Vec<&str> = CODINGS.iter().map(|coding| coding.0).collect();
    let out = folder.join("read");
    let mut java = apache_kafka::java(class_path, "512M");
    java.args(["InteropClient", "consume", &bootstrap.to_string()]);
    java.args([&topics.join(","), "0"]).arg(&out);
    let finished = process::run_ok(&mut java, folder, JAVA_LIMIT).unwrap();
    assert!(!finished.stdout.contains("fail\t"), "{}", finished.stdout);
    fs::read_to_string(out).unwrap()
}

/// How many of the topic's records were read: each must be what was sent, and none be missing
/// between the first and the last.
fn judge(topic: &str, lines: &str, source: &Source) -> u64 {
    let mut inspector = Inspector::new(Some(source));
    let prefix = format!("{topic}\t");
    let mut read = 0;
    for line in lines.lines().filter_map(|line| line.strip_prefix(&prefix)) {
        let field: Vec<&str> = line.split('\t').collect();
        assert_eq!(field[0], read.to_string(), "{topic}: the offset");
        let Verdict::Intact(stamp) = inspector.inspect(None, &bytes(field[2]), None) else {
            panic!("{topic}: not what was sent: {line}");
        };
        assert_eq!(stamp.sequence, read, "{topic}: the sequence");
        read += 1;
    }
    read
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
