//! Produce: what is taken, and every way of refusing.

use logmill_wire::batch::{Batches, Compression};
use logmill_wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::metadata::MetadataRequest;
use logmill_wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use logmill_wire::{Records, Uuid};

use super::Case;
use super::fetch::read;
use crate::batches::{Spec, field, with};
use crate::conversation::{
    Api, Conversation, CreateTopics, DeleteTopics, Fetch, Metadata, Produce,
};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("produce", produce),
    ("produce-unknown", unknown),
    ("acks", acks),
    ("acks-none", acks_none),
    ("codecs", codecs),
    ("bad-batches", bad_batches),
    ("too-large", too_large),
    ("partial-failure", partial_failure),
    ("record-errors", record_errors),
    ("log-append-time", log_append_time),
    ("timestamps", timestamps),
    ("internal-topics", internal_topics),
    ("min-insync-replicas", min_insync_replicas),
    ("produce-nothing", nothing),
    ("old-id", old_id),
    ("recompression", recompression),
];

/// What is written to one partition, by name or by id.
pub struct Write<'a> {
    name: &'a str,
    id: Uuid,
    partitions: Vec<(i32, Option<&'a [u8]>)>,
    acks: i16,
}

/// A write of `records` to partition `index`.
pub fn one_partition<'a>(
    name: &'a str,
    index: i32,
    records: Option<&'a [u8]>,
    acks: i16,
) -> Write<'a> {
    Write {
        name,
        id: Uuid::ZERO,
        partitions: vec![(index, records)],
        acks,
    }
}

impl<'a> Write<'a> {
    /// The same by topic id, for version 13.
    pub fn with_id(mut self, id: Uuid) -> Write<'a> {
        self.id = id;
        self
    }

    /// The same to one more partition.
    pub fn and(mut self, index: i32, records: Option<&'a [u8]>) -> Write<'a> {
        self.partitions.push((index, records));
        self
    }

    /// The request.
    pub fn request(&self) -> ProduceRequest<'a> {
        let partitions: Vec<PartitionProduceData<'a>> = self
            .partitions
            .iter()
            .map(|(index, records)| PartitionProduceData {
                index: *index,
                records: records.map(Records::Bytes),
            })
            .collect();
        let topics = vec![TopicProduceData {
            name: self.name,
            topic_id: self.id,
            partition_data: partitions.into(),
        }];
        ProduceRequest {
            transactional_id: None,
            acks: self.acks,
            timeout_ms: 10_000,
            topic_data: topics.into(),
        }
    }
}

fn produce(c: &mut Conversation) {
    let (name, id) = c.topic("log", 2, &[]);
    for version in Produce::versions() {
        for (records, partition, acks) in [(1, 0, -1), (5, 0, 1), (3, 1, -1)] {
            let batch = Spec::small(records, c.time(0)).bytes();
            let write = one_partition(&name, partition, Some(&batch), acks).with_id(id);
            let what = format!("{records} records, partition {partition}, acks {acks}");
            c.ask::<Produce>(&what, version, &write.request());
        }
    }
}

fn unknown(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let batch = Spec::small(1, c.time(0)).bytes();
    for version in Produce::versions() {
        let nowhere = one_partition("nowhere", 0, Some(&batch), -1).with_id(Uuid([7; 16]));
        c.ask::<Produce>("no such topic", version, &nowhere.request());
        for index in [1, 99, -1] {
            let write = one_partition(&name, index, Some(&batch), 1).with_id(id);
            c.ask::<Produce>(&format!("partition {index}"), version, &write.request());
        }
        if version < 13 {
            let bad = one_partition("no/slash", 0, Some(&batch), 1);
            c.ask::<Produce>("bad name", version, &bad.request());
        } else {
            let none = one_partition("", 0, Some(&batch), 1);
            c.ask::<Produce>("no id", version, &none.request());
        }
    }
}

fn acks(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let batch = Spec::small(1, c.time(0)).bytes();
    for version in Produce::versions() {
        for acks in [2, -2, 7, i16::MAX] {
            let write = one_partition(&name, 0, Some(&batch), acks).with_id(id);
            c.ask::<Produce>(&format!("acks {acks}"), version, &write.request());
        }
    }
}

