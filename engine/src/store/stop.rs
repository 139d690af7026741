//! A clean stop: everything into segments, files in their final form.

use super::{
    PartitionKey, Store, StoreError, StoreEvent, entry::Entry, ops::Ops, ops::Owner, sweep,
};
use crate::{
    base::{Micros, Now},
    disk::ControlOp,
    format::checkpoint,
    log::PartitionState,
};

/// Where a stop stands.
#[derive(Debug)]
pub(super) enum StopState {
    Running,
    /// Journal and segments are being brought level.
    Draining {
        since: Micros,
    },
    /// The last files of partitions are being written: those left, and how many are in flight.
    Finishing {
        left: Vec<PartitionKey>,
        in_flight: usize,
    },
    Stopped,
}

impl StopState {
    /// Whether journals and segments are level and only last files are left.
    pub(super) fn is_finishing(&self) -> bool {
        matches!(self, Self::Finishing { .. } | Self::Stopped)
    }
}

impl Store {
    /// Begins a clean stop: no appends from now on; what was appended is journaled, acknowledged
    /// and brought into segments. Go on feeding and pumping until [`StoreEvent::Stopped`].
    pub fn begin_stop(&mut self, now: Now) {
        if matches!(self.stop, StopState::Running) {
            self.stop = StopState::Draining {
                since: now.monotonic,
            };
            for line in &mut self.lines {
                line.sync_next = true;
                line.journal.want_sync(line.journal.sequence());
            }
        }
    }

    /// The partitions as they are in their segments, after [`StoreEvent::Stopped`]: for the
    /// snapshot. Those that were recovered and never opened are among them, and `fenced` ones are
    /// not: they must be recovered.
    pub fn into_states(self) -> Vec<PartitionState> {
        let level =
            |entry: &&Entry| !entry.fenced && !entry.dropped && entry.log.unwritten_bytes() == 0;
        let open = self.entries.iter().map(|(_, entry)| entry).filter(level);
        let mut states: Vec<_> = open.map(|entry| entry.log.state()).collect();
        states.extend(self.recovered.into_values());
        states
    }

    /// Whether everything of every log directory reached segments, so that the stop counts as
    /// clean.
    pub fn is_level(&self) -> bool {
        self.level_directories().iter().all(|level| *level)
    }

    /// Of which log directories everything reached segments.
    pub fn level_directories(&self) -> Vec<bool> {
        let mut level: Vec<bool> = self
            .lines
            .iter()
            .map(|line| !line.journal.is_failed())
            .collect();
        for (_, entry) in self.entries.iter().filter(|(_, entry)| !entry.dropped) {
            level[entry.line] &= !entry.fenced && entry.log.unwritten_bytes() == 0;
        }
        level
    }

    pub(super) fn pump_stop(&mut self, now: Now) {
        if matches!(self.stop, StopState::Draining { .. }) {
            self.give_up_waiting(now);
            self.press_on();
        }
        let Self {
            stop: StopState::Finishing { left, in_flight },
            entries,
            ops,
            ..
        } = self
        else {
            return;
        };
        let mut busy = Vec::new();
        while *in_flight < FINISHING_MAX {
            let Some(key) = left.pop() else { break };
            match entries.get_mut(key.0) {
                // A checkpoint that was begun before.
                Some(entry) if entry.in_flight > 0 => busy.push(key),
                Some(entry) => *in_flight += usize::from(last_files(entry, ops, key)),
                None => {}
            }
        }
        left.append(&mut busy);
        if left.is_empty() && *in_flight == 0 && self.ops.len() == 0 {
            self.stop = StopState::Stopped;
            self.events.push(StoreEvent::Stopped);
        }
    }

    /// Until every journal is settled and every partition swept.
    fn press_on(&mut self) {
        let mut busy = self.has_cuts() || self.has_advances();
        for line in &mut self.lines {
            if line.journal.is_failed() {
                continue;
            }
            line.journal.want_sync(line.journal.sequence());
            busy |= !line.is_settled() || !line.unswept.is_empty() || line.sweeps > 0;
            busy |= !line.drops.is_empty() || !line.removals.is_empty();
            busy |= !line.to_make.is_empty() || line.claims + line.makes > 0;
            busy |= !line.journal.is_quiet();
        }
        if busy {
            return;
        }
        let touched = |(_, entry): &(_, &Entry)| entry.touched && !entry.dropped && !entry.fenced;
        let keys = self
            .entries
            .iter()
            .filter(touched)
            .map(|(key, _)| PartitionKey(key));
        self.stop = StopState::Finishing {
            left: keys.collect(),
            in_flight: 0,
        };
    }

    /// One step of a partition's last files is done; `is_active`: the last one.
    pub(super) fn last_files_done(&mut self, key: PartitionKey, is_active: bool) {
        let Self {
            stop: StopState::Finishing { left, in_flight },
            ..
        } = self
        else {
            return;
        };
        *in_flight = in_flight.saturating_sub(1);
        if !is_active {
            left.push(key);
        }
    }

    /// Refuses if a stop has begun.
    pub fn check_running(&self) -> Result<(), StoreError> {
        match self.stop {
            StopState::Running => Ok(()),
            _ => Err(StoreError::Stopping),
        }
    }
}

/// Writes what a partition's folder needs at a clean stop, one segment at a time: segments trimmed,
/// with their indexes; leader epochs; producers. `false` if there is nothing to do.
fn last_files(entry: &mut Entry, ops: &mut Ops, key: PartitionKey) -> bool {
    let active = entry.log.segments().next_back().map(|segment| segment.base);
    let Some(base) = entry.log.next_to_seal().or(active) else {
        return false;
    };
    let mut steps = Vec::new();
    if Some(base) == active && !entry.log.producers().is_empty() {
        let (end, bytes) = (entry.log.end(), entry.log.producer_snapshot());
        steps.push(sweep::snapshot_step(entry, end, bytes));
        steps.extend(sweep::drop_loose_snapshot(entry, ops, end));
    }
    let Some((sealing, steps)) = sweep::final_steps(entry, ops, base, steps) else {
        return false;
    };
    entry.in_flight += 1;
    let owner = Owner::LastFiles {
        key,
        sealing: Box::new(sealing),
        is_active: Some(base) == active,
    };
    // `recovery::finish_stop` makes it all durable at once.
    ops.control(owner, ControlOp::Unsynced(steps));
    true
}

/// The bytes of `leader-epoch-checkpoint`.
pub(super) fn epoch_checkpoint(entry: &Entry) -> String {
    let starts = entry.log.epochs().starts().iter();
    checkpoint::encode_epochs(starts.map(|line| (line.epoch, line.start)))
}

/// Partitions whose last files are written side by side.
const FINISHING_MAX: usize = 64;
