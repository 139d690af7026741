//! kill -9 under load: the broker dies at random instants and is started again on what it left;
//! nothing that it acknowledged may be gone, and an idempotent producer's records stand once and
//! in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::clock::Clock;
use logmill_loadgen::consumer::ConsumerConfig;
use logmill_loadgen::history::{Run, SenderFacts};
use logmill_loadgen::load::{Arrivals, LoadPlan, LoadResult, Pace, Steer, reread, run};
use logmill_loadgen::net::{Admin, TopicPlan};
use logmill_loadgen::payload::{Arena, Filler, KeyPlan, SizePlan, Source, SplitMix64};
use logmill_loadgen::producer::{Acks, ProducerConfig};
use logmill_loadgen::report::{Row, findings_text};

const TOPIC: &str = "killed";
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn nothing_acknowledged_as_written_is_lost() {
    storm(Acks::Leader, false, Pace::Closed);
}

#[test]
fn nothing_acknowledged_as_synced_is_lost() {
    storm(Acks::All, false, steady());
}

#[test]
fn an_idempotent_producers_records_stand_once_and_in_order() {
    storm(Acks::All, true, steady());
}

fn steady() -> Pace {
    Pace::Open {
        rate: 4_000.0,
        arrivals: Arrivals::Poisson,
    }
}

fn storm(acks: Acks, idempotent: bool, pace: Pace) {
    let seed = seed();
    println!("seed {seed}: run again with LOGMILL_KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(broker_plan(folder.path())).unwrap();
    let bootstrap = vec![broker.address()];
    let topic = TopicPlan {
        name: TOPIC.to_owned(),
        partitions: 3,
        replication_factor: 1,
        configs: Vec::new(),
    };
    Admin::new(&bootstrap, TOPIC, LIMIT)
        .create_topic(&topic)
        .unwrap();
    let plan = load_plan(&broker, acks, idempotent, pace, seed);
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (plan, stop) = (plan.clone(), Arc::clone(&stop));
        let steer = move |stopped| if stopped { Steer::Stop } else { Steer::GoOn };
        thread::spawn(move || run(&plan, |_| steer(stop.load(Ordering::Relaxed))).unwrap())
    };
    let mut random = SplitMix64::new(seed);
    for _ in 0..KILLS {
        thread::sleep(Duration::from_millis(200 + random.below(900)));
        broker.kill();
        broker.restart().unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    let result = load.join().unwrap();
    check(&plan, &result, seed);
    let status = broker.stop().unwrap();
    assert!(
        status.success(),
        "seed {seed}: the last stop was a clean one: {status}"
    );
}

fn check(plan: &LoadPlan, result: &LoadResult, seed: u64) {
    let row = Row {
        name: format!("seed {seed}"),
        plan: plan.clone(),
        result: result.clone(),
        survives: String::new(),
        again: None,
    };
    println!("{}", findings_text(&row));
    assert!(result.is_good(), "{}", findings_text(&row));
    assert!(
        result.findings.acknowledged > 0,
        "seed {seed}: nothing was acknowledged"
    );
    let acknowledged: Vec<Run> = result.ledger.acknowledged().collect();
    let facts = SenderFacts {
        idempotent: plan.producer.idempotent,
        retries: result.counters.retries,
    };
    let source = Some(&plan.source);
    let again = reread(&plan.bootstrap, TOPIC, source, &acknowledged, facts, LIMIT);
    assert!(again.is_good(), "seed {seed}: read again: {again:?}");
    assert_eq!(again.findings.acknowledged, result.findings.acknowledged);
}

fn load_plan(broker: &Broker, acks: Acks, idempotent: bool, pace: Pace, seed: u64) -> LoadPlan {
    LoadPlan {
        bootstrap: vec![broker.address()],
        topic: TOPIC.to_owned(),
        producer: ProducerConfig {
            acks,
            idempotent,
            linger: Duration::from_millis(1),
            batch_size: 32 << 10,
            buffer_memory: 2 << 20,
            retry_backoff: Duration::from_millis(20),
            ..ProducerConfig::default()
        },
        consumer: ConsumerConfig::default(),
        producers: 2,
        consumers: 1,
        group: None,
        trouble: None,
        follow: false,
        from_start: true,
        pace,
        source: Source::Synthetic(Arc::new(Arena::new(Filler::Random, 16))),
        sizes: SizePlan::Uniform(64, 2_000),
        keys: KeyPlan::None,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(600),
        drain: LIMIT,
        bytes_max: 1 << 30,
        seed,
        broker_pid: broker.pid(),
    }
}

fn broker_plan(folder: &Path) -> BrokerPlan {
    let (data, log) = (folder.join("data"), folder.join("broker.log"));
    let own = BrokerPlan::own(&data, &log, &[]).unwrap();
    BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..own
    }
}

fn seed() -> u64 {
    let given = std::env::var("LOGMILL_KILL_SEED").ok();
    given.map_or_else(|| Clock::start().now(), |text| text.parse().unwrap())
}

const KILLS: u32 = 4;