/// Without acknowledgement nothing is answered; an error closes the connection instead.
fn acks_none(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let batch = Spec::small(2, c.time(0)).bytes();
    let metadata = MetadataRequest {
        topics: Some(Vec::new().into()),
        ..Default::default()
    };
    for version in Produce::versions() {
        c.send::<Produce>(
            version,
            &one_partition(&name, 0, Some(&batch), 0)
                .with_id(id)
                .request(),
        );
        c.ask::<Metadata>("the next answer is the next request's", 9, &metadata);
        let write = one_partition(&name, 0, Some(&batch), 1).with_id(id);
        c.ask::<Produce>("the silent one was written", version, &write.request());
        c.send::<Produce>(
            version,
            &one_partition(&name, 5, Some(&batch), 0)
                .with_id(id)
                .request(),
        );
        let ended = c
            .receive_frame()
            .map(|_| "<an answer>")
            .unwrap_or_else(|ended| ended);
        c.note(&format!("an error, version {version}"), ended);
        c.reconnect();
    }
}

fn codecs(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    for version in Produce::versions() {
        for codec in Compression::ALL {
            let batch = Spec::small(20, c.time(0)).packed(codec).bytes();
            let write = one_partition(&name, 0, Some(&batch), -1).with_id(id);
            c.ask::<Produce>(codec.name(), version, &write.request());
        }
        let unknown = Spec::small(1, c.time(0)).bytes();
        let unknown = with(unknown, field::ATTRIBUTES, &6_i16.to_be_bytes());
        let write = one_partition(&name, 0, Some(&unknown), -1).with_id(id);
        c.ask::<Produce>("codec 6", version, &write.request());
    }
}

fn bad_batches(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let good = Spec::small(3, c.time(0)).bytes();
    let cases = spoiled(&good);
    for version in Produce::versions() {
        for (what, bytes) in &cases {
            let write = one_partition(&name, 0, Some(bytes), 1).with_id(id);
            c.ask::<Produce>(what, version, &write.request());
        }
    }
    // Shows which were taken.
    let write = one_partition(&name, 0, Some(&good), 1).with_id(id);
    c.ask::<Produce>("where the log ends now", 9, &write.request());
}

/// A good batch of three records, spoiled in every way that a broker should notice.
fn spoiled(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut twice = good.to_vec();
    twice.extend_from_slice(good);
    let mut bad_crc = good.to_vec();
    bad_crc[field::CRC] ^= 1;
    let mut flipped = good.to_vec();
    *flipped.last_mut().expect("it has bytes") ^= 1;
    let mut trailing = good.to_vec();
    trailing.extend_from_slice(&[0; 5]);
    let half = good[..good.len() / 2].to_vec();
    let header_only = good[..61].to_vec();
    let set = |at: usize, bytes: &[u8]| with(good.to_vec(), at, bytes);
    vec![
        ("two batches", twice),
        ("bad checksum", bad_crc),
        ("flipped bit", flipped),
        ("bytes behind", trailing),
        ("half of it", half),
        ("only a header", header_only),
        ("no bytes", Vec::new()),
        ("ten bytes", vec![0; 10]),
        ("magic 0", set(field::MAGIC, &[0])),
        ("magic 1", set(field::MAGIC, &[1])),
        ("magic 3", set(field::MAGIC, &[3])),
        (
            "base offset 7",
            set(field::BASE_OFFSET, &7_i64.to_be_bytes()),
        ),
        (
            "a count too many",
            set(field::RECORD_COUNT, &4_i32.to_be_bytes()),
        ),
        (
            "a count too few",
            set(field::RECORD_COUNT, &2_i32.to_be_bytes()),
        ),
        ("no records", set(field::RECORD_COUNT, &0_i32.to_be_bytes())),
        (
            "records below 0",
            set(field::RECORD_COUNT, &(-1_i32).to_be_bytes()),
        ),
        (
            "an offset too many",
            set(field::LAST_OFFSET_DELTA, &3_i32.to_be_bytes()),
        ),
        (
            "an offset below 0",
            set(field::LAST_OFFSET_DELTA, &(-1_i32).to_be_bytes()),
        ),
        (
            "a control batch",
            set(field::ATTRIBUTES, &0x20_i16.to_be_bytes()),
        ),
        (
            "the broker's kind of timestamp",
            set(field::ATTRIBUTES, &8_i16.to_be_bytes()),
        ),
        (
            "a length too small",
            set(field::LENGTH, &40_i32.to_be_bytes()),
        ),
        ("a length of 0", set(field::LENGTH, &0_i32.to_be_bytes())),
    ]
}

