//! DeleteRecords, and what is left to read and to ask for behind it.

use logmill_wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

use super::Case;
use super::fetch::{fill, read};
use crate::conversation::{Api, Conversation, DeleteRecords, Fetch, ListOffsets};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("delete-records", delete_records),
    ("delete-records-errors", delete_records_errors),
    ("delete-records-of-compacted", delete_records_of_compacted),
];

fn ask(c: &mut Conversation, what: &str, version: i16, topics: &[(&str, &[(i32, i64)])]) {
    let topics: Vec<DeleteRecordsTopic<'_>> = topics
        .iter()
        .map(|(name, partitions)| {
            let partitions: Vec<DeleteRecordsPartition> = partitions
                .iter()
                .map(|(partition_index, offset)| DeleteRecordsPartition {
                    partition_index: *partition_index,
                    offset: *offset,
                })
                .collect();
            DeleteRecordsTopic {
                name,
                partitions: partitions.into(),
            }
        })
        .collect();
    let request = DeleteRecordsRequest {
        topics: topics.as_slice().into(),
        timeout_ms: 10_000,
    };
    c.ask::<DeleteRecords>(what, version, &request);
}

/// Both ends of the log.
fn ask_ends(c: &mut Conversation, name: &str) {
    for timestamp in [-2, -1, -4] {
        let partitions = [ListOffsetsPartition {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp,
        }];
        let topics = [ListOffsetsTopic {
            name,
            partitions: (&partitions).into(),
        }];
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: (&topics).into(),
            ..ListOffsetsRequest::default()
        };
        c.ask::<ListOffsets>(&format!("{timestamp}"), 8, &request);
    }
}

fn delete_records(c: &mut Conversation) {
    for version in DeleteRecords::versions() {
        let (name, id) = c.topic(&format!("log{version}"), 2, &[]);
        fill(c, &name, 0, 4, 5);
        fill(c, &name, 1, 1, 1);
        // Within a batch, at a batch's first, backwards, both partitions, the high watermark.
        let asked: [&[(i32, i64)]; 6] = [
            &[(0, 0)],
            &[(0, 7)],
            &[(0, 10)],
            &[(0, 3)],
            &[(0, 12), (1, 1)],
            &[(0, -1), (1, -1)],
        ];
        for partitions in asked {
            ask(
                c,
                &format!("{partitions:?}"),
                version,
                &[(&name, partitions)],
            );
            ask_ends(c, &name);
            for offset in [0, 6, 7, 12, 20] {
                let request = read(&name, id).from(0, offset).build();
                c.ask::<Fetch>(&format!("from {offset}"), 12, &request);
            }
        }
        fill(c, &name, 0, 1, 2);
        ask_ends(c, &name);
        let request = read(&name, id).from(0, 20).build();
        c.ask::<Fetch>("what comes behind", 12, &request);
    }
}

fn delete_records_errors(c: &mut Conversation) {
    let (name, _) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 3);
    for version in DeleteRecords::versions() {
        ask(c, "beyond the end", version, &[(&name, &[(0, 4)])]);
        ask(c, "below -1", version, &[(&name, &[(0, -2)])]);
        ask(
            c,
            "no such partition",
            version,
            &[(&name, &[(1, 0), (-1, 0)])],
        );
        ask(c, "no such topic", version, &[("nowhere", &[(0, 0)])]);
        ask(c, "a bad name", version, &[("a b", &[(0, 0)])]);
        ask(c, "nothing", version, &[]);
        ask(c, "no partition", version, &[(&name, &[])]);
        ask(c, "twice", version, &[(&name, &[(0, 9), (0, 0)])]);
        let both: [(&str, &[(i32, i64)]); 2] = [(&name, &[(0, 0)]), ("nowhere", &[(0, 0)])];
        ask(c, "one of two", version, &both);
    }
}

fn delete_records_of_compacted(c: &mut Conversation) {
    let compacted = [("cleanup.policy", "compact")];
    let (kept, _) = c.topic("kept", 1, &compacted);
    let both = [("cleanup.policy", "compact,delete")];
    let (aged, _) = c.topic("aged", 1, &both);
    for name in [&kept, &aged] {
        fill(c, name, 0, 1, 3);
        for version in DeleteRecords::versions() {
            ask(
                c,
                &format!("of {name}"),
                version,
                &[(name, &[(0, 2), (3, 0)])],
            );
            ask(c, &format!("all of {name}"), version, &[(name, &[(0, -1)])]);
            ask(
                c,
                &format!("too much of {name}"),
                version,
                &[(name, &[(0, 9)])],
            );
        }
        ask_ends(c, name);
    }
}
