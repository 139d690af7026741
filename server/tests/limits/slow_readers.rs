//! Readers that do not read.

use std::io::Write;
use std::thread;
use std::time::Duration;

use logmill_wire::ApiKey;
use logmill_wire::messages::fetch::FetchResponse;

use super::broker::{Broker, batch, decode, fetch_request};

#[test]
fn a_reader_that_pauses_gets_everything_and_stalls_nobody() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let mut writer = broker.connect();
    writer.create_topic("t", 2);
    let batches: Vec<_> = (0..50).map(|seed| batch(1_000_000, seed)).collect();
    for (offset, one) in batches.iter().enumerate() {
        assert_eq!(writer.produce("t", 0, one), (0, offset as i64));
    }
    let mut slow: Vec<_> = (0..4).map(|_| broker.connect()).collect();
    let request = fetch_request("t", 0, 0, 50 << 20);
    for client in &mut slow {
        let frame = client.frame(ApiKey::Fetch, 12, &request);
        client.stream.write_all(&frame).unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    let resident = broker.resident_bytes();
    for offset in 0..200 {
        assert_eq!(writer.produce("t", 1, &batch(1_000, 3)), (0, offset));
    }
    assert!(!writer.fetch("t", 1, 0, 1 << 20).is_empty());
    assert!(resident < 1 << 30, "{} MiB resident", resident >> 20);
    for client in &mut slow {
        let (_, body) = client.reply(ApiKey::Fetch, 12).unwrap();
        let response: FetchResponse<'_> = decode(&body, 12);
        let part = response
            .responses
            .first()
            .unwrap()
            .partitions
            .first()
            .unwrap();
        let bytes = part.records.and_then(|records| records.bytes()).unwrap();
        assert!(bytes.len() > 1_000_000, "{} bytes", bytes.len());
        check(bytes, &batches);
    }
}

/// The records are those that were produced; offsets and epochs stand in the heads now.
fn check(mut bytes: &[u8], batches: &[Vec<u8>]) {
    for (offset, batch) in batches.iter().enumerate() {
        if bytes.len() < batch.len() {
            return;
        }
        assert_eq!(bytes[..8], (offset as u64).to_be_bytes());
        assert_eq!(bytes[16..batch.len()], batch[16..], "batch {offset}");
        bytes = &bytes[batch.len()..];
    }
}

#[test]
fn a_reader_that_never_reads_is_closed_when_idle() {
    let broker = Broker::start(&["logmill.shards=2", "connections.max.idle.ms=1500"]);
    let mut writer = broker.connect();
    writer.create_topic("t", 1);
    for seed in 0..20 {
        writer.produce("t", 0, &batch(1_000_000, seed));
    }
    let mut stalled = broker.connect();
    let request = fetch_request("t", 0, 0, 50 << 20);
    let frame = stalled.frame(ApiKey::Fetch, 12, &request);
    stalled.stream.write_all(&frame).unwrap();
    thread::sleep(Duration::from_millis(3_500));
    assert!(
        stalled.reply(ApiKey::Fetch, 12).is_err(),
        "cut off within the reply"
    );
}
