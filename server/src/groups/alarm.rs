//! A deadline that moves often and is reached rarely, on the coordinator's timer wheel.

use logmill_engine::base::{Micros, SlabKey};

use crate::base::timers::{TimerKey, TimerWheel};

/// What a timer of a coordinator is for. A stale key names nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A member of a group must have been heard of.
    Session { group: SlabKey, member: SlabKey },
    /// Somebody must have come back with the member id that it was given.
    Pending { group: SlabKey, pending: SlabKey },
    /// The members of a group must have joined.
    Join { group: SlabKey },
    /// The members of a group must have asked for their assignments.
    Sync { group: SlabKey },
    /// Old offsets are looked for.
    Retention,
}

/// The timers of one coordinator.
pub(super) type Timers = TimerWheel<Timer>;

/// One deadline. Pushing it into the future, as each heartbeat does, leaves the wheel alone: its
/// entry fires at the old time and is set anew.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    deadline: Option<Micros>,
    armed: Option<(TimerKey, Micros)>,
}

impl Alarm {
    /// Rings at `deadline`, and not where it rang before.
    pub fn set(&mut self, timers: &mut Timers, deadline: Micros, timer: Timer) {
        self.deadline = Some(deadline);
        if let Some((key, armed)) = self.armed {
            if armed <= deadline {
                return;
            }
            timers.cancel(key);
        }
        self.armed = Some((timers.set(deadline, timer), deadline));
    }

    /// Does not ring, and leaves nothing in the wheel.
    pub fn clear(&mut self, timers: &mut Timers) {
        self.deadline = None;
        if let Some((key, _)) = self.armed.take() {
            timers.cancel(key);
        }
    }

    /// The wheel fired: whether the deadline is reached. If it is, the alarm is off.
    pub fn rings(&mut self, timers: &mut Timers, now: Micros, timer: Timer) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        // Between firing and here another timer's work may have armed it again.
        let stands = self.armed.is_some_and(|(_, armed)| armed > now);
        if deadline > now {
            if !stands {
                self.armed = Some((timers.set(deadline, timer), deadline));
            }
            return false;
        }
        self.clear(timers);
        true
    }
}
