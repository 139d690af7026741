//! The members of a run's groups, on one thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use logmill_wire::ErrorCode;

use super::check::GroupCheck;
use super::figures::GroupFigures;
use super::plan::{GroupPlan, Seen, Step};
use super::watch::Watch;
use crate::clock::{nanos, until};
use crate::consumer::group::{Ask, Change, GroupClient, GroupEvent, MemberKey, Membership};
use crate::consumer::{Consumer, RecordView, Sink};
use crate::load::consume::Checker;
use crate::load::plan::LoadPlan;
use crate::load::shared::{Done, Message, Reporter, Shared};
use crate::sys::{self, PollFd};

/// Runs the groups until the run is over; `starts` are the offsets to begin with, by partition.
pub(in crate::load) fn run_groups(
    plan: &LoadPlan,
    group: &GroupPlan,
    starts: &[i64],
    shared: &Arc<Shared>,
    sender: Sender<Message>,
) {
    sys::sharpen_timers();
    let results = sender.clone();
    let client_id = &plan.consumer.client_id;
    let client = GroupClient::new(group.lines, &plan.bootstrap, shared.clock, client_id);
    let mut fleet = Fleet {
        plan,
        group,
        shared,
        client,
        starts: starts.to_vec(),
        groups: Vec::new(),
        members: BTreeMap::new(),
        places: 0,
        generation: 0,
        checker: Checker::new(plan, shared.clock, Reporter::new(sender)),
        watch: Watch::default(),
        figures: GroupFigures::default(),
        events: Vec::new(),
        waits: Vec::new(),
        scratch: Vec::new(),
        looked_ns: 0,
    };
    let outcome = fleet.run();
    let now = shared.clock.now();
    fleet.figures.redelivered = fleet.watch.redelivered;
    let figures = std::mem::take(&mut fleet.figures);
    let _ = results.send(Message::Groups(Box::new(figures)));
    fleet.checker.report();
    let done = Done {
        failure: outcome.err(),
        ..Done::default()
    };
    fleet.checker.reporter.done(done, now);
}

struct Fleet<'a> {
    plan: &'a LoadPlan,
    group: &'a GroupPlan,
    shared: &'a Shared,
    client: GroupClient,
    starts: Vec<i64>,
    groups: Vec<GroupCheck>,
    members: BTreeMap<MemberKey, Member>,
    /// Places given to members so far.
    places: usize,
    /// The highest generation that a member was told.
    generation: i32,
    checker: Checker,
    watch: Watch,
    figures: GroupFigures,
    events: Vec<GroupEvent>,
    waits: Vec<PollFd>,
    scratch: Vec<libc::pollfd>,
    /// When every consumer was last polled.
    looked_ns: u64,
}

struct Member {
    /// Its group.
    group: usize,
    place: usize,
    /// What fetches for it, if it reads.
    consumer: Option<Consumer>,
    leaving: bool,
    /// Its range of the sockets that are waited for.
    waits: std::ops::Range<usize>,
}

