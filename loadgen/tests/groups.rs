//! Consumers in groups on a broker: members come, leave, die and come back, and the broker is
//! killed; every record is read at least once and in order, and no commit is forgotten.
//!
//! `LOGMILL_GROUPS_BOOTSTRAP=host:port` runs what can be run there against another broker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::consumer::ConsumerConfig;
use logmill_loadgen::consumer::group::{Ask, Assignor, Lines};
use logmill_loadgen::load::{
    Arrivals, GroupPlan, LoadPlan, LoadResult, Pace, Seen, Steer, Step, run,
};
use logmill_loadgen::net::{Admin, TopicPlan};
use logmill_loadgen::payload::{Arena, Filler, KeyPlan, SizePlan, Source};
use logmill_loadgen::producer::{Acks, PartitionPlan, ProducerConfig};
use logmill_wire::ErrorCode;

const LIMIT: Duration = Duration::from_secs(60);
const PARTITIONS: u32 = 7;

/// What a rebalance may take on a busy machine, the end of a dead member's session included.
const STEP_TIME: Duration = Duration::from_millis(2_200);

/// A broker of our own, unless another is named.
struct Target {
    broker: Option<Broker>,
    bootstrap: SocketAddr,
    _folder: tempfile::TempDir,
}

fn target() -> Target {
    let folder = tempfile::tempdir().unwrap();
    if let Ok(other) = std::env::var("LOGMILL_GROUPS_BOOTSTRAP") {
        let bootstrap = other.parse().unwrap();
        return Target {
            broker: None,
            bootstrap,
            _folder: folder,
        };
    }
    let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
    let settings = [
        "group.initial.rebalance.delay.ms=100".to_owned(),
        "group.min.session.timeout.ms=1000".to_owned(),
    ];
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &settings).unwrap()
    };
    let broker = Broker::start(plan).unwrap();
    Target {
        bootstrap: broker.address(),
        broker: Some(broker),
        _folder: folder,
    }
}

fn plan(target: &Target, topic: &str, group: GroupPlan) -> LoadPlan {
    let bootstrap = vec![target.bootstrap];
    let topic_plan = TopicPlan {
        name: topic.to_owned(),
        partitions: PARTITIONS.max(group.members),
        replication_factor: 1,
        configs: Vec::new(),
    };
    let mut admin = Admin::new(&bootstrap, topic, LIMIT);
    admin.create_topic(&topic_plan).unwrap();
    LoadPlan {
        bootstrap,
        topic: topic.to_owned(),
        producer: ProducerConfig {
            acks: Acks::All,
            idempotent: true,
            linger: Duration::from_millis(1),
            partitioner: PartitionPlan::RoundRobin,
            retry_backoff: Duration::from_millis(20),
            ..ProducerConfig::default()
        },
        consumer: ConsumerConfig::default(),
        producers: 1,
        consumers: 1,
        group: Some(group),
        trouble: None,
        follow: false,
        from_start: true,
        pace: Pace::Open {
            rate: 1_000.0,
            arrivals: Arrivals::Poisson,
        },
        source: Source::Synthetic(Arc::new(Arena::new(Filler::Random, 16))),
        sizes: SizePlan::Uniform(64, 1_000),
        keys: KeyPlan::None,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(12),
        drain: LIMIT,
        bytes_max: u64::MAX,
        seed: std::process::id().into(),
        broker_pid: None,
    }
}

fn group(assignor: Assignor, is_static: bool, steps: &[Step]) -> GroupPlan {
    GroupPlan {
        groups: 1,
        members: 3,
        reading: true,
        assignor,
        is_static,
        session_timeout: Duration::from_secs(6),
        heartbeat_interval: Duration::from_millis(300),
        commit_interval: Some(Duration::from_millis(200)),
        lines: Lines::Own,
        steps: steps.to_vec(),
        observer: None,
    }
}

/// When a broker is killed: as a request of this kind has gone out, or as its answer has come.
type Moment = (Ask, bool);

