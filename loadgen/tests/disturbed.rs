//! Runs that are disturbed: the load generator has to wait for a processor, the broker dies for
//! good, the user wants no more.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use logmill_loadgen::broker::{Broker, BrokerPlan};
use logmill_loadgen::sys;

fn broker(folder: &Path) -> Broker {
    let (data, log) = (folder.join("data"), folder.join("log"));
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[]).unwrap()
    };
    Broker::start(plan).unwrap()
}

/// Starts a verification that keeps its ledger in `acked`.
fn verify(folder: &Path, broker: &Broker, words: &str) -> Child {
    let words = format!(
        "verify --bootstrap {} --ledger acked --rate 1k --warmup 0s --output out {words}",
        broker.address()
    );
    Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .current_dir(folder)
        .args(words.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until records have been acknowledged.
fn wait_under_way(folder: &Path) {
    let begun = Instant::now();
    let lines = || std::fs::read_to_string(folder.join("acked")).map_or(0, |t| t.lines().count());
    while lines() < 10 {
        assert!(begun.elapsed() < LIMIT, "nothing is acknowledged");
        thread::sleep(Duration::from_millis(5));
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The one result in `report.json`.
fn report(folder: &Path) -> serde_json::Value {
    let json = std::fs::read(folder.join("out/report.json")).unwrap();
    let mut report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    report["results"][0]["logmill"].take()
}

/// An open loop sends what was due, however long this host kept it from a processor: the number of
/// records is a matter of the schedule alone.
#[test]
fn a_generator_that_stood_still_at_the_end_sends_what_was_due() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path());
    let child = verify(folder.path(), &broker, "--duration 2s");
    wait_under_way(folder.path());
    sys::signal(child.id(), libc::SIGSTOP).unwrap();
    thread::sleep(Duration::from_millis(2_500));
    sys::signal(child.id(), libc::SIGCONT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let own = report(folder.path());
    assert_eq!(own["acknowledged"], 2_000, "{said}");
    assert_eq!(own["dueAndUnsent"], 0, "{said}");
}

/// What was found until the broker was gone for good is reported, and what could not be checked is
/// not called lost.
#[test]
fn a_broker_that_never_comes_back_takes_no_findings_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = broker(folder.path());
    let words = "--duration 3s --drain 2s --connect-timeout 1s";
    let child = verify(folder.path(), &broker, words);
    wait_under_way(folder.path());
    broker.kill();
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert!(begun.elapsed() < LIMIT, "it does not wait for ever");
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["FAILED", "UNCHECKED", "without an answer", "is kept"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let own = report(folder.path());
    assert_eq!(own["good"], false);
    assert!(own["failure"].is_string(), "{own}");
    assert!(own["acknowledged"].as_u64().unwrap() > 0, "{own}");
    assert!(own["unsettled"].as_u64().unwrap() > 0, "{own}");
    let again = &own["readAgain"];
    assert_eq!(again["unchecked"], own["acknowledged"], "{own}");
    assert!(
        again["failure"].as_str().unwrap().contains("refused"),
        "{own}"
    );
    for judged in [&own, again] {
        assert_eq!(judged["lost"], 0, "{own}");
        assert_eq!(judged["violations"].as_array().unwrap().len(), 0, "{own}");
    }
}

#[test]
fn a_run_that_is_interrupted_ends_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path());
    let child = verify(folder.path(), &broker, "--duration 1h");
    wait_under_way(folder.path());
    sys::signal(child.id(), libc::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("read again from the beginning"), "{said}");
    let own = report(folder.path());
    assert_eq!(own["good"], true, "{said}");
    assert_eq!(own["acknowledged"], own["read"], "{said}");
    assert_eq!(own["dueAndUnsent"], 0, "{said}");
}

/// Ctrl-C goes to every process of the terminal's job: the broker of its own has to outlive the
/// end of the run.
#[test]
fn ctrl_c_ends_a_run_on_a_broker_of_its_own_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        "verify --duration 1h --rate 1k --warmup 0s --ledger acked --output out --data-dir .";
    let child = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .current_dir(folder.path())
        .args(words.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    wait_under_way(folder.path());
    let job = format!("-{}", child.id());
    let killed = Command::new("kill").args(["-INT", "--", &job]).status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let own = report(folder.path());
    assert_eq!(own["good"], true, "{said}");
    assert_eq!(own["readAgain"]["good"], true, "{said}");
}

const LIMIT: Duration = Duration::from_secs(60);
