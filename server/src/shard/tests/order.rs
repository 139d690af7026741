//! Order of replies, and what a connection may have under way.

use logmill_wire::ApiKey;
use logmill_wire::messages::api_versions::ApiVersionsRequest;

use super::rig::{Rig, batch, frame, produce_request};
use crate::connection::CloseReason;

#[test]
fn a_thousand_pipelined_requests_keep_their_order() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let good = batch(&[b"good"]);
    let mut bytes = Vec::new();
    let mut expected = Vec::new();
    for number in 0..1_000 {
        let acks = [1, 0, -1][number as usize % 3];
        let request = produce_request("t", &[(number % 2, &good)], acks);
        bytes.extend(frame(ApiKey::Produce, 9, number, &request));
        if acks != 0 {
            expected.push(number);
        }
    }
    let mut done = 0;
    let mut got = Vec::new();
    while got.len() < expected.len() {
        let count = rig.deliver(&client, &bytes[done..]);
        done += count;
        rig.settle();
        rig.collect(&mut client);
        let before = got.len();
        while let Some((correlation, _)) = client.reply(ApiKey::Produce, 9) {
            got.push(correlation);
        }
        assert!(
            count > 0 || got.len() > before,
            "stuck after {} replies",
            got.len()
        );
    }
    assert_eq!(got, expected);
    assert_eq!(done, bytes.len());
    assert_eq!(rig.shards[0].request_bytes(), 0);
}

#[test]
fn reading_stops_while_too_much_is_under_way() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let client = rig.connect(0);
    rig.disks_work = false;
    let good = batch(&[b"good"]);
    for number in 0..5 {
        let request = produce_request("t", &[(0, &good)], -1);
        let bytes = frame(ApiKey::Produce, 9, number, &request);
        assert_eq!(rig.deliver(&client, &bytes), bytes.len());
    }
    assert!(rig.shards[0].receive_target(client.key).is_none());
    rig.disks_work = true;
    rig.settle();
    assert!(rig.shards[0].receive_target(client.key).is_some());
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_and_others_close() {
    let mut rig = Rig::new(1);
    let mut client = rig.connect(0);
    let request = ApiVersionsRequest::default();
    let mut bytes = frame(ApiKey::ApiVersions, 3, 7, &request);
    bytes[6..8].copy_from_slice(&99_i16.to_be_bytes());
    rig.deliver(&client, &bytes);
    rig.settle();
    rig.collect(&mut client);
    let (correlation, body) = client.reply(ApiKey::ApiVersions, 0).unwrap();
    assert_eq!((correlation, &body[..2]), (7, &35_i16.to_be_bytes()[..]));
    let mut bytes = frame(ApiKey::Metadata, 0, 8, &request);
    bytes[6..8].copy_from_slice(&99_i16.to_be_bytes());
    rig.deliver(&client, &bytes);
    rig.settle();
    assert_eq!(rig.closed, [(0, client.key, CloseReason::BadRequest)]);
}

#[test]
fn silence_ends_connections() {
    let mut rig = Rig::new(1);
    let silent = rig.connect(0);
    let half = rig.connect(0);
    let mut idle = rig.connect(0);
    let request = ApiVersionsRequest::default();
    let body = rig.call(&mut idle, ApiKey::ApiVersions, 0, &request);
    assert!(body.is_some());
    let bytes = frame(ApiKey::ApiVersions, 0, 1, &request);
    rig.deliver(&half, &bytes);
    rig.deliver(&half, &bytes[..9]);
    rig.advance_ms(10_010);
    assert_eq!(rig.closed, [(0, silent.key, CloseReason::Handshake)]);
    rig.advance_ms(19_000);
    assert_eq!(rig.closed.len(), 1);
    rig.advance_ms(2_000);
    assert_eq!(rig.closed[1..], [(0, half.key, CloseReason::HalfFrame)]);
    rig.advance_ms(600_000);
    assert_eq!(rig.closed[2..], [(0, idle.key, CloseReason::Idle)]);
    assert_eq!(rig.shards[0].connections(), 0);
}

#[test]
fn garbage_closes_its_connection_and_no_other() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let mut good = rig.connect(0);
    let lengths: [i32; 4] = [-1, 0, i32::MAX, i32::MIN];
    for length in lengths {
        let bad = rig.connect(0);
        rig.deliver(&bad, &length.to_be_bytes());
        rig.settle();
        assert!(
            matches!(rig.closed.last(), Some((0, key, CloseReason::Frame(_))) if *key == bad.key)
        );
    }
    for seed in 0..200_u64 {
        let bad = rig.connect(0);
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut bytes = 64_i32.to_be_bytes().to_vec();
        for _ in 0..64 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state as u8);
        }
        // A real API key in front, so that bodies are decoded too.
        bytes[4..8].copy_from_slice(&[0, (seed % 70) as u8, 0, (seed % 13) as u8]);
        rig.deliver(&bad, &bytes);
        rig.settle();
    }
    assert_eq!(rig.produce(&mut good, "t", 0, &[b"still here"]), (0, 0));
    assert_eq!(rig.shards[0].request_bytes(), 0);
}
