//! Stock clients, log shippers and Apache Kafka's own tools against the broker.
//!
//! They set themselves up from their ordinary registries, once, into a cache below the target
//! folder. What this machine lacks is left out and said so; with `CI=true` it fails. `broker.rs`
//! tells how to run the suite against another broker.

mod apache_kafka;
mod broker;
mod clients;
mod corpus;
mod empty_tails;
mod frames;
mod group_tools;
mod groups;
mod kcat;
mod lost_tail;
mod matrix;
mod process;
mod real_input;
mod results;
mod syslog_ng;
mod toolchains;
mod tools;

use broker::Broker;
use results::{Outcome, Results};

#[test]
fn what_any_client_writes_every_client_reads() {
    dumped("clients", matrix::run);
}

#[test]
fn log_shippers_lose_and_change_nothing() {
    dumped("log shippers", real_input::run);
}

#[test]
fn apache_kafkas_tools_work() {
    dumped("tools", tools::run);
}

#[test]
fn apache_kafkas_tools_read_in_groups_and_look_after_them() {
    let run = |broker: &mut Broker, results: &mut Results| group_tools::run(broker, results);
    on_a_broker("tools for groups", groups::SETTINGS, run, tools::dump);
}

#[test]
fn every_clients_groups_survive_their_members() {
    let run = |broker: &mut Broker, results: &mut Results| groups::run(broker, results);
    on_a_broker("groups", groups::SETTINGS, run, tools::dump);
}

#[test]
fn every_client_passes_over_empty_batch_tails() {
    // Kafka's dump takes the gaps that compaction leaves for a fault.
    on_a_broker("compacted logs", &[], empty_tails::run, |_, _| Ok(()));
}

#[test]
fn a_consumer_beyond_a_lost_tail_hears_of_it() {
    on_a_broker("lost tails", &[], lost_tail::run, tools::dump);
}

/// Runs a test on a broker and has Kafka's own tool read every file that it left, record by record.
fn dumped(test: &str, run: fn(&Broker, &mut Results) -> Result<(), String>) {
    on_a_broker(
        test,
        &[],
        |broker, results| run(broker, results),
        tools::dump,
    );
}

/// Starts a broker, runs a test on it, stops it cleanly, and looks at what it left.
fn on_a_broker(
    test: &str,
    settings: &[(&str, &str)],
    run: impl FnOnce(&mut Broker, &mut Results) -> Result<(), String>,
    look: fn(&Broker, &mut Results) -> Result<(), String>,
) {
    let mut results = Results::default();
    let mut broker = Broker::start(settings).expect("the broker starts");
    if let Err(why) = run(&mut broker, &mut results) {
        let why = format!("{why}\n{}", broker.log());
        results.add(test, "", "the test itself", Outcome::Fail(why));
    }
    let stopped = broker.stop().and_then(|()| look(&broker, &mut results));
    let stopped = stopped.map_err(|why| format!("{why}\n{}", broker.log()));
    let outcome = stopped.map_or_else(Outcome::Fail, |()| Outcome::Pass);
    results.add(test, "", "clean stop", outcome);
    results.conclude(test);
}
