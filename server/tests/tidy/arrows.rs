//! Imports point one way: which room of a crate may name which.
//!
//! A room is a module right below `src`. The tables are the drawing of ARCHITECTURE.md; a room
//! that is not in its table is a violation too, so that the drawing stays whole.

use crate::source::{Mention, Source, Violation};

/// A crate's source folder and its table: `room: the rooms that it may name`, lowest first.
const CRATES: &[(&str, &str)] = &[("engine/src", ENGINE), ("server/src", SERVER)];

const ENGINE: &str = "
    base:
    sys: base
    format: base sys
    disk: base sys format
    partition: base sys format
    replica: base sys format
    log: base sys format disk partition replica
    journal: base sys format disk partition log
    recovery: base sys format disk partition replica log journal
    store: base sys format disk partition replica log journal recovery
    io: base sys disk
";

const SERVER: &str = "
    base:
    config:
    metadata: config
    auth: config metadata
    groups: base config metadata
    transactions: config metadata
    connection: base config metadata auth
    partitions: base config metadata connection groups
    error: config metadata auth groups transactions connection partitions
    handlers: base config metadata auth groups transactions connection partitions error
    shard: base config metadata auth groups transactions connection partitions error handlers
    cluster: config metadata auth error handlers
    admin: config metadata
    runtime: base config metadata connection partitions error handlers shard cluster admin
    start: config metadata connection groups partitions error handlers shard cluster admin runtime
";

/// The rule of this file. Crate roots (`lib.rs`, `main.rs`) and tests may name every room.
pub fn check(source: &Source) -> Vec<Violation> {
    for (folder, table) in CRATES {
        let path = source.path.strip_prefix(folder);
        if let Some(path) = path.and_then(|path| path.strip_prefix('/')) {
            return check_room(source, path, table);
        }
    }
    Vec::new()
}

/// `path` is the one below the crate's `src`.
fn check_room(source: &Source, path: &str, table: &str) -> Vec<Violation> {
    let first = path.split('/').next().unwrap_or(path);
    let room = first.strip_suffix(".rs").unwrap_or(first);
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let rows: Vec<(&str, Vec<&str>)> = rows(table).collect();
    let Some((_, allowed)) = rows.iter().find(|(name, _)| *name == room) else {
        let message = format!("room `{room}` is not in the table of server/tests/tidy/arrows.rs");
        return vec![source.violation(1, "arrows", message)];
    };
    let mut violations = Vec::new();
    for mention in source.shipped_mentions() {
        let Some(named) = named_room(path, mention) else {
            continue;
        };
        let is_room = rows.iter().any(|(name, _)| *name == named);
        if is_room && named != room && !allowed.contains(&named) {
            let text = mention.path.join("::");
            let message = format!(
                "`{room}` may not name `{named}` ({text}): pass the value in, or move what both \
                 need to a lower room"
            );
            violations.push(source.violation(mention.line, "arrows", message));
        }
    }
    violations
}

fn rows(table: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let lines = table.lines().filter_map(|line| line.trim().split_once(':'));
    lines.map(|(room, allowed)| (room, allowed.split_whitespace().collect()))
}

/// The room that a path leads to, if it stays in the crate.
fn named_room<'a>(path: &'a str, mention: &'a Mention) -> Option<&'a str> {
    if mention.path[0] == "crate" {
        return mention.path.get(1).map(String::as_str);
    }
    let is_super = |segment: &&String| *segment == "super";
    let supers = mention.path.iter().take_while(is_super).count();
    if supers == 0 {
        return None;
    }
    // `super` once is the parent of the file's own module.
    let path = path.strip_suffix(".rs")?;
    let mut module: Vec<&str> = path.split('/').filter(|part| *part != "mod").collect();
    module.truncate(module.len().saturating_sub(supers));
    let rest = mention.path[supers..].iter().map(String::as_str);
    module.into_iter().chain(rest).next()
}

/// The tables themselves have no circle: each row names earlier rows only.
#[test]
fn the_tables_point_one_way() {
    for (folder, table) in CRATES {
        let mut earlier = Vec::new();
        for (room, allowed) in rows(table) {
            for named in allowed {
                let is_lower = earlier.contains(&named);
                assert!(is_lower, "{folder}: {named} is not below {room}");
            }
            earlier.push(room);
        }
    }
}
