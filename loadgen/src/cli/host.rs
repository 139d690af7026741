//! What a report says of the host.

use std::fs;
use std::path::Path;

use crate::quantity::show_bytes;

/// Name and value of what bears on the figures.
pub(super) fn facts(data: Option<&Path>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("kernel", read("/proc/sys/kernel/osrelease"));
    add("processor", field("/proc/cpuinfo", "model name"));
    let cores = std::thread::available_parallelism().ok();
    add(
        "cores, shared by broker and generator",
        cores.map(|count| count.to_string()),
    );
    add(
        "memory",
        field("/proc/meminfo", "MemTotal").and_then(|text| kilobytes(&text)),
    );
    add(
        "data directory",
        data.map(|path| path.display().to_string()),
    );
    add("file system", data.and_then(file_system));
    add(
        "load generator",
        Some(format!("loadgen {}", env!("CARGO_PKG_VERSION"))),
    );
    facts
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<String> {
    let number: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(show_bytes(number * 1_024))
}

/// The type of the file system that holds `path`, by the longest mount point above it.
fn file_system(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let entries = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let device = words.next()?;
        Some((words.next()?, words.next()?, device))
    });
    let holding = entries.filter(|(mount, _, _)| path.starts_with(mount));
    let (_, kind, device) = holding.max_by_key(|(mount, _, _)| mount.len())?;
    Some(format!("{kind} on {device}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_described() {
        let facts = facts(Some(Path::new("/proc")));
        let value = |name: &str| {
            facts
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
        };
        assert!(value("kernel").is_some());
        assert_eq!(value("file system").as_deref(), Some("proc on proc"));
        assert_eq!(kilobytes("2048 kB").as_deref(), Some("2 MiB"));
    }
}
