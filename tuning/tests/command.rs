//! The binary, run for real: exit codes, the shape of its JSON, its help.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn tuning(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logmill-tuning"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn doctor_tells_facts_and_findings() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let output = tuning(&["doctor", "--json", "--data-dir", directory]);
    let body = json(&output);
    assert_eq!(body["schema"], 1);
    assert_eq!(body["command"], "doctor");
    assert!(body["host"]["file_descriptors"]["soft"]["at"].is_u64());
    assert!(body["host"]["processors"][0].is_u64());
    assert_eq!(body["volumes"][0]["path"], directory);
    let findings = body["findings"].as_array().unwrap();
    assert!(findings.len() >= 18);
    for finding in findings {
        assert!(
            finding["check"].is_string() && finding["found"].is_string(),
            "{finding}"
        );
        let severity = finding["severity"].as_str().unwrap();
        assert!(
            ["ok", "note", "warning", "failure"].contains(&severity),
            "{finding}"
        );
        assert_eq!(
            finding["mend"].is_string(),
            finding["gain"].is_string(),
            "{finding}"
        );
    }
    let failed = findings
        .iter()
        .any(|finding| finding["severity"] == "failure");
    assert_eq!(body["worst"] == "failure", failed);
    assert_eq!(output.status.code(), Some(i32::from(failed)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn doctor_fails_where_no_file_can_be_made() {
    let output = tuning(&["doctor", "--data-dir", "/proc/self", "--data-dir", "."]);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(
        table.contains("data-directory") && table.contains("failure"),
        "{table}"
    );
    assert!(
        table.contains("mend:") && table.contains("gain:"),
        "{table}"
    );
    assert!(
        table.lines().all(|line| line.chars().count() <= 140),
        "{table}"
    );
}

#[test]
fn probe_measures_and_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let output = tuning(&["probe", "--quick", "--json", "--data-dir", directory]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let body = json(&output);
    assert_eq!(body["command"], "probe");
    assert!(body["direct_io"].is_boolean());
    let measurements = body["measurements"].as_array().unwrap();
    let count = |group: &str| {
        measurements
            .iter()
            .filter(|one| one["group"] == group)
            .count()
    };
    let groups = [
        "write",
        "read",
        "sync",
        "journal_tick",
        "loopback",
        "memory",
    ]
    .map(count);
    assert_eq!(groups, [6, 6, 1, 8, 2, 4]);
    for one in measurements {
        assert!(one["p50_us"].as_f64().unwrap() > 0.0, "{one}");
        assert!(one["p99_us"].is_f64() || one["p99_us"].is_null(), "{one}");
        assert!(one["bytes_per_second"].as_f64().unwrap() > 0.0, "{one}");
        assert!(one["operations"].as_u64().unwrap() > 0, "{one}");
        assert!(one["spread"].as_f64().unwrap() >= 0.0, "{one}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn probe_refuses_a_place_that_is_not_there() {
    let absent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("absent");
    let output = tuning(&["probe", "--data-dir", absent.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("--data-dir"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn help_has_examples_and_mistakes_get_a_suggestion() {
    for command in ["doctor", "probe"] {
        let help = text(&tuning(&[command, "--help"]).stdout);
        assert!(
            help.contains("Examples:") && help.contains("--data-dir"),
            "{help}"
        );
    }
    let mistyped = tuning(&["probe", "--quik"]);
    assert_eq!(mistyped.status.code(), Some(2));
    assert!(
        text(&mistyped.stderr).contains("--quick"),
        "{}",
        text(&mistyped.stderr)
    );
    let mistyped = tuning(&["docter"]);
    assert!(
        text(&mistyped.stderr).contains("doctor"),
        "{}",
        text(&mistyped.stderr)
    );
    assert_eq!(tuning(&[]).status.code(), Some(2));
}
