//! Stock clients, log shippers and Apache Kafka's own tools against the broker.
//!
//! They set themselves up from their ordinary registries, once, into a cache below the target
//! folder. What this machine lacks is left out and said so; with `CI=true` it fails. `broker.rs`
//! tells how to run the suite against another broker.

mod apache_kafka;
#[allow(dead_code)]
mod broker;
mod clients;
mod corpus;
mod frames;
mod kcat;
mod matrix;
mod process;
mod real_input;
mod results;
mod toolchains;
mod tools;

use broker::Broker;
use results::{Outcome, Results};

#[test]
fn what_any_client_writes_every_client_reads() {
    on_a_broker("clients", true, matrix::run);
}

#[test]
fn log_shippers_lose_and_change_nothing() {
    on_a_broker("log shippers", false, real_input::run);
}

#[test]
fn apache_kafkas_tools_work() {
    on_a_broker("tools", true, tools::run);
}

/// Starts a broker, runs a test on it, stops it cleanly, and has Kafka's own tool read every file
/// that it left, record by record if `deep`.
fn on_a_broker(
    test: &str,
    deep: bool,
    run: impl FnOnce(&Broker, &mut Results) -> Result<(), String>,
) {
    let mut results = Results::default();
    let mut broker = Broker::start(&[]).expect("the broker starts");
    if let Err(why) = run(&broker, &mut results) {
        results.add(
            test,
            "",
            "the test itself",
            Outcome::Fail(format!("{why}\n{}", broker.log())),
        );
    }
    let stopped = broker
        .stop()
        .and_then(|()| tools::dump(&broker, deep, &mut results));
    results.add(
        test,
        "",
        "clean stop",
        stopped.map_or_else(Outcome::Fail, |()| Outcome::Pass),
    );
    results.conclude(test);
}
