//! Clients that try to make the broker keep more than it may.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use logmill_wire::ApiKey;
use logmill_wire::messages::metadata::MetadataRequest;

use super::broker::{Broker, batch};

#[test]
fn replies_that_nobody_takes_stay_within_memory() {
    let broker = Broker::start(&["logmill.shards=2", "logmill.memory.bytes=268435456"]);
    let mut client = broker.connect();
    client.create_topic("wide", 4_000);
    // A hundred kilobytes each, for the asking.
    let everything = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let mut floods: Vec<_> = (0..100).map(|_| broker.connect()).collect();
    for flood in &mut floods {
        for _ in 0..60 {
            let frame = flood.frame(ApiKey::Metadata, 9, &everything);
            flood.stream.write_all(&frame).unwrap();
        }
    }
    let (mut most, begin) = (0, Instant::now());
    while begin.elapsed() < Duration::from_secs(4) {
        most = most.max(broker.resident_bytes());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(most < 200 << 20, "{} MiB resident", most >> 20);
    // Those that take nothing are closed, and the others served.
    broker.wait_for_log("the peer takes no replies, and their memory is needed");
    let mut other = broker.connect();
    assert_eq!(other.produce("wide", 0, &batch(100, 1)), (0, 0));
}
