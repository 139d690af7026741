//! Produce as clients see it.

use logmill_engine::base::DirectoryIndex;
use logmill_wire::messages::produce::{ProduceRequest, ProduceResponse, TopicProduceData};
use logmill_wire::{ApiKey, ErrorCode};

use super::rig::{Rig, batch, decode, produce_request};
use crate::connection::CloseReason;
use crate::shard::Event;

#[test]
fn offsets_follow_each_other_on_every_shard() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 4);
    for shard in 0..2 {
        let mut client = rig.connect(shard);
        for partition in 0..4 {
            let base = shard as i64 * 3;
            let got = rig.produce(&mut client, "t", partition, &[b"a", b"b"]);
            assert_eq!(got, (0, base), "partition {partition} from shard {shard}");
            assert_eq!(
                rig.produce(&mut client, "t", partition, &[b"c"]),
                (0, base + 2)
            );
        }
    }
    assert!(
        rig.shards.iter().all(|shard| shard.requests() == 0),
        "nothing is left under way"
    );
    assert!(rig.shards.iter().all(|shard| shard.request_bytes() == 0));
}

#[test]
fn partitions_fail_one_by_one() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(1);
    let good = batch(&[b"good"]);
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let two = [good.clone(), good.clone()].concat();
    let mut new_magic = good.clone();
    new_magic[16] = 3;
    let cut_off = [&good[..], &good[..20]].concat();
    let cases: [(i32, &[u8], i16); 7] = [
        (0, &new_magic, 2),
        (1, &cut_off, 0),
        (0, &good, 0),
        (1, &bad, 2),
        (0, &two, 87),
        (1, &[], 87),
        (7, &good, 3),
    ];
    let batches: Vec<_> = cases
        .iter()
        .map(|&(index, bytes, _)| (index, bytes))
        .collect();
    let request = produce_request("t", &batches, -1);
    for version in [3, 7, 8, 9, 12] {
        let body = rig
            .call(&mut client, ApiKey::Produce, version, &request)
            .unwrap();
        let response: ProduceResponse<'_> = decode(&body, version);
        let topic = response.responses.first().unwrap();
        assert_eq!(topic.name, "t");
        for (part, case) in topic.partition_responses.iter().zip(cases) {
            assert_eq!(
                (part.index, part.error_code),
                (case.0, case.2),
                "version {version}"
            );
            assert_eq!(part.base_offset == -1, case.2 != 0);
            assert_eq!(
                part.error_message.is_some(),
                version >= 8 && ![0, 3].contains(&case.2)
            );
        }
    }
}

#[test]
fn another_leader_can_be_told_in_every_version() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let mut client = rig.connect(0);
    rig.shards[0].core.options.node_id = 77;
    let good = batch(&[b"good"]);
    let request = produce_request("t", &[(0, &good)], -1);
    for version in 3..=12 {
        let body = rig.call(&mut client, ApiKey::Produce, version, &request);
        let body = body.unwrap_or_else(|| panic!("version {version} is answered"));
        let response: ProduceResponse<'_> = decode(&body, version);
        let topic = response.responses.first().unwrap();
        let part = topic.partition_responses.first().unwrap();
        assert_eq!(part.error_code, 6);
        let leader = if version >= 10 { 1 } else { -1 };
        assert_eq!(part.current_leader.leader_id, leader, "version {version}");
    }
}

