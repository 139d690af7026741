//! The house style as a test: sizes, names, purity of the cores, direction of imports.
//!
//! Every `.rs` file of the workspace is read. A violation names file and line, the rule, and the
//! way out. Each rule also has a planted violation in `planted.rs`, so that it cannot fall asleep.
//! Where a rule would make code worse, [`EXCEPTIONS`] names the file and says why.

mod arrows;
mod manifests;
mod planted;
mod purity;
mod shape;
mod source;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

use source::{Source, Violation};

/// A rule that one file may break, and why that is better.
struct Exception {
    path: &'static str,
    rule: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[];

#[test]
fn the_workspace_keeps_the_house_style() {
    let root = workspace();
    let sources = source::collect(&root);
    assert!(
        sources.len() > 30,
        "only {} files found below {}",
        sources.len(),
        root.display()
    );
    let mut violations: Vec<Violation> = sources.iter().flat_map(check).collect();
    violations.extend(manifests::check(&root));
    let broken: Vec<String> = violations
        .iter()
        .filter(|violation| {
            !EXCEPTIONS
                .iter()
                .any(|exception| excepts(exception, violation))
        })
        .map(Violation::to_string)
        .collect();
    assert!(
        broken.is_empty(),
        "{} violations\n\n{}\n",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn no_exception_is_stale() {
    let sources = source::collect(&workspace());
    for exception in EXCEPTIONS {
        let used = sources
            .iter()
            .flat_map(check)
            .any(|violation| excepts(exception, &violation));
        assert!(
            used,
            "{} no longer breaks `{}`: drop it",
            exception.path, exception.rule
        );
        assert!(exception.reason.len() > 20, "{}: say why", exception.path);
    }
}

/// The cores must not lean on the runtime, not even by a dependency of a dependency.
#[test]
fn the_cores_build_without_glommio() {
    for package in [
        "logmill",
        "logmill-engine",
        "logmill-wire",
        "logmill-client",
    ] {
        let features: &[&str] = match package {
            "logmill" | "logmill-engine" => &["--no-default-features"],
            _ => &[],
        };
        assert!(
            !tree_names(package, features, "glommio"),
            "{package} leans on glommio"
        );
    }
    assert!(
        tree_names("logmill", &[], "glommio"),
        "the question has lost its meaning"
    );
    assert!(!tree_names(
        "logmill-engine",
        &["--no-default-features"],
        "io-uring"
    ));
}

/// Whether `cargo tree` finds `dependency` below `package`. Runs offline when the packages are at
/// hand, as they are when this test was built.
fn tree_names(package: &str, features: &[&str], dependency: &str) -> bool {
    let run = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .current_dir(workspace())
            .args([
                "tree",
                "--package",
                package,
                "--edges",
                "normal,build",
                "--prefix",
                "none",
            ])
            .args(["--format", "{p}"])
            .args(features)
            .args(offline)
            .output()
            .expect("cargo runs")
    };
    let mut answer = run(&["--offline"]);
    if !answer.status.success() {
        answer = run(&[]);
    }
    let errors = String::from_utf8_lossy(&answer.stderr);
    assert!(
        answer.status.success(),
        "cargo tree --package {package}: {errors}"
    );
    let names = String::from_utf8_lossy(&answer.stdout).into_owned();
    names
        .lines()
        .any(|line| line.split(' ').next() == Some(dependency))
}

/// All rules that look at one file.
fn check(source: &Source) -> Vec<Violation> {
    let mut violations = shape::check(source);
    violations.extend(purity::check(source));
    violations.extend(arrows::check(source));
    violations.extend(words::check(source));
    violations
}

fn excepts(exception: &Exception, violation: &Violation) -> bool {
    exception.path == violation.path && exception.rule == violation.rule
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the workspace is here")
}
