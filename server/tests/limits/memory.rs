//! Clients that try to make the broker keep more than it may.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use logmill_wire::ApiKey;
use logmill_wire::messages::metadata::MetadataRequest;

use super::broker::{Broker, Client, batch};

/// A broker of little memory with a topic that takes a hundred kilobytes to describe.
fn broker() -> Broker {
    let broker = Broker::start(&["logmill.shards=2", "logmill.memory.bytes=268435456"]);
    broker.connect().create_topic("wide", 4_000);
    broker
}

/// Asks for everything so many times.
fn ask(client: &mut Client, times: usize) {
    let everything = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    for _ in 0..times {
        let frame = client.frame(ApiKey::Metadata, 9, &everything);
        client.stream.write_all(&frame).unwrap();
    }
}

#[test]
fn replies_that_nobody_takes_stay_within_memory() {
    let broker = broker();
    // So many that one reply of each is more than the memory for replies.
    let mut floods: Vec<_> = (0..400).map(|_| broker.connect()).collect();
    floods.iter_mut().for_each(|flood| ask(flood, 15));
    let (mut most, begin) = (0, Instant::now());
    while begin.elapsed() < Duration::from_secs(4) {
        most = most.max(broker.resident_bytes());
        // Some take a little now and then, which must not keep the others waiting.
        for flood in floods.iter_mut().step_by(2) {
            // Those that hold most are closed.
            let _ = flood.stream.read(&mut [0; 10]);
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(most < 200 << 20, "{} MiB resident", most >> 20);
    broker.wait_for_log("takes its replies too slowly for their memory");
    for offset in 0..4 {
        let mut other = broker.connect();
        assert_eq!(other.produce("wide", 0, &batch(100, 1)), (0, offset));
    }
}

#[test]
fn one_slow_reader_of_large_replies_keeps_nobody_waiting() {
    let broker = broker();
    let mut slow = broker.connect();
    ask(&mut slow, 80);
    thread::sleep(Duration::from_millis(500));
    for _ in 0..8 {
        let mut other = broker.connect();
        ask(&mut other, 1);
        other.reply(ApiKey::Metadata, 9).expect("an answer at once");
    }
    for _ in 0..80 {
        slow.reply(ApiKey::Metadata, 9).expect("it is not closed");
    }
}
