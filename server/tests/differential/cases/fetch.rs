//! Fetch without sessions: what comes back from where, and errors.

use logmill_wire::Uuid;
use logmill_wire::batch::Compression;
use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, ReplicaState};

use super::Case;
use super::produce::one_partition;
use crate::batches::Spec;
use crate::conversation::{Api, Conversation, Fetch, Produce};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("fetch", fetch),
    ("fetch-unknown", unknown),
    ("out-of-range", out_of_range),
    ("fetch-epochs", epochs),
    ("limits", limits),
    ("isolation", isolation),
    ("long-poll", long_poll),
    ("as-a-replica", as_a_replica),
    ("every-codec", every_codec),
    ("last-fetched-epoch", last_fetched_epoch),
];

/// A fetch of some partitions of a topic.
#[derive(Clone)]
pub struct Read<'a> {
    name: &'a str,
    id: Uuid,
    partitions: Vec<FetchPartition>,
    /// The request's other fields.
    pub request: FetchRequest<'a>,
}

/// A fetch of up to a MiB, which never waits.
pub fn read(name: &str, id: Uuid) -> Read<'_> {
    let request = FetchRequest {
        max_bytes: 50 << 20,
        min_bytes: 0,
        session_id: 0,
        session_epoch: -1,
        ..Default::default()
    };
    Read {
        name,
        id,
        partitions: Vec::new(),
        request,
    }
}

impl<'a> Read<'a> {
    /// Of partition `index` from `offset`.
    pub fn from(self, index: i32, offset: i64) -> Read<'a> {
        self.with(FetchPartition {
            fetch_offset: offset,
            ..partition(index)
        })
    }

    /// Of a partition as it stands here.
    pub fn with(mut self, partition: FetchPartition) -> Read<'a> {
        self.partitions.push(partition);
        self
    }

    /// The request, with topics as `version` names them.
    pub fn build(&self) -> FetchRequest<'a> {
        let mut request = self.request.clone();
        if !self.partitions.is_empty() {
            let topic = FetchTopic {
                topic: self.name,
                topic_id: self.id,
                partitions: self.partitions.clone().into(),
            };
            request.topics = vec![topic].into();
        }
        request
    }
}

/// A partition from offset 0, up to a MiB, without epochs.
pub fn partition(index: i32) -> FetchPartition {
    FetchPartition {
        partition: index,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    }
}

/// Appends `batches` of `records` each to a partition.
pub fn fill(c: &mut Conversation, name: &str, index: i32, batches: i64, records: i64) {
    for batch in 0..batches {
        let bytes = Spec::small(records, c.time(batch * 1000)).bytes();
        c.ask_aside::<Produce>(9, &one_partition(name, index, Some(&bytes), -1).request());
    }
}

fn fetch(c: &mut Conversation) {
    let (name, id) = c.topic("log", 2, &[]);
    fill(c, &name, 0, 4, 5);
    fill(c, &name, 1, 1, 1);
    for version in Fetch::versions() {
        for offset in [0, 1, 4, 5, 12, 19, 20] {
            let request = read(&name, id).from(0, offset).build();
            c.ask::<Fetch>(&format!("from {offset}"), version, &request);
        }
        let both = read(&name, id).from(0, 5).from(1, 0).build();
        c.ask::<Fetch>("two partitions", version, &both);
        c.ask::<Fetch>("nothing", version, &read(&name, id).build());
        let twice = read(&name, id).from(0, 5).from(1, 0).from(0, 10).build();
        c.ask::<Fetch>("a partition twice", version, &twice);
    }
}

fn unknown(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    for version in Fetch::versions() {
        let nowhere = read("nowhere", Uuid([7; 16])).from(0, 0).build();
        c.ask::<Fetch>("no such topic", version, &nowhere);
        for index in [1, -1] {
            let request = read(&name, id).from(index, 0).build();
            c.ask::<Fetch>(&format!("partition {index}"), version, &request);
        }
    }
}

fn out_of_range(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 5);
    for version in Fetch::versions() {
        for offset in [6, 1000, -1, -2, i64::MAX] {
            let request = read(&name, id).from(0, offset).build();
            c.ask::<Fetch>(&format!("from {offset}"), version, &request);
        }
        let mut committed = read(&name, id).from(0, 6).from(0, 5).from(9, 0);
        committed.request.isolation_level = 1;
        c.ask::<Fetch>("committed only", version, &committed.build());
    }
}

fn epochs(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 5);
    for version in 9..=*Fetch::versions().end() {
        for current_leader_epoch in [-1, 0, 1, 5] {
            let request = read(&name, id)
                .with(FetchPartition {
                    current_leader_epoch,
                    ..partition(0)
                })
                .build();
            c.ask::<Fetch>(
                &format!("leader epoch {current_leader_epoch}"),
                version,
                &request,
            );
        }
    }
}

