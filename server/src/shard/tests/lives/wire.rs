//! A client's connection: bytes arrive cut anywhere, and it may be gone at any time.

use logmill_engine::base::Now;
use logmill_wire::{ApiKey, Message};

use super::broker::{Broker, Place};
use super::dice::Dice;
use crate::shard::tests::rig::frame;

/// See the module. At most one request is under way.
pub struct Wire {
    place: Place,
    unsent: Vec<u8>,
    received: Vec<u8>,
    correlation: i32,
}

impl Wire {
    pub fn open(broker: &mut Broker, now: Now, dice: &mut Dice) -> Self {
        Self {
            place: broker.accept(now, dice),
            unsent: Vec::new(),
            received: Vec::new(),
            correlation: 0,
        }
    }

    pub fn ask<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) {
        self.correlation += 1;
        let frame = frame(api, version, self.correlation, request);
        self.unsent.extend(frame);
    }

    /// Moves bytes in both directions, maybe; `false` when the broker has closed the connection.
    pub fn move_bytes(&mut self, broker: &mut Broker, now: Now, dice: &mut Dice) -> bool {
        if broker.has_closed(self.place) {
            return false;
        }
        if !self.unsent.is_empty() && !dice.one_in(4) {
            let most = match dice.one_in(3) {
                true => 1 + dice.below(self.unsent.len() as u32) as usize,
                false => self.unsent.len(),
            };
            let taken = broker.deliver(now, self.place, &self.unsent[..most]);
            self.unsent.drain(..taken);
        }
        if dice.one_in(4) {
            broker.stay_busy();
        } else {
            broker.collect(now, self.place, &mut self.received);
        }
        if !self.unsent.is_empty() {
            broker.stay_busy();
        }
        true
    }

    /// The whole answer to the request under way.
    pub fn answer(&mut self, api: ApiKey, version: i16) -> Option<Vec<u8>> {
        let len = i32::from_be_bytes(*self.received.first_chunk()?) as usize;
        if self.received.len() < 4 + len {
            return None;
        }
        let frame: Vec<u8> = self.received.drain(..4 + len).skip(4).collect();
        let (header, reader) =
            logmill_wire::ResponseHeader::decode(&frame, api, version).expect("a header");
        assert_eq!(header.correlation_id, self.correlation, "out of order");
        Some(reader.rest().to_vec())
    }

    /// The client hangs up, maybe amid a frame.
    pub fn close(self, broker: &mut Broker, now: Now) {
        broker.hang_up(now, self.place);
    }
}
