//! What a connection still has to send, in order: encoded bytes, counted memory, file ranges.
//!
//! The driver asks for the next parts, sends what the socket takes and says how much that was. A
//! position counts every byte that ever entered; what must happen when bytes are gone (a request's
//! budget returned, a lease ended) hangs at a position.

use std::collections::VecDeque;
use std::io::IoSlice;

use logmill_engine::disk::{FileLease, FileRange};
use logmill_engine::sys::region::Slice;

#[cfg(test)]
mod tests;

/// The outgoing bytes of one connection.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// Encoded bytes of all `Inline` parts; those before `inline_start` are sent.
    inline: Vec<u8>,
    inline_start: usize,
    parts: VecDeque<Part>,
    /// Memory of all `Large` parts.
    large_bytes: usize,
    /// Bytes that ever entered, and that the socket ever took.
    entered: u64,
    sent: u64,
    /// Request bytes to be given back once the reply that ends at a position was sent.
    charges: VecDeque<(u64, u32)>,
    /// Leases of ranges that the socket took and the peer has not acknowledged yet.
    draining: VecDeque<(u64, FileLease)>,
}

/// What the driver shall send next.
#[derive(Debug)]
pub enum Next<'a> {
    /// Nothing waits.
    Nothing,
    /// So many memory parts were put into the vector's first places.
    Memory(usize),
    /// A range of a file.
    File(&'a FileRange),
}

#[derive(Debug)]
enum Part {
    /// So many bytes of `inline`.
    Inline(usize),
    /// Encoded bytes of their own, so that nobody copies or moves them.
    Large {
        bytes: Vec<u8>,
        start: usize,
    },
    Memory {
        slice: Slice,
        start: usize,
    },
    File(FileRange),
}

