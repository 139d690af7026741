//! The core against a broker of a few lines that loses connections, answers with errors, and
//! checks sequences as Kafka does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use logmill_engine::base::{ProducerEpoch, ProducerId};
use logmill_engine::format::batch::BatchHeader;

use super::*;
use crate::consumer::Records;
use crate::payload::SplitMix64;

const PARTITIONS: u32 = 3;

fn config(idempotent: bool) -> ProducerConfig {
    ProducerConfig {
        idempotent,
        batch_size: 300,
        linger: Duration::from_millis(2),
        buffer_memory: 5_000,
        ..ProducerConfig::default()
    }
}

fn identity(epoch: i16) -> Identity {
    Identity {
        id: ProducerId(5),
        epoch: ProducerEpoch(epoch),
    }
}

/// A batch as (sequence, count, base offset).
type RecentBatch = (i32, i32, i64);

/// Each partition's log: the number in each record's value.
#[derive(Default)]
struct ModelBroker {
    logs: BTreeMap<u32, Vec<u64>>,
    /// By partition: epoch and the last five batches as (sequence, count, base offset).
    producers: BTreeMap<u32, (i16, VecDeque<RecentBatch>)>,
}

impl ModelBroker {
    fn append(&mut self, partition: u32, bytes: &[u8]) -> (ErrorCode, i64) {
        let header = BatchHeader::parse(bytes).unwrap();
        assert_eq!(header.compute_crc(&bytes[BatchHeader::SIZE..]), header.crc);
        let log = self.logs.entry(partition).or_default();
        let base = log.len() as i64;
        if header.producer_id.is_some() {
            let (sequence, count) = (header.base_sequence.0, header.record_count);
            let state = self.producers.entry(partition).or_default();
            if header.producer_epoch.0 > state.0 {
                *state = (header.producer_epoch.0, VecDeque::new());
            }
            if let Some(known) = state.1.iter().find(|b| b.0 == sequence && b.1 == count) {
                return (ErrorCode::NONE, known.2);
            }
            let due = state.1.back().map_or(0, |(first, count, _)| first + count);
            if sequence != due {
                return (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
            }
            state.1.push_back((sequence, count, base));
            if state.1.len() > 5 {
                state.1.pop_front();
            }
        }
        for record in Records::new(&bytes[BatchHeader::SIZE..], header.record_count as u32) {
            let value = record.unwrap().value.unwrap();
            log.push(u64::from_le_bytes(value[..8].try_into().unwrap()));
        }
        (ErrorCode::NONE, base)
    }
}

struct World {
    core: Core,
    broker: ModelBroker,
    wire: VecDeque<Drained>,
    now: u64,
    epoch: i16,
    /// By partition and number: outcome and offset.
    fates: BTreeMap<(u32, u64), (Outcome, Option<i64>)>,
}

impl World {
    fn new(config: ProducerConfig, seed: u64) -> Self {
        Self {
            core: Core::new(config, PARTITIONS, seed).unwrap(),
            broker: ModelBroker::default(),
            wire: VecDeque::new(),
            now: 1_000_000_000,
            epoch: 0,
            fates: BTreeMap::new(),
        }
    }

    fn append(&mut self, partition: u32) -> bool {
        let number = self.core.next_record(partition).to_le_bytes();
        let record = Record {
            value: [&number, &[7; 50]],
            ..Record::default()
        };
        let room = self.core.has_room(partition, record.encoded_bytes_max());
        if room {
            self.core.append(self.now, partition, self.now, &record);
        }
        room
    }

    fn send(&mut self) {
        if self.core.wants_identity().is_some() {
            assert!(
                self.wire.is_empty(),
                "an identity is asked for when nothing is in flight"
            );
            self.core.asked_identity();
            self.core.set_identity(identity(self.epoch));
            self.epoch += 1;
        }
        while self.wire.len() < self.core.config().in_flight_max {
            let Some(drained) = self.core.drain(self.now, |_| true) else {
                break;
            };
            self.wire.push_back(drained);
        }
    }

    fn answer(&mut self) {
        let Some(drained) = self.wire.pop_front() else {
            return;
        };
        for (partition, bytes) in &drained.parts {
            let (error, offset) = self.broker.append(*partition, bytes.as_ref());
            self.core
                .complete(self.now, drained.request, *partition, error, offset);
        }
        self.core.finish(self.now, drained.request);
    }

    /// Refuses a request as a broker that is not the leader.
    fn refuse(&mut self) {
        let Some(drained) = self.wire.pop_front() else {
            return;
        };
        for (partition, _) in &drained.parts {
            let error = ErrorCode::NOT_LEADER_OR_FOLLOWER;
            self.core
                .complete(self.now, drained.request, *partition, error, -1);
        }
        self.core.finish(self.now, drained.request);
    }

    /// The link breaks; the first `arrived` requests had been appended.
    fn disconnect(&mut self, arrived: usize) {
        for (at, drained) in std::mem::take(&mut self.wire).into_iter().enumerate() {
            if at < arrived {
                for (partition, bytes) in &drained.parts {
                    self.broker.append(*partition, bytes.as_ref());
                }
            }
            let request = drained.request;
            drop(drained);
            self.core.fail(self.now, request);
        }
    }

