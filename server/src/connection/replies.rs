//! Replies leave in the order of their requests, whatever order they were made in.

use std::collections::VecDeque;

use logmill_engine::disk::FileRange;
use logmill_engine::sys::region::Slices;

use super::outgoing::Outgoing;

/// The number of a request on its connection, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestNumber(pub u64);

/// Bytes that a reply takes from elsewhere.
#[derive(Debug)]
pub enum External {
    /// Counted memory.
    Memory(Slices),
    /// A range of a file.
    File(FileRange),
}

/// Where in a reply's encoded bytes an external part belongs.
#[derive(Debug)]
pub struct ExternalAt {
    /// Position in the encoded bytes.
    pub at: usize,
    /// What belongs there.
    pub part: External,
}

/// The replies of one connection that are owed, and those that wait for an earlier one.
#[derive(Debug, Default)]
pub struct Replies {
    first: u64,
    slots: VecDeque<Slot>,
    /// Buffers of stored replies, kept for the next ones.
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Slot {
    /// Bytes of the request, given back when the reply has left.
    charged: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Owed,
    /// No reply will be sent, as for acks=0.
    Silent,
    Ready {
        bytes: Vec<u8>,
        externals: Vec<ExternalAt>,
    },
}

impl Replies {
    /// A request of `charged` bytes begins.
    pub fn begin(&mut self, charged: u32) -> RequestNumber {
        self.slots.push_back(Slot {
            charged,
            state: State::Owed,
        });
        RequestNumber(self.first + self.slots.len() as u64 - 1)
    }

    /// The request's reply is made: queued at once if it is its turn, else kept. `externals` are
    /// ordered by position and are taken out; so are `bytes` where they are many. A number that is
    /// not owed is ignored: the connection was abandoned meanwhile.
    pub fn finish(
        &mut self,
        number: RequestNumber,
        bytes: &mut Vec<u8>,
        externals: &mut Vec<ExternalAt>,
        outgoing: &mut Outgoing,
    ) {
        let Some(at) = self.place(number) else { return };
        if at == 0 {
            queue(bytes, externals, outgoing);
            self.settle_front(outgoing);
            self.flush(outgoing);
            return;
        }
        let kept = if bytes.len() > SPARE_BYTES_MAX {
            std::mem::take(bytes)
        } else {
            let mut kept = self.spare.pop().unwrap_or_default();
            kept.extend_from_slice(bytes);
            kept
        };
        let externals = std::mem::take(externals);
        self.slots[at].state = State::Ready {
            bytes: kept,
            externals,
        };
    }

    /// The request gets no reply. Its bytes are given back with the reply before it.
    pub fn finish_silently(&mut self, number: RequestNumber, outgoing: &mut Outgoing) {
        let Some(at) = self.place(number) else { return };
        self.slots[at].state = State::Silent;
        self.flush(outgoing);
    }

    /// Forgets all that is owed; returns the request bytes that are free again.
    pub fn abandon(&mut self) -> u64 {
        self.first += self.slots.len() as u64;
        self.slots
            .drain(..)
            .map(|slot| u64::from(slot.charged))
            .sum()
    }

    /// How many requests are not answered yet.
    pub fn in_flight(&self) -> usize {
        self.slots.len()
    }

    /// Memory of replies that wait for an earlier one.
    pub fn stored_bytes(&self) -> usize {
        let bytes = |slot: &Slot| match &slot.state {
            State::Ready { bytes, .. } => bytes.capacity(),
            State::Owed | State::Silent => 0,
        };
        self.slots.iter().map(bytes).sum()
    }

    fn place(&self, number: RequestNumber) -> Option<usize> {
        let at = usize::try_from(number.0.checked_sub(self.first)?).ok()?;
        matches!(self.slots.get(at)?.state, State::Owed).then_some(at)
    }

    /// Queues every reply whose turn has come.
    fn flush(&mut self, outgoing: &mut Outgoing) {
        while let Some(slot) = self.slots.front_mut() {
            match &mut slot.state {
                State::Owed => return,
                State::Silent => {}
                State::Ready { bytes, externals } => {
                    let mut bytes = std::mem::take(bytes);
                    queue(&mut bytes, externals, outgoing);
                    bytes.clear();
                    if self.spare.len() < SPARE_COUNT_MAX && bytes.capacity() <= SPARE_BYTES_MAX {
                        self.spare.push(bytes);
                    }
                }
            }
            self.settle_front(outgoing);
        }
    }

    fn settle_front(&mut self, outgoing: &mut Outgoing) {
        if let Some(slot) = self.slots.pop_front() {
            self.first += 1;
            outgoing.charge(slot.charged);
        }
    }
}

fn queue(bytes: &mut Vec<u8>, externals: &mut Vec<ExternalAt>, outgoing: &mut Outgoing) {
    if externals.is_empty() {
        return outgoing.push_encoded(bytes);
    }
    let mut done = 0;
    for external in externals.drain(..) {
        outgoing.push_bytes(&bytes[done..external.at]);
        done = external.at;
        match external.part {
            External::Memory(slices) => {
                slices
                    .iter()
                    .for_each(|slice| outgoing.push_slice(slice.clone()));
            }
            External::File(range) => outgoing.push_file(range),
        }
    }
    outgoing.push_bytes(&bytes[done..]);
}

/// Buffers of replies out of turn that are kept for reuse: so many, each at most so large.
const SPARE_COUNT_MAX: usize = 8;
const SPARE_BYTES_MAX: usize = 1 << 10;

#[cfg(test)]
mod tests;