#[test]
fn a_full_disk_refuses_records_and_nothing_else() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let say = |rig: &mut Rig, bytes: u64| {
        for shard in &mut rig.shards {
            let directory = DirectoryIndex(0);
            shard.feed(rig.now, Event::FreeBytes { directory, bytes });
        }
    };
    assert_eq!(rig.produce(&mut client, "t", 0, &[b"a"]), (0, 0));
    say(&mut rig, 1 << 20);
    let good = batch(&[b"b"]);
    for version in [7, 12] {
        for partition in 0..2 {
            let request = produce_request("t", &[(partition, &good)], 1);
            let body = rig.call(&mut client, ApiKey::Produce, version, &request);
            let body = body.expect("refused at once");
            let response: ProduceResponse<'_> = decode(&body, version);
            let topic = response.responses.first().unwrap();
            let part = topic.partition_responses.first().unwrap();
            assert_eq!(part.error_code, ErrorCode::KAFKA_STORAGE_ERROR.0);
            let text = part.error_message;
            assert_eq!(text.is_some_and(|it| it.contains("free")), version >= 8);
        }
    }
    assert_eq!(rig.told.len(), 2, "once a shard: {:?}", rig.told);
    rig.create_topic("other", 1);
    say(&mut rig, 1 << 30);
    assert_eq!(rig.produce(&mut client, "t", 0, &[b"b"]), (0, 1));
    assert_eq!(rig.told.len(), 4, "{:?}", rig.told);
}

#[test]
fn unknown_names_ids_and_acks_have_their_codes() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let mut client = rig.connect(0);
    let good = batch(&[b"good"]);
    let code = |body: Vec<u8>, version| {
        let response: ProduceResponse<'_> = decode(&body, version);
        response
            .responses
            .first()
            .unwrap()
            .partition_responses
            .first()
            .unwrap()
            .error_code
    };
    let unknown = produce_request("nowhere", &[(0, &good)], -1);
    let body = rig
        .call(&mut client, ApiKey::Produce, 12, &unknown)
        .unwrap();
    assert_eq!(code(body, 12), 3);
    let bad_acks = produce_request("t", &[(0, &good)], 2);
    let body = rig
        .call(&mut client, ApiKey::Produce, 12, &bad_acks)
        .unwrap();
    assert_eq!(code(body, 12), 21);
    for (id, expected) in [([7; 16], 100), (rig.topic_id("t").0, 0)] {
        let parts = produce_request("", &[(0, &good)], -1)
            .topic_data
            .first()
            .unwrap();
        let data = TopicProduceData {
            topic_id: logmill_wire::Uuid(id),
            ..parts
        };
        let request = ProduceRequest {
            acks: 1,
            timeout_ms: 1_000,
            topic_data: vec![data].into(),
            ..ProduceRequest::default()
        };
        let body = rig
            .call(&mut client, ApiKey::Produce, 13, &request)
            .unwrap();
        assert_eq!(code(body, 13), expected);
    }
}

#[test]
fn silent_requests_get_no_reply_and_close_only_when_they_fail() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let good = batch(&[b"good"]);
    let silent = produce_request("t", &[(0, &good), (1, &good)], 0);
    assert_eq!(rig.call(&mut client, ApiKey::Produce, 9, &silent), None);
    assert_eq!(rig.produce(&mut client, "t", 0, &[b"x"]), (0, 1));
    assert_eq!(rig.produce(&mut client, "t", 1, &[b"x"]), (0, 1));
    let failing = produce_request("t", &[(9, &good)], 0);
    assert_eq!(rig.call(&mut client, ApiKey::Produce, 9, &failing), None);
    assert_eq!(
        rig.closed,
        [(0, client.key, CloseReason::SilentProduceFailed)]
    );
}

#[test]
fn without_a_durable_write_the_answer_is_a_time_out() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    for partition in 0..2 {
        let mut client = rig.connect(0);
        rig.disks_work = false;
        let good = batch(&[b"good"]);
        let request = produce_request("t", &[(partition, &good)], -1);
        assert_eq!(rig.call(&mut client, ApiKey::Produce, 9, &request), None);
        rig.advance_ms(4_900);
        rig.collect(&mut client);
        assert!(client.bytes.is_empty(), "not before its time");
        rig.advance_ms(200);
        rig.collect(&mut client);
        let (_, body) = client.reply(ApiKey::Produce, 9).unwrap();
        let response: ProduceResponse<'_> = decode(&body, 9);
        let part = response
            .responses
            .first()
            .unwrap()
            .partition_responses
            .first()
            .unwrap();
        assert_eq!(part.error_code, 7);
        rig.disks_work = true;
        rig.settle();
    }
    assert!(
        rig.shards.iter().all(|shard| shard.requests() == 0),
        "nothing is left under way"
    );
}
