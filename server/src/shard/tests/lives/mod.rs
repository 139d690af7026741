//! A broker's lives with a group of consumers: shards, coordinators, stores and disk as they ship,
//! several clients, virtual time, one thread.
//!
//! Faults: the broker dies by SIGKILL or with its machine, at any instant; operations of its disk
//! fail; connections break amid frames; members are killed, sleep beyond their session, leave, come
//! back under their static name while the old one still lives. All the while nothing acknowledged
//! is lost, no record is skipped, no commit goes back, nobody commits for a generation that is
//! over, no partition has two owners in one generation ([`story`]). When the faults end, the group
//! settles, and everything written is read and committed.
//!
//! Each seed is run twice and must say the same; every core runs seeds. `LOGMILL_LIVES=N` runs so
//! many, `LOGMILL_LIFE=S` replays one.

mod asks;
mod broker;
mod dice;
mod member;
mod story;
mod wire;
mod writer;

use std::panic::{catch_unwind, resume_unwind};

use logmill_engine::base::{Micros, Now};
use logmill_engine::disk::memory::Crash;
use logmill_wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;
use logmill_wire::{ApiKey, Message};

use self::broker::Broker;
use self::dice::Dice;
use self::member::Member;
use self::story::Story;
use self::wire::Wire;
use self::writer::Writer;

struct World {
    now: Now,
    dice: Dice,
    broker: Broker,
    members: Vec<Member>,
    writers: Vec<Writer>,
    story: Story,
    crashes: u64,
    /// An operation of the disk fails or has failed: only a new life mends that.
    is_broken: bool,
}

