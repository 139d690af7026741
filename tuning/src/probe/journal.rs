//! The journal's tick: appends of 1 KiB to many partitions, copied into one frame, written at
//! once into a pre-zeroed file, with or without a sync behind it.

use std::io;
use std::time::{Duration, Instant};

use super::Case;
use super::measurement::{Group, Run};
use super::scratch::{BLOCK_BYTES, Scratch};

/// Ticks over 1, 16, 256 and 1000 dirty partitions.
pub(super) fn cases(scratch: &Scratch) -> Vec<Box<dyn Case + '_>> {
    let mut cases: Vec<Box<dyn Case + '_>> = Vec::new();
    for is_synced in [true, false] {
        for partitions in [1, 16, 256, 1000] {
            cases.push(Box::new(Tick {
                scratch,
                is_synced,
                partitions,
                position: 0,
            }));
        }
    }
    cases
}

struct Tick<'a> {
    scratch: &'a Scratch,
    is_synced: bool,
    partitions: usize,
    position: u64,
}

impl Tick<'_> {
    /// The frame's length: all appends, up to the next block.
    fn frame_bytes(&self) -> usize {
        (self.partitions * APPEND_BYTES).next_multiple_of(BLOCK_BYTES as usize)
    }
}

impl Case for Tick<'_> {
    fn group(&self) -> Group {
        Group::JournalTick
    }

    fn name(&self) -> String {
        let (partitions, s) = (self.partitions, if self.partitions == 1 { "" } else { "s" });
        let synced = if self.is_synced {
            "synced"
        } else {
            "not synced"
        };
        format!("{partitions} partition{s} x 1 KiB, {synced}")
    }

    fn bytes(&self) -> u64 {
        (self.partitions * APPEND_BYTES) as u64
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        let frame = self.frame_bytes();
        let mut ring = self.scratch.ring(1, frame)?;
        let append = [0x5a_u8; APPEND_BYTES];
        let mut latencies = Vec::with_capacity(TICKS_EXPECTED);
        let start = Instant::now();
        while latencies.is_empty() || start.elapsed() < slice {
            if self.position + frame as u64 > self.scratch.bytes() {
                self.position = 0;
            }
            let begun = Instant::now();
            for place in ring
                .buffer(0)
                .chunks_exact_mut(APPEND_BYTES)
                .take(self.partitions)
            {
                place.copy_from_slice(&append);
            }
            ring.write(0, frame, self.position)?;
            ring.wait(1)?;
            ring.reap(|_| ())?;
            if self.is_synced {
                ring.sync(0)?;
                ring.wait(1)?;
                ring.reap(|_| ())?;
            }
            latencies.push(begun.elapsed().as_nanos() as u64);
            self.position += frame as u64;
        }
        Ok(Run::new(latencies, start.elapsed()))
    }
}

const APPEND_BYTES: usize = 1024;

/// What a fast disk does in one slice.
const TICKS_EXPECTED: usize = 4_096;
