//! Random clients over random disks: whatever is acknowledged is read back, replies keep their
//! order, nothing is left under way.
//!
//! Faults and interleavings: disk operations complete in any order and at any time, frames arrive
//! cut anywhere, mail waits for a turn or not, clients leave amid requests. Each seed is run twice
//! and must say the same.

use std::collections::BTreeMap;

use logmill_wire::ApiKey;
use logmill_wire::messages::fetch::FetchResponse;
use logmill_wire::messages::produce::ProduceResponse;

use super::rig::{Client, Rig, batch, decode, fetch_request, produce_request};
use crate::shard::Event;

/// A small generator of its own, so that seeds mean the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % below
    }
}

/// A client and what it waits for.
struct Actor {
    client: Client,
    /// Bytes that the shard has not taken yet.
    unsent: Vec<u8>,
    /// Requests without a reply: correlation id, partition, value.
    waiting: Vec<(i32, i32, u64)>,
}

/// What the run has seen.
#[derive(Default, PartialEq, Debug)]
struct History {
    /// Acknowledged values by partition and offset.
    acked: BTreeMap<(i32, i64), u64>,
    closed: usize,
    hash: u64,
}

#[test]
fn random_clients_see_what_was_acknowledged() {
    for seed in 1..=40 {
        let first = run(seed);
        assert!(
            first.acked.len() > 50,
            "seed {seed}: {} acks",
            first.acked.len()
        );
        assert_eq!(first, run(seed), "seed {seed} says different things");
    }
}

fn run(seed: u64) -> History {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let shards = 1 + dice.roll(3) as u16;
    let mut rig = Rig::new(shards);
    rig.create_topic("t", PARTITIONS);
    rig.disk_dice = Some(seed | 1);
    let mut history = History::default();
    let mut actors: Vec<Actor> = (0..4)
        .map(|number| actor(&mut rig, number % usize::from(shards)))
        .collect();
    let mut next_value = 0;
    for _ in 0..600 {
        let at = dice.roll(actors.len() as u64) as usize;
        match dice.roll(20) {
            0..=7 => {
                next_value += 1;
                let partition = dice.roll(PARTITIONS as u64) as i32;
                send(&mut actors[at], partition, next_value);
            }
            8 if dice.roll(10) == 0 => {
                let key = actors[at].client.key;
                let shard = actors[at].client.shard;
                rig.shards[shard].feed(rig.now, Event::PeerClosed { connection: key });
                actors[at] = actor(&mut rig, shard);
                history.closed += 1;
            }
            9..=14 => deliver(&mut rig, &mut actors[at], &mut dice),
            15 => rig.advance_clock_ms(dice.roll(3)),
            _ => rig.some_turns(1 + dice.roll(3) as usize),
        }
        collect(&mut rig, &mut actors[at], &mut history);
    }
    rig.disk_dice = None;
    for actor in &mut actors {
        while !actor.unsent.is_empty() || !actor.waiting.is_empty() {
            deliver(&mut rig, actor, &mut dice);
            rig.settle();
            collect(&mut rig, actor, &mut history);
        }
    }
    rig.settle();
    assert!(rig.shards.iter().all(|shard| shard.requests() == 0));
    assert!(rig.shards.iter().all(|shard| shard.request_bytes() == 0));
    // Records that nobody waits for are synced in time, and then visible.
    rig.advance_clock_ms(2_000);
    rig.settle();
    read_back(&mut rig, &history);
    history
}

fn actor(rig: &mut Rig, shard: usize) -> Actor {
    Actor {
        client: rig.connect(shard),
        unsent: Vec::new(),
        waiting: Vec::new(),
    }
}

fn send(actor: &mut Actor, partition: i32, value: u64) {
    if actor.waiting.len() > 20 {
        return;
    }
    let one = batch(&[&value.to_be_bytes()]);
    let acks = if value.is_multiple_of(3) { 1 } else { -1 };
    let request = produce_request("t", &[(partition, &one)], acks);
    let frame = actor.client.frame(ApiKey::Produce, 9, &request);
    let correlation = i32::from_be_bytes(frame[8..12].try_into().unwrap());
    actor.unsent.extend(frame);
    actor.waiting.push((correlation, partition, value));
}

fn deliver(rig: &mut Rig, actor: &mut Actor, dice: &mut Dice) {
    let len = actor.unsent.len();
    if len > 0 {
        let part = 1 + dice.roll(len as u64) as usize;
        let taken = rig.deliver(&actor.client, &actor.unsent[..part]);
        actor.unsent.drain(..taken);
    }
}

fn collect(rig: &mut Rig, actor: &mut Actor, history: &mut History) {
    rig.collect(&mut actor.client);
    while let Some((correlation, body)) = actor.client.reply(ApiKey::Produce, 9) {
        let (expected, partition, value) = actor.waiting.remove(0);
        assert_eq!(correlation, expected, "replies keep the order of requests");
        let response: ProduceResponse<'_> = decode(&body, 9);
        let part = response.responses.first().unwrap();
        let part = part.partition_responses.first().unwrap();
        assert_eq!((part.index, part.error_code), (partition, 0));
        let before = history.acked.insert((partition, part.base_offset), value);
        assert_eq!(before, None, "an offset is given once");
        history.hash = history.hash.rotate_left(5) ^ value ^ part.base_offset as u64;
    }
}

/// Everything that was acknowledged stands where it was said, in every partition.
fn read_back(rig: &mut Rig, history: &History) {
    let mut client = rig.connect(0);
    for partition in 0..PARTITIONS {
        let mut read = BTreeMap::new();
        loop {
            let request = fetch_request(&[(partition, read.len() as i64)], 0, 1);
            let body = rig.call(&mut client, ApiKey::Fetch, 12, &request).unwrap();
            let response: FetchResponse<'_> = decode(&body, 12);
            let part = response
                .responses
                .first()
                .unwrap()
                .partitions
                .first()
                .unwrap();
            let records = part.records.and_then(|records| records.bytes());
            let before = read.len();
            for batch in logmill_wire::batch::Batches::new(records.unwrap_or_default()) {
                let batch = batch.unwrap();
                for record in batch.records().unwrap() {
                    let record = record.unwrap();
                    let value = u64::from_be_bytes(record.value.unwrap().try_into().unwrap());
                    read.insert(record.offset, value);
                }
            }
            if read.len() == before {
                break;
            }
        }
        let acked = history.acked.range((partition, 0)..=(partition, i64::MAX));
        for (&(_, offset), value) in acked {
            assert_eq!(
                read.get(&offset),
                Some(value),
                "offset {offset} of {partition}"
            );
        }
    }
}

const PARTITIONS: i32 = 5;