    fn settle(&mut self) {
        self.core.expire(self.now);
        let fates = &mut self.fates;
        self.core.drain_settled(|settled| {
            for at in 0..u64::from(settled.batch.count) {
                let offset = settled.offset.map(|offset| offset + at as i64);
                let key = (settled.partition, settled.batch.first + at);
                let old = fates.insert(key, (settled.outcome, offset));
                assert_eq!(old, None, "a record is settled once");
            }
        });
    }

    fn finish(&mut self) {
        self.core.set_flushing(true);
        for _ in 0..10_000 {
            self.send();
            self.answer();
            self.settle();
            self.now += 20_000_000;
            if self.core.is_idle() {
                return;
            }
        }
        panic!("the producer did not settle everything: {:?}", self.core);
    }
}

/// Random faults. Everything is settled; what is acknowledged is in the log, at the offset told;
/// with idempotence it is there once and in order.
fn storm(idempotent: bool, seed: u64) {
    let mut world = World::new(config(idempotent), seed);
    let mut random = SplitMix64::new(seed);
    let mut appended = [0; PARTITIONS as usize];
    for _ in 0..600 {
        let partition = random.below(u64::from(PARTITIONS)) as u32;
        match random.below(20) {
            0 => world.disconnect(random.below(4) as usize),
            1 => world.refuse(),
            2..6 => world.answer(),
            _ => appended[partition as usize] += u64::from(world.append(partition)),
        }
        world.send();
        world.settle();
        world.now += random.below(30_000_000);
    }
    world.finish();
    for (partition, count) in (0..).zip(appended) {
        let log = world
            .broker
            .logs
            .get(&partition)
            .cloned()
            .unwrap_or_default();
        for number in 0..count {
            let (outcome, offset) = world.fates[&(partition, number)];
            let times = log.iter().filter(|&&other| other == number).count();
            if outcome == Outcome::Acknowledged {
                assert!(
                    times >= 1,
                    "seed {seed}: partition {partition} number {number} is lost"
                );
                if let Some(offset) = offset {
                    assert_eq!(log[offset as usize], number, "seed {seed}");
                }
            }
            if idempotent {
                assert!(
                    times <= 1,
                    "seed {seed}: partition {partition} number {number} twice"
                );
            }
        }
        if idempotent {
            assert!(
                log.is_sorted(),
                "seed {seed}: partition {partition}: {log:?}"
            );
        }
    }
    assert_eq!(world.core.memory_used(), 0, "seed {seed}");
}

#[test]
fn storms_break_no_promise() {
    for seed in 0..300 {
        storm(true, seed);
        storm(false, seed);
    }
}

#[test]
fn linger_fills_batches_and_flushing_does_not_wait() {
    let mut world = World::new(config(false), 1);
    world.append(0);
    assert!(world.core.drain(world.now, |_| true).is_none());
    let due = world.core.next_deadline().unwrap();
    assert_eq!(due, world.now + 2_000_000);
    world.append(0);
    world.now = due;
    let drained = world.core.drain(world.now, |_| true).unwrap();
    assert_eq!(
        BatchHeader::parse(drained.parts[0].1.as_ref())
            .unwrap()
            .record_count,
        2
    );
    world.append(1);
    world.core.set_flushing(true);
    assert!(
        world.core.drain(world.now, |index| index == 0).is_none(),
        "led by somebody else"
    );
    assert!(world.core.drain(world.now, |_| true).is_some());
}

#[test]
fn the_buffer_is_bounded_and_its_end_hurries_what_waits() {
    let mut world = World::new(config(false), 1);
    let mut count = 0;
    while world.append(count % PARTITIONS) {
        count += 1;
    }
    assert!((10..70).contains(&count), "{count}");
    assert!(world.core.memory_used() <= 5_000);
    let drained = world
        .core
        .drain(world.now, |_| true)
        .expect("no linger under pressure");
    world.wire.push_back(drained);
    world.answer();
    world.settle();
    assert!(world.append(0));
}

#[test]
fn a_record_that_is_never_sent_is_given_up_when_its_time_is_over() {
    let mut world = World::new(config(true), 1);
    world.append(0);
    world.now += 121_000_000_000;
    world.settle();
    assert_eq!(world.fates[&(0, 0)].0, Outcome::Refused);
    assert!(world.core.is_idle());
}

#[test]
fn unacknowledged_batches_are_settled_once_they_are_written() {
    let mut world = World::new(
        ProducerConfig {
            acks: Acks::None,
            ..config(false)
        },
        1,
    );
    world.append(0);
    world.core.set_flushing(true);
    let drained = world.core.drain(world.now, |_| true).unwrap();
    world.settle();
    assert!(
        world.fates.is_empty(),
        "the connection still holds the bytes"
    );
    drop(drained);
    world.settle();
    assert_eq!(world.fates[&(0, 0)], (Outcome::Unanswered, None));
}

#[test]
fn a_refusal_is_told_and_an_epoch_is_begun_anew() {
    let mut world = World::new(config(true), 1);
    world.append(0);
    world.core.set_flushing(true);
    world.send();
    let drained = world.wire.pop_front().unwrap();
    let request = drained.request;
    drop(drained);
    world
        .core
        .complete(world.now, request, 0, ErrorCode::MESSAGE_TOO_LARGE, -1);
    world.settle();
    assert_eq!(world.fates[&(0, 0)].0, Outcome::Refused);
    assert_eq!(world.core.wants_identity(), Some(Some(identity(0))));
    world.append(0);
    world.finish();
    assert_eq!(world.broker.logs[&0], [1]);
}
