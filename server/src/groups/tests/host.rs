//! A host as the shard is one: it appends, syncs when it likes, holds answers back until then, and
//! loses what is not synced when the power goes.

use std::collections::BTreeSet;

use logmill_engine::base::{Micros, Now};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::fixture::GROUP;
use crate::groups::*;

pub struct Host {
    pub coordinator: Coordinator,
    pub now: Now,
    log: Vec<Record>,
    synced: usize,
    /// Answers, and how much of the log must be synced before they go.
    held: Vec<(usize, u64, Answer)>,
    /// Tickets that the coordinator has not answered.
    pub open: BTreeSet<u64>,
    pub delivered: Vec<(u64, Answer)>,
    next_ticket: u64,
}

impl Host {
    pub fn new(options: Options) -> Self {
        let now = Now {
            monotonic: Micros::from_millis(1_000),
            wall_ms: 1_700_000_000_000,
        };
        Self {
            coordinator: loaded(now, options, &[], 0),
            now,
            log: Vec::new(),
            synced: 0,
            held: Vec::new(),
            open: BTreeSet::new(),
            delivered: Vec::new(),
            next_ticket: 1,
        }
    }

    pub fn ask(&mut self, ask: Ask) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.open.insert(ticket);
        let records_max = match &ask {
            Ask::Join(_) | Ask::Sync(_) | Ask::Leave(_) => 2,
            Ask::Commit(ask) => ask.topics.iter().map(|topic| topic.partitions.len()).sum(),
            Ask::Delete(_) | Ask::DeleteOffsets(_) | Ask::TopicsDeleted(_) => 100,
            Ask::Heartbeat(_) | Ask::FetchOffsets(_) | Ask::Describe(_) | Ask::List(_) => 0,
        };
        let mut effects = Effects::default();
        self.coordinator.take(self.now, ticket, ask, &mut effects);
        assert!(
            effects.records.len() <= records_max,
            "{:?}",
            effects.records
        );
        self.append(effects);
        ticket
    }

    fn append(&mut self, effects: Effects) {
        self.log.extend(effects.records);
        for reply in effects.replies {
            assert!(self.open.remove(&reply.ticket), "answered once: {reply:?}");
            match reply.when {
                When::Now => self.delivered.push((reply.ticket, reply.answer)),
                When::Synced => self.held.push((self.log.len(), reply.ticket, reply.answer)),
            }
        }
        let parked = self.coordinator.counts().parked;
        assert_eq!(parked, self.open.len(), "who waits is known");
    }

    /// A sync of everything completes: answers go.
    pub fn sync(&mut self) {
        self.synced = self.log.len();
        for (_, ticket, answer) in self.held.drain(..) {
            self.delivered.push((ticket, answer));
        }
    }

    pub fn pass(&mut self, millis: u64) {
        let end = self
            .now
            .monotonic
            .saturating_add(Micros::from_millis(millis));
        while self.now.monotonic < end {
            let due = self.coordinator.next_deadline().unwrap_or(end);
            let next = due.clamp(self.now.monotonic.saturating_add(Micros(1)), end);
            let whole = next.0 / 1_000 - self.now.monotonic.0 / 1_000;
            self.now.wall_ms += whole as i64;
            self.now.monotonic = next;
            let mut effects = Effects::default();
            self.coordinator.expire(self.now, &mut effects);
            self.append(effects);
        }
    }

    /// The power goes: of what is not synced, `kept` records are there again. Answers that were
    /// held, and whoever waited, are gone.
    pub fn crash(&mut self, kept: usize) {
        let end = (self.synced + kept).min(self.log.len());
        self.log.truncate(end);
        self.synced = end;
        self.held.clear();
        self.open.clear();
        let options = self.coordinator.options().clone();
        self.coordinator = loaded(self.now, options, &self.log, self.next_ticket);
    }

    /// An append fails: everybody is told to come back, and the coordinator is loaded again.
    pub fn reload(&mut self) {
        self.sync();
        let options = self.coordinator.options().clone();
        let fresh = loaded(self.now, options, &self.log, self.next_ticket);
        let former = std::mem::replace(&mut self.coordinator, fresh);
        let mut effects = Effects::default();
        former.close(self.now, &mut effects);
        self.append(effects);
        assert!(
            self.open.is_empty(),
            "closing answers everybody: {:?}",
            self.open
        );
    }

    /// The log is written anew in portions, and its old part dropped.
    pub fn compact(&mut self) {
        let mut fresh = Vec::new();
        let mut cursor = LiveCursor::default();
        while self.coordinator.live_records(&mut cursor, 200, &mut fresh) {}
        self.log = fresh;
        self.sync();
    }

    /// What stands in the log is the state, and what the state says is in the log.
    pub fn check_replay(&self) {
        let options = self.coordinator.options().clone();
        let replayed = loaded(self.now, options, &self.log, 7);
        assert_eq!(live(&replayed), live(&self.coordinator));
        let (ours, theirs) = (describe(&self.coordinator), describe(&replayed));
        if matches!(ours.state, "Stable" | "Empty") {
            assert_eq!(ours, theirs);
        }
    }
}

/// The group as it is.
pub fn describe(coordinator: &Coordinator) -> DescribedGroup {
    let ask = DescribeGroups {
        groups: Vec::new(),
        missing_is_error: false,
    };
    crate::groups::reports::describe(coordinator.group(GROUP), GROUP, &ask)
}

fn loaded(now: Now, options: Options, log: &[Record], seed: u64) -> Coordinator {
    let rng = Box::new(StdRng::seed_from_u64(seed));
    let mut coordinator = Coordinator::new(now, options, rng);
    for record in log {
        let replayed = coordinator.replay(&record.key, record.value());
        replayed.expect("our own record");
    }
    let mut effects = Effects::default();
    coordinator.loaded(now, &mut effects);
    assert!(effects.is_empty(), "a load alone changes nothing");
    coordinator
}

fn live(coordinator: &Coordinator) -> Vec<Record> {
    let mut records = Vec::new();
    let mut cursor = LiveCursor::default();
    assert!(!coordinator.live_records(&mut cursor, usize::MAX, &mut records));
    records
}
