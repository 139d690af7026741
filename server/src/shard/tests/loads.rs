//! Coordinators loaded from logs that Kafka, or whoever else, has written. Where something is said
//! of what Kafka does, Apache Kafka 4.1.1 was given the same records and asked.

use logmill_engine::format::compression::{Codec, compress};
use logmill_wire::batch::control::{TxnMarker, write_txn_marker};
use logmill_wire::batch::{BatchBuilder, BatchMeta, Compression, NewRecord};
use logmill_wire::messages::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use logmill_wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse,
};
use logmill_wire::records::group::{
    GroupMetadataKey, GroupMetadataValue, LegacyOffsetCommitKey, MemberMetadata, OffsetCommitKey,
    OffsetCommitValue,
};
use logmill_wire::records::{write_key, write_value};
use logmill_wire::{ApiKey, Uuid, Writer};

use super::groups::{codes, commit, committed, world};
use super::rig::{Client, Rig, decode};
use crate::groups::partition_of;

const LOADING: i16 = 14;
const NOT_COORDINATOR: i16 = 16;

/// Key and value.
type Row = (Vec<u8>, Option<Vec<u8>>);

fn offset_key(group: &str, partition: i32) -> Vec<u8> {
    let key = OffsetCommitKey {
        group,
        topic: "t",
        partition,
    };
    let mut writer = Writer::new();
    write_key(&mut writer, &key).unwrap();
    writer.bytes
}

fn offset_value(offset: i64, version: i16) -> Vec<u8> {
    let value = OffsetCommitValue {
        offset,
        leader_epoch: -1,
        metadata: "words",
        commit_timestamp: 1_700_000_000_000,
        expire_timestamp: -1,
        topic_id: Uuid::default(),
    };
    let mut writer = Writer::new();
    write_value(&mut writer, &value, version).unwrap();
    writer.bytes
}

fn offset(group: &str, partition: i32, offset: i64) -> Row {
    (
        offset_key(group, partition),
        Some(offset_value(offset, OFFSET_VERSION)),
    )
}

fn stable_group(group: &str, version: i16) -> Row {
    let member = MemberMetadata {
        member_id: "m",
        group_instance_id: None,
        client_id: "c",
        client_host: "/127.0.0.1",
        rebalance_timeout: 60_000,
        session_timeout: 10_000,
        subscription: b"subscription",
        assignment: b"assignment",
    };
    let value = GroupMetadataValue {
        protocol_type: "consumer",
        generation: 7,
        protocol: Some("range"),
        leader: Some("m"),
        current_state_timestamp: -1,
        members: vec![member].into(),
    };
    let (mut key, mut writer) = (Writer::new(), Writer::new());
    write_key(&mut key, &GroupMetadataKey { group }).unwrap();
    write_value(&mut writer, &value, version).unwrap();
    (key.bytes, Some(writer.bytes))
}

fn packed(rows: &[Row], compression: Compression, meta: &BatchMeta) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (key, value) in rows {
        let record = NewRecord {
            timestamp: 1_700_000_000_000,
            key: Some(key),
            value: value.as_deref(),
            headers: &[],
        };
        builder.append(&record).unwrap();
    }
    let codec = Codec::from_id(compression as u8).unwrap();
    let mut bytes = Vec::new();
    let press = |records: &[u8], out: &mut Vec<u8>| compress(codec, None, records, out);
    builder
        .finish_compressed(meta, compression, press, &mut bytes)
        .unwrap();
    bytes
}

fn plain(rows: &[Row]) -> Vec<u8> {
    packed(rows, Compression::None, &BatchMeta::default())
}

fn transactional(producer_id: i64, rows: &[Row]) -> Vec<u8> {
    let meta = BatchMeta {
        producer_id,
        producer_epoch: 0,
        base_sequence: 0,
        is_transactional: true,
        ..BatchMeta::default()
    };
    packed(rows, Compression::None, &meta)
}

fn marker(producer_id: i64, committed: bool) -> Vec<u8> {
    let marker = TxnMarker {
        producer_id,
        producer_epoch: 0,
        committed,
        coordinator_epoch: 0,
    };
    let mut bytes = Vec::new();
    let mut builder = BatchBuilder::new();
    write_txn_marker(&mut builder, &marker, 0, -1, 1_700_000_000_000, &mut bytes);
    bytes
}

