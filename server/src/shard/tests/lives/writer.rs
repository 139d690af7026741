//! An idempotent producer of one partition: its records are 0, 1, 2 and so on, whatever happens.

use logmill_engine::base::{Micros, Now};
use logmill_wire::ApiKey;
use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};
use logmill_wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use logmill_wire::messages::produce::ProduceResponse;

use super::broker::Broker;
use super::dice::Dice;
use super::spots::place;
use super::story::Story;
use super::wire::Wire;
use crate::shard::tests::rig::{decode, produce_request};

/// See the module.
pub struct Writer {
    /// The number of its partition.
    spot: i32,
    wire: Option<Wire>,
    late: Option<Micros>,
    id: i64,
    /// The next record, and how many are in the batch under way.
    next: i64,
    count: i64,
    asleep_until: Micros,
    /// It begins no further batch.
    pub is_done: bool,
}

impl Writer {
    pub fn new(spot: i32) -> Self {
        Self {
            spot,
            wire: None,
            late: None,
            id: -1,
            next: 0,
            count: 0,
            asleep_until: Micros(0),
            is_done: false,
        }
    }

    /// Whether a batch has no answer yet.
    pub fn is_owed(&self) -> bool {
        self.count > 0
    }

    /// When it does something next, whatever the broker says.
    pub fn next_event(&self, now: Now) -> Option<Micros> {
        let is_idle = self.is_done && self.count == 0 && self.id != -1;
        let wakes = match self.late {
            Some(late) => late,
            None if is_idle => return None,
            None => now.monotonic,
        };
        Some(wakes.max(self.asleep_until))
    }

    pub fn lose_broker(&mut self) {
        (self.wire, self.late) = (None, None);
    }

    /// The connection breaks, on its side.
    pub fn hang_up(&mut self, broker: &mut Broker, now: Now) {
        self.late = None;
        if let Some(wire) = self.wire.take() {
            wire.close(broker, now);
            // What it sent is over when it comes back.
            let back = now.monotonic.saturating_add(RETRY);
            self.asleep_until = self.asleep_until.max(back);
        }
    }

    /// Does what is next.
    pub fn turn(&mut self, broker: &mut Broker, story: &mut Story, dice: &mut Dice, now: Now) {
        if now.monotonic < self.asleep_until || !broker.is_ready() {
            return;
        }
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::open(broker, now, dice)),
        };
        if !wire.move_bytes(broker, now, dice) {
            return self.lose_broker();
        }
        let (api, version) = match self.id {
            -1 => (ApiKey::InitProducerId, 4),
            _ => (ApiKey::Produce, 9),
        };
        match self.late {
            None => self.ask(dice, now),
            Some(late) if late <= now.monotonic => self.hang_up(broker, now),
            Some(_) => {
                if let Some(body) = wire.answer(api, version) {
                    self.late = None;
                    self.told(&body, story, dice, now);
                }
            }
        }
    }

    fn ask(&mut self, dice: &mut Dice, now: Now) {
        let Some(wire) = &mut self.wire else {
            return;
        };
        if self.id == -1 {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: -1,
                producer_id: -1,
                producer_epoch: -1,
                ..InitProducerIdRequest::default()
            };
            wire.ask(ApiKey::InitProducerId, 4, &request);
        } else {
            if self.count == 0 {
                if self.is_done {
                    return;
                }
                self.count = 1 + i64::from(dice.below(4));
            }
            // Sent again it is the same batch.
            let batch = batch(self.id, self.next, self.count);
            let (topic, partition) = place(self.spot);
            let request = produce_request(topic, &[(partition, &batch)], -1);
            wire.ask(ApiKey::Produce, 9, &request);
        }
        self.late = Some(now.monotonic.saturating_add(PATIENCE));
    }

    fn told(&mut self, body: &[u8], story: &mut Story, dice: &mut Dice, now: Now) {
        if self.id == -1 {
            let response: InitProducerIdResponse = decode(body, 4);
            match response.error_code {
                0 => self.id = response.producer_id,
                _ => self.asleep_until = now.monotonic.saturating_add(RETRY),
            }
            return;
        }
        let response: ProduceResponse<'_> = decode(body, 9);
        let part = response.responses.first().unwrap();
        let part = part.partition_responses.first().unwrap();
        match part.error_code {
            0 => {
                assert_eq!(part.base_offset, self.next, "of {}", self.spot);
                self.next += self.count;
                self.count = 0;
                story.written(self.spot, self.next);
                let pause = Micros::from_millis(u64::from(dice.below(800)));
                self.asleep_until = now.monotonic.saturating_add(pause);
            }
            // Unknown yet, no leader, time is up, or the disk fails: the same again.
            3 | 5 | 6 | 7 | 56 => {
                self.asleep_until = now.monotonic.saturating_add(RETRY);
            }
            code => panic!("error {code}"),
        }
    }
}

fn batch(producer_id: i64, first: i64, count: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for value in first..first + count {
        let record = NewRecord {
            timestamp: 1_700_000_000_000,
            value: Some(&value.to_be_bytes()),
            ..NewRecord::default()
        };
        builder.append(&record).unwrap();
    }
    let meta = BatchMeta {
        producer_id,
        producer_epoch: 0,
        base_sequence: first as i32,
        ..BatchMeta::default()
    };
    let mut bytes = Vec::new();
    builder.finish(&meta, &mut bytes);
    bytes
}

const RETRY: Micros = Micros::from_millis(150);
const PATIENCE: Micros = Micros::from_millis(8_000);