#[test]
fn groups_survive_all_lives_of_a_broker() {
    let env = |name: &str| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match env("LOGMILL_LIFE") {
        Some(seed) => seed..seed + 1,
        None => 1..env("LOGMILL_LIVES").unwrap_or(SEEDS) + 1,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lived: Vec<_> = std::thread::scope(|scope| {
        let part = |first| seeds.clone().skip(first).step_by(threads);
        let parts = (0..threads).map(|it| scope.spawn(move || part(it).map(lives).collect()));
        let parts: Vec<_> = parts.collect();
        let parts = parts.into_iter();
        let ends = parts.map(|it| it.join().unwrap_or_else(|why| resume_unwind(why)));
        ends.collect::<Vec<Vec<_>>>().concat()
    });
    let (crashes, generations, records) = lived.iter().fold((0, 0, 0), |sum, one| {
        (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2)
    });
    println!("{crashes} crashes, {generations} generations, {records} records");
    let runs = seeds.count() as u64;
    assert!(crashes >= runs && generations as u64 >= 2 * runs && records as u64 >= 20 * runs);
}

/// Lives a seed twice: says how often the broker died, how many generations and records there were.
fn lives(seed: u64) -> (u64, usize, i64) {
    match catch_unwind(|| (live(seed), live(seed))) {
        Ok((first, second)) => {
            assert_eq!(first, second, "seed {seed} says different things");
            (first.1, first.0.generations(), first.0.records())
        }
        Err(panic) => {
            let again = "cargo test -p logmill --lib lives";
            eprintln!("seed {seed} failed; again: LOGMILL_LIFE={seed} {again}");
            resume_unwind(panic)
        }
    }
}

/// One seed's story, and how often the broker died in it.
fn live(seed: u64) -> (Story, u64) {
    let mut world = World::new(seed);
    let storm = world.now.monotonic.saturating_add(STORM);
    while world.now.monotonic < storm {
        world.fault();
        world.turn();
    }
    world.calm();
    (world.story, world.crashes)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let now = Now {
            monotonic: Micros(1_000_000),
            wall_ms: 1_700_000_000_000,
        };
        let broker = Broker::new(1 + dice.below(3) as usize, seed, now);
        let mut world = Self {
            now,
            dice,
            broker,
            members: Vec::new(),
            writers: (0..asks::PARTITIONS).map(Writer::new).collect(),
            story: Story::default(),
            crashes: 0,
            is_broken: false,
        };
        let topic = CreatableTopic {
            name: "t",
            num_partitions: asks::PARTITIONS,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let topics = CreateTopicsRequest {
            topics: vec![topic].into(),
            timeout_ms: 10_000,
            ..CreateTopicsRequest::default()
        };
        world.ask(ApiKey::CreateTopics, 5, &topics);
        let coordinator = FindCoordinatorRequest {
            coordinator_keys: vec![asks::GROUP].into(),
            ..FindCoordinatorRequest::default()
        };
        world.ask(ApiKey::FindCoordinator, 4, &coordinator);
        for number in 0..2 + world.dice.below(4) {
            let instance = (number % 2 == 0).then(|| format!("static-{number}"));
            world.members.push(Member::new(instance, world.now));
        }
        world
    }

    /// Asks for something before the story begins.
    fn ask<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) {
        let mut wire = Wire::open(&mut self.broker, self.now, &mut self.dice);
        wire.ask(api, version, request);
        for _ in 0..10_000 {
            self.turn();
            assert!(wire.move_bytes(&mut self.broker, self.now, &mut self.dice));
            if wire.answer(api, version).is_some() {
                return wire.close(&mut self.broker, self.now);
            }
        }
        panic!("no answer to {api:?}");
    }

    /// Goes on to when something happens, and lets it.
    fn turn(&mut self) {
        let step = Micros(500 + u64::from(self.dice.below(20_000)));
        let soon = self.now.monotonic.saturating_add(step);
        let members = self.members.iter().map(|it| it.next_event(self.now));
        let writers = self.writers.iter();
        let writers = writers.filter_map(|it| it.next_event(self.now));
        let clients = members.chain(writers).min();
        let next = [clients, self.broker.next_event(self.now)];
        let late = self.now.monotonic.saturating_add(LEAP_MAX);
        let next = next.into_iter().flatten().min().unwrap_or(late);
        self.now.monotonic = next.min(late).max(soon);
        self.now.wall_ms = 1_700_000_000_000 + self.now.monotonic.0 as i64 / 1_000;
        self.broker.turn(self.now, &mut self.dice);
        let (broker, story, dice) = (&mut self.broker, &mut self.story, &mut self.dice);
        for member in &mut self.members {
            member.turn(broker, story, dice, self.now);
        }
        for writer in &mut self.writers {
            writer.turn(broker, story, dice, self.now);
        }
        self.members.retain(|member| !member.is_over);
    }

    fn fault(&mut self) {
        if self.is_broken && self.dice.one_in(60) {
            return self.crash(Crash::Process);
        }
        let at = self.dice.below(self.members.len().max(1) as u32) as usize;
        match self.dice.below(4_000) {
            0..=2 => self.crash(Crash::Process),
            3..=4 => self.crash(Crash::Power),
            5 => {
                self.is_broken = true;
                let after = 1 + u64::from(self.dice.below(40));
                self.broker.fail_operation(after, EIO);
            }
            6..=12 if self.members.len() < MEMBERS_MAX => {
                self.members.push(Member::new(None, self.now));
            }
            13..=14 => {
                let writer = self.dice.below(self.writers.len() as u32) as usize;
                self.writers[writer].hang_up(&mut self.broker, self.now);
            }
            what @ 15..=40 if at < self.members.len() => self.trouble_member(what, at),
            _ => {}
        }
    }

    fn trouble_member(&mut self, what: u32, at: usize) {
        let member = &mut self.members[at];
        let instance = member.instance.clone();
        let long = Micros::from_millis(1_000 + u64::from(self.dice.below(15_000)));
        match what {
            15..=24 => member.hang_up(&mut self.broker, self.now),
            25..=29 => member.asleep_until = self.now.monotonic.saturating_add(long),
            30..=32 => member.leaves = true,
            33..=36 => {
                let mut killed = self.members.swap_remove(at);
                killed.hang_up(&mut self.broker, self.now);
                // A static one is started again, soon.
                if instance.is_some() {
                    self.members.push(Member::new(instance, self.now));
                }
            }
            // Its place is taken while it sleeps.
            _ if instance.is_some() => {
                member.asleep_until = self.now.monotonic.saturating_add(long);
                self.members.push(Member::new(instance, self.now));
            }
            _ => {}
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.crashes += 1;
        self.is_broken = false;
        self.members.iter_mut().for_each(Member::lose_broker);
        self.writers.iter_mut().for_each(Writer::lose_broker);
        self.broker.crash(crash, &mut self.dice, self.now);
        self.story.note(self.crashes);
    }

    /// The faults are over: soon one generation owns, reads and commits everything.
    fn calm(&mut self) {
        if self.is_broken {
            self.crash(Crash::Process);
        }
        for member in &mut self.members {
            member.asleep_until = self.now.monotonic;
            member.leaves = false;
        }
        self.writers.iter_mut().for_each(|it| it.is_done = true);
        let late = self.now.monotonic.saturating_add(CALM_MAX);
        while !self.is_settled() {
            assert!(
                self.now.monotonic < late,
                "nothing settles: {:?}, {:?}",
                self.members.iter().map(Member::owns).collect::<Vec<_>>(),
                self.story
            );
            if self.members.is_empty() {
                // The last one was one whose place had been taken.
                self.members.push(Member::new(None, self.now));
            }
            self.turn();
        }
    }

    fn is_settled(&self) -> bool {
        let owns: Option<Vec<_>> = self.members.iter().map(Member::owns).collect();
        let Some(owns) = owns.filter(|owns| !owns.is_empty()) else {
            return false;
        };
        let mut owned: Vec<i32> = owns.iter().flat_map(|it| it.1.clone()).collect();
        owned.sort_unstable();
        let is_one = owns.iter().all(|it| it.0 == owns[0].0);
        is_one
            && owned == (0..asks::PARTITIONS).collect::<Vec<_>>()
            && self.writers.iter().all(|writer| !writer.is_owed())
            && self.story.is_told()
    }
}

/// The disk failed.
const EIO: i32 = 5;
const SEEDS: u64 = 2_000;
const STORM: Micros = Micros::from_millis(20_000);
const CALM_MAX: Micros = Micros::from_millis(120_000);
/// So that even an idle broker has its faults.
const LEAP_MAX: Micros = Micros::from_millis(500);
const MEMBERS_MAX: usize = 8;
