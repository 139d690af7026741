//! A member of a consumer group, without its sockets: the classic protocol (KIP-62, 394, 345, 429).
//!
//! [`Membership::wants`] says what to ask the coordinator next, [`Membership::asked`] that it is on
//! its way, the `take_` calls bring the answers, and [`Membership::drain_changes`] tells what the
//! consumer is to read. Members commit before they join again; with `range` they give up everything
//! first, with `cooperative-sticky` they read on meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use logmill_wire::ErrorCode;

use super::assignor::{Assignor, Subscriber};
use crate::clock::nanos;
use crate::producer::murmur2;

/// A member's settings, under Kafka's names where it has them.
#[derive(Clone, Debug)]
pub struct MembershipConfig {
    /// `group.id`.
    pub group: String,
    /// The topic that is read.
    pub topic: String,
    /// `group.instance.id`: makes the member a static one.
    pub instance: Option<String>,
    /// `partition.assignment.strategy`.
    pub assignor: Assignor,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `max.poll.interval.ms`: how long a rebalance may wait for the member.
    pub rebalance_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `auto.commit.interval.ms`; `None`: nothing is committed.
    pub commit_interval: Option<Duration>,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
}

/// What to ask the coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To be let in, or in again: JoinGroup.
    Join,
    /// For the assignment, or to hand it out: SyncGroup.
    Sync,
    /// Where to begin in what was assigned: OffsetFetch.
    Offsets,
    /// To be kept: Heartbeat.
    Heartbeat,
    /// To remember what was read: OffsetCommit.
    Commit,
    /// To be let go: LeaveGroup.
    Leave,
}

/// What has changed for the consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The coordinator wants everybody to join again.
    Rebalancing,
    /// The member is in this generation, with its partitions (some of which may be on their way).
    Joined(i32, Vec<u32>),
    /// Read these, from the committed offsets; -1 where nothing was committed.
    Assigned(Vec<(u32, i64)>),
    /// Stop reading these: they are given up in good order.
    Revoked(Vec<u32>),
    /// Stop reading these: the group has gone on without this member.
    Lost(Vec<u32>),
    /// The member is out, as it wished.
    Left,
    /// The member is out for good, for this reason.
    Failed(ErrorCode),
}

/// The answer to a join.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// How it went.
    pub error: ErrorCode,
    /// The new generation.
    pub generation: i32,
    /// The name that the coordinator gives or has given.
    pub member_id: String,
    /// The member that shares out the partitions.
    pub leader: String,
    /// True if the leader need not (KIP-814).
    pub skip_assignment: bool,
    /// Everybody, for the leader.
    pub members: Vec<Subscriber>,
}

/// A member's state.
#[derive(Debug)]
pub struct Membership {
    config: MembershipConfig,
    partitions: u32,
    member_id: String,
    generation: i32,
    phase: Phase,
    owned: BTreeSet<u32>,
    /// Assigned; where to begin is not known yet.
    arriving: Vec<u32>,
    /// What everybody gets, if this member leads.
    shares: Vec<(String, Vec<u32>)>,
    leads: bool,
    rejoin: bool,
    leaving: bool,
    /// The commit before a join or a farewell is done.
    committed: bool,
    /// The commit on its way is that one.
    last_commit: bool,
    heartbeat: Errand,
    commit: Errand,
    offsets: Errand,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To join, not before this time.
    Out(u64),
    Joining,
    /// To sync.
    Sync,
    Syncing,
    Stable,
    Leaving,
    Gone,
}

/// Something that is asked now and then.
#[derive(Clone, Copy, Debug, Default)]
struct Errand {
    due: u64,
    /// The generation it was asked in, while it is on its way.
    asked: Option<i32>,
}

impl Membership {
    /// A member that has not joined yet, of a topic with so many partitions.
    pub fn new(config: MembershipConfig, partitions: u32) -> Self {
        Self {
            config,
            partitions,
            member_id: String::new(),
            generation: NO_GENERATION,
            phase: Phase::Out(0),
            owned: BTreeSet::new(),
            arriving: Vec::new(),
            shares: Vec::new(),
            leads: false,
            rejoin: false,
            leaving: false,
            committed: false,
            last_commit: false,
            heartbeat: Errand::default(),
            commit: Errand::default(),
            offsets: Errand::default(),
            changes: Vec::new(),
        }
    }

