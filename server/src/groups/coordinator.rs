//! The coordinator: its groups, whose turn it is, and what all of them share.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use logmill_engine::base::{Micros, Now, Slab, SlabKey};
use logmill_wire::ErrorCode;
use rand::RngCore;

use super::alarm::{Timer, Timers};
use super::effects::{Effects, Record, When};
use super::group::Group;
use super::options::Options;
use super::pending::Pending;
use super::replay::{ReplayError, Replayed, decode};
use super::retention::Sweep;
use super::turn::Turn;
use crate::base::planted::{self, Planted};

/// The state of one partition of `__consumer_offsets`: the groups that belong there, and their
/// committed offsets. Lives on the shard of that partition.
///
/// All memory is bounded by [`Options::memory_bytes_max`], but for what is there already: records
/// of the log are always taken in, and members may update what they have said.
pub struct Coordinator {
    groups: Slab<Group>,
    by_id: BTreeMap<Arc<str>, SlabKey>,
    timers: Timers,
    options: Options,
    rng: Box<dyn RngCore + Send>,
    pub(super) sweep: Sweep,
    /// Of the load under way.
    pending: Pending,
    /// The sum of the groups'.
    bytes: usize,
    /// Timers that fired, for the time of one call.
    due: Vec<Timer>,
}

/// How much a coordinator has of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Groups, those that only have offsets among them.
    pub groups: usize,
    /// Members of groups.
    pub members: usize,
    /// Member ids that were given out and have not come back yet.
    pub pending_members: usize,
    /// Committed offsets.
    pub offsets: usize,
    /// Tickets that wait for an answer.
    pub parked: usize,
}

impl Coordinator {
    /// A coordinator without groups, to be loaded. `rng` makes member ids, which nobody may guess.
    pub fn new(now: Now, options: Options, rng: Box<dyn RngCore + Send>) -> Self {
        Self {
            groups: Slab::new(),
            by_id: BTreeMap::new(),
            timers: Timers::new(now.monotonic),
            options,
            rng,
            sweep: Sweep::default(),
            pending: Pending::default(),
            bytes: 0,
            due: Vec::new(),
        }
    }

    /// Takes in a record of the log, in its order, before [`Self::loaded`].
    ///
    /// # Errors
    /// The record is damaged, or of a kind that is not known here. Nothing has changed.
    pub fn replay(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ReplayError> {
        match decode(key, value)? {
            Replayed::Offset { committed, .. } if is_left_out(committed.is_some()) => {}
            Replayed::Group { group, value: None } => {
                self.change(group, false, Group::forget_members);
            }
            Replayed::Group {
                group,
                value: Some(read),
            } => {
                let stored = Record {
                    key: key.to_vec(),
                    value: value.map(|value| Arc::new(value.to_vec())),
                };
                self.change(group, true, |group| group.restore(&read, stored));
            }
            Replayed::Offset {
                group,
                topic,
                partition,
                committed,
            } => {
                let place = || (group.to_owned(), topic.to_owned(), partition);
                self.pending.supersede(place);
                self.change(group, committed.is_some(), |group| match committed {
                    Some(committed) => group.offsets.put(topic, partition, committed),
                    None => {
                        group.offsets.remove(topic, partition);
                    }
                });
            }
        }
        Ok(())
    }

    /// Takes in a record of a batch that has a producer, at its position in the log: an offset in
    /// it counts when that producer's transaction is committed.
    ///
    /// # Errors
    /// As for [`Self::replay`].
    pub fn replay_of(
        &mut self,
        producer: i64,
        position: i64,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), ReplayError> {
        match decode(key, value)? {
            Replayed::Offset {
                group,
                topic,
                partition,
                committed: Some(committed),
            } => {
                let place = (group.to_owned(), topic.to_owned(), partition);
                self.pending.put(producer, position, place, committed);
                Ok(())
            }
            _ => self.replay(key, value),
        }
    }

    /// Takes in the marker that ends a producer's transaction.
    pub fn end_transaction(&mut self, producer: i64, is_committed: bool) {
        for ((group, topic, partition), committed) in self.pending.end(producer, is_committed) {
            self.change(&group, true, |group| {
                group.offsets.put(&topic, partition, committed);
            });
        }
    }

    /// Offsets of the load whose transactions have not ended.
    pub fn undecided(&self) -> usize {
        self.pending.len()
    }

    /// The log is read to its end: members have their whole session time-out from now on. Offsets
    /// whose transactions have not ended never count: no marker comes after the load.
    pub fn loaded(&mut self, now: Now, effects: &mut Effects) {
        self.pending = Pending::default();
        let keys: Vec<SlabKey> = self.by_id.values().copied().collect();
        for key in keys {
            self.turn(now, key, effects, |turn| {
                for member in turn.group.members.keys() {
                    turn.renew_session(member);
                }
                if turn.group.members.len() > turn.options.group_size_max {
                    // The bound was lowered. A rebalance lets members commit before some must go.
                    turn.prepare_rebalance();
                }
            });
        }
        let first = self.options.offsets_retention_check_interval_ms;
        let first = Micros::from_millis(u64::try_from(first).unwrap_or(0));
        let deadline = now.monotonic.saturating_add(first);
        self.timers.set(deadline, Timer::Retention);
    }

    /// Does all that is due.
    pub fn expire(&mut self, now: Now, effects: &mut Effects) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.advance(now.monotonic, |timer| due.push(timer));
        for timer in due.drain(..) {
            self.fire(now, timer, effects);
        }
        self.due = due;
    }

