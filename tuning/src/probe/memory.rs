//! Copying and checksums: what every byte of a record costs at least.

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use super::measurement::{Group, Run};
use super::{Bytes, Case};

/// Copies within the cache and beyond it, and the checksum of record batches.
pub(super) fn cases() -> Vec<Box<dyn Case>> {
    vec![
        Box::new(Pass {
            work: Work::Copy,
            bytes: 64 << 10,
        }),
        Box::new(Pass {
            work: Work::Copy,
            bytes: 32 << 20,
        }),
        Box::new(Pass {
            work: Work::Checksum,
            bytes: 1 << 10,
        }),
        Box::new(Pass {
            work: Work::Checksum,
            bytes: 64 << 10,
        }),
    ]
}

enum Work {
    Copy,
    Checksum,
}

struct Pass {
    work: Work,
    bytes: usize,
}

impl Case for Pass {
    fn group(&self) -> Group {
        Group::Memory
    }

    fn name(&self) -> String {
        let work = match self.work {
            Work::Copy => "copy",
            Work::Checksum => "CRC-32C",
        };
        format!("{work} of {}", Bytes(self.bytes as u64))
    }

    fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        let from = vec![0x5a_u8; self.bytes];
        let mut to = vec![0_u8; self.bytes];
        // The first touch of a page is the kernel's work, not the memory's.
        to.copy_from_slice(&from);
        let mut latencies = Vec::with_capacity(PASSES_MAX);
        let start = Instant::now();
        while latencies.is_empty() || latencies.len() < PASSES_MAX && start.elapsed() < slice {
            let begun = Instant::now();
            match self.work {
                Work::Copy => black_box(&mut to).copy_from_slice(black_box(&from)),
                Work::Checksum => {
                    black_box(crc32c::crc32c(black_box(&from)));
                }
            }
            latencies.push(begun.elapsed().as_nanos() as u64);
        }
        Ok(Run::new(latencies, start.elapsed()))
    }
}

/// Bounds the memory of the samples: passes over 1 KiB are short.
const PASSES_MAX: usize = 1 << 18;
