//! Operations in flight: who gets the completion.

use std::sync::Arc;

use super::{PartitionKey, checkpoint::SavedCheckpoint, retention::LastModified, sweep::Sealing};
use crate::{
    base::{FilePosition, Offset, ShardId, Slab, SlabKey},
    disk::{ControlOp, DirectoryPath, DiskOp, DiskOut, FileId, FileName, OpKey},
    format::names::FileKind,
    log::SyncPoint,
};

/// Whose operation it is, and what its completion needs to know. `usize` is a line's index.
#[derive(Debug)]
pub(super) enum Owner {
    Frame(usize),
    JournalSync(usize),
    /// A part of the journal's sync: a segment with bytes that bypassed it.
    BypassSync {
        line: usize,
        key: PartitionKey,
        point: SyncPoint,
    },
    Prepare {
        line: usize,
        file: FileName,
        len: u64,
    },
    Header(usize),
    HeaderSync(usize),
    /// Nothing depends on it.
    Forgotten,
    CreateSegment {
        key: PartitionKey,
        base: Offset,
    },
    Allocate {
        key: PartitionKey,
        base: Offset,
        to: u64,
    },
    SegmentWrite {
        key: PartitionKey,
        base: Offset,
        position: FilePosition,
        valid_to: u64,
    },
    SegmentSync {
        key: PartitionKey,
        point: SyncPoint,
    },
    LoadPage {
        key: PartitionKey,
        base: Offset,
        position: FilePosition,
    },
    Seal {
        key: PartitionKey,
        sealing: Box<Sealing>,
    },
    Checkpoint {
        key: PartitionKey,
        saved: Box<SavedCheckpoint>,
    },
    LastFiles {
        key: PartitionKey,
        sealing: Box<Sealing>,
        is_active: bool,
    },
    /// A folder is made, or was there.
    Claim {
        key: PartitionKey,
        is_durable: bool,
    },
    /// Folders that were made are synced.
    Folders {
        line: usize,
        keys: Vec<PartitionKey>,
    },
    Cut {
        key: PartitionKey,
    },
    /// Part of a segment for a cut, or an index file.
    CutLoad {
        key: PartitionKey,
        index: Option<(Offset, FileKind)>,
    },
    /// Files of segments that go are renamed.
    Clear {
        key: PartitionKey,
    },
    /// A dropped partition's folder is renamed to `path`.
    DropFolder {
        key: PartitionKey,
        path: String,
    },
    /// Copies are made of what a journal file holds of fenced partitions.
    Copy {
        line: usize,
        number: u64,
        keys: Vec<PartitionKey>,
    },
    /// A segment without timestamps is asked how old it is.
    Modified {
        key: PartitionKey,
        base: Offset,
        answer: Arc<LastModified>,
    },
    /// Files are removed.
    Removal(usize),
    Load {
        key: PartitionKey,
        load: SlabKey,
    },
}

/// The table of operations in flight and the queue of those to be handed out.
pub(super) struct Ops {
    owners: Slab<Owner>,
    out: DiskOut,
    next_file: u64,
}

impl Ops {
    pub(super) fn new(shard: ShardId) -> Self {
        // Identities are unique in the process: each shard has its own 2^48.
        let next_file = u64::from(shard.0) << 48;
        Self {
            owners: Slab::new(),
            out: DiskOut::default(),
            next_file,
        }
    }

    pub(super) fn issue(&mut self, owner: Owner, op: DiskOp) {
        let key = self.owners.insert(owner);
        self.out.push(OpKey(key.to_bits()), op);
    }

    pub(super) fn control(&mut self, owner: Owner, op: ControlOp) {
        self.issue(owner, DiskOp::Control(Box::new(op)));
    }

    pub(super) fn finish(&mut self, key: OpKey) -> Option<Owner> {
        self.owners.remove(SlabKey::from_bits(key.0))
    }

    pub(super) fn hand_over(&mut self, out: &mut DiskOut) {
        for (key, op) in self.out.drain() {
            out.push(key, op);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn name_file(&mut self, at: &DirectoryPath) -> FileName {
        self.next_file += 1;
        FileName::new(FileId(self.next_file), at.directory, &at.path)
    }
}