    /// The moment at which [`Self::expire`] is wanted next.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.timers.next_deadline()
    }

    /// New values of the broker's keys. They count from the next ask or time-out on.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Answers everything that is parked with `NOT_COORDINATOR`: the partition goes elsewhere, or
    /// is to be loaded again.
    pub fn close(mut self, now: Now, effects: &mut Effects) {
        let keys: Vec<SlabKey> = self.by_id.values().copied().collect();
        for key in keys {
            self.turn(now, key, effects, |turn| turn.give_up());
        }
    }

    /// What the broker's configuration says.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the state holds of memory, nearly.
    pub fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// How much there is of everything. Goes through all groups and members.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, group) in self.groups.iter() {
            counts.groups += 1;
            counts.members += group.members.len();
            counts.pending_members += group.pending.len();
            counts.offsets += group.offsets.len();
            let syncs = group.members.iter().filter(|it| it.parked_sync.is_some());
            counts.parked += group.members.waiting_join() + syncs.count();
        }
        counts
    }

    pub(super) fn find(&self, group_id: &str) -> Option<SlabKey> {
        self.by_id.get(group_id).copied()
    }

    pub(super) fn group(&self, group_id: &str) -> Option<&Group> {
        self.groups.get(self.find(group_id)?)
    }

    /// Groups in the order of their ids.
    pub(super) fn groups_from(&self, first: Bound<Arc<str>>) -> impl Iterator<Item = &Group> {
        let keys = self.by_id.range((first, Bound::Unbounded));
        keys.map(|(_, key)| self.groups.get(*key).expect("ids lead to groups"))
    }

    /// The group of this id, made if there is none. It goes again if its turn leaves it blank.
    pub(super) fn find_or_make(&mut self, group_id: &str, wall_ms: i64) -> SlabKey {
        if let Some(key) = self.find(group_id) {
            return key;
        }
        let id: Arc<str> = group_id.into();
        let group = Group::new(id.clone(), wall_ms);
        self.bytes += group.bytes();
        let key = self.groups.insert(group);
        self.by_id.insert(id, key);
        key
    }

    /// Gives a group its turn. Afterwards its memory is counted, and it goes if nothing is left
    /// of it.
    pub(super) fn turn<T>(
        &mut self,
        now: Now,
        key: SlabKey,
        effects: &mut Effects,
        act: impl FnOnce(&mut Turn<'_>) -> T,
    ) -> Option<T> {
        let group = self.groups.get_mut(key)?;
        let before = group.bytes();
        let mut turn = Turn {
            now,
            options: &self.options,
            timers: &mut self.timers,
            rng: &mut *self.rng,
            effects,
            memory_full: self.bytes >= self.options.memory_bytes_max,
            key,
            group,
        };
        let result = act(&mut turn);
        self.settle(key, before);
        Some(result)
    }

    /// Changes a group as a record says.
    fn change(&mut self, group_id: &str, makes: bool, change: impl FnOnce(&mut Group)) {
        let found = match makes {
            true => Some(self.find_or_make(group_id, -1)),
            false => self.find(group_id),
        };
        if let Some(key) = found {
            let group = self.groups.get_mut(key).expect("ids lead to groups");
            let before = group.bytes();
            change(group);
            self.settle(key, before);
        }
    }

    fn settle(&mut self, key: SlabKey, bytes_before: usize) {
        let group = self.groups.get(key).expect("it had its turn");
        self.bytes = self.bytes + group.bytes() - bytes_before;
        if group.is_blank() {
            self.bytes -= group.bytes();
            let group = self.groups.remove(key).expect("it had its turn");
            self.by_id.remove(&group.id);
        }
    }

    fn fire(&mut self, now: Now, timer: Timer, effects: &mut Effects) {
        match timer {
            Timer::Retention => {
                let deadline = self.sweep(now, effects);
                self.timers.set(deadline, Timer::Retention);
            }
            Timer::Session { group, .. }
            | Timer::Pending { group, .. }
            | Timer::Join { group }
            | Timer::Sync { group } => {
                self.turn(now, group, effects, |turn| turn.fire(timer));
            }
        }
    }
}

impl Turn<'_> {
    fn fire(&mut self, timer: Timer) {
        let now = self.now.monotonic;
        let alarm = match timer {
            Timer::Session { member, .. } => self
                .group
                .members
                .get_mut(member)
                .map(|member| &mut member.session),
            Timer::Pending { pending, .. } => self.group.pending.alarm_mut(pending),
            Timer::Join { .. } => Some(&mut self.group.join),
            Timer::Sync { .. } => Some(&mut self.group.sync),
            Timer::Retention => None,
        };
        // Another timer's work may have made it groundless since it fired.
        if !alarm.is_some_and(|alarm| alarm.rings(self.timers, now, timer)) {
            return;
        }
        match timer {
            Timer::Session { member, .. } => self.on_session_alarm(member),
            Timer::Pending { pending, .. } => self.on_pending_alarm(pending),
            Timer::Join { .. } => self.on_join_alarm(),
            Timer::Sync { .. } => self.on_sync_alarm(),
            Timer::Retention => {}
        }
    }

    fn give_up(&mut self) {
        let error = ErrorCode::NOT_COORDINATOR;
        for key in self.group.members.keys() {
            if let Some(ticket) = self.group.members.take_join(key) {
                let member = self.group.members.get(key).expect("a member of this group");
                let id = String::from(&*member.id);
                self.refuse_join(ticket, error, &id);
            }
            let member = self.group.members.get_mut(key);
            if let Some(ticket) = member.and_then(|member| member.parked_sync.take()) {
                self.reply_sync(ticket, super::SyncAnswer::failed(error), When::Now);
            }
        }
    }
}

/// Whether a test wants a committed offset, or that one was deleted, left out of a load.
fn is_left_out(is_committed: bool) -> bool {
    match is_committed {
        true => planted::is(Planted::CommitNotReplayed),
        false => planted::is(Planted::TombstoneNotReplayed),
    }
}
