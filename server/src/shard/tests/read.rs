//! Fetch as clients see it.

use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use logmill_wire::{ApiKey, Uuid};

use super::rig::{Client, Rig, decode, fetch_request};

/// Partition, error code, high watermark and bytes of records.
type Row = (i32, i16, i64, usize);

/// Error code, session and the partitions answered.
fn rows(body: &[u8], version: i16) -> (i16, i32, Vec<Row>) {
    let response: FetchResponse<'_> = decode(body, version);
    let mut rows = Vec::new();
    for topic in &response.responses {
        for part in &topic.partitions {
            let len = part.records.map_or(0, |records| records.len());
            rows.push((
                part.partition_index,
                part.error_code,
                part.high_watermark,
                len,
            ));
        }
    }
    (response.error_code, response.session_id, rows)
}

fn fetch(rig: &mut Rig, client: &mut Client, request: &FetchRequest<'_>) -> Option<Vec<Row>> {
    let body = rig.call(client, ApiKey::Fetch, 12, request)?;
    Some(rows(&body, 12).2)
}

#[test]
fn what_was_produced_is_read_from_every_shard() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    for partition in 0..2 {
        for _ in 0..3 {
            rig.produce(&mut client, "t", partition, &[b"value"]);
        }
    }
    for shard in 0..2 {
        let mut client = rig.connect(shard);
        let got = fetch(
            &mut rig,
            &mut client,
            &fetch_request(&[(0, 0), (1, 2)], 0, 1),
        )
        .unwrap();
        let one = got[1].3;
        assert!(one > 61);
        assert_eq!(got, [(0, 0, 3, 3 * one), (1, 0, 3, one)]);
    }
}

#[test]
fn offsets_out_of_range_and_unknown_partitions_have_their_codes() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    rig.produce(&mut client, "t", 0, &[b"value"]);
    rig.produce(&mut client, "t", 1, &[b"value"]);
    for (offset, of_first) in [(2, (0, 1, -1, 0)), (1, (0, 0, 1, 0))] {
        let parts = [(0, offset), (1, -1), (5, 0)];
        let got = fetch(&mut rig, &mut client, &fetch_request(&parts, 10_000, 1)).unwrap();
        assert_eq!(got, [of_first, (1, 1, -1, 0), (5, 3, -1, 0)]);
    }
}

#[test]
fn a_long_poll_ends_with_records_or_with_its_time() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    for partition in 0..2 {
        let mut reader = rig.connect(0);
        let mut writer = rig.connect(1);
        let wait = fetch_request(&[(0, 0), (1, 0)], 1_000, 1);
        let base = if partition == 0 {
            wait
        } else {
            fetch_request(&[(0, 1), (1, 0)], 1_000, 1)
        };
        assert_eq!(
            fetch(&mut rig, &mut reader, &base),
            None,
            "there is nothing yet"
        );
        rig.produce(&mut writer, "t", partition, &[b"value"]);
        rig.collect(&mut reader);
        let (_, body) = reader
            .reply(ApiKey::Fetch, 12)
            .expect("records end the wait");
        let got = rows(&body, 12).2;
        assert!(
            got.iter()
                .any(|row| row.0 == partition && row.2 == 1 && row.3 > 0),
            "{got:?}"
        );
    }
    let mut reader = rig.connect(1);
    let wait = fetch_request(&[(0, 1), (1, 1)], 1_000, 1);
    assert_eq!(fetch(&mut rig, &mut reader, &wait), None);
    rig.advance_ms(990);
    rig.collect(&mut reader);
    assert!(reader.bytes.is_empty());
    rig.advance_ms(20);
    rig.collect(&mut reader);
    let (_, body) = reader.reply(ApiKey::Fetch, 12).expect("time ends the wait");
    assert_eq!(rows(&body, 12).2, [(0, 0, 1, 0), (1, 0, 1, 0)]);
    assert!(
        rig.shards.iter().all(|shard| shard.requests() == 0),
        "nothing is left under way"
    );
}

#[test]
fn min_bytes_gathers_over_shards() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut reader = rig.connect(0);
    let mut writer = rig.connect(0);
    assert_eq!(
        fetch(
            &mut rig,
            &mut reader,
            &fetch_request(&[(0, 0), (1, 0)], 60_000, 200)
        ),
        None
    );
    let mut replied = None;
    for count in 1..20 {
        rig.produce(&mut writer, "t", count % 2, &[b"0123456789"]);
        rig.collect(&mut reader);
        if let Some((_, body)) = reader.reply(ApiKey::Fetch, 12) {
            replied = Some((count, rows(&body, 12).2));
            break;
        }
    }
    let (count, got) = replied.expect("enough bytes end the wait");
    let bytes: usize = got.iter().map(|row| row.3).sum();
    assert!(bytes >= 200 && count == 3, "{count} batches: {got:?}");
}

