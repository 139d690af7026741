//! The system takes the processor away at any moment.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logmill_wire::ApiKey;

use super::broker::{Broker, Client, batch, produce_request};

/// An executor that goes to sleep over a shard that has work, because its timer fired at the wrong
/// moment, would leave everybody without answers for good.
#[test]
fn a_broker_that_is_interrupted_at_any_moment_goes_on() {
    let broker = Broker::start(&["logmill.shards=2"]);
    broker.connect().create_topic("t", 2);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for partition in 0..4 {
            let (client, is_over) = (broker.connect(), &is_over);
            scope.spawn(move || keep_busy(client, partition % 2, is_over));
        }
        // More threads than cores that never wait: everybody else is interrupted for milliseconds,
        // wherever he may be.
        for _ in 0..2 * thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        thread::sleep(Duration::from_secs(3));
        is_over.store(true, Ordering::Relaxed);
    });
}

/// Keeps so many requests under way that the shards rarely sleep.
fn keep_busy(mut client: Client, partition: i32, is_over: &AtomicBool) {
    let timeout = Some(Duration::from_secs(10));
    client.stream.set_read_timeout(timeout).expect("a socket");
    let batch = batch(1_000, 1);
    let request = produce_request("t", partition, &batch, 1);
    let frames = client.frame(ApiKey::Produce, 9, &request).repeat(16);
    client.stream.write_all(&frames).expect("the broker reads");
    while !is_over.load(Ordering::Relaxed) {
        client.stream.write_all(&frames).expect("the broker reads");
        for _ in 0..16 {
            let reply = client.reply(ApiKey::Produce, 9);
            reply.expect("a reply within ten seconds");
        }
    }
}