/// All that matter to a rebalance or a commit, the rarest first.
const MOMENTS: [Moment; 8] = [
    (Ask::Leave, false),
    (Ask::Offsets, false),
    (Ask::Sync, false),
    (Ask::Sync, true),
    (Ask::Join, true),
    (Ask::Join, false),
    (Ask::Commit, false),
    (Ask::Commit, true),
];

/// Kills the broker at each of these moments and starts it again, with pauses before them.
fn kill_at(broker: &mut Broker, seen: &Receiver<Seen>, moments: &[Moment], pause: Duration) {
    for &moment in moments {
        thread::sleep(pause);
        assert!(comes(seen, moment, LIMIT), "{moment:?}");
        broker.kill();
        broker.restart().unwrap();
    }
}

/// The next moment of this kind, from now on; `false` if it does not come.
fn comes(seen: &Receiver<Seen>, (ask, answered): Moment, patience: Duration) -> bool {
    let late = Instant::now() + patience;
    seen.try_iter().for_each(drop);
    while let Some(left) = late.checked_duration_since(Instant::now()) {
        let Ok(seen) = seen.recv_timeout(left) else {
            return false;
        };
        let is_it = match seen.answer {
            None => !answered,
            Some(error) => answered && error == ErrorCode::NONE,
        };
        if is_it && seen.ask == ask {
            return true;
        }
    }
    false
}

fn check(result: &LoadResult) {
    let findings = &result.findings;
    assert!(
        result.is_good() && result.checked,
        "{:?} {findings:?}",
        result.failure
    );
    assert_eq!(findings.seen, findings.acknowledged + findings.unknown_seen);
    let group = result.group.as_ref().unwrap();
    assert!(group.commits.count() > 20 && group.heartbeats.count() > 20);
}

