//! Too many connections, too many bytes.

use std::io::Write;
use std::thread;
use std::time::Duration;

use logmill_wire::ApiKey;
use logmill_wire::messages::api_versions::ApiVersionsRequest;

use super::broker::{Broker, batch, produce_request};

#[test]
fn connections_above_the_limit_are_refused() {
    let broker = Broker::start(&["logmill.shards=2", "max.connections=20"]);
    let request = ApiVersionsRequest::default();
    let mut held: Vec<_> = (0..20).map(|_| broker.connect()).collect();
    for client in &mut held {
        client.call(ApiKey::ApiVersions, 0, &request).unwrap();
    }
    let mut refused = broker.connect();
    assert!(refused.call(ApiKey::ApiVersions, 0, &request).is_err());
    broker.wait_for_log("max.connections");
    drop(held.pop());
    thread::sleep(Duration::from_millis(200));
    broker
        .connect()
        .call(ApiKey::ApiVersions, 0, &request)
        .unwrap();
    held[0].call(ApiKey::ApiVersions, 0, &request).unwrap();
}

#[test]
fn a_flood_of_produce_stays_within_memory() {
    let broker = Broker::start(&["logmill.shards=2", "logmill.memory.bytes=268435456"]);
    broker.connect().create_topic("t", 4);
    let one = batch(900_000, 1);
    let floods: Vec<_> = (0..8)
        .map(|number| {
            let mut client = broker.connect();
            let request = produce_request("t", number % 4, &one, 1);
            let mut frames = Vec::new();
            for _ in 0..30 {
                frames.extend(client.frame(ApiKey::Produce, 9, &request));
            }
            thread::spawn(move || {
                let mut writer = client.stream.try_clone().unwrap();
                let sending = thread::spawn(move || writer.write_all(&frames).unwrap());
                for _ in 0..30 {
                    client.reply(ApiKey::Produce, 9).unwrap();
                }
                sending.join().unwrap();
            })
        })
        .collect();
    let mut most = 0;
    while floods.iter().any(|flood| !flood.is_finished()) {
        most = most.max(broker.resident_bytes());
        thread::sleep(Duration::from_millis(20));
    }
    floods.into_iter().for_each(|flood| flood.join().unwrap());
    assert!(most < 320 << 20, "{} MiB resident", most >> 20);
    assert_eq!(broker.connect().produce("t", 0, &one), (0, 60));
}

#[test]
fn idle_connections_cost_no_time() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let request = ApiVersionsRequest::default();
    let mut held: Vec<_> = (0..500).map(|_| broker.connect()).collect();
    for client in &mut held {
        client.call(ApiKey::ApiVersions, 0, &request).unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    let before = broker.cpu_time();
    thread::sleep(Duration::from_secs(3));
    let used = broker.cpu_time() - before;
    // Not a measurement, a net: a loop that spins would use seconds.
    assert!(
        used < Duration::from_millis(300),
        "{used:?} of CPU in three idle seconds"
    );
}
