//! Clients that misbehave, each with a connection of its own, in one event loop.

use std::collections::HashMap;
use std::net::SocketAddr;

use logmill_client::{CorrelationId, Reply};
use logmill_wire::ErrorCode;

use super::figures::Tally;
use super::plan::{Trouble, TroublePlan};
use super::requests::{self, Subject};
use super::rogue::{Ask, Habit, Rogue, UNREAD_MAX};
use super::{Maker, TURN};
use crate::clock::{Clock, until};
use crate::load::plan::LoadPlan;
use crate::load::shared::Shared;
use crate::net::{Admin, Event, Links, LinksOptions, NoPayload, NodeId};

/// The clients; each one's place in the list is the number of its link.
pub(super) struct Rogues {
    clock: Clock,
    links: Links<NoPayload>,
    rogues: Vec<Rogue>,
    coordinators: HashMap<String, SocketAddr>,
    subject: Subject,
    asked: HashMap<(NodeId, CorrelationId), (Ask, u64)>,
    events: Vec<Event>,
    last_error: Option<String>,
}

impl Rogues {
    /// Finds their coordinators; they connect with the first turn.
    pub(super) fn new(
        plan: &LoadPlan,
        trouble: &TroublePlan,
        partitions: u32,
        shared: &Shared,
    ) -> Result<Self, String> {
        let clock = shared.clock;
        let rogues = cast(shared.run, trouble);
        let mut admin = Admin::new(&plan.bootstrap, &plan.topic, plan.drain);
        let mut coordinators = HashMap::new();
        for rogue in &rogues {
            if !coordinators.contains_key(&rogue.group) {
                let address = admin.coordinator(&rogue.group);
                let address = address.map_err(|error| error.to_string())?;
                coordinators.insert(rogue.group.clone(), address);
            }
        }
        let mut options = LinksOptions::default();
        options
            .connection
            .client_id
            .clone_from(&plan.consumer.client_id);
        options.connection.in_flight_max = UNREAD_MAX;
        Ok(Self {
            clock,
            links: Links::new(options, clock),
            rogues,
            coordinators,
            subject: Subject::new(plan.topic.clone(), partitions),
            asked: HashMap::new(),
            events: Vec::new(),
            last_error: None,
        })
    }

    /// Opens what is closed, sends what is due; when the next thing is.
    fn send_due(&mut self, tally: &mut Tally) -> u64 {
        let now = self.clock.now();
        let mut next = u64::MAX;
        for at in 0..self.rogues.len() {
            let line = at as NodeId;
            if self.rogues[at].hangs_up(now) {
                self.links.close(line);
                self.forget(at, now);
            }
            if self.rogues[at].wants(now).is_none() {
                next = next.min(self.rogues[at].next_due().unwrap_or(u64::MAX));
            } else if !self.links.is_open(line) {
                let address = self.coordinators[&self.rogues[at].group];
                self.links.open(line, address);
            } else {
                self.send(at, now, tally);
            }
        }
        next
    }

    fn send(&mut self, at: usize, now: u64, tally: &mut Tally) {
        let (line, rogue) = (at as NodeId, &mut self.rogues[at]);
        let Some(connection) = self.links.ready(line) else {
            return;
        };
        while let Some(ask) = rogue.wants(now) {
            match self.subject.send(connection, now, rogue, ask) {
                Ok(_) if rogue.is_deaf() => tally.unread(now),
                Ok(correlation) => {
                    self.asked.insert((line, correlation), (ask, now));
                }
                Err(error) => {
                    self.last_error = Some(error.to_string());
                    break;
                }
            }
            rogue.asked(now, ask);
        }
        self.links.flush(line);
    }

    fn take(&mut self, line: NodeId, reply: Reply, tally: &mut Tally) {
        let (now, at) = (self.clock.now(), line as usize);
        let Some((ask, sent_ns)) = self.asked.remove(&(line, reply.correlation)) else {
            return;
        };
        match requests::read(ask, &reply) {
            Ok(answer) => {
                tally.answered(now, reply.api, answer.error, now.saturating_sub(sent_ns));
                let rogue = &mut self.rogues[at];
                if answer.error != ErrorCode::NONE {
                    self.last_error = Some(format!("{}: {}", reply.api.name(), answer.error));
                }
                rogue.take(now, ask, answer);
                if rogue.is_deaf() {
                    self.links.deafen(line);
                }
                if let Some(connection) = self.links.ready(line) {
                    connection.recycle(reply.frame);
                }
            }
            Err(error) => {
                self.last_error = Some(format!("an answer cannot be read: {error}"));
                self.links.close(line);
                self.forget(at, now);
                tally.lost(now);
            }
        }
    }

    /// The client's connection is gone, and what it asked with it.
    fn forget(&mut self, at: usize, now: u64) {
        self.asked.retain(|(line, _), _| *line != at as NodeId);
        self.rogues[at].lost(now);
    }
}

impl Maker for Rogues {
    fn turn(&mut self, tally: &mut Tally) -> Result<(), String> {
        let next = self.send_due(tally);
        let wait = until(self.clock.now(), next).min(TURN);
        self.links.poll(wait).map_err(|error| error.to_string())?;
        let mut events = std::mem::take(&mut self.events);
        self.links.take_events(&mut events);
        for event in events.drain(..) {
            match event {
                Event::Ready(_) => {}
                Event::Reply(line, reply) => self.take(line, reply, tally),
                Event::Lost(line, error) => {
                    let now = self.clock.now();
                    self.last_error = Some(error.to_string());
                    tally.lost(now);
                    self.forget(line as usize, now);
                }
            }
        }
        self.events = events;
        Ok(())
    }

    fn is_going(&self) -> bool {
        self.rogues.iter().all(|rogue| rogue.is_going)
    }

    fn last_error(&self) -> Option<String> {
        self.last_error.clone()
    }
}

/// Who takes part.
fn cast(run: u64, trouble: &TroublePlan) -> Vec<Rogue> {
    let mut rogues = Vec::new();
    let mut add = |habit: Habit, name: &str, index: u32| {
        rogues.push(Rogue::new(habit, format!("loadgen-{run:x}-{name}-{index}")));
    };
    let share = |of: u32| trouble.groups.div_ceil(of);
    if trouble.kind == Trouble::Poisoned {
        for index in 0..share(5) {
            (0..trouble.members).for_each(|_| add(Habit::Garbles, "garbled", index));
        }
        (0..share(10)).for_each(|index| add(Habit::Bloats, "bloated", index));
        (0..share(10)).for_each(|index| add(Habit::Babbles, "babbled", index));
    } else {
        for index in 0..trouble.groups {
            for member in 0..trouble.members {
                let syncs = member.is_multiple_of(2);
                let habit = if syncs {
                    Habit::FallsSilent
                } else {
                    Habit::Dawdles
                };
                add(habit, "slow", index);
            }
        }
        (0..share(5)).for_each(|index| add(Habit::IsDeaf, "deaf", index));
    }
    rogues
}
