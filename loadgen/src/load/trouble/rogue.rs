//! One client that misbehaves, without its socket: what it asks next, and what it makes of answers.

use std::time::Duration;

use logmill_wire::ErrorCode;

use super::probe::Probe;
use crate::clock::nanos;

/// How a client misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Joins and hands out assignments in bytes that mean nothing.
    Garbles,
    /// Joins and hands out assignments as large as the broker takes, and larger.
    Bloats,
    /// Commits at full speed, with metadata as long as Kafka takes, now and then longer.
    Babbles,
    /// Joins and never syncs.
    Dawdles,
    /// Joins, syncs, and is not heard of until its session is long over.
    FallsSilent,
    /// Asks for many offsets with long metadata, and reads nothing.
    IsDeaf,
}

/// What to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Join,
    Sync,
    Commit,
    /// For all offsets of the group.
    Offsets,
}

/// What an answer said.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) error: ErrorCode,
    /// Of joins alone, like the rest.
    pub(super) member_id: String,
    pub(super) generation: i32,
    /// Everybody, if this member leads.
    pub(super) members: Vec<String>,
}

/// A client's state.
#[derive(Debug)]
pub(super) struct Rogue {
    pub(super) habit: Habit,
    pub(super) group: String,
    pub(super) member_id: String,
    pub(super) generation: i32,
    /// To be given assignments, if this member leads.
    pub(super) members: Vec<String>,
    /// Counts rounds, for the choice of what to send.
    pub(super) round: usize,
    phase: Phase,
    /// Not before this time.
    due: u64,
    in_flight: usize,
    subscription: Probe,
    assignment: Probe,
    /// It has come to what it is there for.
    pub(super) is_going: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Out,
    InGroup,
    /// Reads nothing more on this connection.
    Deaf,
}

impl Rogue {
    pub(super) fn new(habit: Habit, group: String) -> Self {
        Self {
            habit,
            group,
            member_id: String::new(),
            generation: -1,
            members: Vec::new(),
            round: 0,
            phase: Phase::Out,
            due: 0,
            in_flight: 0,
            subscription: Probe::new(TOO_MUCH_BYTES),
            assignment: Probe::new(TOO_MUCH_BYTES),
            is_going: false,
        }
    }

    /// What to ask at `now`, if anything.
    pub(super) fn wants(&self, now: u64) -> Option<Ask> {
        let in_flight_max = match (self.habit, self.phase) {
            (Habit::Babbles, _) => COMMITS_IN_FLIGHT,
            (Habit::IsDeaf, Phase::Deaf) => UNREAD_MAX,
            _ => 1,
        };
        if self.due > now || self.in_flight >= in_flight_max {
            return None;
        }
        Some(match (self.habit, self.phase) {
            (_, Phase::Deaf) => Ask::Offsets,
            (Habit::Babbles | Habit::IsDeaf, _) => Ask::Commit,
            (_, Phase::Out) => Ask::Join,
            (_, Phase::InGroup) => Ask::Sync,
        })
    }

