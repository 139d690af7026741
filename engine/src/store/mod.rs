//! A shard's partitions, its journals (one per log directory) and its record memory, as one state
//! machine: fed by calls and completions, pumped once per loop turn.
//!
//! - **feed**: [`Store::append_as_leader`], [`Store::read`], [`Store::complete`] ... change state
//!   and mark partitions dirty. They never wait.
//! - **pump**: [`Store::pump`] builds at most one journal frame per log directory from all dirty
//!   partitions, starts syncs and the write-behind, and hands all operations to the driver.
//!   [`Store::events`] tells who may be answered.
//!
//! Files beside this one: `commit` (frames, acks, watermarks), `sweep` (write-behind, sealing),
//! `reclaim` (journal files), `budgets` (memory beside records), `log_start`, `retention` and
//! `removals` (what goes), `reads`, `stop`, `complete` (routing of completions).
//!
//! Memory: the budgets of [`StoreOptions`], about 1 KiB per partition, and queues bounded by what
//! is unwritten.

mod acks;
mod api;
mod budgets;
mod bypass;
mod checkpoint;
mod commit;
mod complete;
mod entry;
mod log_start;
mod offsets;
mod ops;
mod pace;
mod partitions;
mod reads;
mod reclaim;
mod removals;
mod retention;
mod room;
mod stop;
mod sweep;
mod truncate;

use std::collections::{HashMap, VecDeque};

pub use api::*;

use self::{
    budgets::Budgets, commit::Line, entry::Entry, ops::Ops, reads::Loads, retention::Retention,
    stop::StopState,
};
use crate::{
    base::{DirectoryIndex, Micros, Now, PartitionIndex, Slab, TopicId},
    disk::DiskOut,
    journal::{Journal, JournalIdentity},
    log::PartitionState,
    sys::region::{RegionPool, RegionWriter},
};

/// See the module.
pub struct Store {
    options: StoreOptions,
    entries: Slab<Entry>,
    by_identity: HashMap<(TopicId, PartitionIndex), PartitionKey>,
    /// States from recovery whose partitions were not opened yet.
    recovered: HashMap<(TopicId, PartitionIndex), PartitionState>,
    lines: Vec<Line>,
    /// Record memory: tails and read cache.
    tails: RegionPool,
    /// Frames, headers, copies of partial pages, blocks read.
    blocks: RegionPool,
    /// Topic names for `Open` items are packed into one region after another.
    names: Option<RegionWriter>,
    /// Partitions with record memory, the longest unused first.
    resident: VecDeque<PartitionKey>,
    loads: Loads,
    ops: Ops,
    events: Vec<StoreEvent>,
    stop: StopState,
    /// Bytes that only memory and the journal have.
    unwritten_bytes: u64,
    /// An append found no memory, and nothing could be freed but by writing behind.
    memory_short: bool,
    retention: Retention,
    budgets: Budgets,
}

impl Store {
    /// A store over what recovery found for this shard. Partitions come up as they are opened.
    /// `next_names` has for each log directory the number above all journal names that exist there
    /// for this shard.
    pub fn open(
        mut options: StoreOptions,
        recovered: Vec<PartitionState>,
        next_names: &[u64],
    ) -> Self {
        let deleted = std::mem::take(&mut options.deleted_folders);
        let line = |(index, era): (usize, &u64)| {
            let identity = JournalIdentity {
                shard: options.shard,
                directory: DirectoryIndex(index as u16),
                boot_id: options.boot_id,
                era: *era,
                seed: options.seed,
            };
            let next_name = next_names.get(index).copied().unwrap_or(1);
            let mut journal = Journal::new(identity, options.journal, next_name);
            if options.failed_directories.get(index) == Some(&true) {
                journal.fail();
            }
            Line::new(journal, &options)
        };
        let mut lines: Vec<Line> = options.eras.iter().enumerate().map(line).collect();
        for folder in deleted {
            if let Some(line) = lines.get_mut(usize::from(folder.directory.0)) {
                line.removals.add_folder(folder);
            }
        }
        let keyed = recovered
            .into_iter()
            .map(|state| ((state.topic_id, state.index), state));
        Self {
            entries: Slab::new(),
            by_identity: HashMap::new(),
            recovered: keyed.collect(),
            lines,
            tails: RegionPool::new(options.tail_bytes),
            blocks: RegionPool::new(options.frame_bytes),
            names: None,
            resident: VecDeque::new(),
            loads: Loads::default(),
            ops: Ops::new(options.shard),
            events: Vec::new(),
            stop: StopState::Running,
            unwritten_bytes: 0,
            memory_short: false,
            retention: Retention::default(),
            budgets: Budgets::default(),
            options,
        }
    }

    /// Once per loop turn, after the feeding: frames, syncs, write-behind. Operations go to `out`.
    pub fn pump(&mut self, now: Now, out: &mut DiskOut) {
        let is_swept = |line: &Line| line.unswept.is_empty() && line.sweeps == 0;
        self.memory_short &= !self.lines.iter().all(is_swept);
        if !self.stop.is_finishing() {
            self.pump_retention(now);
            for line in 0..self.lines.len() {
                self.pump_folders(now, line);
                self.drop_folders(now, line);
                self.pump_removals(now, line);
                self.pump_cuts(now, line);
                self.pump_advances(now, line);
                self.pump_checkpoints(line);
                self.pump_reclaim(now, line);
                self.pump_sweeps(now, line);
                self.pump_bypasses(line);
                self.pump_journal(now, line);
            }
        }
        self.pump_stop(now);
        self.keep_budgets(now);
        self.ops.hand_over(out);
    }

    /// Moves what happened since to `into`.
    pub fn events(&mut self, into: &mut Vec<StoreEvent>) {
        into.append(&mut self.events);
    }

    /// When to pump although nothing was fed.
    pub fn next_deadline(&self) -> Option<Micros> {
        let of_lines = self.lines.iter().filter_map(Line::next_deadline);
        of_lines.chain(self.retention.next_deadline()).min()
    }

    /// Operations handed out and not yet completed.
    pub fn operations_in_flight(&self) -> usize {
        self.ops.len()
    }

    /// Sweeps that have to let the journal go first.
    pub fn sweeps_held(&self) -> usize {
        self.lines.iter().map(|line| line.pace.held()).sum()
    }

    /// Bytes of record memory in use.
    pub fn tail_bytes_used(&mut self) -> usize {
        self.tails.lent_bytes()
    }

    /// Open partitions.
    pub fn partition_count(&self) -> usize {
        self.by_identity.len()
    }
}

impl std::fmt::Debug for Store {
    /// What matters when it does not go on.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            formatter,
            "Store: {} operations, {:?}",
            self.ops.len(),
            self.stop
        )?;
        for line in &self.lines {
            let (dirty, extra) = (line.dirty.len(), line.extra.len());
            let (unswept, sweeps) = (line.unswept.len(), line.sweeps);
            writeln!(
                formatter,
                "{dirty} dirty, {extra} extra, {unswept} unswept, {sweeps} sweeps"
            )?;
            writeln!(formatter, "{:?}", line.journal)?;
        }
        for (key, entry) in self.entries.iter() {
            writeln!(
                formatter,
                "{key:?}: {:?}, {:?}, {} in flight, {:?}, dropped {}, fenced {}",
                entry.marks,
                entry.recovery,
                entry.in_flight,
                entry.folder,
                entry.dropped,
                entry.fenced
            )?;
        }
        Ok(())
    }
}