impl Fleet<'_> {
    fn run(&mut self) -> Result<(), String> {
        self.form()?;
        self.checker.reporter.ready();
        while self.shared.window().is_none() {
            if self.shared.is_stopped() {
                return Ok(());
            }
            self.turn(IDLE)?;
        }
        let (start, end) = self.shared.window().expect("waited for");
        self.checker.reporter.set_window((start, end));
        self.figures.joins = 0;
        let begun = self.generation;
        let gap = (end - start) / (self.group.steps.len() as u64 + 1);
        let mut steps = self.group.steps.iter().zip(1..).peekable();
        let mut give_up = u64::MAX;
        loop {
            let now = self.shared.clock.now();
            let due = |at: u64| now >= start + at * gap;
            if self.watch.going_on().is_none()
                && let Some((&step, _)) = steps.next_if(|(_, at)| due(*at))
            {
                self.step(step, now);
            }
            self.turn(IDLE)?;
            self.end_step(start);
            if self.shared.is_aborted() {
                return Ok(());
            }
            if self.is_over(&mut give_up)? {
                self.figures.generations = (self.generation - begun).unsigned_abs();
                return self.disband();
            }
        }
    }

    /// Every member joins.
    fn form(&mut self) -> Result<(), String> {
        let begun = self.shared.clock.now();
        for group in 0..self.group.groups as usize {
            self.groups.push(GroupCheck::default());
            for _ in 0..self.group.members {
                self.add(group, None);
            }
        }
        let give_up = begun + nanos(self.plan.drain);
        let mut looked = 0;
        // Thousands of members are not looked through at every turn.
        while self.looked_ns == looked || !self.is_settled() {
            looked = self.looked_ns;
            if self.shared.is_stopped() {
                return Ok(());
            }
            if self.shared.clock.now() > give_up {
                let settled = self.settled().count();
                let (all, last) = (self.members.len(), self.client.last_error());
                return Err(format!(
                    "{settled} of {all} members were in their groups after {:?}{}",
                    self.plan.drain,
                    last.map_or_else(String::new, |error| format!(": {error}")),
                ));
            }
            self.turn(IDLE)?;
        }
        let now = self.shared.clock.now();
        self.figures.formed_after = Duration::from_nanos(now - begun);
        self.figures.members = self.members.len() as u64;
        self.figures.groups = self.groups.len() as u64;
        Ok(())
    }

    fn add(&mut self, group: usize, place: Option<usize>) -> MemberKey {
        let place = place.unwrap_or(self.places);
        self.places = self.places.max(place + 1);
        let plan = self.plan;
        let name = GroupPlan::group_name(self.shared.run, group as u32);
        let config = self.group.member(&name, &plan.topic, place);
        let key = self.client.add(config, self.starts.len() as u32);
        let consumer = self.group.reading.then(|| {
            let config = plan.consumer.clone();
            Consumer::open(config, &plan.bootstrap, &plan.topic, self.shared.clock)
        });
        let member = Member {
            group,
            place,
            consumer,
            leaving: false,
            waits: 0..0,
        };
        self.members.insert(key, member);
        key
    }

    /// Something happens to the youngest member, or to the oldest, in turn: that one leads.
    fn step(&mut self, step: Step, now: u64) {
        let mut staying = self
            .members
            .iter()
            .filter(|(_, member)| !member.leaving)
            .map(|(key, member)| (*key, member.group, member.place));
        let chosen = match self.figures.rebalances.len() % 2 {
            0 => staying.next_back(),
            _ => staying.next(),
        };
        let Some((key, group, place)) = chosen else {
            return;
        };
        let owned: Vec<u32> = self
            .client
            .member(key)
            .into_iter()
            .flat_map(Membership::owned)
            .collect();
        match step {
            Step::Join => {
                self.watch.begin(step, now, [].into_iter());
                self.add(group, None);
            }
            Step::Leave => {
                self.watch.begin(step, now, owned.into_iter());
                self.client.leave(key);
                self.members
                    .entry(key)
                    .and_modify(|member| member.leaving = true);
            }
            Step::Kill | Step::Restart => {
                self.watch.begin(step, now, owned.into_iter());
                self.client.kill(key);
                self.members.remove(&key);
                self.groups[group].killed(key);
                if step == Step::Restart {
                    self.add(group, Some(place));
                }
            }
        }
    }

    fn end_step(&mut self, start: u64) {
        let settled = self.watch.going_on().is_some() && self.is_settled();
        let now = self.shared.clock.now();
        let patience = self.group.session_timeout + PATIENCE;
        let ended = self.watch.end(settled, now, start, patience);
        self.figures.rebalances.extend(ended);
    }

    /// Waits for something to happen, at most `timeout`, and deals with it.
    fn turn(&mut self, timeout: Duration) -> Result<(), String> {
        self.waits.clear();
        self.client.interests(&mut self.waits);
        let own = self.waits.len();
        let reads = |member: &Member| member.consumer.is_some();
        let readers = self.members.iter_mut().filter(|_| self.group.reading);
        for (&key, member) in readers.filter(|(_, member)| reads(member)) {
            let from = self.waits.len();
            let paused = self.client.member(key).is_some_and(Membership::is_paused);
            if let Some(consumer) = member.consumer.as_ref().filter(|_| !paused) {
                consumer.interests(&mut self.waits);
            }
            member.waits = from..self.waits.len();
        }
        let now = self.shared.clock.now();
        let due = self.client.next_due().unwrap_or(u64::MAX);
        let wait = until(now, due).min(timeout);
        sys::poll(&mut self.waits, &mut self.scratch, Some(wait)).map_err(|e| e.to_string())?;
        let now = self.shared.clock.now();
        let ready = |waits: &[PollFd]| waits.iter().any(|wait| wait.readable || wait.writable);
        let look = now >= self.looked_ns + nanos(IDLE);
        if look || due <= now || ready(&self.waits[..own]) {
            self.poll_client()?;
        }
        let polled: Vec<MemberKey> = self
            .members
            .iter()
            .filter(|_| self.group.reading)
            .filter(|(_, member)| look || ready(&self.waits[member.waits.clone()]))
            .map(|(&key, _)| key)
            .collect();
        for key in polled {
            self.poll_consumer(key)?;
        }
        if look {
            self.looked_ns = now;
            self.follow_topic();
        }
        self.checker.tick(now);
        Ok(())
    }

    fn poll_client(&mut self) -> Result<(), String> {
        let (members, client) = (&self.members, &mut self.client);
        let now_ms = self.shared.clock.now() / 1_000_000;
        let positions = |key: MemberKey, member: &Membership| {
            match members
                .get(&key)
                .and_then(|member| member.consumer.as_ref())
            {
                Some(consumer) => consumer.positions().collect(),
                // Who reads nothing commits the time: it never goes back.
                None => member
                    .owned()
                    .map(|partition| (partition, now_ms as i64))
                    .collect(),
            }
        };
        let polled = client.poll(Duration::ZERO, positions, &mut self.events);
        polled.map_err(|error| error.to_string())?;
        let connections = self.client.connections() as u64;
        self.figures.connections = self.figures.connections.max(connections);
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            self.take(event)?;
        }
        self.events = events;
        Ok(())
    }

    fn take(&mut self, event: GroupEvent) -> Result<(), String> {
        let now = self.shared.clock.now();
        let (GroupEvent::Asked(key, ..)
        | GroupEvent::Answered(key, ..)
        | GroupEvent::Changed(key, _)) = event;
        if let Some(observer) = &self.group.observer
            && let Some(seen) = seen(&event)
        {
            // Who has stopped listening has seen enough.
            let _ = observer.send(seen);
        }
        let Some(member) = self.members.get_mut(&key) else {
            return Ok(());
        };
        let found = &mut self.checker.reporter.report.violations;
        self.groups[member.group].take(&event, found);
        match event {
            GroupEvent::Asked(_, Ask::Join, _) => self.figures.joins += 1,
            GroupEvent::Asked(..) => {}
            GroupEvent::Answered(_, ask, took, error, _) => self.measure(ask, took, error, now),
            GroupEvent::Changed(_, change) => self.change(key, change, now)?,
        }
        Ok(())
    }

    fn measure(&mut self, ask: Ask, took: u64, error: ErrorCode, now: u64) {
        let measured = self.checker.reporter.in_window(now);
        self.checker.reporter.report.answered += u64::from(error == ErrorCode::NONE);
        match (ask, error) {
            (Ask::Commit, ErrorCode::NONE) if measured => self.figures.commits.record(took, 1),
            (Ask::Heartbeat, ErrorCode::NONE) if measured => {
                self.figures.heartbeats.record(took, 1);
            }
            (Ask::Commit, error) => {
                let refused = error != ErrorCode::NONE && error != ErrorCode::REBALANCE_IN_PROGRESS;
                self.figures.commits_refused += u64::from(refused);
            }
            _ => {}
        }
    }

    fn change(&mut self, key: MemberKey, change: Change, now: u64) -> Result<(), String> {
        let member = self.members.get_mut(&key).expect("the caller has looked");
        match change {
            Change::Rebalancing => self.watch.noticed(now),
            Change::Joined(generation, _) => self.generation = self.generation.max(generation),
            Change::Assigned(offsets) => {
                for (partition, committed) in offsets {
                    let start = self.starts.get(partition as usize).copied().unwrap_or(0);
                    let from = if committed < 0 { start } else { committed };
                    if let Some(consumer) = &mut member.consumer {
                        consumer.assign(partition, Some(from));
                        self.checker.reader.restart(partition, from);
                    }
                }
            }
            Change::Revoked(partitions) | Change::Lost(partitions) => {
                if let Some(consumer) = &mut member.consumer {
                    partitions
                        .iter()
                        .for_each(|&partition| consumer.unassign(partition));
                    self.watch.given_up(&partitions);
                }
            }
            Change::Left => {
                self.members.remove(&key);
            }
            Change::Failed(error) => {
                return Err(format!("a member is out of its group for good: {error}"));
            }
        }
        Ok(())
    }

    fn poll_consumer(&mut self, key: MemberKey) -> Result<(), String> {
        if self.client.member(key).is_some_and(Membership::is_paused) {
            return Ok(());
        }
        let Some(consumer) = self.members.get_mut(&key).and_then(|m| m.consumer.as_mut()) else {
            return Ok(());
        };
        let mut sink = Watched {
            checker: &mut self.checker,
            watch: &mut self.watch,
        };
        let polled = consumer.poll(Duration::ZERO, &mut sink);
        polled.map_err(|error| error.to_string())
    }

    /// Partitions that are added are shared out as well.
    fn follow_topic(&mut self) {
        let known = self
            .members
            .values()
            .filter_map(|m| Some(m.consumer.as_ref()?.partitions()));
        let count = known.max().unwrap_or(0) as usize;
        if count > self.starts.len() {
            self.starts.resize(count, 0);
            self.client.set_partitions(count as u32);
        }
    }

    fn settled(&self) -> impl Iterator<Item = &Membership> {
        let members = self
            .members
            .keys()
            .filter_map(|&key| self.client.member(key));
        members.filter(|member| member.is_settled())
    }

    /// True if every member is in its group and every partition has an owner in each.
    fn is_settled(&self) -> bool {
        let (mut count, mut owned) = (0, 0);
        for member in self.settled() {
            count += 1;
            owned += member.owned().count();
        }
        count == self.members.len() && owned == self.starts.len() * self.groups.len()
    }

    /// True once there is nothing more to read, or to wait for.
    fn is_over(&mut self, give_up: &mut u64) -> Result<bool, String> {
        let Some(ends) = self.shared.ends.get() else {
            return Ok(!self.group.reading && self.shared.is_stopped());
        };
        if !self.group.reading {
            return Ok(self.shared.is_stopped());
        }
        let now = self.shared.clock.now();
        let behind: Vec<usize> = (0..ends.len())
            .filter(|&at| !self.has_read(at, ends[at]))
            .collect();
        if behind.is_empty() && self.is_settled() {
            self.watch.read_out();
        }
        if behind.is_empty() && self.watch.going_on().is_none() {
            return Ok(true);
        }
        *give_up = (*give_up).min(now + nanos(self.plan.drain));
        if now <= *give_up {
            return Ok(false);
        }
        let waits = self.watch.going_on().unwrap_or_default();
        Err(format!(
            "the group did not come to the end within {:?}: partitions {behind:?} are not read \
             to it; {waits}",
            self.plan.drain
        ))
    }

    fn has_read(&self, partition: usize, end: i64) -> bool {
        let empty = end <= self.starts.get(partition).copied().unwrap_or(0);
        let consumers = self.members.values().filter_map(|m| m.consumer.as_ref());
        let at_end = |c: &Consumer| c.position(partition as u32).is_some_and(|at| at >= end);
        empty || consumers.into_iter().any(at_end)
    }

    /// Everybody commits and leaves. What was read is committed then.
    fn disband(&mut self) -> Result<(), String> {
        let ends = self.shared.ends.get().filter(|_| self.group.reading);
        let keys: Vec<MemberKey> = self.members.keys().copied().collect();
        // All at once, so that nobody has to take over what others leave.
        for key in keys {
            self.client.leave(key);
        }
        let give_up = self.shared.clock.now() + nanos(DISBAND);
        while !self.members.is_empty() && self.shared.clock.now() < give_up {
            self.turn(IDLE)?;
        }
        let commits = self.group.commit_interval.is_some();
        for (partition, &end) in ends.into_iter().flatten().enumerate().filter(|_| commits) {
            let committed = self.groups[0].committed(partition as u32);
            let start = self.starts.get(partition).copied().unwrap_or(0);
            if end > start && committed.is_none_or(|at| at < end) {
                return Err(format!(
                    "partition {partition} was read to its end {end}, and {committed:?} is \
                     committed"
                ));
            }
        }
        Ok(())
    }
}