#[test]
fn members_come_and_go_and_every_partition_is_read_again() {
    let target = target();
    for (assignor, then) in [
        (Assignor::Range, Step::Join),
        (Assignor::CooperativeSticky, Step::Leave),
    ] {
        let topic = format!("groups-{}-{}", assignor.name(), std::process::id());
        let mut plan = plan(&target, &topic, group(assignor, false, &[Step::Kill, then]));
        // The dead member's session ends before the next step, and that is over before the load.
        plan.duration = Duration::from_secs(27);
        let result = run(&plan, |_| Steer::GoOn).unwrap();
        check(&result);
        let rebalances = result.group.unwrap().rebalances;
        assert_eq!(rebalances.len(), 2, "{rebalances:?}");
        assert!(rebalances.iter().all(|one| one.resumed_after.is_some()));
        // Nobody knows that a member is dead before its session has ended.
        let took = rebalances[0].resumed_after.unwrap();
        assert!(took >= Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let target = target();
    let topic = format!("groups-static-{}", std::process::id());
    let plan = plan(
        &target,
        &topic,
        group(Assignor::Range, true, &[Step::Restart]),
    );
    let result = run(&plan, |_| Steer::GoOn).unwrap();
    check(&result);
    let rebalance = result.group.unwrap().rebalances[0];
    assert_eq!(rebalance.noticed_after, None, "{rebalance:?}");
    assert!(rebalance.resumed_after.unwrap() < Duration::from_secs(5));
}

#[test]
fn many_groups_share_few_connections() {
    let target = target();
    let topic = format!("groups-many-{}", std::process::id());
    let many = GroupPlan {
        groups: 30,
        members: 4,
        reading: false,
        lines: Lines::Shared {
            common: 2,
            joining: 20,
        },
        ..group(Assignor::Range, false, &[])
    };
    let mut plan = plan(&target, &topic, many);
    (plan.producers, plan.consumers, plan.follow) = (0, 0, true);
    plan.duration = Duration::from_secs(3);
    let result = run(&plan, |_| Steer::GoOn).unwrap();
    assert!(
        result.is_good(),
        "{:?} {:?}",
        result.failure,
        result.findings
    );
    let group = result.group.unwrap();
    assert_eq!((group.groups, group.members), (30, 120));
    assert!(group.connections <= 25, "{}", group.connections);
    assert!(
        group.heartbeats.count() > 500,
        "{}",
        group.heartbeats.count()
    );
    assert!(group.commits.count() > 500 && group.commits_refused == 0);
}

#[test]
fn a_killed_broker_forgets_no_commit_and_skips_no_record() {
    let mut target = target();
    let Some(mut broker) = target.broker.take() else {
        return println!("NOT RUN: another's broker is not killed");
    };
    let topic = format!("groups-killed-{}", std::process::id());
    let assignor = Assignor::CooperativeSticky;
    let (observer, seen) = channel();
    // Static members, who come back under their names just as the broker dies.
    let group = GroupPlan {
        observer: Some(observer),
        ..group(assignor, true, &[Step::Restart; 3])
    };
    let plan = plan(&target, &topic, group);
    let load = thread::spawn(move || run(&plan, |_| Steer::GoOn).unwrap());
    // They have come together, and the first is on its way.
    let moments = [(Ask::Commit, true), (Ask::Join, false), (Ask::Join, true)];
    kill_at(&mut broker, &seen, &moments, Duration::from_millis(1_000));
    check(&load.join().unwrap());
}

/// Twenty members and a rebalance after the other, as fast as the group gets over them: members
/// leave, come, die, and die to come back, the leader among them, while the broker is killed in
/// the midst of each thing that they ask, and as it has been answered, and while it loads.
/// `LOGMILL_GROUPS_REBALANCES=100` has more of them than CI can wait for.
#[test]
fn twenty_members_outlive_many_rebalances_and_a_broker_that_dies() {
    const DEFAULT: u32 = 21;
    const STEPS: [Step; 7] = [
        Step::Leave,
        Step::Join,
        Step::Restart,
        Step::Leave,
        Step::Join,
        Step::Kill,
        Step::Join,
    ];
    let mut target = target();
    let Some(mut broker) = target.broker.take() else {
        return println!("NOT RUN: another's broker is not killed");
    };
    let wanted = std::env::var("LOGMILL_GROUPS_REBALANCES").map(|count| count.parse().unwrap());
    let steps: Vec<Step> = STEPS
        .into_iter()
        .cycle()
        .take(wanted.unwrap_or(DEFAULT) as usize)
        .collect();
    let count = MOMENTS.len().max(steps.len() / 4);
    let moments: Vec<Moment> = MOMENTS.into_iter().cycle().take(count).collect();
    let kills = count as u32 + 1;
    let (observer, seen) = channel();
    let group = GroupPlan {
        members: 20,
        session_timeout: Duration::from_secs(3),
        observer: Some(observer),
        ..group(Assignor::CooperativeSticky, false, &steps)
    };
    let topic = format!("groups-twenty-{}", std::process::id());
    let mut plan = plan(&target, &topic, group);
    plan.duration = STEP_TIME * (steps.len() as u32 + 1);
    let load = thread::spawn(move || run(&plan, |_| Steer::GoOn).unwrap());
    kill_at(&mut broker, &seen, &moments, STEP_TIME / 2);
    // As soon as the broker is back, its coordinators load: then it goes again.
    kill_at(
        &mut broker,
        &seen,
        &[(Ask::Heartbeat, false)],
        Duration::ZERO,
    );
    let result = load.join().unwrap();
    check(&result);
    let group = result.group.unwrap();
    let resumed = group.rebalances.iter().filter_map(|one| one.resumed_after);
    println!(
        "{} rebalances, {kills} kills of the broker: {} generations, {} joins, {} fenced; {} of \
         {} records delivered again; all read again after at most {:?}",
        group.rebalances.len(),
        group.generations,
        group.joins,
        group.fenced,
        group.redelivered,
        result.findings.seen,
        resumed.max(),
    );
    assert_eq!(group.rebalances.len(), steps.len());
    // A cooperative rebalance takes two generations, and a third where members came and went
    // meanwhile; a dead broker may cost every member its session once.
    let bound = 3 * steps.len() as u32 + 4 * kills;
    assert!(
        group.generations <= bound,
        "{} generations",
        group.generations
    );
}
