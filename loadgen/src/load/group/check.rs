//! What a group must not do: forget commits, give a partition to two.

use std::collections::{BTreeMap, HashMap};

use logmill_wire::ErrorCode;

use crate::consumer::group::{Ask, Change, GroupEvent, MemberKey};
use crate::history::Violation;

/// Judges the commits and assignments of one group, from what its client did and learned.
#[derive(Debug, Default)]
pub(super) struct GroupCheck {
    /// By partition: the highest commit that was acknowledged.
    acknowledged: HashMap<u32, i64>,
    /// By partition: the highest commit that was sent.
    sent: HashMap<u32, i64>,
    /// What was acknowledged when a member sent its commit, or asked for offsets.
    commits: HashMap<MemberKey, HashMap<u32, i64>>,
    fetches: HashMap<MemberKey, HashMap<u32, i64>>,
    /// Who has what, by generation: the last few.
    owners: BTreeMap<(i32, u32), MemberKey>,
}

impl GroupCheck {
    /// Takes an event into account; violations go to `found`.
    pub(super) fn take(&mut self, event: &GroupEvent, found: &mut Vec<Violation>) {
        match event {
            GroupEvent::Asked(member, Ask::Commit, offsets) => {
                self.commits.insert(*member, self.acknowledged.clone());
                for &(partition, offset) in offsets {
                    raise(&mut self.sent, partition, offset);
                }
            }
            GroupEvent::Answered(member, Ask::Commit, _, error, offsets) => {
                let before = self.commits.remove(member).unwrap_or_default();
                if *error == ErrorCode::NONE {
                    self.acknowledge(&before, offsets, found);
                }
            }
            GroupEvent::Asked(member, Ask::Offsets, _) => {
                self.fetches.insert(*member, self.acknowledged.clone());
            }
            GroupEvent::Changed(member, Change::Assigned(offsets)) => {
                let before = self.fetches.remove(member).unwrap_or_default();
                self.compare(&before, offsets, found);
            }
            GroupEvent::Changed(member, Change::Joined(generation, partitions)) => {
                self.own(*member, *generation, partitions, found);
            }
            _ => {}
        }
    }

    /// The member was killed: who takes its name has its partitions in the same generation.
    pub(super) fn killed(&mut self, member: MemberKey) {
        self.owners.retain(|_, owner| *owner != member);
    }

    /// The highest commit of `partition` that was acknowledged.
    pub(super) fn committed(&self, partition: u32) -> Option<i64> {
        self.acknowledged.get(&partition).copied()
    }

    /// A commit that was taken though a higher one had been acknowledged before it was sent comes
    /// from a member that had lost the partition.
    fn acknowledge(
        &mut self,
        before: &HashMap<u32, i64>,
        offsets: &[(u32, i64)],
        found: &mut Vec<Violation>,
    ) {
        for &(partition, to) in offsets {
            if let Some(&from) = before.get(&partition).filter(|&&from| from > to) {
                found.push(Violation::CommittedBackwards {
                    partition,
                    from,
                    to,
                });
            }
            raise(&mut self.acknowledged, partition, to);
        }
    }

    fn compare(
        &self,
        before: &HashMap<u32, i64>,
        offsets: &[(u32, i64)],
        found: &mut Vec<Violation>,
    ) {
        for &(partition, got) in offsets {
            if let Some(&from) = before.get(&partition).filter(|&&from| from > got) {
                let to = got;
                found.push(Violation::CommittedBackwards {
                    partition,
                    from,
                    to,
                });
            }
            let sent = self.sent.get(&partition).copied().unwrap_or(-1);
            if got > sent {
                found.push(Violation::PhantomCommit {
                    partition,
                    sent,
                    got,
                });
            }
        }
    }

    fn own(
        &mut self,
        member: MemberKey,
        generation: i32,
        partitions: &[u32],
        found: &mut Vec<Violation>,
    ) {
        for &partition in partitions {
            let owner = self.owners.entry((generation, partition)).or_insert(member);
            if *owner != member {
                found.push(Violation::TwoOwners {
                    partition,
                    generation,
                });
            }
        }
        self.owners = self.owners.split_off(&(generation - GENERATIONS, 0));
    }
}

fn raise(of: &mut HashMap<u32, i64>, partition: u32, offset: i64) {
    let highest = of.entry(partition).or_insert(offset);
    *highest = (*highest).max(offset);
}

/// Generations that members may still hear of.
const GENERATIONS: i32 = 4;

#[cfg(test)]
mod tests;
