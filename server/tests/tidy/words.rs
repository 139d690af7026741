//! Words that promise work instead of doing it.

use crate::source::{Source, Violation};

/// All rules of this file.
pub fn check(source: &Source) -> Vec<Violation> {
    let mut violations = macros(source);
    violations.extend(ignored_tests(source));
    violations.extend(notes(source));
    violations
}

fn macros(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for [name, mark, open] in source.triples() {
        let way_out = match name.text.as_str() {
            "todo" | "unimplemented" => "do it, or return an error that names what is missing",
            "dbg" => "remove it",
            _ => continue,
        };
        if mark.text == "!" && matches!(open.text.as_str(), "(" | "[" | "{") {
            let message = format!("`{}!` does not ship: {way_out}", name.text);
            violations.push(source.violation(name.start.line, "forbidden-macro", message));
        }
    }
    violations
}

fn ignored_tests(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for [open, name, close] in source.triples() {
        if open.text == "[" && name.text == "ignore" && close.text == "]" {
            let message = "say why and how to run it: #[ignore = \"...\"]";
            violations.push(source.violation(name.start.line, "ignored-test", message));
        }
    }
    violations
}

/// A note for later gives its reason on the same line; two of the usual words are never one.
fn notes(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for line in 1..=source.lines.len() {
        let Some(comment) = source.comment(line) else {
            continue;
        };
        let mut words = comment.split(|c: char| !c.is_ascii_alphanumeric());
        let reason = comment
            .split_once("TODO: ")
            .map_or(0, |(_, reason)| reason.len());
        let found = words.find(|word| match *word {
            "TODO" => reason < REASON_LEAST,
            "FIXME" | "XXX" | "HACK" => true,
            _ => false,
        });
        if let Some(word) = found {
            let message = format!("`{word}` without a reason: do it, or say what it waits for");
            violations.push(source.violation(line, "note-without-reason", message));
        }
    }
    violations
}

/// Letters that a reason has at least.
const REASON_LEAST: usize = 20;