/// Groups that all belong to one partition of the topic of offsets.
fn names(index: i32) -> impl Iterator<Item = String> {
    let names = (0..).map(|number: i32| format!("g{number}"));
    names.filter(move |name| partition_of(name, 50) == index)
}

/// Writes batches to the log of a partition, and loads its coordinator from there.
fn load(rig: &mut Rig, index: i32, batches: &[Vec<u8>]) {
    for batch in batches {
        rig.write_offsets_log(index, batch);
    }
    rig.settle();
    rig.reload_coordinator(index);
    rig.settle();
}

/// The error that a group's offsets are answered with.
fn fetch_error(rig: &mut Rig, client: &mut Client, group_id: &str) -> Option<i16> {
    let asked = OffsetFetchRequestGroup {
        group_id,
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    let request = OffsetFetchRequest {
        groups: vec![asked].into(),
        ..OffsetFetchRequest::default()
    };
    let frame = client.frame(ApiKey::OffsetFetch, 9, &request);
    assert_eq!(rig.deliver(client, &frame), frame.len());
    rig.some_turns(4);
    rig.collect(client);
    let (_, body) = client.reply(ApiKey::OffsetFetch, 9)?;
    let response: OffsetFetchResponse<'_> = decode(&body, 9);
    Some(response.groups.first().unwrap().error_code)
}

#[test]
fn batches_of_every_codec_and_records_of_every_version_are_loaded() {
    let (mut rig, mut client, _) = world();
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    for (index, codec) in (0..).zip(codecs) {
        let names: Vec<String> = names(index).take(7).collect();
        let mut rows: Vec<Row> = (0..=4)
            .map(|version| {
                let value = offset_value(100 + i64::from(version), version);
                (offset_key(&names[0], version.into()), Some(value))
            })
            .collect();
        let of_old = LegacyOffsetCommitKey {
            group: &names[0],
            topic: "t",
            partition: 5,
        };
        let mut key = Writer::new();
        write_key(&mut key, &of_old).unwrap();
        rows.push((key.bytes, Some(offset_value(105, 0))));
        // One that is deleted again.
        rows.extend([offset(&names[0], 6, 1), (offset_key(&names[0], 6), None)]);
        rows.extend((0..=4).map(|version| stable_group(&names[1 + version as usize], version)));
        let (gone, _) = stable_group(&names[6], 3);
        rows.extend([stable_group(&names[6], 3), (gone, None)]);
        load(
            &mut rig,
            index,
            &[packed(&rows, codec, &BatchMeta::default())],
        );
        let expected: Vec<_> = (0..=5)
            .map(|number| (names[0].clone(), number, 100 + i64::from(number)))
            .collect();
        let found = committed(&mut rig, &mut client, &[&names[0]]);
        assert_eq!(found, expected, "{codec:?}");
        let asked: Vec<&str> = names[1..].iter().map(String::as_str).collect();
        let request = DescribeGroupsRequest {
            groups: asked.into(),
            ..DescribeGroupsRequest::default()
        };
        let body = rig.call(&mut client, ApiKey::DescribeGroups, 5, &request);
        let body = body.unwrap();
        let response: DescribeGroupsResponse<'_> = decode(&body, 5);
        let groups = response.groups.to_vec();
        for group in &groups[..5] {
            assert_eq!(group.group_state, "Stable", "{codec:?}: {}", group.group_id);
            let member = group.members.first().unwrap();
            assert_eq!(
                (member.member_id, member.member_assignment),
                ("m", &b"assignment"[..])
            );
        }
        assert_eq!(groups[5].group_state, "Dead");
    }
}

#[test]
fn offsets_of_transactions_count_when_these_are_committed() {
    let (mut rig, mut client, _) = world();
    let name = names(3).next().unwrap();
    let batches = [
        transactional(1, &[offset(&name, 0, 10), offset(&name, 1, 11)]),
        transactional(2, &[offset(&name, 2, 12), offset(&name, 6, 16)]),
        transactional(3, &[offset(&name, 3, 13)]),
        // A commit outside of transactions, and a deletion, decide for what came before them.
        transactional(4, &[offset(&name, 4, 14), offset(&name, 5, 15)]),
        plain(&[offset(&name, 4, 24), (offset_key(&name, 5), None)]),
        // Of two transactions the later record wins, whichever ends later.
        transactional(5, &[offset(&name, 7, 17), offset(&name, 8, 18)]),
        transactional(6, &[offset(&name, 7, 27)]),
        marker(1, true),
        marker(2, false),
        marker(4, true),
        marker(6, true),
        marker(5, true),
        // A marker of nothing.
        marker(9, true),
    ];
    load(&mut rig, 3, &batches);
    let found = committed(&mut rig, &mut client, &[&name]);
    let offsets: Vec<(i32, i64)> = found.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(offsets, [(0, 10), (1, 11), (4, 24), (7, 27), (8, 18)]);
    let told = "__consumer_offsets-3: 1 offsets were committed in transactions that never ended: \
                they do not count";
    assert!(rig.told.iter().any(|it| it == told), "{:?}", rig.told);
}

#[test]
fn a_transaction_that_never_ends_lets_its_log_be_written_anew() {
    let (mut rig, mut client, _) = world();
    let name = names(3).next().unwrap();
    load(&mut rig, 3, &[transactional(1, &[offset(&name, 0, 10)])]);
    for offset in 0..600 {
        let request = commit(&name, -1, "", offset);
        let body = rig.call(&mut client, ApiKey::OffsetCommit, 9, &request);
        assert_eq!(codes(&body.unwrap())[0], (0, 0));
    }
    let expected = [(name.clone(), 0, 599)];
    assert_eq!(committed(&mut rig, &mut client, &[&name]), expected);
    rig.reload_coordinator(3);
    rig.settle();
    assert_eq!(committed(&mut rig, &mut client, &[&name]), expected);
}

#[test]
fn records_of_unknown_types_are_passed_over_and_told() {
    let (mut rig, mut client, _) = world();
    let name = names(3).next().unwrap();
    let rows = [
        offset(&name, 0, 10),
        (
            b"\x00\x63\x00\x01g".to_vec(),
            Some(b"\x00\x00\x07".to_vec()),
        ),
        (b"\x00\x63\x00\x01g".to_vec(), None),
        // A group of the consumer protocol.
        (
            b"\x00\x03\x00\x01g".to_vec(),
            Some(b"\x00\x00\x00".to_vec()),
        ),
        offset(&name, 1, 11),
    ];
    load(&mut rig, 3, &[plain(&rows)]);
    let expected = [(name.clone(), 0, 10), (name.clone(), 1, 11)];
    assert_eq!(committed(&mut rig, &mut client, &[&name]), expected);
    let told = "__consumer_offsets-3: 3 records of types that are not known here were passed \
                over: {3, 99}";
    let is_told = rig.told.iter().any(|it| it.starts_with(told));
    assert!(is_told, "{:?}", rig.told);
}

#[test]
fn bytes_behind_keys_and_values_are_passed_over() {
    let (mut rig, mut client, _) = world();
    let name = names(3).next().unwrap();
    let (mut key, mut value) = (offset_key(&name, 0), offset_value(10, 3));
    key.extend(b"later");
    value.extend(b"later");
    load(&mut rig, 3, &[plain(&[(key, Some(value))])]);
    let expected = [(name.clone(), 0, 10)];
    assert_eq!(committed(&mut rig, &mut client, &[&name]), expected);
}

/// As in Kafka, groups whose coordinator cannot be loaded are told to look for another one.
#[test]
fn a_damaged_record_stops_its_partition_and_no_other() {
    let (mut rig, mut client, mut other) = world();
    let healthy = names(20).next().unwrap();
    let body = rig.call(
        &mut client,
        ApiKey::OffsetCommit,
        9,
        &commit(&healthy, -1, "", 5),
    );
    assert_eq!(codes(&body.unwrap())[0], (0, 0));
    let name = |index| names(index).next().unwrap();
    let good = |index| offset(&name(index), 0, 10);
    let value = Some(offset_value(11, 3));
    let key = |index| offset_key(&name(index), 1);
    let mut flipped = plain(&[good(7), offset(&name(7), 1, 11)]);
    *flipped.last_mut().unwrap() ^= 0x10;
    let damaged = [
        plain(&[good(0), (b"\x00".to_vec(), value.clone())]),
        plain(&[good(1), (b"\x00\x01\x00\x5aa".to_vec(), value.clone())]),
        plain(&[good(2), (Vec::new(), value)]),
        plain(&[good(3), (key(3), Some(b"\x00\x03xx".to_vec()))]),
        plain(&[good(4), (key(4), Some(Vec::new()))]),
        plain(&[good(5), (key(5), Some(b"\x00\x4dxx".to_vec()))]),
        packed(
            &[good(6), (key(6), Some(b"\x00\x03xx".to_vec()))],
            Compression::Zstd,
            &BatchMeta::default(),
        ),
        flipped,
    ];
    for (index, batch) in (0..).zip(damaged) {
        load(&mut rig, index, &[batch]);
        let group = name(index);
        for client in [&mut client, &mut other] {
            let error = fetch_error(&mut rig, client, &group);
            assert_eq!(error, Some(NOT_COORDINATOR), "{index}");
            let request = commit(&group, -1, "", 5);
            let body = rig.call(client, ApiKey::OffsetCommit, 9, &request);
            assert_eq!(codes(&body.unwrap())[0], (0, NOT_COORDINATOR), "{index}");
        }
        let told = format!("__consumer_offsets-{index} cannot be loaded at offset 0: ");
        let is_told = rig.told.iter().any(|it| it.starts_with(&told));
        assert!(is_told, "{:?}", rig.told);
        let expected = [(healthy.clone(), 0, 5)];
        assert_eq!(committed(&mut rig, &mut client, &[&healthy]), expected);
    }
    // Time does it no harm.
    rig.advance_ms(700_000);
    let mut client = rig.connect(0);
    let group = name(0);
    let error = fetch_error(&mut rig, &mut client, &group);
    assert_eq!(error, Some(NOT_COORDINATOR));
}

/// Groups of a partition that is being loaded are told so; those of others do not notice.
#[test]
fn a_long_load_stops_no_other_coordinator() {
    let (mut rig, mut client, _) = world();
    let (loads, serves) = (names(3).next().unwrap(), names(5).next().unwrap());
    assert_eq!(rig.offsets_log(3).0, rig.offsets_log(5).0, "of one shard");
    let body = rig.call(
        &mut client,
        ApiKey::OffsetCommit,
        9,
        &commit(&serves, -1, "", 0),
    );
    assert_eq!(codes(&body.unwrap())[0], (0, 0));
    for number in 0..100 {
        let long = "l".repeat(30_000);
        let row = |part| (offset_key(&format!("{long}{part}"), number), None);
        rig.write_offsets_log(3, &plain(&[row(0), row(1), row(2)]));
        rig.settle();
    }
    rig.write_offsets_log(3, &plain(&[offset(&loads, 0, 10)]));
    rig.settle();
    rig.told.clear();
    rig.reload_coordinator(3);
    let begin = rig.now.monotonic;
    let mut refused = 0;
    while fetch_error(&mut rig, &mut client, &loads) == Some(LOADING) {
        refused += 1;
        let error = fetch_error(&mut rig, &mut client, &serves);
        assert_eq!(error, Some(0), "offsets are told during the load");
        let request = commit(&serves, -1, "", refused);
        let frame = client.frame(ApiKey::OffsetCommit, 9, &request);
        assert_eq!(rig.deliver(&client, &frame), frame.len());
        let body = (0..10).find_map(|_| {
            rig.some_turns(1);
            rig.advance_clock_ms(1);
            rig.collect(&mut client);
            client.reply(ApiKey::OffsetCommit, 9)
        });
        let (_, body) = body.expect("offsets are committed during the load");
        assert_eq!(codes(&body)[0], (0, 0));
    }
    assert!(refused >= 3, "{refused} refusals");
    let [anew, line] = rig.told.as_slice() else {
        panic!("{:?}", rig.told);
    };
    assert!(anew.ends_with("the coordinator is loaded anew: a test wants it"));
    let ms = line.strip_prefix("__consumer_offsets: 301 records of 1 partitions loaded in ");
    let ms = ms.and_then(|rest| rest.strip_suffix(" ms"));
    let ms: u64 = ms.expect(line).parse().unwrap();
    let most = rig.now.monotonic.saturating_since(begin).0 / 1_000;
    assert!((1..=most).contains(&ms), "{ms} of {most}");
    let all = committed(&mut rig, &mut client, &[&loads, &serves]);
    assert_eq!(all, [(loads, 0, 10), (serves, 0, refused)]);
}

const OFFSET_VERSION: i16 = 3;