    /// When it wants something, unless it waits for an answer.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.wants(u64::MAX).map(|_| self.due)
    }

    /// True once a deaf client has asked enough and waited: its connection is to be closed.
    pub(super) fn hangs_up(&self, now: u64) -> bool {
        self.phase == Phase::Deaf && self.due <= now && self.in_flight >= UNREAD_MAX
    }

    /// True once nothing more is to be read.
    pub(super) fn is_deaf(&self) -> bool {
        self.phase == Phase::Deaf
    }

    /// A request went out.
    pub(super) fn asked(&mut self, now: u64, ask: Ask) {
        self.in_flight += 1;
        if ask == Ask::Offsets && self.in_flight == UNREAD_MAX {
            self.due = now + nanos(DEAF_FOR);
        }
        if ask == Ask::Commit {
            self.round += 1;
        }
    }

    /// The connection is gone, or was closed here.
    pub(super) fn lost(&mut self, now: u64) {
        (self.phase, self.in_flight) = (Phase::Out, 0);
        self.due = now + nanos(RETRY);
    }

    /// An answer came.
    pub(super) fn take(&mut self, now: u64, ask: Ask, answer: Answer) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let (due, error) = (self.due, answer.error);
        self.due = now;
        match ask {
            Ask::Join if error == ErrorCode::MEMBER_ID_REQUIRED => {
                self.member_id = answer.member_id;
            }
            Ask::Join if error == ErrorCode::NONE => self.joined(now, answer),
            Ask::Join | Ask::Sync if error == ErrorCode::UNKNOWN_MEMBER_ID => {
                self.member_id.clear();
                self.phase = Phase::Out;
            }
            Ask::Join => {
                self.judge_join(error);
                self.rest(now);
            }
            Ask::Sync if error == ErrorCode::REBALANCE_IN_PROGRESS => self.phase = Phase::Out,
            Ask::Sync => {
                self.judge_sync(error);
                self.is_going |= error == ErrorCode::NONE;
                self.rest(now);
            }
            Ask::Commit if self.habit == Habit::IsDeaf && error == ErrorCode::NONE => {
                self.phase = Phase::Deaf;
                self.is_going = true;
            }
            Ask::Commit => {
                let settled = error == ErrorCode::NONE || is_refusal(error);
                self.is_going |= settled;
                let pause = if settled { Duration::ZERO } else { RETRY };
                self.due = due.max(now + nanos(pause));
            }
            Ask::Offsets => self.due = due,
        }
    }

    /// Bytes of the subscription that a bloated member sends in this round.
    pub(super) fn subscription_bytes(&self) -> usize {
        if self.bloats_subscription() {
            self.subscription.size()
        } else {
            0
        }
    }

    /// Bytes of the assignment that a bloated member hands out in this round.
    pub(super) fn assignment_bytes(&self) -> usize {
        if self.bloats_subscription() {
            0
        } else {
            self.assignment.size()
        }
    }

    /// It does one of the two at a time: both share a record of the log.
    fn bloats_subscription(&self) -> bool {
        self.round.is_multiple_of(2)
    }

    fn joined(&mut self, now: u64, answer: Answer) {
        self.generation = answer.generation;
        self.member_id = answer.member_id;
        self.members = answer.members;
        // Whether those who sync get an assignment is up to those who do not.
        self.is_going |= matches!(self.habit, Habit::Dawdles | Habit::FallsSilent);
        if self.habit == Habit::Dawdles {
            self.due = now + nanos(DAWDLES_FOR);
        } else {
            self.phase = Phase::InGroup;
        }
    }

    /// Out for a while; then in again, otherwise than before.
    fn rest(&mut self, now: u64) {
        self.phase = Phase::Out;
        self.round += 1;
        self.due = now
            + nanos(match self.habit {
                Habit::Bloats => BLOATS_EVERY,
                Habit::FallsSilent => SILENT_FOR,
                _ => GARBLES_EVERY,
            });
    }

    fn judge_join(&mut self, error: ErrorCode) {
        if self.bloats_subscription() && is_refusal(error) {
            self.subscription.judged(false);
        }
    }

    fn judge_sync(&mut self, error: ErrorCode) {
        if error == ErrorCode::NONE || is_refusal(error) {
            let probe = if self.bloats_subscription() {
                &mut self.subscription
            } else {
                &mut self.assignment
            };
            probe.judged(error == ErrorCode::NONE);
        }
    }
}

/// True for codes that say that something is too large.
fn is_refusal(error: ErrorCode) -> bool {
    [
        ErrorCode::INVALID_REQUEST,
        ErrorCode::UNKNOWN_SERVER_ERROR,
        ErrorCode::MESSAGE_TOO_LARGE,
        ErrorCode::RECORD_LIST_TOO_LARGE,
        ErrorCode::GROUP_MAX_SIZE_REACHED,
        ErrorCode::OFFSET_METADATA_TOO_LARGE,
        ErrorCode::INVALID_COMMIT_OFFSET_SIZE,
    ]
    .contains(&error)
}

/// The session time-out that everybody asks for: the shortest that brokers allow by default.
pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a rebalance waits for them.
pub(super) const REBALANCE_TIMEOUT: Duration = Duration::from_secs(2);
/// Commits that one client has in flight.
const COMMITS_IN_FLIGHT: usize = 5;
/// Answers that a deaf client does not read.
pub(super) const UNREAD_MAX: usize = 1_000;
/// No subscription or assignment is as large as this.
const TOO_MUCH_BYTES: usize = 4 << 20;
/// Longer than a group waits for it.
const DAWDLES_FOR: Duration = Duration::from_millis(2_500);
/// Longer than its session.
const SILENT_FOR: Duration = Duration::from_secs(7);
/// How long a deaf client keeps its connection.
const DEAF_FOR: Duration = Duration::from_secs(3);
/// Between two rounds.
const GARBLES_EVERY: Duration = Duration::from_millis(20);
const BLOATS_EVERY: Duration = Duration::from_millis(100);
/// After a failure.
const RETRY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
