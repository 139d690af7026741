//! Frames that no client should send.

use std::io::Write;
use std::thread;
use std::time::Duration;

use logmill_wire::ApiKey;
use logmill_wire::messages::api_versions::ApiVersionsRequest;

use super::broker::{Broker, batch};

#[test]
fn senseless_lengths_close_and_say_so() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let mut good = broker.connect();
    good.create_topic("t", 2);
    for length in [-1, i32::MIN, 0, 7, i32::MAX, 104_857_601] {
        let mut bad = broker.connect();
        bad.stream.write_all(&length.to_be_bytes()).unwrap();
        assert!(bad.is_closed(), "length {length}");
    }
    broker.wait_for_log("socket.request.max.bytes");
    assert_eq!(good.produce("t", 0, &batch(10, 1)), (0, 0));
}

#[test]
fn garbage_behind_a_good_length_closes_and_harms_nobody() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let mut good = broker.connect();
    good.create_topic("t", 1);
    for seed in 0..300_u32 {
        let mut bad = broker.connect();
        let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut frame = 200_i32.to_be_bytes().to_vec();
        frame.extend((0..200).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        }));
        if seed % 2 == 0 {
            frame[4..8].copy_from_slice(&[0, (seed % 75) as u8, 0, (seed % 14) as u8]);
        }
        bad.stream.write_all(&frame).unwrap();
    }
    for offset in 0..20 {
        assert_eq!(good.produce("t", 0, &batch(10, 1)), (0, offset));
    }
    assert!(
        broker.log().lines().count() < 200,
        "floods do not flood the log"
    );
}

#[test]
fn half_frames_cost_no_memory_and_end() {
    let broker = Broker::start(&[
        "logmill.shards=2",
        "logmill.connection.frame.timeout.ms=1000",
    ]);
    let mut good = broker.connect();
    good.create_topic("t", 1);
    let before = broker.resident_bytes();
    let mut halves: Vec<_> = (0..100)
        .map(|_| {
            let mut half = broker.connect();
            half.call(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default())
                .unwrap();
            half.stream
                .write_all(&(90_i32 << 20).to_be_bytes())
                .unwrap();
            half.stream.write_all(&[0; 100]).unwrap();
            half
        })
        .collect();
    thread::sleep(Duration::from_millis(200));
    assert!(
        broker.resident_bytes() < before + (64 << 20),
        "begun frames hold memory"
    );
    assert!(halves[0].is_closed(), "a begun frame must go on");
    broker.wait_for_log("no byte of it came for too long");
    assert_eq!(good.produce("t", 0, &batch(10, 1)).0, 0);
}
