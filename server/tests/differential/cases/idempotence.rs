//! InitProducerId, and the sequence numbers of idempotent producers.

use logmill_wire::Uuid;
use logmill_wire::messages::init_producer_id::InitProducerIdRequest;

use super::Case;
use super::produce::one_partition;
use crate::batches::Spec;
use crate::conversation::{Api, Conversation, InitProducerId, Produce};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("producer-ids", producer_ids),
    ("sequences", sequences),
    ("duplicates", duplicates),
    ("epochs", epochs),
    ("first-sequence", first_sequence),
    ("sequence-wraps", sequence_wraps),
    ("two-partitions", two_partitions),
];

/// Asks for a producer id, as all of them begin.
fn init(c: &mut Conversation, what: &str, version: i16, producer: (i64, i16)) -> (i64, i16) {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        producer_id: if version >= 3 { producer.0 } else { -1 },
        producer_epoch: if version >= 3 { producer.1 } else { -1 },
        ..Default::default()
    };
    // Kafka's broker answers so while it fetches its next block of ids from the controller.
    const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
    let reply = c.ask_until::<InitProducerId>(what, version, &request, |body| {
        body.error_code != COORDINATOR_LOAD_IN_PROGRESS
    });
    let body = reply.body::<InitProducerId>();
    (body.producer_id, body.producer_epoch)
}

struct Producer {
    topic: String,
    id: Uuid,
    producer: (i64, i16),
    version: i16,
}

impl Producer {
    fn begin(c: &mut Conversation, version: i16) -> Producer {
        let (topic, id) = c.topic(&format!("v{version}"), 2, &[]);
        let producer = init(c, "begin", 4, (-1, -1));
        Producer {
            topic,
            id,
            producer,
            version,
        }
    }

    fn send(&self, c: &mut Conversation, what: &str, sequence: i32, records: i64) {
        self.send_to(c, what, 0, sequence, records);
    }

    fn send_to(
        &self,
        c: &mut Conversation,
        what: &str,
        partition: i32,
        sequence: i32,
        records: i64,
    ) {
        let (id, epoch) = self.producer;
        let batch = Spec::small(records, c.time(0))
            .by(id, epoch, sequence)
            .bytes();
        let write = one_partition(&self.topic, partition, Some(&batch), -1).with_id(self.id);
        c.ask::<Produce>(
            &format!("{what}: sequence {sequence}"),
            self.version,
            &write.request(),
        );
    }
}

/// The versions whose answers differ in form.
const PRODUCE_VERSIONS: [i16; 4] = [3, 8, 10, 13];

fn producer_ids(c: &mut Conversation) {
    for version in InitProducerId::versions() {
        let first = init(c, "first", version, (-1, -1));
        let second = init(c, "second", version, (-1, -1));
        c.note("another id", first.0 != second.0);
        if version >= 3 {
            init(c, "with its own id", version, first);
            init(c, "id without epoch", version, (first.0, -1));
            init(c, "epoch without id", version, (-1, 3));
        }
        let request = InitProducerIdRequest {
            transactional_id: Some(""),
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        c.ask::<InitProducerId>("empty transactional id", version, &request);
    }
}

fn sequences(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let p = Producer::begin(c, version);
        p.send(c, "first", 0, 3);
        p.send(c, "next", 3, 2);
        p.send(c, "a gap", 7, 1);
        p.send(c, "back within a batch", 4, 1);
        p.send(c, "next again", 5, 1);
        p.send(c, "below 0", -1, 1);
    }
}

/// One of the last five batches is answered as it was the first time; an older one is told apart.
fn duplicates(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let p = Producer::begin(c, version);
        for batch in 0..7 {
            p.send(c, "written", batch * 2, 2);
        }
        for batch in (0..7).rev() {
            p.send(c, "once more", batch * 2, 2);
        }
        p.send(c, "the same first sequence, fewer records", 12, 1);
        p.send(c, "the same first sequence, more records", 12, 3);
        p.send(c, "after them", 14, 1);
    }
}

fn epochs(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let mut p = Producer::begin(c, version);
        let (id, _) = p.producer;
        p.send(c, "epoch 0", 0, 1);
        p.producer = (id, 2);
        p.send(c, "epoch 2", 5, 1);
        p.send(c, "epoch 2", 0, 1);
        p.send(c, "epoch 2", 1, 1);
        p.producer = (id, 1);
        p.send(c, "epoch 1", 2, 1);
        p.send(c, "epoch 1", 0, 1);
        p.producer = (id, -1);
        p.send(c, "no epoch", 2, 1);
    }
}

/// Without state, any first sequence is taken.
fn first_sequence(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let p = Producer::begin(c, version);
        p.send(c, "first", 4711, 2);
        p.send(c, "next", 4713, 1);
        p.send(c, "once more", 4711, 2);
    }
}

fn sequence_wraps(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let p = Producer::begin(c, version);
        p.send(c, "near the end", i32::MAX - 3, 2);
        p.send(c, "over the end", i32::MAX - 1, 4);
        p.send(c, "once more", i32::MAX - 1, 4);
        p.send(c, "after it", 2, 1);
        p.send(c, "a gap", 4, 1);
    }
}

fn two_partitions(c: &mut Conversation) {
    for version in PRODUCE_VERSIONS {
        let p = Producer::begin(c, version);
        p.send_to(c, "partition 0", 0, 0, 2);
        p.send_to(c, "partition 1", 1, 0, 1);
        p.send_to(c, "partition 1", 1, 1, 1);
        p.send_to(c, "partition 0", 0, 2, 1);
    }
}
