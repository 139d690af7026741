//! What was tried and how it went, for people (standard error) and for README's compatibility table
//! (a JSON file).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::{process, toolchains};

/// One scenario's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Not so, and why.
    Fail(String),
    /// Not tried, as this machine lacks something.
    Skipped(String),
}

/// The scenarios of one test.
#[derive(Default)]
pub struct Results {
    rows: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    client: String,
    version: String,
    scenario: String,
    outcome: Outcome,
}

impl Results {
    /// Notes one scenario.
    pub fn add(&mut self, client: &str, version: &str, scenario: &str, outcome: Outcome) {
        let row = Row {
            client: client.to_owned(),
            version: version.to_owned(),
            scenario: scenario.to_owned(),
            outcome,
        };
        self.rows.push(row);
    }

    /// Notes that `client` was left out; on a build server that is a failure.
    pub fn missing(&mut self, client: &str, why: &str) {
        let outcome = if toolchains::must_be_there() {
            Outcome::Fail(format!("CI must have every toolchain: {why}"))
        } else {
            Outcome::Skipped(why.to_owned())
        };
        self.add(client, "", "set up", outcome);
    }

    /// The version under which `client` has rows already.
    pub fn version_of(&self, client: &str) -> String {
        let row = self
            .rows
            .iter()
            .find(|row| row.client == client && !row.version.is_empty());
        row.map_or_else(String::new, |row| row.version.clone())
    }

    /// Takes over what another thread noted.
    pub fn append(&mut self, mut other: Results) {
        self.rows.append(&mut other.rows);
    }

    /// Prints the summary, adds the rows to the file, and fails the test if any scenario failed.
    pub fn conclude(self, test: &str) {
        let mut failures = Vec::new();
        let mut passed = 0;
        for row in &self.rows {
            let what = format!("{} {}: {}", row.client, row.version, row.scenario);
            match &row.outcome {
                Outcome::Pass => passed += 1,
                Outcome::Skipped(why) => process::say(&format!("NOT RUN  {what}: {why}")),
                Outcome::Fail(why) => failures.push(format!("{what}: {why}")),
            }
        }
        eprintln!(
            "{test}: {passed} scenarios passed, {} failed",
            failures.len()
        );
        write_file(self.rows);
        assert!(failures.is_empty(), "{test}:\n{}", failures.join("\n"));
    }
}

/// `interop/results.json` in the target folder; another one for other brokers.
fn file() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp is in the target folder");
    // README's table is made of what Logmill did.
    let another = ["LOGMILL_TEST_BROKER", "LOGMILL_TEST_BOOTSTRAP"];
    let name = match another.iter().any(|key| env::var_os(key).is_some()) {
        true => "results-of-another-broker.json",
        false => "results.json",
    };
    target.join("interop").join(name)
}

/// The tests of one run share a process: each writes the file again with all rows until then.
fn write_file(rows: Vec<Row>) {
    static ALL: Mutex<Vec<Row>> = Mutex::new(Vec::new());
    let mut all = ALL.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    all.extend(rows);
    let rows: Vec<Value> = all
        .iter()
        .map(|row| {
            let (result, detail) = match &row.outcome {
                Outcome::Pass => ("pass", ""),
                Outcome::Fail(why) => ("fail", why.as_str()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
            };
            json!({
                "client": row.client, "version": row.version, "scenario": row.scenario,
                "result": result, "detail": detail,
            })
        })
        .collect();
    let path = file();
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("target is writable");
    let text = serde_json::to_string_pretty(&rows).expect("strings are JSON");
    fs::write(&path, text).expect("target is writable");
    eprintln!("results: {}", path.display());
}