impl Outgoing {
    /// Queues encoded bytes.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.inline.extend_from_slice(bytes);
        self.entered += bytes.len() as u64;
        match self.parts.back_mut() {
            Some(Part::Inline(len)) => *len += bytes.len(),
            _ => self.parts.push_back(Part::Inline(bytes.len())),
        }
    }

    /// Queues encoded bytes: many are taken, few are copied and left.
    pub fn push_encoded(&mut self, bytes: &mut Vec<u8>) {
        if bytes.len() < LARGE_BYTES_MIN {
            return self.push_bytes(bytes);
        }
        let mut bytes = std::mem::take(bytes);
        bytes.shrink_to_fit();
        self.entered += bytes.len() as u64;
        self.large_bytes += bytes.capacity();
        self.parts.push_back(Part::Large { bytes, start: 0 });
    }

    /// Queues counted memory without copying it.
    pub fn push_slice(&mut self, slice: Slice) {
        if slice.is_empty() {
            return;
        }
        self.entered += slice.len() as u64;
        self.parts.push_back(Part::Memory { slice, start: 0 });
    }

    /// Queues a range of a file; its lease ends when the peer has the bytes.
    pub fn push_file(&mut self, range: FileRange) {
        if range.len == 0 {
            return;
        }
        self.entered += u64::from(range.len);
        self.parts.push_back(Part::File(range));
    }

    /// All that was queued so far answers a request of `bytes` bytes.
    pub fn charge(&mut self, bytes: u32) {
        self.charges.push_back((self.entered, bytes));
    }

    /// The next parts to send: memory in up to `memory.len()` pieces, or one file range.
    pub fn next<'a>(&'a self, memory: &mut [IoSlice<'a>]) -> Next<'a> {
        let mut at = self.inline_start;
        let mut count = 0;
        for part in &self.parts {
            let bytes = match part {
                Part::File(range) if count == 0 => return Next::File(range),
                Part::File(_) => break,
                Part::Inline(len) => {
                    at += len;
                    &self.inline[at - len..at]
                }
                Part::Large { bytes, start } => {
                    let left = &bytes[*start..];
                    if left.len() > SEND_BYTES_MAX {
                        let piece = &left[..SEND_BYTES_MAX];
                        if let Some(place) = memory.get_mut(count) {
                            *place = IoSlice::new(piece);
                            count += 1;
                        }
                        break;
                    }
                    left
                }
                Part::Memory { slice, start } => &slice[*start..],
            };
            let Some(place) = memory.get_mut(count) else {
                break;
            };
            *place = IoSlice::new(bytes);
            count += 1;
        }
        if count == 0 {
            Next::Nothing
        } else {
            Next::Memory(count)
        }
    }

    /// The socket took `count` bytes. Returns how many request bytes are free again.
    pub fn advance(&mut self, count: usize) -> u64 {
        self.sent += count as u64;
        let mut left = count;
        while left > 0 {
            let part = self
                .parts
                .front_mut()
                .expect("no more is sent than was queued");
            let taken = match part {
                Part::Inline(len) => {
                    let taken = left.min(*len);
                    *len -= taken;
                    self.inline_start += taken;
                    (taken, *len == 0)
                }
                Part::Large { bytes, start } => {
                    let taken = left.min(bytes.len() - *start);
                    *start += taken;
                    (taken, *start == bytes.len())
                }
                Part::Memory { slice, start } => {
                    let taken = left.min(slice.len() - *start);
                    *start += taken;
                    (taken, *start == slice.len())
                }
                Part::File(range) => {
                    let taken = left.min(range.len as usize);
                    range.position += taken as u64;
                    range.len -= taken as u32;
                    (taken, range.len == 0)
                }
            };
            left -= taken.0;
            if taken.1 {
                let end = self.sent - left as u64;
                match self.parts.pop_front() {
                    Some(Part::File(range)) => self.draining.push_back((end, range.lease)),
                    Some(Part::Large { bytes, .. }) => self.large_bytes -= bytes.capacity(),
                    _ => {}
                }
            }
        }
        self.compact();
        self.settle()
    }

    /// The peer has all but the last `unacknowledged` of the bytes sent: ends leases before them.
    pub fn drained(&mut self, unacknowledged: u64) {
        let acknowledged = self.sent.saturating_sub(unacknowledged);
        while self
            .draining
            .front()
            .is_some_and(|&(end, _)| end <= acknowledged)
        {
            self.draining.pop_front();
        }
    }

    /// Gives up everything; returns the request bytes that are free again.
    pub fn abandon(&mut self) -> u64 {
        self.parts.clear();
        self.large_bytes = 0;
        self.inline.clear();
        self.inline_start = 0;
        self.draining.clear();
        self.charges
            .drain(..)
            .map(|(_, bytes)| u64::from(bytes))
            .sum()
    }

    /// Whether file ranges were sent that the peer may not have yet.
    pub fn is_draining(&self) -> bool {
        !self.draining.is_empty()
    }

    /// Bytes that wait.
    pub fn len(&self) -> u64 {
        self.entered - self.sent
    }

    /// Memory of encoded bytes, above what an idle connection may keep.
    pub fn encoded_bytes(&self) -> usize {
        self.inline.capacity().saturating_sub(INLINE_KEPT_BYTES_MAX) + self.large_bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many request bytes are free again because all that answers them was sent.
    pub fn settle(&mut self) -> u64 {
        let mut free = 0;
        while let Some(&(end, bytes)) = self.charges.front()
            && end <= self.sent
        {
            free += u64::from(bytes);
            self.charges.pop_front();
        }
        free
    }

    /// Gives back the memory of encoded bytes that were sent. What is left is moved only when there
    /// is no more of it than was sent since: a peer that reads little by little costs no more.
    fn compact(&mut self) {
        if self.inline_start == self.inline.len() {
            self.inline.clear();
            self.inline_start = 0;
            if self.inline.capacity() > INLINE_KEPT_BYTES_MAX {
                self.inline = Vec::new();
            }
        } else if self.inline_start > INLINE_KEPT_BYTES_MAX.max(self.inline.len() / 2) {
            self.inline.drain(..self.inline_start);
            self.inline_start = 0;
        }
    }
}

/// An idle connection keeps no more than this for its next replies.
const INLINE_KEPT_BYTES_MAX: usize = 4 << 10;
/// So much of them the socket is offered at once: it may take all, and others wait meanwhile.
const SEND_BYTES_MAX: usize = 256 << 10;
/// From so many on, encoded bytes stay where they were written.
const LARGE_BYTES_MIN: usize = 64 << 10;
