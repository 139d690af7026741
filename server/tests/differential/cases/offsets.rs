//! ListOffsets and OffsetForLeaderEpoch.

use logmill_wire::batch::Compression;
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use logmill_wire::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use super::Case;
use super::fetch::fill;
use super::produce::one_partition;
use crate::batches::Spec;
use crate::conversation::{Api, Conversation, ListOffsets, OffsetForLeaderEpoch, Produce};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("ends", ends),
    ("times", times),
    ("times-in-every-codec", times_in_every_codec),
    ("offset-errors", offset_errors),
    ("empty-log", empty_log),
    ("epoch-ends", epoch_ends),
];

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// The special timestamps that `version` has.
fn specials(version: i16) -> Vec<i64> {
    let since = [
        (LATEST, 1),
        (EARLIEST, 1),
        (MAX_TIMESTAMP, 7),
        (EARLIEST_LOCAL, 8),
        (LATEST_TIERED, 9),
    ];
    since
        .iter()
        .filter(|(_, first)| version >= *first)
        .map(|(special, _)| *special)
        .collect()
}

fn ask(c: &mut Conversation, what: &str, version: i16, topic: &str, asked: &[(i32, i64)]) {
    ask_with(c, what, version, topic, asked, -1, 0);
}

fn ask_with(
    c: &mut Conversation,
    what: &str,
    version: i16,
    topic: &str,
    asked: &[(i32, i64)],
    current_leader_epoch: i32,
    isolation_level: i8,
) {
    let partitions: Vec<ListOffsetsPartition> = asked
        .iter()
        .map(|(partition_index, timestamp)| ListOffsetsPartition {
            partition_index: *partition_index,
            current_leader_epoch,
            timestamp: *timestamp,
        })
        .collect();
    let topics = [ListOffsetsTopic {
        name: topic,
        partitions: partitions.into(),
    }];
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: if version >= 2 { isolation_level } else { 0 },
        topics: (&topics).into(),
        timeout_ms: 10_000,
    };
    c.ask::<ListOffsets>(what, version, &request);
}

fn ends(c: &mut Conversation) {
    let (name, _) = c.topic("log", 2, &[]);
    fill(c, &name, 0, 3, 4);
    for version in ListOffsets::versions() {
        for special in specials(version) {
            ask(
                c,
                &format!("{special}"),
                version,
                &name,
                &[(0, special), (1, special)],
            );
            ask_with(
                c,
                &format!("{special}, committed"),
                version,
                &name,
                &[(0, special)],
                -1,
                1,
            );
        }
    }
}

/// Batches whose timestamps go back and forth, within and between them.
fn unordered(c: &Conversation, batch: i64, records: i64) -> Spec {
    let mut spec = Spec::small(records, 0);
    for (i, record) in spec.records.iter_mut().enumerate() {
        let i = i as i64;
        record.2 = c.time(5000 - batch * 700 + (i * 7919) % 1300);
    }
    spec
}

fn times(c: &mut Conversation) {
    let (name, _) = c.topic("log", 1, &[]);
    for batch in 0..6 {
        let bytes = unordered(c, batch, 12).bytes();
        c.ask_aside::<Produce>(9, &one_partition(&name, 0, Some(&bytes), -1).request());
    }
    for version in ListOffsets::versions() {
        for after in (500..7000).step_by(if version == 10 { 37 } else { 650 }) {
            let time = c.time(after);
            ask(c, &format!("{after} ms"), version, &name, &[(0, time)]);
        }
        ask(c, "time 0", version, &name, &[(0, 0)]);
    }
}

fn times_in_every_codec(c: &mut Conversation) {
    for codec in Compression::ALL {
        let (name, _) = c.topic(codec.name(), 1, &[]);
        for batch in 0..3 {
            let bytes = unordered(c, batch, 500).packed(codec).bytes();
            c.ask_aside::<Produce>(9, &one_partition(&name, 0, Some(&bytes), -1).request());
        }
        for after in (3500..6500).step_by(61) {
            let time = c.time(after);
            ask(
                c,
                &format!("{} {after} ms", codec.name()),
                10,
                &name,
                &[(0, time)],
            );
        }
        ask(
            c,
            &format!("{} latest record", codec.name()),
            10,
            &name,
            &[(0, MAX_TIMESTAMP)],
        );
    }
}

fn offset_errors(c: &mut Conversation) {
    let (name, _) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 4);
    for version in ListOffsets::versions() {
        ask(c, "no such topic", version, "nowhere", &[(0, LATEST)]);
        ask(c, "bad topic name", version, "no/slash", &[(0, LATEST)]);
        ask(
            c,
            "no such partition",
            version,
            &name,
            &[(0, LATEST), (3, LATEST), (-1, LATEST)],
        );
        ask(
            c,
            "a partition twice",
            version,
            &name,
            &[(0, LATEST), (0, EARLIEST)],
        );
        for special in [MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, -6, -9] {
            let what = format!("special {special}, known or not");
            ask(c, &what, version, &name, &[(0, special)]);
        }
        if version >= 4 {
            for epoch in [0, 1, 5] {
                ask_with(
                    c,
                    &format!("leader epoch {epoch}"),
                    version,
                    &name,
                    &[(0, LATEST)],
                    epoch,
                    0,
                );
            }
        }
    }
}

fn empty_log(c: &mut Conversation) {
    let (name, _) = c.topic("log", 1, &[]);
    for version in ListOffsets::versions() {
        for special in specials(version) {
            ask(c, &format!("{special}"), version, &name, &[(0, special)]);
        }
        let time = c.time(0);
        ask(c, "a time", version, &name, &[(0, time)]);
    }
}

fn epoch_ends(c: &mut Conversation) {
    let (name, _) = c.topic("log", 2, &[]);
    fill(c, &name, 0, 3, 4);
    for version in OffsetForLeaderEpoch::versions() {
        let asked = [
            (0, -1, 0),
            (1, -1, 0),
            (0, -1, 5),
            (0, -1, -1),
            (0, 0, 0),
            (0, 1, 0),
            (9, -1, 0),
            (-1, -1, 0),
        ];
        for (partition, current_leader_epoch, leader_epoch) in asked {
            let partitions = [OffsetForLeaderPartition {
                partition,
                current_leader_epoch,
                leader_epoch,
            }];
            let topics = [OffsetForLeaderTopic {
                topic: &name,
                partitions: (&partitions).into(),
            }];
            let request = OffsetForLeaderEpochRequest {
                replica_id: -1,
                topics: (&topics).into(),
            };
            let what = format!(
                "partition {partition}, epoch {leader_epoch}, current {current_leader_epoch}"
            );
            c.ask::<OffsetForLeaderEpoch>(&what, version, &request);
        }
        let partitions = [OffsetForLeaderPartition::default()];
        let topics = [OffsetForLeaderTopic {
            topic: "nowhere",
            partitions: (&partitions).into(),
        }];
        let request = OffsetForLeaderEpochRequest {
            replica_id: -1,
            topics: (&topics).into(),
        };
        c.ask::<OffsetForLeaderEpoch>("no such topic", version, &request);
    }
}
