//! The same questions to Apache Kafka 4.1.1 and to the broker under test, and the answers compared
//! field by field.
//!
//! Scripts of raw frames, for every version that 4.1.1 serves of each API, errors included, are run
//! against both brokers. Ids, addresses and times are replaced by names first (`normal.rs`); what
//! may differ after that stands with its reason in `allowed.rs`. `LOGMILL_TEST_BROKER=kafka`
//! compares Kafka with itself: that must find nothing.

mod allowed;
mod alone;
#[path = "../interop/apache_kafka.rs"]
mod apache_kafka;
mod batches;
#[path = "../interop/broker.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod broker;
mod cases;
mod conversation;
mod normal;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod process;
#[path = "../interop/toolchains.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod toolchains;
mod tree;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use allowed::Difference;
use broker::Broker;
use cases::Case;
use conversation::{Conversation, Step};

/// The brokers' `max.request.partition.size.limit`, small so that a few partitions fill several
/// pages.
pub const PAGE_PARTITIONS_MAX: i32 = 20;

/// The records that scripts write are an hour old: within every bound on timestamps.
const RECORDS_AGE_MS: i64 = 3_600_000;

#[test]
fn answers_as_apache_kafka_does() {
    let limit = PAGE_PARTITIONS_MAX.to_string();
    let settings = [("max.request.partition.size.limit", limit.as_str())];
    run_on_both(&settings, |_| {}, &cases::all());
}

#[test]
fn answers_as_apache_kafka_does_when_restricted() {
    run_on_both(cases::RESTRICTED_SETTINGS, |_| {}, cases::RESTRICTED);
}

#[test]
fn answers_groups_as_apache_kafka_does() {
    run_on_both(&[], cases::await_coordinator, &cases::groups());
}

#[test]
fn answers_groups_as_apache_kafka_does_when_short_of_time() {
    let settings = cases::SHORT_OF_TIME_SETTINGS;
    run_on_both(settings, cases::await_coordinator, cases::SHORT_OF_TIME);
}

/// Starts a pair of brokers, makes each ready, runs the scripts on it, compares.
fn run_on_both(settings: &[(&str, &str)], prepare: fn(&mut Conversation), cases: &[Case]) {
    if let Err(why) = toolchains::java() {
        assert!(
            !toolchains::must_be_there(),
            "CI must have every toolchain: {why}"
        );
        process::say(&format!("NOT RUN  comparison with Apache Kafka: {why}"));
        return;
    }
    let kafka = Broker::apache_kafka(settings).expect("Apache Kafka starts");
    // What Kafka needs for itself is said to both, so that it does not show as a difference.
    let same: Vec<_> = apache_kafka::SETTINGS
        .iter()
        .chain(settings)
        .copied()
        .collect();
    let mut tested = Broker::start(&same).expect("the broker starts");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    let start = now.as_millis() as i64 - RECORDS_AGE_MS;
    // LOGMILL_TEST_CASE=NAME runs the scripts whose names contain it, and shows their answers.
    let only = env::var("LOGMILL_TEST_CASE").unwrap_or_default();
    let cases: Vec<&Case> = cases
        .iter()
        .filter(|(name, _)| name.contains(&only))
        .collect();
    let run = |address: &str| -> Vec<Vec<Step>> {
        prepare(&mut Conversation::new(address, "before-all", start));
        let run = |(name, script): &&Case| {
            let mut conversation = Conversation::new(address, name, start);
            script(&mut conversation);
            let steps = conversation.into_steps();
            if !only.is_empty() {
                show(address, name, &steps);
            }
            steps
        };
        cases.iter().map(run).collect()
    };
    let (expected, answered) = thread::scope(|scope| {
        let expected = scope.spawn(|| run(&kafka.bootstrap));
        let answered = run(&tested.bootstrap);
        (
            expected.join().expect("Kafka answers every script"),
            answered,
        )
    });
    let mut differences = Vec::new();
    let mut questions = 0;
    for (((case, _), expected), answered) in cases.iter().zip(&expected).zip(&answered) {
        questions += expected.len();
        compare(case, expected, answered, &mut differences);
    }
    tested.stop().expect("a clean stop");
    conclude(questions, &differences);
}

/// Prints every answer.
fn show(address: &str, case: &str, steps: &[Step]) {
    for step in steps {
        eprintln!("{address} {case} | {}", step.what);
        for (path, value) in step.answer.flatten() {
            eprintln!("    {path} = {value}");
        }
    }
}

fn compare(case: &'static str, expected: &[Step], answered: &[Step], out: &mut Vec<Difference>) {
    for (expected, answered) in expected.iter().zip(answered) {
        assert_eq!(
            expected.what, answered.what,
            "{case} asks both brokers the same"
        );
        let (kafka, logmill) = (expected.answer.flatten(), answered.answer.flatten());
        let mut paths: Vec<&String> = kafka.keys().chain(logmill.keys()).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let (kafka, logmill) = (kafka.get(path), logmill.get(path));
            if kafka != logmill {
                out.push(Difference {
                    case,
                    step: expected.what.clone(),
                    path: path.clone(),
                    kafka: kafka.cloned(),
                    logmill: logmill.cloned(),
                });
            }
        }
    }
    let (expected, answered) = (expected.len(), answered.len());
    assert_eq!(
        expected, answered,
        "{case} has as many answers from both brokers"
    );
}

/// Prints how often each allowance was used, and fails for whatever has none.
fn conclude(questions: usize, differences: &[Difference]) {
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let mut report = String::new();
    let mut unexplained = 0;
    for difference in differences {
        match allowed::reason(difference) {
            Some(why) => *used.entry(why).or_default() += 1,
            None => {
                unexplained += 1;
                let (kafka, logmill) = (shown(&difference.kafka), shown(&difference.logmill));
                let Difference {
                    case, step, path, ..
                } = difference;
                let _ = writeln!(
                    report,
                    "{case} | {step} | {path}: Kafka {kafka}, here {logmill}"
                );
            }
        }
    }
    eprintln!("{questions} questions, {unexplained} unexplained differences");
    for (why, times) in used {
        eprintln!("allowed {times} times: {why}");
    }
    assert!(unexplained == 0, "{report}");
}

fn shown(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("nothing")
}
