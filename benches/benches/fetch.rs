//! Whole fetches through a socket from a broker in a process of its own, by each `fetch.path`, of
//! what lies in segments, in the page cache and out of it; and of what is still in the tail's
//! memory.

use std::fs::File;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput};
use logmill_benches::client::Client;
use logmill_benches::disk_store::place;
use logmill_benches::{batch, criterion};
use logmill_loadgen::broker::{Broker, BrokerPlan, SUBCOMMAND};
use logmill_loadgen::net::{Admin, TopicPlan};
use rustix::fs::Advice;

fn main() {
    // This very program is the broker, too.
    let mut args: Vec<_> = std::env::args_os().collect();
    if args.get(1).is_some_and(|word| word == SUBCOMMAND) {
        logmill_loadgen::sys::die_with_parent();
        args.remove(1);
        logmill::main_from(args);
        return;
    }
    let mut criterion = criterion();
    fetch(&mut criterion);
    criterion.final_summary();
}

fn fetch(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(place()).expect("a folder for the bench");
    let mut group = criterion.benchmark_group("fetch");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(TOPIC_BATCHES * BATCH_BYTES));
    {
        let broker = start(folder.path(), "auto");
        fill(&broker);
        let mut client = Client::connect(broker.address());
        group.bench_function("tail", |bencher| bencher.iter(|| read_all(&mut client)));
    }
    // Started anew, the broker has nothing of it in memory.
    for path in ["memory", "copy", "sendfile", "splice", "auto"] {
        let broker = start(folder.path(), path);
        let mut client = Client::connect(broker.address());
        group.bench_function(format!("segments/{path}"), |bencher| {
            bencher.iter(|| read_all(&mut client));
        });
    }
    for path in ["memory", "sendfile"] {
        let broker = start(folder.path(), path);
        let mut client = Client::connect(broker.address());
        group.bench_function(format!("cold segments/{path}"), |bencher| {
            bencher.iter_batched(
                || forget_pages(folder.path()),
                |()| read_all(&mut client),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Drops a folder's files from the page cache.
fn forget_pages(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder of the bench") {
        let path = entry.expect("its entries").path();
        if path.is_dir() {
            forget_pages(&path);
        } else {
            // A file may be gone by now.
            let Ok(file) = File::open(path) else { continue };
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).expect("a file's pages");
        }
    }
}

fn start(folder: &Path, fetch_path: &str) -> Broker {
    let (data, log) = (folder.join("data"), folder.join("broker.log"));
    let settings = [
        format!("fetch.path={fetch_path}"),
        "logmill.shards=1".to_owned(),
    ];
    let plan = BrokerPlan::own(&data, &log, &settings).expect("a free port");
    Broker::start(plan).expect("the broker starts")
}

fn fill(broker: &Broker) {
    let topic = TopicPlan {
        name: TOPIC.to_owned(),
        partitions: 1,
        replication_factor: 1,
        configs: Vec::new(),
    };
    let limit = std::time::Duration::from_secs(30);
    let made = Admin::new(&[broker.address()], TOPIC, limit).create_topic(&topic);
    made.expect("the topic is made");
    let mut client = Client::connect(broker.address());
    let batch = batch(BATCH_RECORDS as usize, 1_024);
    for _ in 0..TOPIC_BATCHES {
        client.produce(TOPIC, &batch);
    }
}

/// Reads the topic in fetches of whole batches, a mebibyte each.
fn read_all(client: &mut Client) -> usize {
    let mut bytes = 0;
    for turn in 0..TOPIC_BATCHES / FETCH_BATCHES {
        let offset = turn * FETCH_BATCHES * BATCH_RECORDS;
        let wanted = (FETCH_BATCHES * BATCH_BYTES) as i32;
        bytes += client.fetch(TOPIC, offset as i64, wanted);
    }
    assert!(bytes as u64 >= TOPIC_BATCHES * BATCH_BYTES, "{bytes} bytes");
    bytes
}

const TOPIC: &str = "bench";
const BATCH_RECORDS: u64 = 64;
/// The batch head, and of each record its value and nine bytes: length, attributes, two deltas,
/// lengths of key, value and headers.
const BATCH_BYTES: u64 = 61 + BATCH_RECORDS * (1_024 + 9);
const TOPIC_BATCHES: u64 = 480;
const FETCH_BATCHES: u64 = 15;
