//! Old offsets go, and groups that nothing is left of.

use std::ops::Bound;
use std::sync::Arc;

use super::coordinator::Coordinator;
use super::effects::Effects;
use super::group::{Group, State};
use super::offsets::Committed;
use super::records::group_tombstone;
use super::turn::Turn;
use logmill_engine::base::{Micros, Now};

/// The look for old offsets: a portion at a time, from group to group.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The group that comes next, in the middle of a sweep.
    next: Option<Arc<str>>,
}

impl Coordinator {
    /// Goes on with a sweep, or begins one. Returns when to come back.
    pub(super) fn sweep(&mut self, now: Now, effects: &mut Effects) -> Micros {
        let first = match self.sweep.next.take() {
            Some(group) => Bound::Included(group),
            None => Bound::Unbounded,
        };
        let groups: Vec<Arc<str>> = self
            .groups_from(first)
            .take(SWEEP_GROUPS_MAX + 1)
            .map(|group| group.id.clone())
            .collect();
        let records_max = effects.records.len() + SWEEP_RECORDS_MAX;
        for (number, group) in groups.into_iter().enumerate() {
            if number == SWEEP_GROUPS_MAX || effects.records.len() >= records_max {
                self.sweep.next = Some(group);
                return now.monotonic.saturating_add(SWEEP_PAUSE);
            }
            let Some(key) = self.find(&group) else {
                continue;
            };
            let is_done = self.turn(now, key, effects, |turn| turn.expire_offsets(records_max));
            if is_done == Some(false) {
                self.sweep.next = Some(group);
                return now.monotonic.saturating_add(SWEEP_PAUSE);
            }
        }
        let interval_ms = self.options().offsets_retention_check_interval_ms;
        let interval_ms = u64::try_from(interval_ms).unwrap_or(0).max(1);
        now.monotonic
            .saturating_add(Micros::from_millis(interval_ms))
    }
}

impl Turn<'_> {
    /// Lets old offsets go; `false` when there is no room for all of their records.
    fn expire_offsets(&mut self, records_max: usize) -> bool {
        let room = records_max.saturating_sub(self.effects.records.len());
        let old: Vec<(String, i32)> = old_offsets(
            self.group,
            self.options.offsets_retention_ms,
            self.now.wall_ms,
        )
        .take(room)
        .collect();
        let is_done = old.len() < room;
        for (topic, partition) in old {
            self.delete_offset(&topic, partition);
        }
        let is_unused = self.group.is(State::Empty) && self.group.pending.is_empty();
        if is_done && is_unused && self.group.offsets.is_empty() {
            let record = group_tombstone(&self.group.id);
            self.effects
                .records
                .push(record.expect("an id that a record has held"));
            self.group.stored = None;
        }
        is_done
    }
}

/// The offsets that have outlived their use: KIP-211's rules.
fn old_offsets(
    group: &Group,
    retention_ms: i64,
    now_ms: i64,
) -> impl Iterator<Item = (String, i32)> {
    let counts_from = move |committed: &Committed| match (&group.protocol_type, group.state) {
        // Committed without a group: since the commit.
        (None, _) => Some(committed.commit_timestamp_ms),
        // Since the last member left.
        (Some(_), State::Empty) => Some(
            group
                .state_since_ms
                .unwrap_or(committed.commit_timestamp_ms),
        ),
        // Topics that nobody subscribes to any more: since the commit.
        (Some(_), State::Stable) if group.is_consumers() && group.subscribed.is_some() => {
            Some(committed.commit_timestamp_ms)
        }
        (Some(_), _) => None,
    };
    let is_old = move |committed: &Committed| match counts_from(committed) {
        None => false,
        Some(_) if committed.expire_timestamp_ms != -1 => now_ms >= committed.expire_timestamp_ms,
        Some(since_ms) => now_ms.saturating_sub(since_ms) >= retention_ms,
    };
    let topics = group.offsets.topics();
    let unsubscribed = topics.filter(|(topic, _)| !group.is_subscribed_to(topic));
    unsubscribed.flat_map(move |(topic, partitions)| {
        let old = partitions
            .iter()
            .filter(move |(_, committed)| is_old(committed));
        old.map(move |(partition, _)| (topic.to_owned(), *partition))
    })
}

/// Groups that one step of a sweep looks at.
const SWEEP_GROUPS_MAX: usize = 1_000;
/// Records that one step of a sweep writes, but for the tombstone of a group.
const SWEEP_RECORDS_MAX: usize = 1_000;
/// Between two steps.
const SWEEP_PAUSE: Micros = Micros::from_millis(5);
