//! What befalls a broker and its clients while the storm lasts.

use logmill_engine::base::Micros;
use logmill_engine::disk::memory::Crash;

use super::World;
use super::member::Member;
use super::writer::Writer;

/// What is planned, and what a seed leaves out: faults that never come let others go further.
pub struct Faults {
    /// A bit for each kind.
    kinds: u32,
    /// An operation of the disk fails or has failed: only a new life mends that.
    is_broken: bool,
    /// The disk is slow or full until then.
    mends_at: Option<Micros>,
    /// The machine stops at an operation of the disk, or soon.
    cut: Option<(Crash, Micros)>,
    pub crashes: u64,
}

impl Faults {
    pub fn new(kinds: u32) -> Self {
        Self {
            kinds,
            is_broken: false,
            mends_at: None,
            cut: None,
            crashes: 0,
        }
    }

    fn has(&self, kind: u32) -> bool {
        self.kinds & kind != 0
    }
}

impl World {
    /// Lets something fail, maybe.
    pub fn fault(&mut self) {
        let now = self.now.monotonic;
        if let Some((crash, late)) = self.faults.cut
            && (self.broker.is_stopped() || late <= now)
        {
            return self.crash(crash);
        }
        if self.faults.is_broken && self.dice.one_in(60) {
            return self.crash(Crash::Process);
        }
        if self.faults.mends_at.is_some_and(|at| at <= now) {
            self.mend();
        }
        self.aim();
        match self.dice.below(4_000) {
            0..=3 if self.faults.has(KILL) => self.crash(Crash::Process),
            4..=6 if self.faults.has(POWER_CUT) => self.crash(Crash::Power),
            7..=8 if self.faults.has(EIO) => self.fail_an_operation(),
            9..=12 if self.faults.has(DISK) => self.trouble_disk(),
            13..=22 if self.members.len() < self.groups.len() * MEMBERS_MAX => {
                let group = self.dice.below(self.groups.len() as u32) as usize;
                self.add_member(group, None);
            }
            23..=26 => {
                let writer = self.dice.below(self.writers.len() as u32) as usize;
                self.writers[writer].hang_up(&mut self.broker, self.now);
            }
            27..=30 => self
                .loner
                .hang_up(&mut self.broker, &mut self.story, self.now),
            what @ 31..=90 if self.faults.has(MEMBERS) => self.trouble_member(what),
            _ => {}
        }
    }

    /// The next operations of the disk after a member began something are the worst moment.
    fn aim(&mut self) {
        let begun = self.members.iter_mut();
        let begun = begun.map(|member| std::mem::take(&mut member.has_begun));
        let begun = begun.filter(|has_begun| *has_begun).count();
        let is_free = self.faults.cut.is_none() && !self.faults.is_broken;
        if begun == 0 || !is_free || !self.faults.has(AIMED) || !self.dice.one_in(150) {
            return;
        }
        let crash = match self.dice.below(3) {
            0 => return self.fail_an_operation(),
            1 => Crash::Process,
            _ => Crash::Power,
        };
        let operations = 1 + u64::from(self.dice.below(8));
        self.broker.stop_after(operations);
        let late = self.now.monotonic.saturating_add(Micros::from_millis(500));
        self.faults.cut = Some((crash, late));
    }

    fn fail_an_operation(&mut self) {
        self.faults.is_broken = true;
        let after = 1 + u64::from(self.dice.below(20));
        self.broker.fail_operation(after, ERRNO_EIO);
    }

    fn trouble_disk(&mut self) {
        let long = Micros::from_millis(500 + u64::from(self.dice.below(6_000)));
        self.faults.mends_at = Some(self.now.monotonic.saturating_add(long));
        match self.dice.below(2) {
            0 => self.broker.limit_space(Some(0)),
            _ => self.broker.slow_down(20 + self.dice.below(200)),
        }
    }

    fn mend(&mut self) {
        self.faults.mends_at = None;
        self.broker.limit_space(None);
        self.broker.slow_down(0);
    }

    fn trouble_member(&mut self, what: u32) {
        if self.members.is_empty() {
            return;
        }
        let at = self.dice.below(self.members.len() as u32) as usize;
        let member = &mut self.members[at];
        let (group, instance) = (member.group, member.instance.clone());
        let long = Micros::from_millis(1_000 + u64::from(self.dice.below(15_000)));
        match what {
            31..=50 => member.hang_up(&mut self.broker, self.now),
            51..=65 => member.asleep_until = self.now.monotonic.saturating_add(long),
            66..=73 => member.leaves = true,
            74..=83 => {
                let mut killed = self.members.swap_remove(at);
                killed.hang_up(&mut self.broker, self.now);
                // A static one is started again, soon.
                if instance.is_some() {
                    self.add_member(group, instance);
                }
            }
            // Its place is taken while it sleeps.
            _ if instance.is_some() => {
                member.asleep_until = self.now.monotonic.saturating_add(long);
                self.add_member(group, instance);
            }
            _ => {}
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.faults.crashes += 1;
        self.faults.is_broken = false;
        self.faults.cut = None;
        self.members.iter_mut().for_each(Member::lose_broker);
        self.writers.iter_mut().for_each(Writer::lose_broker);
        self.loner.lose_broker(&mut self.story);
        self.broker.crash(crash, &mut self.dice, self.now);
        self.mend();
        self.story.note(self.faults.crashes);
    }

    /// No fault comes any more, and none lasts.
    pub fn end_faults(&mut self) {
        if self.faults.is_broken || self.faults.cut.is_some() {
            self.crash(Crash::Process);
        }
        self.mend();
        for member in &mut self.members {
            member.asleep_until = self.now.monotonic;
            member.leaves = false;
        }
        self.writers.iter_mut().for_each(|it| it.is_done = true);
    }
}

const KILL: u32 = 1;
const POWER_CUT: u32 = 2;
const EIO: u32 = 4;
const DISK: u32 = 8;
const MEMBERS: u32 = 16;
const AIMED: u32 = 32;
/// Every kind.
pub const ALL: u32 = 63;
/// The disk failed.
const ERRNO_EIO: i32 = 5;
const MEMBERS_MAX: usize = 5;
