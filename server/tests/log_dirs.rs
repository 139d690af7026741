//! Several log directories, from the outside: partitions spread over them, a kill, a directory that
//! can no longer be trusted.

#[path = "limits/broker.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod broker;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use broker::{Broker, batch};
use logmill_wire::ErrorCode;

const PARTITIONS: i32 = 9;
const PATIENCE: Duration = Duration::from_secs(20);

/// The partitions of topic `t` that have their folder in a log directory.
fn partitions_in(directory: &Path) -> Vec<i32> {
    let entries = fs::read_dir(directory).expect("a log directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let index = |name: &str| name.strip_prefix("t-")?.parse().ok();
    let mut found: Vec<i32> = names
        .filter_map(|name| index(&name.to_string_lossy()))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn partitions_are_spread_and_survive_the_loss_of_a_directory() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let directories: Vec<PathBuf> = ["a", "b", "c"].map(|name| home.path().join(name)).into();
    let texts: Vec<String> = directories
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let all = format!("log.dirs={}", texts.join(","));
    let bytes = batch(5_000, 7);

    let first = Broker::start(&[&all]);
    let mut client = first.connect();
    client.create_topic("t", PARTITIONS);
    for partition in 0..PARTITIONS {
        assert_eq!(client.produce("t", partition, &bytes), (0, 0));
    }
    // Folders may come after the first acknowledgements, which the journals keep.
    let deadline = Instant::now() + PATIENCE;
    let spread: Vec<Vec<i32>> = loop {
        let spread: Vec<_> = directories.iter().map(|it| partitions_in(it)).collect();
        if spread.iter().map(Vec::len).sum::<usize>() == PARTITIONS as usize {
            break spread;
        }
        assert!(Instant::now() < deadline, "{spread:?}");
        thread::sleep(Duration::from_millis(10));
    };
    // A broker that is dropped is killed.
    drop(first);
    // Each new partition goes where there are fewest.
    for here in &spread {
        assert_eq!(here.len(), 3, "{spread:?}");
    }

    let second = Broker::start(&[&all]);
    let mut client = second.connect();
    for partition in 0..PARTITIONS {
        let found = client.fetch("t", partition, 0, 1 << 20);
        assert_eq!(found.len(), bytes.len(), "partition {partition}");
        assert_eq!(client.produce("t", partition, &bytes), (0, 1));
    }
    drop(second);

    // The last one's word on what it holds is no more to be believed.
    fs::write(directories[2].join("logmill-snapshot"), "nonsense").expect("a file");
    let third = Broker::start(&[&all]);
    let mut client = third.connect();
    let refused = ErrorCode::KAFKA_STORAGE_ERROR.0;
    for partition in 0..PARTITIONS {
        let (code, base) = client.produce("t", partition, &bytes);
        if spread[2].contains(&partition) {
            assert_eq!(code, refused, "partition {partition}");
            continue;
        }
        assert_eq!((code, base), (0, 2), "partition {partition}");
        for offset in 0..3 {
            let found = client.fetch("t", partition, offset, 1);
            assert_eq!(found.len(), bytes.len(), "partition {partition}");
        }
    }
    // New topics go to the directories that are left.
    client.create_topic("u", 4);
    for partition in 0..4 {
        assert_eq!(client.produce("u", partition, &bytes), (0, 0));
    }
}
