//! DeleteRecords as clients see it.

use logmill_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use logmill_wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopic,
};
use logmill_wire::messages::fetch::FetchResponse;
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use logmill_wire::{ApiKey, ErrorCode};

use super::rig::{Client, Rig, decode, fetch_request};

/// Partition, low watermark and error code of each part of the one topic asked for; nothing while
/// there is no answer.
fn delete(
    rig: &mut Rig,
    client: &mut Client,
    version: i16,
    topic: &str,
    parts: &[(i32, i64)],
) -> Vec<(i32, i64, i16)> {
    let partitions: Vec<_> = parts
        .iter()
        .map(|&(partition_index, offset)| DeleteRecordsPartition {
            partition_index,
            offset,
        })
        .collect();
    let topic = DeleteRecordsTopic {
        name: topic,
        partitions: partitions.into(),
    };
    let request = DeleteRecordsRequest {
        topics: vec![topic].into(),
        timeout_ms: 5_000,
    };
    let body = rig.call(client, ApiKey::DeleteRecords, version, &request);
    body.map_or_else(Vec::new, |body| rows(&body, version))
}

fn rows(body: &[u8], version: i16) -> Vec<(i32, i64, i16)> {
    let response: DeleteRecordsResponse<'_> = decode(body, version);
    let mut rows = Vec::new();
    for topic in &response.topics {
        for part in &topic.partitions {
            rows.push((part.partition_index, part.low_watermark, part.error_code));
        }
    }
    rows
}

fn fetch_code(rig: &mut Rig, client: &mut Client, partition: i32, offset: i64) -> i16 {
    let request = fetch_request(&[(partition, offset)], 0, 1);
    let body = rig.call(client, ApiKey::Fetch, 12, &request).unwrap();
    let response: FetchResponse<'_> = decode(&body, 12);
    let topic = response.responses.iter().next().unwrap();
    topic.partitions.iter().next().unwrap().error_code
}

fn earliest(rig: &mut Rig, client: &mut Client, partition_index: i32) -> i64 {
    let partition = ListOffsetsPartition {
        partition_index,
        current_leader_epoch: -1,
        timestamp: -2,
    };
    let topic = ListOffsetsTopic {
        name: "t",
        partitions: vec![partition].into(),
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![topic].into(),
        ..ListOffsetsRequest::default()
    };
    let body = rig.call(client, ApiKey::ListOffsets, 5, &request).unwrap();
    let response: ListOffsetsResponse<'_> = decode(&body, 5);
    let topic = response.topics.iter().next().unwrap();
    topic.partitions.iter().next().unwrap().offset
}

#[test]
fn records_are_deleted_on_every_shard() {
    for version in 0..=2 {
        let mut rig = Rig::new(2);
        rig.create_topic("t", 2);
        let mut client = rig.connect(0);
        for partition in 0..2 {
            for _ in 0..3 {
                rig.produce(&mut client, "t", partition, &[b"value"]);
            }
        }
        // An offset, and the high watermark: -1.
        let told = delete(&mut rig, &mut client, version, "t", &[(0, 2), (1, -1)]);
        assert_eq!(told, [(0, 2, 0), (1, 3, 0)], "version {version}");
        assert_eq!(earliest(&mut rig, &mut client, 0), 2);
        assert_eq!(earliest(&mut rig, &mut client, 1), 3);
        let out_of_range = ErrorCode::OFFSET_OUT_OF_RANGE.0;
        for (partition, offset, code) in [(0, 1, out_of_range), (0, 2, 0), (1, 3, 0)] {
            assert_eq!(fetch_code(&mut rig, &mut client, partition, offset), code);
        }
        // What is gone already stays gone, and is no error.
        let told = delete(&mut rig, &mut client, version, "t", &[(0, 1), (1, 0)]);
        assert_eq!(told, [(0, 2, 0), (1, 3, 0)]);
        rig.produce(&mut client, "t", 1, &[b"next"]);
        assert_eq!(fetch_code(&mut rig, &mut client, 1, 3), 0);
    }
}

#[test]
fn what_may_not_be_deleted_has_its_code() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    rig.produce(&mut client, "t", 0, &[b"value"]);
    let out_of_range = ErrorCode::OFFSET_OUT_OF_RANGE.0;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    let asked = [(0, 2), (1, -2), (7, 0)];
    assert_eq!(
        delete(&mut rig, &mut client, 2, "t", &asked),
        [
            (0, -1, out_of_range),
            (1, -1, out_of_range),
            (7, -1, unknown)
        ]
    );
    assert_eq!(
        delete(&mut rig, &mut client, 2, "nowhere", &[(0, 0)]),
        [(0, -1, unknown)]
    );
    // The last word counts for a partition that is named twice.
    assert_eq!(
        delete(&mut rig, &mut client, 2, "t", &[(0, 9), (0, 1)]),
        [(0, 1, 0)]
    );
}

#[test]
fn records_of_a_topic_that_is_only_compacted_are_not_deleted() {
    let mut rig = Rig::new(1);
    let mut client = rig.connect(0);
    for (name, policy, code) in [
        ("kept", "compact", ErrorCode::POLICY_VIOLATION.0),
        ("both", "compact,delete", 0),
    ] {
        let config = CreatableTopicConfig {
            name: "cleanup.policy",
            value: Some(policy),
        };
        let topic = CreatableTopic {
            name,
            num_partitions: 1,
            replication_factor: 1,
            configs: vec![config].into(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic].into(),
            timeout_ms: 1_000,
            ..CreateTopicsRequest::default()
        };
        let body = rig.call(&mut client, ApiKey::CreateTopics, 5, &request);
        let body = body.expect("an answer");
        let response: CreateTopicsResponse<'_> = decode(&body, 5);
        assert_eq!(response.topics.iter().next().unwrap().error_code, 0);
        let told = delete(&mut rig, &mut client, 2, name, &[(0, 0)]);
        assert_eq!(told[0].2, code, "{policy}");
    }
}

#[test]
fn a_disk_that_does_not_answer_is_waited_for_no_longer_than_asked() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    for partition in 0..2 {
        rig.produce(&mut client, "t", partition, &[b"value"]);
    }
    rig.disks_work = false;
    let asked = [(0, 1), (1, 1), (7, 0)];
    let told = delete(&mut rig, &mut client, 2, "t", &asked);
    assert_eq!(told, []);
    rig.advance_ms(4_900);
    rig.collect(&mut client);
    assert_eq!(client.reply(ApiKey::DeleteRecords, 2), None);
    rig.advance_ms(200);
    rig.collect(&mut client);
    let (_, body) = client.reply(ApiKey::DeleteRecords, 2).expect("an answer");
    let timed_out = ErrorCode::REQUEST_TIMED_OUT.0;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    assert_eq!(
        rows(&body, 2),
        [(0, -1, timed_out), (1, -1, timed_out), (7, -1, unknown)]
    );
    // It is done all the same, once the disk answers.
    rig.disks_work = true;
    rig.settle();
    for partition in 0..2 {
        assert_eq!(earliest(&mut rig, &mut client, partition), 1);
    }
}