#[test]
fn a_closed_connection_takes_its_waits_along() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut reader = rig.connect(0);
    assert_eq!(
        fetch(
            &mut rig,
            &mut reader,
            &fetch_request(&[(0, 0), (1, 0)], 60_000, 1)
        ),
        None
    );
    assert!(rig.shards[0].requests() > 0);
    let event = crate::shard::Event::PeerClosed {
        connection: reader.key,
    };
    rig.shards[0].feed(rig.now, event);
    rig.settle();
    assert!(
        rig.shards.iter().all(|shard| shard.requests() == 0),
        "nothing is left under way"
    );
    assert!(rig.shards.iter().all(|shard| shard.request_bytes() == 0));
}

#[test]
fn the_first_batch_is_whole_and_limits_hold_behind_it() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let large = vec![7; 10_000];
    for partition in 0..2 {
        rig.produce(&mut client, "t", partition, &[&large]);
        rig.produce(&mut client, "t", partition, &[b"small"]);
    }
    let mut tight = fetch_request(&[(0, 0), (1, 0)], 0, 1);
    tight.max_bytes = 100;
    let got = fetch(&mut rig, &mut client, &tight).unwrap();
    assert!(got[0].3 > 10_000 && got[0].3 < 10_100, "{got:?}");
    assert_eq!(got[1].3, 0, "{got:?}");
}

#[test]
fn a_session_tells_only_news() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    rig.produce(&mut client, "t", 0, &[b"value"]);
    let mut full = fetch_request(&[(0, 0), (1, 0)], 0, 1);
    full.session_epoch = 0;
    let body = rig.call(&mut client, ApiKey::Fetch, 12, &full).unwrap();
    let (code, session_id, got) = rows(&body, 12);
    assert_eq!((code, got.len()), (0, 2));
    assert_ne!(session_id, 0);
    let next = |epoch, parts: &[(i32, i64)]| FetchRequest {
        session_id,
        session_epoch: epoch,
        topics: fetch_request(parts, 0, 1).topics,
        ..fetch_request(&[], 0, 1)
    };
    let body = rig
        .call(&mut client, ApiKey::Fetch, 12, &next(1, &[(0, 1)]))
        .unwrap();
    assert_eq!(rows(&body, 12), (0, session_id, vec![]), "nothing is new");
    rig.produce(&mut client, "t", 1, &[b"value"]);
    let empty = FetchRequest {
        topics: Vec::new().into(),
        ..next(2, &[])
    };
    let body = rig.call(&mut client, ApiKey::Fetch, 12, &empty).unwrap();
    let got = rows(&body, 12).2;
    assert_eq!((got.len(), got[0].0, got[0].2), (1, 1, 1), "{got:?}");
    let body = rig
        .call(&mut client, ApiKey::Fetch, 12, &next(9, &[]))
        .unwrap();
    assert_eq!(rows(&body, 12), (71, 0, vec![]));
    let wrong = FetchRequest {
        session_id: session_id + 100,
        ..next(3, &[])
    };
    let body = rig.call(&mut client, ApiKey::Fetch, 12, &wrong).unwrap();
    assert_eq!(rows(&body, 12), (70, 0, vec![]));
}

#[test]
fn nobody_follows_and_every_version_can_say_so() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let id = rig.topic_id("t");
    let mut client = rig.connect(0);
    for version in 4..=17 {
        let mut follower = fetch_request(&[(0, 0)], 0, 1);
        if version >= 13 {
            let mut topic = follower.topics.first().unwrap();
            (topic.topic, topic.topic_id) = ("", Uuid(id.0));
            follower.topics = vec![topic].into();
        }
        if version >= 15 {
            follower.replica_state.replica_id = 2;
        } else {
            follower.replica_id = 2;
        }
        let body = rig.call(&mut client, ApiKey::Fetch, version, &follower);
        let body = body.unwrap_or_else(|| panic!("version {version} is answered"));
        assert_eq!(rows(&body, version).2, [(0, 6, -1, 0)], "version {version}");
    }
}

#[test]
fn a_log_that_parted_from_the_clients_is_told_before_its_range() {
    let mut rig = Rig::new(1);
    rig.create_topic("t", 1);
    let mut client = rig.connect(0);
    rig.produce(&mut client, "t", 0, &[b"one", b"two"]);
    // Offset and term of what the client has last; the answer's code, where that term ended.
    for (offset, epoch, code, end) in [
        (2, 0, 0, -1),
        (9, 0, 0, 2),
        (9, -1, 1, -1),
        (1, 3, 1, -1),
        (-1, 0, 1, -1),
    ] {
        let mut asked = fetch_request(&[], 0, 0);
        let partition = FetchPartition {
            fetch_offset: offset,
            last_fetched_epoch: epoch,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        };
        let topic = FetchTopic {
            topic: "t",
            partitions: vec![partition].into(),
            ..FetchTopic::default()
        };
        asked.topics = vec![topic].into();
        let body = rig.call(&mut client, ApiKey::Fetch, 12, &asked).unwrap();
        let response: FetchResponse<'_> = decode(&body, 12);
        let part = response.responses.first().unwrap().partitions.first();
        let part = part.unwrap();
        assert_eq!(
            (part.error_code, part.diverging_epoch.end_offset),
            (code, end),
            "from {offset} after term {epoch}"
        );
    }
}
