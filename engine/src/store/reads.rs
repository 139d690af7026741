//! Reading: from memory at once, from files as ranges with leases, after loading what is needed to
//! know where.

use std::collections::VecDeque;

use super::{
    FetchRead, PartitionKey, Read, ReadData, Role, Store, StoreError, StoreEvent, ops::Owner,
};
use crate::{
    base::{FilePosition, LeaderEpoch, Now, Offset, Slab, SlabKey},
    disk::{DiskError, DiskOp, DiskOutput, FileRange},
    format::names::FileKind,
    log::{ReadPlan, ReadRequest, TimestampSearch},
    sys::region::Slice,
};

/// Blocks on their way from disk, and those that wait to be asked for again.
#[derive(Default)]
pub(super) struct Loads {
    in_flight: Slab<Load>,
    /// The longest waiting first; bounded, so a reader that never asks again costs nothing.
    ready: VecDeque<(PartitionKey, Load, Option<Slice>)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    token: u64,
    base: Offset,
    what: Loading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loading {
    /// Part of a segment, for a read.
    Block(FilePosition),
    /// Part of a segment, for a search by timestamp.
    Search(TimestampSearch, FilePosition),
    /// A whole index file.
    Index(FileKind),
}

impl Store {
    /// A read of one partition, at most to the end of one segment. With [`ReadData::Loading`] ask
    /// again, with the same token, at [`StoreEvent::Loaded`].
    pub fn read(
        &mut self,
        _now: Now,
        key: PartitionKey,
        read: &FetchRead,
    ) -> Result<Read, StoreError> {
        let loaded = self.loads.take(key, read.token);
        let entry = self.live_mut(key)?;
        let request = ReadRequest {
            offset: read.offset,
            max_bytes: read.max_bytes,
            limit: Self::limit(entry, read),
            whole_first_batch: read.whole_first_batch,
        };
        let plan = match loaded {
            Some((base, Loading::Block(position), Some(block))) => entry
                .log
                .read_with_block(&request, base, position, &block)?,
            // The block could not be read, and not because it was deleted meanwhile.
            Some((_, Loading::Block(_), None)) if read.offset >= entry.log.log_start() => {
                return Err(StoreError::Fenced);
            }
            _ => entry.log.read(&request)?,
        };
        let (watermarks, leader_epoch) = (entry.marks, current_epoch(entry.role));
        let data = self.carry_out(key, plan, read.token)?;
        Ok(Read {
            watermarks,
            leader_epoch,
            data,
        })
    }

    fn carry_out(
        &mut self,
        key: PartitionKey,
        plan: ReadPlan,
        token: u64,
    ) -> Result<ReadData, StoreError> {
        let (base, what, len) = match plan {
            ReadPlan::Empty => return Ok(ReadData::Empty),
            ReadPlan::Memory(parts) => return Ok(ReadData::Memory(parts)),
            ReadPlan::File {
                segment_base,
                position,
                len,
            } => {
                return self.file_range(key, segment_base, position, len);
            }
            ReadPlan::NeedIndex { segment_base, len } => {
                (segment_base, Loading::Index(FileKind::Index), len)
            }
            ReadPlan::NeedBlock {
                segment_base,
                position,
                len,
            } => (segment_base, Loading::Block(position), len),
        };
        self.load(key, token, base, what, len)?;
        Ok(ReadData::Loading)
    }

    /// Reads what someone needs to go on; they are told by token.
    pub(super) fn load(
        &mut self,
        key: PartitionKey,
        token: u64,
        base: Offset,
        what: Loading,
        len: usize,
    ) -> Result<(), StoreError> {
        let into = self
            .blocks
            .take_for(len)
            .ok_or(crate::log::AppendError::Backpressure)?;
        let entry = self
            .entries
            .get_mut(key.0)
            .ok_or(StoreError::UnknownPartition)?;
        let (file, position) = match what {
            Loading::Block(position) | Loading::Search(_, position) => {
                (entry.file(&mut self.ops, base).name.clone(), position.0)
            }
            Loading::Index(kind) => (
                super::sweep::index_file(entry, &mut self.ops, base, kind),
                0,
            ),
        };
        let load = self.loads.in_flight.insert(Load { token, base, what });
        let op = DiskOp::Read {
            direct: false,
            file,
            position,
            len: len as u32,
            into,
        };
        self.ops.issue(Owner::Load { key, load }, op);
        Ok(())
    }

    fn file_range(
        &mut self,
        key: PartitionKey,
        base: Offset,
        position: FilePosition,
        len: usize,
    ) -> Result<ReadData, StoreError> {
        let entry = self
            .entries
            .get_mut(key.0)
            .ok_or(StoreError::UnknownPartition)?;
        let file = entry.file(&mut self.ops, base).name.clone();
        let lease = file.lease();
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        Ok(ReadData::File(FileRange {
            file,
            position: position.0,
            len,
            lease,
        }))
    }

    /// What a read waited for is there, or is not to be had.
    pub(super) fn loaded(
        &mut self,
        key: PartitionKey,
        load: SlabKey,
        result: Result<DiskOutput, DiskError>,
    ) {
        let Some(load) = self.loads.in_flight.remove(load) else {
            return;
        };
        let bytes = match result {
            Ok(DiskOutput::Bytes(bytes)) => Some(bytes),
            _ => None,
        };
        self.events.push(StoreEvent::Loaded { token: load.token });
        if let Loading::Index(kind) = load.what {
            let Some(entry) = self.entries.get_mut(key.0) else {
                return;
            };
            let good = bytes.is_some_and(|b| entry.log.index_loaded(load.base, kind, &b));
            if !good {
                entry.log.index_lost(load.base, kind);
            }
            self.count_kept(key);
            return;
        }
        if self.loads.ready.len() == READY_MAX {
            self.loads.ready.pop_front();
        }
        self.loads.ready.push_back((key, load, bytes));
    }
}

/// Of which segment, what it was for, its bytes unless they could not be read.
type LoadedBlock = (Offset, Loading, Option<Slice>);

impl Loads {
    pub(super) fn take(&mut self, key: PartitionKey, token: u64) -> Option<LoadedBlock> {
        let same =
            |(of, load, _): &(PartitionKey, Load, Option<Slice>)| *of == key && load.token == token;
        let at = self.ready.iter().position(same)?;
        let (_, load, block) = self.ready.remove(at)?;
        Some((load.base, load.what, block))
    }
}

fn current_epoch(role: Role) -> LeaderEpoch {
    match role {
        Role::Leader(epoch) | Role::Follower(epoch) => epoch,
        Role::Offline => LeaderEpoch::NONE,
    }
}

/// Blocks kept for readers that were told of them: 64 KiB each.
const READY_MAX: usize = 32;
