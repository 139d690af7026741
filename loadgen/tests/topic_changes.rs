//! Topics that change under a load: partitions added, a topic deleted and made anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::clock::Clock;
use logmill_loadgen::consumer::{Consumer, ConsumerConfig, RecordView, Sink};
use logmill_loadgen::history::Outcome;
use logmill_loadgen::load::{Arrivals, LoadPlan, Pace, Steer, run};
use logmill_loadgen::net::{Admin, TopicPlan};
use logmill_loadgen::payload::{Arena, Filler, KeyPlan, SizePlan, Source};
use logmill_loadgen::producer::{Acks, PartitionPlan, Producer, ProducerConfig, Record};

const TOPIC: &str = "changing";
const LIMIT: Duration = Duration::from_secs(30);

fn broker(folder: &tempfile::TempDir) -> Broker {
    let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[]).unwrap()
    };
    Broker::start(plan).unwrap()
}

fn topic(partitions: u32) -> TopicPlan {
    TopicPlan {
        name: TOPIC.to_owned(),
        partitions,
        replication_factor: 1,
        configs: Vec::new(),
    }
}

fn producer_config() -> ProducerConfig {
    ProducerConfig {
        acks: Acks::All,
        idempotent: true,
        linger: Duration::from_millis(1),
        metadata_max_age: Duration::from_millis(100),
        partitioner: PartitionPlan::RoundRobin,
        retry_backoff: Duration::from_millis(20),
        ..ProducerConfig::default()
    }
}

#[test]
fn partitions_added_under_a_load_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(&folder);
    let bootstrap = vec![broker.address()];
    let mut admin = Admin::new(&bootstrap, TOPIC, LIMIT);
    admin.create_topic(&topic(2)).unwrap();
    let plan = LoadPlan {
        bootstrap: bootstrap.clone(),
        topic: TOPIC.to_owned(),
        producer: producer_config(),
        // Hears of the new partitions from the ends alone.
        consumer: ConsumerConfig::default(),
        producers: 1,
        consumers: 2,
        group: None,
        trouble: None,
        follow: false,
        from_start: true,
        pace: Pace::Open {
            rate: 2_000.0,
            arrivals: Arrivals::Constant,
        },
        source: Source::Synthetic(Arc::new(Arena::new(Filler::Random, 16))),
        sizes: SizePlan::Fixed(100),
        keys: KeyPlan::Uniform(100),
        warmup: Duration::ZERO,
        duration: Duration::from_secs(3),
        drain: LIMIT,
        bytes_max: u64::MAX,
        seed: 5,
        broker_pid: None,
    };
    let load = thread::spawn(move || run(&plan, |_| Steer::GoOn).unwrap());
    thread::sleep(Duration::from_secs(1));
    admin.set_partitions(5).unwrap();
    let result = load.join().unwrap();
    assert!(
        result.is_good() && result.checked,
        "{:?} {:?}",
        result.failure,
        result.findings
    );
    let ends = admin.end_offsets().unwrap();
    assert_eq!(ends.len(), 5);
    assert!(ends.iter().all(|&end| end > 50), "{ends:?}");
    let written: i64 = ends.iter().sum();
    assert_eq!(result.findings.seen, written as u64);
}

#[derive(Default)]
struct Values(Vec<Vec<u8>>);

impl Sink for Values {
    fn record(&mut self, _: u32, _: i64, _: i64, record: &RecordView<'_>) {
        self.0.push(record.value.unwrap_or_default().to_vec());
    }

    fn broken(&mut self, _: u32, _: i64, reason: String) {
        panic!("{reason}");
    }

    fn watermarks(&mut self, _: u32, _: i64, _: i64) {}
}

fn send(producer: &mut Producer, value: &str) {
    let record = Record {
        value: [value.as_bytes(), &[]],
        ..Record::default()
    };
    producer.send(&record).unwrap();
    let flushed = producer.flush(LIMIT, |settled| {
        assert_eq!(settled.outcome, Outcome::Acknowledged, "{value}");
    });
    flushed.unwrap();
}

#[test]
fn a_topic_made_anew_is_written_and_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(&folder);
    let bootstrap = [broker.address()];
    let mut admin = Admin::new(&bootstrap, TOPIC, LIMIT);
    admin.create_topic(&topic(3)).unwrap();
    let clock = Clock::start();
    let mut producer = Producer::connect(producer_config(), &bootstrap, TOPIC, clock, 0).unwrap();
    let config = ConsumerConfig {
        fetch_max_wait: Duration::from_millis(50),
        ..ConsumerConfig::default()
    };
    let mut consumer = Consumer::connect(config, &bootstrap, TOPIC, &[], clock).unwrap();
    let mut read = Values::default();
    for number in 0..6 {
        send(&mut producer, &format!("old {number}"));
    }
    poll_until(&mut consumer, &mut read, 6);
    admin.delete_topic().unwrap();
    admin.create_topic(&topic(2)).unwrap();
    for number in 0..4 {
        send(&mut producer, &format!("new {number}"));
    }
    poll_until(&mut consumer, &mut read, 10);
    let mut new = read.0.split_off(6);
    new.sort();
    assert_eq!(new, [b"new 0", b"new 1", b"new 2", b"new 3"]);
    assert_eq!(admin.end_offsets().unwrap(), [2, 2]);
}

fn poll_until(consumer: &mut Consumer, read: &mut Values, count: usize) {
    let give_up = std::time::Instant::now() + LIMIT;
    while read.0.len() < count {
        consumer.poll(Duration::from_millis(50), read).unwrap();
        let left = give_up.checked_duration_since(std::time::Instant::now());
        assert!(left.is_some(), "{:?} of {count}", read.0.len());
    }
}
