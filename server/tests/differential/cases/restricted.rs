//! Brokers that make and delete no topics by themselves, keep no sessions, send and take little at
//! once, and look at every record.

use logmill_wire::Uuid;
use logmill_wire::batch::Compression;
use logmill_wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use super::Case;
use super::fetch::{fill, read};
use super::produce::one_partition;
use crate::batches::{Spec, field, seal, with};
use crate::conversation::{Api, Conversation, DeleteTopics, Fetch, Metadata, Produce};

/// What these brokers are started with.
pub const SETTINGS: &[(&str, &str)] = &[
    ("auto.create.topics.enable", "false"),
    ("delete.topic.enable", "false"),
    ("num.partitions", "4"),
    ("max.incremental.fetch.session.cache.slots", "0"),
    ("fetch.max.bytes", "1024"),
    ("message.max.bytes", "5000"),
    // Kafka looks into every batch, and passes over keys that it does not know.
    ("logmill.validation", "kafka"),
];

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("no-auto-creation", no_auto_creation),
    ("no-deletion", no_deletion),
    ("default-partitions", default_partitions),
    ("no-sessions", no_sessions),
    ("little-at-once", little_at_once),
    ("little-messages", little_messages),
    ("damaged-within", damaged_within),
];

fn no_auto_creation(c: &mut Conversation) {
    for version in Metadata::versions() {
        let topics = [MetadataRequestTopic {
            name: Some("never-made"),
            ..Default::default()
        }];
        let request = MetadataRequest {
            topics: Some((&topics).into()),
            ..Default::default()
        };
        for attempt in ["first", "second"] {
            c.ask::<Metadata>(attempt, version, &request);
        }
    }
}

fn no_deletion(c: &mut Conversation) {
    let (name, _) = c.topic("kept", 1, &[]);
    for version in DeleteTopics::versions() {
        let mut request = DeleteTopicsRequest {
            timeout_ms: 30_000,
            ..Default::default()
        };
        if version >= 6 {
            let state = DeleteTopicState {
                name: Some(&name),
                topic_id: Uuid::ZERO,
            };
            request.topics = vec![state].into();
        } else {
            request.topic_names = vec![name.as_str()].into();
        }
        c.ask::<DeleteTopics>("refused", version, &request);
    }
}

fn default_partitions(c: &mut Conversation) {
    let (name, _) = c.topic_of_defaults("four");
    let topics = [MetadataRequestTopic {
        name: Some(&name),
        ..Default::default()
    }];
    let request = MetadataRequest {
        topics: Some((&topics).into()),
        ..Default::default()
    };
    c.ask::<Metadata>("num.partitions", 12, &request);
}

/// A full cache is no error: the fetch is answered without a session.
fn no_sessions(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 2);
    for version in 7..=*Fetch::versions().end() {
        let mut all = read(&name, id).from(0, 0);
        (all.request.session_id, all.request.session_epoch) = (0, 0);
        let reply = c
            .ask::<Fetch>("begin", version, &all.build())
            .expect("an answer");
        c.note("session id", reply.body::<Fetch>().session_id);
    }
}

/// The broker's own limit counts, whatever the request allows; a first batch is sent all the same.
fn little_at_once(c: &mut Conversation) {
    let (name, id) = c.topic("log", 2, &[]);
    fill(c, &name, 0, 3, 9);
    fill(c, &name, 1, 3, 9);
    for version in Fetch::versions() {
        let all = read(&name, id).from(0, 0).from(1, 0);
        c.ask::<Fetch>("everything", version, &all.build());
    }
}

/// The broker's `message.max.bytes` is the topics' default.
fn little_messages(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    for (what, bytes) in [("less", 4_000), ("more", 5_001)] {
        let batch = Spec::of_size(bytes, c.time(0)).bytes();
        for version in Produce::versions() {
            let write = one_partition(&name, 0, Some(&batch), 1).with_id(id);
            c.ask::<Produce>(what, version, &write.request());
        }
    }
}

/// Batches whose heads and checksums are right, but not what is packed in them.
fn damaged_within(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    let (compacted, compacted_id) = c.topic("compacted", 1, &[("cleanup.policy", "compact")]);
    for codec in Compression::ALL {
        let good = Spec::small(3, c.time(0)).packed(codec).bytes();
        let mut garbage = good.clone();
        garbage[61..].fill(0x5a);
        let count = |records: i32| {
            let more = with(good.clone(), field::RECORD_COUNT, &records.to_be_bytes());
            let last = (records - 1).to_be_bytes();
            with(more, field::LAST_OFFSET_DELTA, &last)
        };
        let mut future = Spec::small(3, c.time(0)).packed(codec);
        future.records[1].2 = c.time(5 * 3_600_000);
        let mut keyless = Spec::small(3, c.time(0)).packed(codec);
        keyless.records[2].0 = None;
        for (what, bytes, name, id) in [
            ("garbage", seal(garbage), &name, id),
            ("cut short", seal_cut(&good), &name, id),
            ("four of three", count(4), &name, id),
            ("two of three", count(2), &name, id),
            ("a record of the future", future.bytes(), &name, id),
            ("no key", keyless.bytes(), &compacted, compacted_id),
            ("good", good.clone(), &name, id),
        ] {
            for version in [7, 13] {
                let write = one_partition(name, 0, Some(&bytes), 1).with_id(id);
                let what = format!("{what}, {}", codec.name());
                c.ask::<Produce>(&what, version, &write.request());
            }
        }
    }
}

/// The batch without its last bytes, its length and checksum mended.
fn seal_cut(batch: &[u8]) -> Vec<u8> {
    let cut = batch[..batch.len() - 5].to_vec();
    let length = (cut.len() - 12) as i32;
    with(cut, field::LENGTH, &length.to_be_bytes())
}
