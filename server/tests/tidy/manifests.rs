//! The rules that look at `Cargo.toml` and `deny.toml`: arrows between crates, and a reason for
//! every dependency.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::source::Violation;

/// Reads the manifests below `root` and checks them.
pub fn check(root: &Path) -> Vec<Violation> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let mut violations = Vec::new();
    for (path, allowed) in CRATES {
        violations.extend(crate_arrows(path, &read(path), allowed));
    }
    violations.extend(reasons(&read("Cargo.toml"), &read("deny.toml")));
    violations
}

/// Which crates of ours a crate may depend on; `dev-dependencies` are free.
const CRATES: &[(&str, &[&str])] = &[
    ("engine/Cargo.toml", &[]),
    ("tuning/Cargo.toml", &[]),
    ("server/wire/derive/Cargo.toml", &[]),
    ("server/wire/Cargo.toml", &["logmill-wire-derive"]),
    ("server/client/Cargo.toml", &["logmill-wire"]),
    (
        "server/Cargo.toml",
        &[
            "logmill-client",
            "logmill-engine",
            "logmill-tuning",
            "logmill-wire",
        ],
    ),
    (
        "loadgen/Cargo.toml",
        &[
            "logmill",
            "logmill-client",
            "logmill-engine",
            "logmill-tuning",
            "logmill-wire",
        ],
    ),
];

/// The arrows between crates, and one place for versions: the workspace's table.
pub fn crate_arrows(path: &str, manifest: &str, allowed: &[&str]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (section, entries) in sections(manifest) {
        if !section.ends_with("dependencies") {
            continue;
        }
        for (line, name, value) in entries {
            let violation = |rule, message| Violation {
                path: path.to_owned(),
                line,
                rule,
                message,
            };
            let ours = name == "logmill" || name.starts_with("logmill-");
            if ours && section == "dependencies" && !allowed.contains(&name.as_str()) {
                let message = format!("this crate may not lean on {name}: arrows point one way");
                violations.push(violation("crate-arrows", message));
            }
            if !value.contains("workspace") {
                let message = format!("{name}: versions stand in the workspace's Cargo.toml");
                violations.push(violation("dependency-reason", message));
            }
        }
    }
    violations
}

/// Every dependency from outside has a line `# name: reason` in `deny.toml`, and none is stale.
pub fn reasons(workspace: &str, deny: &str) -> Vec<Violation> {
    let violation = |path: &str, line, message| Violation {
        path: path.to_owned(),
        line,
        rule: "dependency-reason",
        message,
    };
    let mut reasons = BTreeMap::new();
    for (index, line) in deny.lines().enumerate() {
        let parts = line
            .strip_prefix("# ")
            .and_then(|text| text.split_once(": "));
        if let Some((name, reason)) = parts
            && !name.contains(' ')
            && reason.len() > 10
        {
            reasons.insert(name, index + 1);
        }
    }
    let mut violations = Vec::new();
    let dependencies = sections(workspace)
        .remove("workspace.dependencies")
        .unwrap_or_default();
    for (line, name, value) in &dependencies {
        if !value.contains("path =") && reasons.remove(name.as_str()).is_none() {
            let message = format!("deny.toml has no line `# {name}: reason`");
            violations.push(violation("Cargo.toml", *line, message));
        }
    }
    for (name, line) in reasons {
        let message = format!("`{name}` is no dependency: drop its line");
        violations.push(violation("deny.toml", line, message));
    }
    violations
}

/// The lines `name = value` and `name.key = value` of each section, with their numbers.
fn sections(manifest: &str) -> BTreeMap<String, Vec<(usize, String, String)>> {
    let mut sections: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut section = String::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            let (name, rest) = key.trim().split_once('.').unwrap_or((key.trim(), ""));
            let value = format!("{rest} {}", value.trim());
            sections
                .entry(section.clone())
                .or_default()
                .push((index + 1, name.to_owned(), value));
        }
    }
    sections
}
