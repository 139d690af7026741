//! One file of the memory disk: durable bytes, and the changes since that a crash may lose.

use std::sync::Arc;

use super::Choose;

const SECTOR: usize = 512;

/// Bytes that several lives of a disk share are copied when they change, not before.
#[derive(Debug, Default)]
pub(super) struct Node {
    durable: Arc<Vec<u8>>,
    current: Arc<Vec<u8>>,
    changes: Vec<Change>,
    next_change: u64,
}

#[derive(Debug)]
struct Change {
    number: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Write { position: u64, bytes: Vec<u8> },
    Truncate(u64),
}

impl Node {
    pub(super) fn of(bytes: Arc<Vec<u8>>) -> Self {
        Self {
            durable: Arc::clone(&bytes),
            current: bytes,
            changes: Vec::new(),
            next_change: 0,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.current
    }

    /// What a dead process leaves.
    pub(super) fn after_kill(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.current)
    }

    pub(super) fn newest_change(&self) -> u64 {
        self.next_change
    }

    pub(super) fn write(&mut self, position: u64, bytes: Vec<u8>) {
        self.change(What::Write { position, bytes });
    }

    pub(super) fn truncate(&mut self, len: u64) {
        self.change(What::Truncate(len));
    }

    /// Changes up to number `covers` become durable.
    pub(super) fn sync(&mut self, covers: u64) {
        let mut later = Vec::new();
        for change in self.changes.drain(..) {
            if change.number <= covers {
                change.what.apply(Arc::make_mut(&mut self.durable));
            } else {
                later.push(change);
            }
        }
        self.changes = later;
    }

    pub(super) fn rot(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        assert!(self.changes.is_empty(), "rot is for files at rest");
        change(Arc::make_mut(&mut self.durable));
        self.current = Arc::clone(&self.durable);
    }

    /// What a power cut leaves: each unsynced change kept, lost or torn, a kept one perhaps in
    /// length only.
    pub(super) fn after_power_cut(&self, choose: Choose<'_>) -> Arc<Vec<u8>> {
        let mut found = Arc::clone(&self.durable);
        // One draw in three takes all or nothing, so that plain cases are frequent.
        let fate = choose(6);
        if self.changes.is_empty() {
            return found;
        }
        let bytes = Arc::make_mut(&mut found);
        for change in &self.changes {
            let kept = match fate {
                0 => true,
                1 => false,
                _ => choose(2) == 0,
            };
            if kept {
                change.what.apply(bytes);
            } else if fate > 1 {
                change.what.apply_torn(bytes, choose);
            }
        }
        found
    }

    fn change(&mut self, what: What) {
        what.apply(Arc::make_mut(&mut self.current));
        self.next_change += 1;
        self.changes.push(Change {
            number: self.next_change,
            what,
        });
    }
}

/// Applies a write that was in flight when the process died: whole, not at all, or in sectors.
pub(super) fn apply_in_flight(
    bytes: &mut Vec<u8>,
    position: u64,
    data: Vec<u8>,
    choose: Choose<'_>,
) {
    let write = What::Write {
        position,
        bytes: data,
    };
    match choose(3) {
        0 => write.apply(bytes),
        1 => {}
        _ => write.apply_torn(bytes, choose),
    }
}

impl What {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            What::Write { position, bytes } => {
                let start = *position as usize;
                let end = start + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[start..end].copy_from_slice(bytes);
            }
            What::Truncate(len) => file.resize(*len as usize, 0),
        }
    }

    /// Some sectors arrive: a prefix, a suffix, any subset, or only the length.
    fn apply_torn(&self, file: &mut Vec<u8>, choose: Choose<'_>) {
        let What::Write { position, bytes } = self else {
            return;
        };
        let sectors = bytes.len().div_ceil(SECTOR);
        let class = choose(5);
        let cut = choose(sectors as u32 + 1) as usize;
        for sector in 0..sectors {
            let arrives = match class {
                0 => sector < cut,
                1 => sector >= cut,
                2 => choose(2) == 0,
                3 => sector != cut,
                _ => false,
            };
            let start = sector * SECTOR;
            let end = (start + SECTOR).min(bytes.len());
            if arrives {
                let piece = bytes[start..end].to_vec();
                What::Write {
                    position: position + start as u64,
                    bytes: piece,
                }
                .apply(file);
            }
        }
        let end = *position as usize + bytes.len();
        if class == 4 && choose(2) == 0 && file.len() < end {
            file.resize(end, 0);
        }
    }
}