/// A checker's sink that watches as well.
struct Watched<'a> {
    checker: &'a mut Checker,
    watch: &'a mut Watch,
}

impl Sink for Watched<'_> {
    fn record(&mut self, partition: u32, offset: i64, time: i64, record: &RecordView<'_>) {
        self.watch.record(partition, offset, self.checker.now());
        self.checker.record(partition, offset, time, record);
    }

    fn broken(&mut self, partition: u32, base_offset: i64, reason: String) {
        self.checker.broken(partition, base_offset, reason);
    }

    fn watermarks(&mut self, partition: u32, high: i64, stable: i64) {
        self.checker.watermarks(partition, high, stable);
    }
}

/// What an observer hears of it.
fn seen(event: &GroupEvent) -> Option<Seen> {
    let (member, ask, answer) = match event {
        GroupEvent::Asked(member, ask, _) => (*member, *ask, None),
        GroupEvent::Answered(member, ask, _, error, _) => (*member, *ask, Some(*error)),
        GroupEvent::Changed(..) => return None,
    };
    Some(Seen {
        member,
        ask,
        answer,
    })
}

/// The longest wait without looking at the clock.
const IDLE: Duration = Duration::from_millis(50);
/// Beyond a session time-out: a restart that nobody has heard of by then was no rebalance.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long members may take to leave at the end.
const DISBAND: Duration = Duration::from_secs(10);