fn too_large(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let (small, small_id) = c.topic("small", 1, &[("max.message.bytes", "1000")]);
    let (segment, segment_id) = c.topic(
        "segment",
        1,
        &[
            ("segment.bytes", "1048576"),
            ("max.message.bytes", "3000000"),
        ],
    );
    let overhead = Spec::of_size(1_048_400, c.time(0)).bytes().len() - 1_048_400;
    for version in Produce::versions() {
        for (what, name, id, bytes) in [
            ("the default limit", &name, id, 1_048_588),
            ("a byte above the default limit", &name, id, 1_048_589),
            ("the topic's limit", &small, small_id, 1000),
            ("a byte above the topic's limit", &small, small_id, 1001),
            ("above the segment", &segment, segment_id, 1_200_000),
        ] {
            // Lengths within a record take a byte less where the record is small.
            let mut value = bytes - overhead;
            let mut batch = Spec::of_size(value, c.time(0)).bytes();
            while batch.len() < bytes {
                value += 1;
                batch = Spec::of_size(value, c.time(0)).bytes();
            }
            let write = one_partition(name, 0, Some(&batch), 1).with_id(id);
            c.ask::<Produce>(what, version, &write.request());
        }
    }
}

fn partial_failure(c: &mut Conversation) {
    let (name, id) = c.topic("log", 3, &[]);
    let good = Spec::small(2, c.time(0)).bytes();
    let mut bad = good.clone();
    bad[field::CRC] ^= 1;
    for version in Produce::versions() {
        let write = one_partition(&name, 0, Some(&good), -1)
            .with_id(id)
            .and(1, Some(&bad))
            .and(2, Some(&good))
            .and(9, Some(&good));
        c.ask::<Produce>("two of four", version, &write.request());
    }
}

/// Records without a key on a compacted topic, named one by one (KIP-467).
fn record_errors(c: &mut Conversation) {
    let (name, id) = c.topic("compacted", 1, &[("cleanup.policy", "compact")]);
    let mut spec = Spec::small(5, c.time(0));
    spec.records[1].0 = None;
    spec.records[3].0 = None;
    for version in Produce::versions() {
        for codec in [Compression::None, Compression::Gzip] {
            let batch = spec.clone().packed(codec).bytes();
            let write = one_partition(&name, 0, Some(&batch), 1).with_id(id);
            c.ask::<Produce>(
                &format!("no key, {}", codec.name()),
                version,
                &write.request(),
            );
        }
    }
}

fn log_append_time(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[("message.timestamp.type", "LogAppendTime")]);
    for version in Produce::versions() {
        let batch = Spec::small(3, c.time(0)).bytes();
        let write = one_partition(&name, 0, Some(&batch), -1).with_id(id);
        c.ask::<Produce>("the broker's clock", version, &write.request());
    }
}

fn timestamps(c: &mut Conversation) {
    const HOUR_MS: i64 = 3_600_000;
    let (name, id) = c.topic("log", 1, &[]);
    let (bound, bound_id) = c.topic("bound", 1, &[("message.timestamp.before.max.ms", "1000")]);
    for version in Produce::versions() {
        for (what, name, id, start) in [
            ("three hours ahead", &name, id, c.time(4 * HOUR_MS)),
            ("a year ago", &name, id, c.time(-365 * 24 * HOUR_MS)),
            ("none", &name, id, -1),
            (
                "before the topic's bound",
                &bound,
                bound_id,
                c.time(-10 * HOUR_MS),
            ),
        ] {
            let mut spec = Spec::small(2, start);
            if start == -1 {
                spec.records.iter_mut().for_each(|record| record.2 = -1);
            }
            let batch = spec.bytes();
            let write = one_partition(name, 0, Some(&batch), 1).with_id(id);
            c.ask::<Produce>(what, version, &write.request());
        }
    }
}