    /// The topic has so many partitions now: if this member shares them out, it does so again.
    pub fn set_partitions(&mut self, partitions: u32) {
        if std::mem::replace(&mut self.partitions, partitions) != partitions && self.leads {
            self.begin_rejoin();
        }
    }

    /// The member wishes to leave.
    pub fn leave(&mut self) {
        self.leaving = true;
        self.commit_once_more();
    }

    /// What to ask now, if anything.
    pub fn wants(&self, now: u64) -> Option<Ask> {
        match self.phase {
            Phase::Out(not_before) if not_before > now => None,
            Phase::Out(_) => Some(if self.leaving { Ask::Leave } else { Ask::Join }),
            Phase::Sync => Some(Ask::Sync),
            Phase::Stable if self.is_going() => self.wants_to_go(now),
            Phase::Stable => self.wants_stable(now),
            Phase::Joining | Phase::Syncing | Phase::Leaving | Phase::Gone => None,
        }
    }

    /// When something is to be asked at the latest, if no answer comes first.
    pub fn next_due(&self) -> Option<u64> {
        let due = |errand: Errand| errand.asked.is_none().then_some(errand.due);
        match self.phase {
            Phase::Out(not_before) => Some(not_before),
            Phase::Sync => Some(0),
            Phase::Stable if self.is_going() => {
                let wants_commit = self.commits() && !self.committed;
                let due = if wants_commit { self.commit.due } else { 0 };
                self.commit.asked.is_none().then_some(due)
            }
            Phase::Stable => {
                let commit = due(self.commit).filter(|_| self.commits());
                let offsets = due(self.offsets).filter(|_| !self.arriving.is_empty());
                let errands = [due(self.heartbeat), commit, offsets];
                errands.into_iter().flatten().min()
            }
            Phase::Joining | Phase::Syncing | Phase::Leaving | Phase::Gone => None,
        }
    }

