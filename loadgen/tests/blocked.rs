//! A broker that stands still: the producer blocks, for as long as it may, and says so.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::clock::Clock;
use logmill_loadgen::net::{Admin, TopicPlan};
use logmill_loadgen::producer::{Acks, Producer, ProducerConfig, ProducerError, Record};
use logmill_loadgen::sys;

const TOPIC: &str = "blocked";
const BLOCK: Duration = Duration::from_millis(400);

#[test]
fn a_full_buffer_blocks_then_fails_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[]).unwrap()
    };
    let broker = Broker::start(plan).unwrap();
    let bootstrap = [broker.address()];
    let topic = TopicPlan {
        name: TOPIC.to_owned(),
        partitions: 1,
        replication_factor: 1,
        configs: Vec::new(),
    };
    let mut admin = Admin::new(&bootstrap, TOPIC, Duration::from_secs(30));
    admin.create_topic(&topic).unwrap();
    let config = ProducerConfig {
        acks: Acks::All,
        buffer_memory: 256 << 10,
        batch_size: 16 << 10,
        max_block: BLOCK,
        ..ProducerConfig::default()
    };
    let mut producer = Producer::connect(config, &bootstrap, TOPIC, Clock::start(), 1).unwrap();
    let value = [7; 1_024];
    let record = Record {
        value: [&value, &[]],
        ..Record::default()
    };

    let pid = broker.pid().unwrap();
    sys::signal(pid, libc::SIGSTOP).unwrap();
    let mut sent = 0;
    let mut begun = Instant::now();
    let error = loop {
        match producer.send(&record) {
            Ok(_) => (sent, begun) = (sent + 1, Instant::now()),
            Err(error) => break error,
        }
        assert!(sent < 1_000, "the buffer has a bound");
    };
    sys::signal(pid, libc::SIGCONT).unwrap();
    assert!(matches!(error, ProducerError::BufferFull(BLOCK)), "{error}");
    assert!(begun.elapsed() >= BLOCK, "it blocks first");
    assert!(sent > 100, "{sent} records of 1 KiB went into the buffer");

    let mut settled = 0;
    let flushed = producer.flush(Duration::from_secs(30), |batch| {
        settled += batch.batch.count
    });
    flushed.unwrap();
    assert_eq!(settled, sent);
    producer.send(&record).unwrap();
}