/// Nobody writes to the coordinators' topics but the admin client that Kafka's own tools use.
fn internal_topics(c: &mut Conversation) {
    let batch = Spec::small(1, c.time(0)).bytes();
    let topics = [CreatableTopic {
        name: "__consumer_offsets",
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    }];
    let create = CreateTopicsRequest {
        topics: (&topics).into(),
        ..Default::default()
    };
    c.ask_aside::<CreateTopics>(7, &create);
    let id = c.await_topic("__consumer_offsets", 1);
    for version in Produce::versions() {
        let write = one_partition("__consumer_offsets", 0, Some(&batch), 1).with_id(id);
        c.call_itself("script");
        c.ask::<Produce>("anybody", version, &write.request());
        c.call_itself("__admin_client");
        c.ask::<Produce>("the admin client", version, &write.request());
    }
}

/// One replica is enough for acks=all where there is no more than one to ask for.
fn min_insync_replicas(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[("min.insync.replicas", "3")]);
    let batch = Spec::small(1, c.time(0)).bytes();
    for version in Produce::versions() {
        let write = one_partition(&name, 0, Some(&batch), -1).with_id(id);
        c.ask::<Produce>("three of one", version, &write.request());
    }
}

fn nothing(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    for version in Produce::versions() {
        for acks in [-1, 1] {
            let empty = ProduceRequest {
                acks,
                timeout_ms: 10_000,
                ..Default::default()
            };
            c.ask::<Produce>(&format!("no topics, acks {acks}"), version, &empty);
            let mut write = one_partition(&name, 0, None, acks).with_id(id);
            write.partitions.clear();
            c.ask::<Produce>(
                &format!("no partitions, acks {acks}"),
                version,
                &write.request(),
            );
        }
    }
}

/// A topic was made again: who writes by its old id must hear of it.
fn old_id(c: &mut Conversation) {
    let (name, first) = c.topic("log", 1, &[]);
    let topics = [DeleteTopicState {
        name: Some(&name),
        topic_id: Uuid::ZERO,
    }];
    let delete = DeleteTopicsRequest {
        topics: (&topics).into(),
        timeout_ms: 30_000,
        ..Default::default()
    };
    c.ask::<DeleteTopics>("delete", 6, &delete);
    c.await_gone(&name);
    let batch = Spec::small(1, c.time(0)).bytes();
    for version in Produce::versions() {
        let write = one_partition(&name, 0, Some(&batch), 1).with_id(first);
        c.ask::<Produce>("while it is gone", version, &write.request());
    }
    let (_, second) = c.topic("log", 1, &[]);
    for (what, id) in [("by the old id", first), ("by the new id", second)] {
        let write = one_partition(&name, 0, Some(&batch), 1).with_id(id);
        c.ask::<Produce>(what, 13, &write.request());
    }
}

/// A topic's own codec: what is fetched has it, whatever was sent.
fn recompression(c: &mut Conversation) {
    for kept in ["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"] {
        let (name, id) = c.topic(kept, 1, &[("compression.type", kept)]);
        for codec in Compression::ALL {
            let batch = Spec::small(20, c.time(0)).packed(codec).bytes();
            let write = one_partition(&name, 0, Some(&batch), -1).with_id(id);
            c.ask::<Produce>(&format!("{} to {kept}", codec.name()), 13, &write.request());
        }
        let reply = c.ask_aside::<Fetch>(12, &read(&name, id).from(0, 0).build());
        let reply = reply.expect("an answer");
        let body = reply.body::<Fetch>();
        let topic = body.responses.first().expect("the topic");
        let partition = topic.partitions.first().expect("the partition");
        let records = partition.records.and_then(|records| records.bytes());
        for batch in Batches::new(records.expect("records")) {
            let header = batch.expect("a batch").header;
            // How small a codec makes it is its implementation's.
            c.note(
                &format!("{kept}: the batch at {}", header.base_offset),
                format!(
                    "attributes {}, {} records, last {}, times {} to {}",
                    header.attributes.0,
                    header.record_count,
                    header.last_offset_delta,
                    header.base_timestamp,
                    header.max_timestamp,
                ),
            );
        }
    }
}
