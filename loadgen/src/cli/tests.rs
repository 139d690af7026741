//! The command line's grammar.

use clap::CommandFactory;

use super::*;

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_mistyped_flag_is_met_with_a_suggestion() {
    let error = Cli::try_parse_from(["loadgen", "produce", "--batchsize", "1"]).unwrap_err();
    assert!(error.to_string().contains("--batch-size"), "{error}");
    let error = Cli::try_parse_from(["loadgen", "matrx"]).unwrap_err();
    assert!(error.to_string().contains("matrix"), "{error}");
}

#[test]
fn values_are_checked_where_they_stand() {
    for (bad, word) in [
        (&["loadgen", "produce", "--acks", "2"][..], "0, 1 or all"),
        (&["loadgen", "produce", "--record-size", "7"], "stamp"),
        (&["loadgen", "produce", "--compression", "lzma"], "lzma"),
        (
            &["loadgen", "matrix", "--set", "a=b", "--bootstrap", "h:1"],
            "cannot be used with",
        ),
        (&["loadgen", "verify", "--read-only"], "--ledger"),
        (&["loadgen", "matrix", "--levels", "0,2"], "idempotent"),
        (&["loadgen", "matrix", "--repeats", "0"], "--repeats"),
        (&["loadgen", "produce", "--producers", "0"], "--producers"),
        (&["loadgen", "produce", "--partitions", "0"], "--partitions"),
        (
            &["loadgen", "produce", "--partitions", "4000000000"],
            "--partitions",
        ),
        (&["loadgen", "group", "--members", "1,0"], "--members"),
        (
            &["loadgen", "group", "--heartbeats-only", "--groups", "0"],
            "--groups",
        ),
        (
            &[
                "loadgen",
                "group",
                "--heartbeats-only",
                "--connections",
                "0",
            ],
            "--connections",
        ),
        (
            &["loadgen", "group", "--heartbeats-only", "--joining", "0"],
            "--joining",
        ),
    ] {
        let error = Cli::try_parse_from(bad).unwrap_err().to_string();
        assert!(error.contains(word), "{bad:?}: {error}");
    }
}

#[test]
fn examples_in_the_help_are_valid() {
    for line in EXAMPLES
        .lines()
        .filter(|line| line.trim_start().starts_with("loadgen"))
    {
        let words = line
            .split("   ")
            .find(|part| !part.trim().is_empty())
            .unwrap();
        let mut words: Vec<&str> = words.split_whitespace().collect();
        if words.len() == 1 {
            words.push("matrix");
        }
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{line}: {error}");
        }
    }
}
