//! Writes in sequence and reads at random places, one or eight at a time; a sync after a write.

use std::io;
use std::time::{Duration, Instant};

use super::measurement::{Group, Run};
use super::scratch::{BLOCK_BYTES, Scratch};
use super::{Bytes, Case};

/// All disk cases but the journal's.
pub(super) fn cases(scratch: &Scratch) -> Vec<Box<dyn Case + '_>> {
    let mut cases: Vec<Box<dyn Case + '_>> = Vec::new();
    for is_write in [true, false] {
        for bytes in [4 << 10, 64 << 10, 1 << 20] {
            for depth in [1, 8] {
                cases.push(Box::new(Transfer {
                    scratch,
                    is_write,
                    bytes,
                    depth,
                    turn: 1,
                }));
            }
        }
    }
    cases.push(Box::new(Sync { scratch, turn: 0 }));
    cases
}

struct Transfer<'a> {
    scratch: &'a Scratch,
    is_write: bool,
    bytes: u64,
    depth: usize,
    turn: u64,
}

impl Transfer<'_> {
    /// Writes go in sequence and begin anew at the end; reads jump, by a generator with a fixed
    /// seed (Marsaglia's xorshift), so that nothing is read ahead.
    fn next_position(&mut self) -> u64 {
        let places = self.scratch.bytes() / self.bytes;
        if self.is_write {
            self.turn += 1;
            return self.turn % places * self.bytes;
        }
        self.turn ^= self.turn << 13;
        self.turn ^= self.turn >> 7;
        self.turn ^= self.turn << 17;
        self.turn % places * self.bytes
    }
}

impl Case for Transfer<'_> {
    fn group(&self) -> Group {
        if self.is_write {
            Group::Write
        } else {
            Group::Read
        }
    }

    fn name(&self) -> String {
        format!("{}, depth {}", Bytes(self.bytes), self.depth)
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        let bytes = self.bytes as usize;
        let mut ring = self.scratch.ring(self.depth, bytes)?;
        let mut begun = vec![Instant::now(); self.depth];
        let mut latencies = Vec::with_capacity(SAMPLES_EXPECTED);
        let mut idle: Vec<usize> = (0..self.depth).collect();
        let start = Instant::now();
        let mut in_flight = 0;
        loop {
            let goes_on = start.elapsed() < slice;
            while let Some(slot) = idle.pop_if(|_| goes_on) {
                let position = self.next_position();
                begun[slot] = Instant::now();
                match self.is_write {
                    true => ring.write(slot, bytes, position)?,
                    false => ring.read(slot, bytes, position)?,
                }
                in_flight += 1;
            }
            if in_flight == 0 {
                return Ok(Run::new(latencies, start.elapsed()));
            }
            ring.wait(1)?;
            in_flight -= ring.reap(|slot| {
                latencies.push(begun[slot].elapsed().as_nanos() as u64);
                idle.push(slot);
            })?;
        }
    }
}

/// Only the sync is timed, after a write of one block that makes it necessary.
struct Sync<'a> {
    scratch: &'a Scratch,
    turn: u64,
}

impl Case for Sync<'_> {
    fn group(&self) -> Group {
        Group::Sync
    }

    fn name(&self) -> String {
        "fdatasync after 4 KiB".to_owned()
    }

    fn bytes(&self) -> u64 {
        BLOCK_BYTES
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        let mut ring = self.scratch.ring(1, BLOCK_BYTES as usize)?;
        let mut latencies = Vec::with_capacity(SAMPLES_EXPECTED);
        let start = Instant::now();
        while latencies.is_empty() || start.elapsed() < slice {
            self.turn = (self.turn + BLOCK_BYTES) % self.scratch.bytes();
            ring.write(0, BLOCK_BYTES as usize, self.turn)?;
            ring.wait(1)?;
            ring.reap(|_| ())?;
            let begun = Instant::now();
            ring.sync(0)?;
            ring.wait(1)?;
            ring.reap(|_| latencies.push(begun.elapsed().as_nanos() as u64))?;
        }
        Ok(Run::new(latencies, start.elapsed()))
    }
}

/// What a fast disk does in one slice.
const SAMPLES_EXPECTED: usize = 16_384;
