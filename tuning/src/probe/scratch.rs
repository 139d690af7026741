//! The scratch file: without a name, written full of zeros, around the page cache if possible.

use std::fs::File;
use std::io;

use crate::sys::DiskRing;
use crate::volume::{self, Volume};

/// A file to measure with. It vanishes when it is closed, by whatever end.
pub(super) struct Scratch {
    file: File,
    bytes: u64,
    is_direct: bool,
}

impl Scratch {
    /// Makes the file and writes zeros over all of it, so that later writes change no metadata.
    pub(super) fn make(volume: &Volume, bytes: u64) -> io::Result<Scratch> {
        // Buffers and positions of all cases are multiples of 4096.
        let fits = |at: volume::Alignment| at.memory.max(at.offset) <= BLOCK_BYTES as u32;
        let is_direct = volume.direct_io.is_some_and(fits);
        let bytes = bytes / CHUNK_BYTES * CHUNK_BYTES;
        let file = volume::scratch_file(&volume.examined, is_direct)?;
        let scratch = Scratch {
            file,
            bytes,
            is_direct,
        };
        let mut ring = DiskRing::new(&scratch.file, 1, CHUNK_BYTES as usize)?;
        for position in (0..bytes).step_by(CHUNK_BYTES as usize) {
            ring.write(0, CHUNK_BYTES as usize, position)?;
            ring.wait(1)?;
            ring.reap(|_| ())?;
        }
        ring.sync(0)?;
        ring.wait(1)?;
        ring.reap(|_| ())?;
        drop(ring);
        Ok(scratch)
    }

    /// A ring for this file, with buffers of `bytes` each.
    pub(super) fn ring(&self, buffers: usize, bytes: usize) -> io::Result<DiskRing<'_>> {
        DiskRing::new(&self.file, buffers, bytes)
    }

    /// Its size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is opened with `O_DIRECT`.
    pub(super) fn is_direct(&self) -> bool {
        self.is_direct
    }
}

/// The unit of all positions and lengths.
pub(super) const BLOCK_BYTES: u64 = 4096;

const CHUNK_BYTES: u64 = 1 << 20;
