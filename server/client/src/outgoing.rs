//! Bytes on their way to the socket: encoded requests with payloads of others between them.

use std::collections::VecDeque;
use std::io::IoSlice;

use logmill_wire::Writer;

/// Requests that are not wholly written yet, oldest first.
#[derive(Debug)]
pub(crate) struct Outgoing<P> {
    requests: VecDeque<Request<P>>,
    /// Bytes of the first request that are written.
    written: usize,
    /// Buffers of requests that are done, for those to come.
    spare: Vec<Request<P>>,
}

#[derive(Debug)]
struct Request<P> {
    bytes: Vec<u8>,
    /// Where payloads stand, ascending.
    payloads: Vec<(usize, P)>,
    total: usize,
}

impl<P: AsRef<[u8]>> Outgoing<P> {
    pub(crate) fn new() -> Self {
        Self {
            requests: VecDeque::new(),
            written: 0,
            spare: Vec::new(),
        }
    }

    /// Queues what `writer` holds and leaves it empty; `payload` gives the bytes of each hole.
    pub(crate) fn push(&mut self, writer: &mut Writer, mut payload: impl FnMut(u32) -> P) {
        let mut request = self.spare.pop().unwrap_or(Request {
            bytes: Vec::new(),
            payloads: Vec::new(),
            total: 0,
        });
        request.total = writer.total_len();
        for hole in &writer.holes {
            let bytes = payload(hole.id);
            assert_eq!(
                bytes.as_ref().len(),
                hole.len as usize,
                "a payload fills its hole"
            );
            request.payloads.push((hole.at, bytes));
        }
        std::mem::swap(&mut request.bytes, &mut writer.bytes);
        writer.clear();
        self.requests.push_back(request);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Bytes that are still to be written.
    pub(crate) fn len(&self) -> usize {
        self.requests
            .iter()
            .map(|request| request.total)
            .sum::<usize>()
            - self.written
    }

    /// Fills `slices` from the front with what is to be written next; returns how many are set.
    pub(crate) fn slices<'s>(&'s self, slices: &mut [IoSlice<'s>]) -> usize {
        let mut skip = self.written;
        let mut set = 0;
        for request in &self.requests {
            for piece in request.pieces() {
                if skip >= piece.len() {
                    skip -= piece.len();
                    continue;
                }
                let Some(slot) = slices.get_mut(set) else {
                    return set;
                };
                *slot = IoSlice::new(&piece[skip..]);
                skip = 0;
                set += 1;
            }
        }
        set
    }

    /// Takes note that `count` bytes were written; lets go of what is done.
    pub(crate) fn sent(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.requests.front() {
            if self.written < first.total {
                return;
            }
            self.written -= first.total;
            let mut done = self.requests.pop_front().expect("looked at just above");
            done.payloads.clear();
            done.bytes.clear();
            if self.spare.len() < SPARE_MAX {
                self.spare.push(done);
            }
        }
        assert_eq!(self.written, 0, "no more is sent than was queued");
    }
}

impl<P: AsRef<[u8]>> Request<P> {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        let between = self.payloads.iter().flat_map(move |(at, payload)| {
            let own = &self.bytes[from..*at];
            from = *at;
            [own, payload.as_ref()]
        });
        let last = self.payloads.last().map_or(0, |(at, _)| *at);
        between
            .chain(std::iter::once(&self.bytes[last..]))
            .filter(|piece| !piece.is_empty())
    }
}

/// Buffers kept for reuse; more requests than this in flight allocate.
const SPARE_MAX: usize = 16;
