//! From one generation to the next: who is waited for, for how long, and what then.

use logmill_engine::base::SlabKey;
use logmill_wire::ErrorCode;

use super::alarm::Timer;
use super::answer::SyncAnswer;
use super::effects::When;
use super::group::State;
use super::member::Member;
use super::turn::Turn;

impl Turn<'_> {
    /// Members changed: begins a rebalance, or goes on with the one that runs.
    pub fn rebalance_or_complete_join(&mut self) {
        match self.group.state {
            State::PreparingRebalance => self.complete_join_if_due(),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(),
        }
    }

    /// Ends the generation: its members have to join again.
    pub fn prepare_rebalance(&mut self) {
        if self.group.is(State::CompletingRebalance) {
            self.reset_assignments(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        self.forget_owed_syncs();
        let is_initial = self.group.is(State::Empty);
        self.enter(State::PreparingRebalance);
        self.group.is_initial_rebalance = is_initial;
        self.group.new_member_added = false;
        if is_initial {
            let delay_ms = self.options.initial_rebalance_delay_ms.max(0);
            let rebalance_ms = self.group.members.rebalance_timeout_ms_max();
            self.wait_initially(delay_ms, (rebalance_ms - delay_ms).max(0));
        } else if self.group.all_joined() {
            self.complete_join();
        } else {
            self.wait_for_joins();
        }
    }

    /// Makes the next generation if everybody has joined. An initial rebalance waits its time.
    pub fn complete_join_if_due(&mut self) {
        let waits = self.group.is(State::PreparingRebalance) && !self.group.is_initial_rebalance;
        if waits && self.group.all_joined() {
            self.complete_join();
        }
    }

    /// The wait for joins is over.
    pub fn on_join_alarm(&mut self) {
        if !self.group.is(State::PreparingRebalance) {
            return;
        }
        let (delay_ms, remaining_ms) = self.group.initial_delay_ms;
        let extends = self.group.is_initial_rebalance && self.group.new_member_added;
        if extends && remaining_ms > 0 {
            self.group.new_member_added = false;
            let next_ms = self
                .options
                .initial_rebalance_delay_ms
                .clamp(0, remaining_ms);
            self.wait_initially(next_ms, (remaining_ms - delay_ms).max(0));
        } else {
            self.complete_join();
        }
    }

    /// The wait for syncs is over: who owes one goes, and the others begin anew.
    pub fn on_sync_alarm(&mut self) {
        if !matches!(self.group.state, State::CompletingRebalance | State::Stable) {
            return;
        }
        let late: Vec<SlabKey> = self.members_where(|member| member.owes_sync);
        if late.is_empty() {
            return;
        }
        for key in late {
            self.remove_member(key);
        }
        self.prepare_rebalance();
    }

    /// A member was not heard of for its session time-out.
    pub fn on_session_alarm(&mut self, key: SlabKey) {
        let member = self.group.members.get(key).expect("its alarm rang");
        if member.waits() {
            // It waits for us. The answer will begin its session anew.
            return;
        }
        self.remove_member(key);
        match self.group.state {
            State::PreparingRebalance => self.complete_join_if_all_joined(),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(),
        }
    }

    /// A member id was given out and its owner did not come back.
    pub fn on_pending_alarm(&mut self, key: SlabKey) {
        self.remove_pending(key);
        if self.group.is(State::PreparingRebalance) {
            self.complete_join_if_all_joined();
        }
    }

    /// Someone who was waited for is gone: an initial rebalance, too, does not wait any longer.
    fn complete_join_if_all_joined(&mut self) {
        if self.group.all_joined() {
            self.complete_join();
        }
    }

    /// Makes the next generation of those who have joined.
    pub fn complete_join(&mut self) {
        self.group.join.clear(self.timers);
        let absent = self
            .members_where(|member| member.parked_join.is_none() && member.instance_id.is_none());
        for key in absent {
            self.remove_member(key);
        }
        if !self.group.members.is_empty() && !self.elect_leader() {
            // Static members alone, and none of them has joined: their sessions decide.
            self.wait_for_joins();
            return;
        }
        self.group.generation = self.group.generation.checked_add(1).unwrap_or(0);
        if self.group.members.is_empty() {
            self.group.protocol = None;
            self.group.leader = None;
            self.group.compute_subscribed();
            self.enter(State::Empty);
            self.store()
                .expect("a group without members fits into a record");
        } else {
            self.begin_generation();
        }
    }

    /// Tells everybody who joined of the new generation.
    fn begin_generation(&mut self) {
        let leader = self.group.leader.clone();
        let protocol = self.group.members.choose(leader.as_deref());
        self.group.protocol = protocol.map(str::to_owned);
        self.group.compute_subscribed();
        self.enter(State::CompletingRebalance);
        for key in self.group.members.keys() {
            if let Some(ticket) = self.group.members.take_join(key) {
                let member = self.group.members.get(key).expect("a member of this group");
                let is_leader = leader.as_ref() == Some(&member.id);
                let answer = self.joined(&member.id, is_leader);
                self.reply_join(ticket, answer, When::Synced);
            }
            self.renew_session(key);
            self.group.members.set_owes_sync(key, true);
            if let Some(member) = self.group.members.get_mut(key) {
                member.is_new = false;
            }
        }
        let timeout_ms = self.group.members.rebalance_timeout_ms_max();
        let deadline = self.after_ms(timeout_ms);
        let timer = Timer::Sync { group: self.key };
        self.group.sync.set(self.timers, deadline, timer);
    }

    /// Sees to a leader that has joined; `false` when nobody has.
    fn elect_leader(&mut self) -> bool {
        let leader = self.group.leader.clone();
        let mut joined = self
            .group
            .members
            .iter()
            .filter(|it| it.parked_join.is_some());
        let Some(first) = joined.next() else {
            return false;
        };
        let stays = Some(&first.id) == leader.as_ref()
            || joined.any(|member| Some(&member.id) == leader.as_ref());
        if !stays {
            self.group.leader = Some(first.id.clone());
        }
        true
    }

    /// Nobody has an assignment; parked syncs are answered with `error`.
    pub fn reset_assignments(&mut self, error: ErrorCode) {
        for key in self.group.members.keys() {
            self.group.members.assign(key, Default::default());
            self.answer_sync(key, SyncAnswer::failed(error));
        }
    }

    fn forget_owed_syncs(&mut self) {
        self.group.sync.clear(self.timers);
        for key in self.group.members.keys() {
            self.group.members.set_owes_sync(key, false);
        }
    }

    fn wait_initially(&mut self, delay_ms: i32, remaining_ms: i32) {
        self.group.initial_delay_ms = (delay_ms, remaining_ms);
        self.set_join_alarm(delay_ms);
    }

    fn wait_for_joins(&mut self) {
        self.group.initial_delay_ms = (0, 0);
        let timeout_ms = self.group.members.rebalance_timeout_ms_max();
        self.set_join_alarm(timeout_ms);
    }

    fn set_join_alarm(&mut self, delay_ms: i32) {
        let deadline = self.after_ms(delay_ms);
        let timer = Timer::Join { group: self.key };
        self.group.join.set(self.timers, deadline, timer);
    }

    fn members_where(&self, is_meant: impl Fn(&Member) -> bool) -> Vec<SlabKey> {
        let mut keys = self.group.members.keys();
        keys.retain(|key| self.group.members.get(*key).is_some_and(&is_meant));
        keys
    }

    fn enter(&mut self, state: State) {
        self.group.state = state;
        self.group.state_since_ms = Some(self.now.wall_ms);
    }
}