    /// `ask` is on its way.
    pub fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Join => {
                self.give_up_before_join();
                self.phase = Phase::Joining;
            }
            Ask::Sync => self.phase = Phase::Syncing,
            Ask::Leave => {
                self.revoke_all();
                self.phase = Phase::Leaving;
            }
            Ask::Offsets => self.offsets.asked = Some(self.generation),
            Ask::Heartbeat => self.heartbeat.asked = Some(self.generation),
            Ask::Commit => {
                self.last_commit = self.is_going();
                self.commit.asked = Some(self.generation);
            }
        }
    }

    /// What was asked will not be answered: the link is gone.
    pub fn lost(&mut self, now: u64, ask: Ask) {
        let again = now + nanos(self.config.retry_backoff);
        match ask {
            // Whether a farewell was heard nobody knows: said again, it does no harm.
            Ask::Join | Ask::Sync | Ask::Leave => self.phase = Phase::Out(again),
            Ask::Offsets => self.offsets = Errand::at(again),
            Ask::Heartbeat => self.heartbeat = Errand::at(again),
            Ask::Commit => self.commit = Errand::at(again),
        }
    }

    /// A join was answered.
    pub fn take_join(&mut self, now: u64, answer: Joined) {
        let error = answer.error;
        match error {
            ErrorCode::NONE => self.joined(answer),
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.member_id = answer.member_id;
                self.phase = Phase::Out(now);
            }
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => self.forgotten(now),
            _ if passes(error) => self.phase = Phase::Out(self.later(now)),
            _ => self.fail(error),
        }
    }

    /// A sync was answered, with the partitions for this member.
    pub fn take_sync(&mut self, now: u64, error: ErrorCode, assigned: &[u32]) {
        match error {
            ErrorCode::NONE => self.assigned(now, assigned),
            ErrorCode::REBALANCE_IN_PROGRESS => self.phase = Phase::Out(now),
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => self.forgotten(now),
            _ if passes(error) => self.phase = Phase::Out(self.later(now)),
            _ => self.fail(error),
        }
    }

    /// A heartbeat was answered.
    pub fn take_heartbeat(&mut self, now: u64, error: ErrorCode) {
        let asked = self.heartbeat.asked.take();
        // In step with the first one, so that many members do not fall into one step.
        self.heartbeat.due = (self.heartbeat.due + nanos(self.config.heartbeat_interval)).max(now);
        if error != ErrorCode::NONE && self.is_current(asked) {
            self.heartbeat.due = self.later(now);
            self.refused(now, error);
        }
    }

    /// A commit was answered, with the worst that was said of any partition.
    pub fn take_commit(&mut self, now: u64, error: ErrorCode) {
        let asked = self.commit.asked.take();
        let interval = self.config.commit_interval.map_or(u64::MAX, nanos);
        self.commit.due = self.commit.due.saturating_add(interval).max(now);
        if error == ErrorCode::NONE {
            self.committed |= self.last_commit;
        } else if self.is_current(asked) {
            self.commit.due = self.later(now);
            self.refused(now, error);
            // What cannot be committed before joining is read again by whoever gets it.
            self.committed |= self.last_commit && !error.is_retriable();
        }
    }

    /// The committed offsets came, -1 where there is none.
    pub fn take_offsets(&mut self, now: u64, error: ErrorCode, offsets: &[(u32, i64)]) {
        let asked = self.offsets.asked.take();
        if !self.is_current(asked) {
            return;
        }
        if error != ErrorCode::NONE {
            self.offsets.due = self.later(now);
            return self.refused(now, error);
        }
        let arrived: Vec<(u32, i64)> = offsets
            .iter()
            .copied()
            .filter(|(partition, _)| self.arriving.contains(partition))
            .collect();
        let of_these = |partition: &u32| arrived.iter().any(|(index, _)| index == partition);
        self.arriving.retain(|partition| !of_these(partition));
        self.offsets.due = self.later(now);
        self.owned.extend(arrived.iter().map(|&(index, _)| index));
        if !arrived.is_empty() {
            self.changes.push(Change::Assigned(arrived));
        }
    }

    /// A farewell was answered.
    pub fn take_leave(&mut self, now: u64, error: ErrorCode) {
        if passes(error) {
            self.phase = Phase::Out(self.later(now));
        } else {
            self.phase = Phase::Gone;
            self.changes.push(Change::Left);
        }
    }

    /// What has changed since the last call.
    pub fn drain_changes(&mut self) -> std::vec::Drain<'_, Change> {
        self.changes.drain(..)
    }

    /// The settings.
    pub fn config(&self) -> &MembershipConfig {
        &self.config
    }

    /// The name that the coordinator gave, empty before the first join.
    pub fn member_id(&self) -> &str {
        &self.member_id
    }

    /// The generation, -1 outside of any.
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// The partitions that are read, ascending.
    pub fn owned(&self) -> impl Iterator<Item = u32> {
        self.owned.iter().copied()
    }

    /// Partitions whose committed offsets are to be asked for.
    pub fn arriving(&self) -> &[u32] {
        &self.arriving
    }

    /// What everybody gets, to be sent with the sync: empty unless this member leads.
    pub fn shares(&self) -> &[(String, Vec<u32>)] {
        &self.shares
    }

    /// True between the commit before an eager join and the next assignment: records that are read
    /// then would be read again.
    pub fn is_paused(&self) -> bool {
        let going = self.rejoin && !self.config.assignor.is_cooperative();
        self.phase == Phase::Stable && (going || self.leaving)
    }

    /// True while it joins or syncs, or is about to: the answers wait for other members.
    pub fn needs_own_line(&self) -> bool {
        let joins = matches!(self.phase, Phase::Joining | Phase::Sync | Phase::Syncing);
        joins || (matches!(self.phase, Phase::Out(_)) && !self.leaving)
    }

    /// True while it is in its generation and nothing is afoot.
    pub fn is_settled(&self) -> bool {
        self.phase == Phase::Stable && !self.rejoin && self.arriving.is_empty()
    }

    /// True once it is out for good.
    pub fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }

    /// Before joining again, or leaving: one commit.
    fn wants_to_go(&self, now: u64) -> Option<Ask> {
        if self.commit.asked.is_some() {
            return None;
        }
        if self.commits() && !self.committed {
            return (self.commit.due <= now).then_some(Ask::Commit);
        }
        Some(if self.leaving { Ask::Leave } else { Ask::Join })
    }

    fn wants_stable(&self, now: u64) -> Option<Ask> {
        let due = |errand: Errand| errand.asked.is_none() && errand.due <= now;
        if !self.arriving.is_empty() && due(self.offsets) {
            Some(Ask::Offsets)
        } else if due(self.heartbeat) {
            Some(Ask::Heartbeat)
        } else {
            (self.commits() && due(self.commit)).then_some(Ask::Commit)
        }
    }

    /// True if it is about to join again or to leave.
    fn is_going(&self) -> bool {
        self.rejoin || self.leaving
    }

    /// True if an answer to what was asked in that generation still says something.
    fn is_current(&self, asked: Option<i32>) -> bool {
        self.phase == Phase::Stable && asked == Some(self.generation)
    }

    fn begin_rejoin(&mut self) {
        self.rejoin = true;
        self.commit_once_more();
    }

    fn commit_once_more(&mut self) {
        (self.committed, self.commit.due) = (false, 0);
    }

    fn commits(&self) -> bool {
        self.config.commit_interval.is_some() && !self.owned.is_empty()
    }

    fn give_up_before_join(&mut self) {
        self.rejoin = false;
        self.arriving.clear();
        if !self.config.assignor.is_cooperative() {
            self.revoke_all();
        }
    }

    fn revoke_all(&mut self) {
        let owned: Vec<u32> = std::mem::take(&mut self.owned).into_iter().collect();
        if !owned.is_empty() {
            self.changes.push(Change::Revoked(owned));
        }
    }

    fn joined(&mut self, answer: Joined) {
        self.leads = answer.leader == answer.member_id;
        self.member_id = answer.member_id;
        self.generation = answer.generation;
        self.shares.clear();
        if self.leads && !answer.skip_assignment {
            let assigned = self
                .config
                .assignor
                .assign(self.partitions, &answer.members);
            let names = answer.members.into_iter().map(|member| member.member_id);
            self.shares = names.zip(assigned).collect();
        }
        self.phase = Phase::Sync;
    }

    fn assigned(&mut self, now: u64, assigned: &[u32]) {
        self.shares.clear();
        self.phase = Phase::Stable;
        let joined = Change::Joined(self.generation, assigned.to_vec());
        self.changes.push(joined);
        let (kept, revoked): (Vec<u32>, Vec<u32>) = std::mem::take(&mut self.owned)
            .into_iter()
            .partition(|partition| assigned.contains(partition));
        self.owned = kept.into_iter().collect();
        let new = |partition: &&u32| !self.owned.contains(partition);
        self.arriving = assigned.iter().filter(new).copied().collect();
        self.committed = false;
        self.heartbeat = Errand::at(now + self.first(nanos(self.config.heartbeat_interval)));
        let interval = self.config.commit_interval.map_or(u64::MAX, nanos);
        self.commit = Errand::at(now.saturating_add(self.first(interval)));
        self.offsets = Errand::at(now);
        if !revoked.is_empty() {
            self.changes.push(Change::Revoked(revoked));
            // Whoever is to have these gets them in the next round (KIP-429).
            self.begin_rejoin();
        }
    }

    /// An error that says something about the member's place in the group.
    fn refused(&mut self, now: u64, error: ErrorCode) {
        match error {
            ErrorCode::REBALANCE_IN_PROGRESS => {
                if !self.rejoin {
                    self.changes.push(Change::Rebalancing);
                    self.begin_rejoin();
                }
            }
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => self.forgotten(now),
            _ if passes(error) => {}
            _ => self.fail(error),
        }
    }

    /// The group has gone on without this member: it joins as a new one.
    fn forgotten(&mut self, now: u64) {
        self.lose_all();
        self.member_id.clear();
        self.generation = NO_GENERATION;
        self.phase = Phase::Out(now);
    }

    fn fail(&mut self, error: ErrorCode) {
        self.lose_all();
        self.phase = Phase::Gone;
        self.changes.push(Change::Failed(error));
    }

    fn lose_all(&mut self) {
        (self.rejoin, self.leads) = (false, false);
        self.arriving.clear();
        let owned: Vec<u32> = std::mem::take(&mut self.owned).into_iter().collect();
        if !owned.is_empty() {
            self.changes.push(Change::Lost(owned));
        }
    }

    /// Where in its interval a member begins, by its name: groups that form at once do not beat at
    /// once.
    fn first(&self, interval: u64) -> u64 {
        let share = u64::from(murmur2(self.member_id.as_bytes()) >> 16);
        (interval >> 16).saturating_mul(share)
    }

    fn later(&self, now: u64) -> u64 {
        now + nanos(self.config.retry_backoff)
    }
}

impl Errand {
    fn at(due: u64) -> Self {
        Self { due, asked: None }
    }
}

/// True for errors that pass: the same is asked again, of another coordinator perhaps.
fn passes(error: ErrorCode) -> bool {
    error.is_retriable() || error == ErrorCode::REBALANCE_IN_PROGRESS
}

const NO_GENERATION: i32 = -1;

#[cfg(test)]
mod tests;