/// Limits stop after a whole batch, and never before the first one.
fn limits(c: &mut Conversation) {
    let (name, id) = c.topic("log", 3, &[]);
    fill(c, &name, 0, 6, 20);
    fill(c, &name, 1, 6, 20);
    for version in Fetch::versions() {
        for bytes in [0, 1, 2000, 5000] {
            let limited = FetchPartition {
                partition_max_bytes: bytes,
                ..partition(0)
            };
            let request = read(&name, id).with(limited).build();
            let (reply, what) = (request, format!("{bytes} bytes of a partition"));
            c.ask::<Fetch>(&what, version, &reply);
        }
        for bytes in [0, 1, 3000] {
            let mut both = read(&name, id).from(0, 0).from(1, 0).from(2, 0);
            both.request.max_bytes = bytes;
            c.ask::<Fetch>(&format!("{bytes} bytes in all"), version, &both.build());
        }
    }
}

fn isolation(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 2, 2);
    for version in Fetch::versions() {
        for isolation_level in [0, 1] {
            let mut committed = read(&name, id).from(0, 0);
            committed.request.isolation_level = isolation_level;
            c.ask::<Fetch>(
                &format!("isolation level {isolation_level}"),
                version,
                &committed.build(),
            );
            let mut at_end = read(&name, id).from(0, 4);
            at_end.request.isolation_level = isolation_level;
            c.ask::<Fetch>(
                &format!("at the end, level {isolation_level}"),
                version,
                &at_end.build(),
            );
        }
    }
}

/// A fetch at the end waits for its time; one with an error in it does not.
fn long_poll(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 2);
    for version in [4, 7, 12, 18] {
        for (what, offset, min_bytes, wait_ms, waits) in [
            ("at the end", 2, 1, 400, true),
            ("less than the minimum", 0, 1 << 20, 400, true),
            ("no minimum", 2, 0, 20_000, false),
            ("enough at once", 0, 1, 20_000, false),
            ("out of range", 9, 1, 20_000, false),
        ] {
            let mut waiting = read(&name, id).from(0, offset);
            waiting.request.max_wait_ms = wait_ms;
            waiting.request.min_bytes = min_bytes;
            let started = std::time::Instant::now();
            c.ask::<Fetch>(what, version, &waiting.build());
            // A slow machine may take its time, but not all of the 20 s.
            let waited_ms = started.elapsed().as_millis();
            let as_it_should = if waits {
                waited_ms >= 400
            } else {
                waited_ms < 15_000
            };
            c.note(
                &format!("{what}, version {version}: waited as it should"),
                as_it_should,
            );
        }
    }
}

/// Whoever says that it is a replica, but is none, moves nothing and reads nothing that others may
/// not.
fn as_a_replica(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 1, 3);
    for version in Fetch::versions() {
        for replica in [1, 7] {
            let mut replica_read = read(&name, id).from(0, 0);
            if version <= 14 {
                replica_read.request.replica_id = replica;
            } else {
                replica_read.request.replica_state = ReplicaState {
                    replica_id: replica,
                    replica_epoch: 0,
                };
            }
            c.ask::<Fetch>(
                &format!("replica {replica}"),
                version,
                &replica_read.build(),
            );
        }
        c.ask::<Fetch>(
            "a consumer after it",
            version,
            &read(&name, id).from(0, 0).build(),
        );
    }
}

fn every_codec(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    for codec in Compression::ALL {
        let batch = Spec::small(30, c.time(0)).packed(codec).bytes();
        c.ask_aside::<Produce>(9, &one_partition(&name, 0, Some(&batch), -1).request());
    }
    for version in Fetch::versions() {
        c.ask::<Fetch>("as written", version, &read(&name, id).from(0, 0).build());
        // Below version 10 no zstd is given away.
        c.ask::<Fetch>(
            "from within zstd",
            version,
            &read(&name, id).from(0, 130).build(),
        );
    }
}

/// A consumer that tells the epoch of what it read last learns where that epoch ended (KIP-595).
fn last_fetched_epoch(c: &mut Conversation) {
    let (name, id) = c.topic("log", 1, &[]);
    fill(c, &name, 0, 2, 3);
    for version in 12..=*Fetch::versions().end() {
        for (offset, epoch) in [
            (0, 0),
            (6, 0),
            (3, 3),
            (9, 0),
            (0, -1),
            (-1, 0),
            (-1, 3),
            (9, -1),
        ] {
            let at = FetchPartition {
                fetch_offset: offset,
                last_fetched_epoch: epoch,
                ..partition(0)
            };
            let what = format!("from {offset}, epoch {epoch}");
            let mut asked = read(&name, id).with(at);
            c.ask::<Fetch>(&what, version, &asked.build());
            asked.request.isolation_level = 1;
            c.ask::<Fetch>(&format!("{what}, committed only"), version, &asked.build());
        }
    }
}
