//! A broker's lives with groups of consumers: shards, coordinators, stores and disk as they ship,
//! many clients, virtual time, one thread.
//!
//! Faults: the broker dies by SIGKILL or with its machine, at any instant or at an operation of its
//! disk right after a member joined, was given its share or committed; operations of its disk fail;
//! the disk is full or slow for a while; connections break amid frames; members are killed, sleep
//! beyond their session, leave, come back under their static name while the old one still lives.
//! Members stop reading when they join, or go on with what they keep. Beside them someone commits
//! without a group, deletes what he committed, and tries to delete the groups.
//!
//! All the while nothing acknowledged is lost, no record is skipped, no commit goes back unless
//! somebody deleted it, nobody commits for a generation that is over, no partition has two owners
//! in one generation ([`story`]). When the faults end, every group settles soon, and everything
//! written is read and committed.
//!
//! Each seed is run twice and must say the same; every core runs seeds. `LOGMILL_LIVES=N` runs so
//! many, `LOGMILL_LIFE=S` replays one. [`plants`] shows that faults of the broker are found.

mod asks;
mod assignor;
mod broker;
mod dice;
mod faults;
mod loner;
mod member;
mod plants;
mod spots;
mod story;
mod wire;
mod writer;

use std::panic::{catch_unwind, resume_unwind};

use logmill_engine::base::{Micros, Now};
use logmill_wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logmill_wire::messages::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;
use logmill_wire::messages::offset_fetch::OffsetFetchResponse;
use logmill_wire::{ApiKey, Message};

use self::asks::GROUPS;
use self::broker::Broker;
use self::dice::Dice;
use self::faults::Faults;
use self::loner::Loner;
use self::member::Member;
use self::spots::{SPOTS, TOPICS};
use self::story::Story;
use self::wire::Wire;
use self::writer::Writer;
use crate::shard::tests::rig::decode;

/// A broker, its clients, and what was said so far.
struct World {
    now: Now,
    dice: Dice,
    broker: Broker,
    members: Vec<Member>,
    writers: Vec<Writer>,
    loner: Loner,
    story: Story,
    faults: Faults,
    /// Of each group, whether its members go on reading while they join.
    groups: Vec<bool>,
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
    match catch_unwind(|| (live(seed, |_| {}), live(seed, |_| {}))) {
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
fn live(seed: u64, plant: fn(&mut World)) -> (Story, u64) {
    let mut world = World::new(seed);
    plant(&mut world);
    let storm = world.now.monotonic.saturating_add(STORM);
    while world.now.monotonic < storm {
        world.fault();
        world.turn();
    }
    world.calm();
    world.check_committed();
    (world.story, world.faults.crashes)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let now = Now {
            monotonic: Micros(1_000_000),
            wall_ms: 1_700_000_000_000,
        };
        let broker = Broker::new(1 + dice.below(3) as usize, seed, now);
        let groups = (0..1 + dice.below(GROUPS.len() as u32)).map(|_| dice.one_in(2));
        let groups: Vec<bool> = groups.collect();
        // Most seeds have most faults, and no seed has none.
        let kinds = dice.below(faults::ALL) | dice.below(faults::ALL) | 1 << dice.below(2);
        let mut world = Self {
            now,
            dice,
            broker,
            members: Vec::new(),
            writers: (0..SPOTS).map(Writer::new).collect(),
            loner: Loner::new(),
            story: Story::new(groups.len()),
            faults: Faults::new(kinds),
            groups,
        };
        world.make_topics();
        for group in 0..world.groups.len() {
            for number in 0..2 + world.dice.below(3) {
                let is_static = world.dice.one_in(2);
                let instance = is_static.then(|| format!("static-{number}"));
                world.add_member(group, instance);
            }
        }
        world
    }

    fn make_topics(&mut self) {
        let topics = TOPICS.map(|(name, num_partitions)| CreatableTopic {
            name,
            num_partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        });
        let topics = CreateTopicsRequest {
            topics: topics.to_vec().into(),
            timeout_ms: 10_000,
            ..CreateTopicsRequest::default()
        };
        self.ask(ApiKey::CreateTopics, 5, &topics);
        let coordinator = FindCoordinatorRequest {
            coordinator_keys: vec![GROUPS[0]].into(),
            ..FindCoordinatorRequest::default()
        };
        self.ask(ApiKey::FindCoordinator, 4, &coordinator);
    }

    fn add_member(&mut self, group: usize, instance: Option<String>) {
        let group = (group, self.groups[group]);
        let member = Member::new(group, instance, &mut self.dice, self.now);
        self.members.push(member);
    }

    /// Asks for something before the story begins, or when it is over.
    fn ask<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) -> Vec<u8> {
        let mut wire = Wire::open(&mut self.broker, self.now, &mut self.dice);
        wire.ask(api, version, request);
        for _ in 0..10_000 {
            self.broker_turn();
            assert!(wire.move_bytes(&mut self.broker, self.now, &mut self.dice));
            if let Some(body) = wire.answer(api, version) {
                wire.close(&mut self.broker, self.now);
                return body;
            }
        }
        panic!("no answer to {api:?}");
    }

    fn broker_turn(&mut self) {
        let step = Micros(500 + u64::from(self.dice.below(20_000)));
        self.go_to(self.now.monotonic.saturating_add(step));
        self.broker.turn(self.now, &mut self.dice);
    }

    fn go_to(&mut self, at: Micros) {
        self.now.monotonic = at;
        self.now.wall_ms = 1_700_000_000_000 + at.0 as i64 / 1_000;
    }

    /// Goes on to when something happens, and lets it.
    fn turn(&mut self) {
        let step = Micros(500 + u64::from(self.dice.below(20_000)));
        let soon = self.now.monotonic.saturating_add(step);
        let late = self.now.monotonic.saturating_add(LEAP_MAX);
        let members = self.members.iter().map(|it| it.next_event(self.now));
        let writers = self.writers.iter();
        let writers = writers.filter_map(|it| it.next_event(self.now));
        let loner = Some(self.loner.next_event(self.now));
        let clients = members.chain(writers).chain(loner).min();
        let next = [clients, self.broker.next_event(self.now)];
        let next = next.into_iter().flatten().min().unwrap_or(late);
        self.go_to(next.min(late).max(soon));
        self.broker.turn(self.now, &mut self.dice);
        let (broker, story, dice) = (&mut self.broker, &mut self.story, &mut self.dice);
        for member in &mut self.members {
            let story = &mut story.groups[member.group];
            member.turn(broker, story, dice, self.now);
        }
        for writer in &mut self.writers {
            writer.turn(broker, story, dice, self.now);
        }
        self.loner.turn(broker, story, dice, self.now);
        self.members.retain(|member| !member.is_over);
    }

    /// The faults are over: soon one generation of each group owns, reads and commits everything.
    fn calm(&mut self) {
        self.end_faults();
        let late = self.now.monotonic.saturating_add(CALM_MAX);
        while !(0..self.groups.len()).all(|group| self.is_settled(group)) {
            assert!(
                self.now.monotonic < late,
                "nothing settles: {:#?}",
                self.members
                    .iter()
                    .map(Member::describe)
                    .collect::<Vec<_>>()
            );
            for group in 0..self.groups.len() {
                if self.members.iter().all(|it| it.group != group) {
                    // The last one was one whose place had been taken.
                    self.add_member(group, None);
                }
            }
            self.turn();
        }
    }

    fn is_settled(&self, group: usize) -> bool {
        let members = || self.members.iter().filter(|it| it.group == group);
        let owns: Option<Vec<_>> = members().map(Member::owns).collect();
        let Some(owns) = owns.filter(|owns| !owns.is_empty()) else {
            return false;
        };
        let mut owned: Vec<i32> = owns.iter().flat_map(|it| it.1.clone()).collect();
        owned.sort_unstable();
        let is_one = owns.iter().all(|it| it.0 == owns[0].0);
        is_one
            && owned == (0..SPOTS).collect::<Vec<_>>()
            && self.writers.iter().all(|writer| !writer.is_owed())
            && members().all(|member| member.is_done(&self.story))
    }

    /// What groups have committed, and how they are, when everybody is content.
    fn check_committed(&mut self) {
        for group in GROUPS.into_iter().take(self.groups.len()) {
            let body = self.ask(ApiKey::OffsetFetch, 9, &asks::offsets(group));
            let response: OffsetFetchResponse<'_> = decode(&body, 9);
            let found = response.groups.first().expect("one was asked for");
            assert_eq!(found.error_code, 0);
            let mut ends: Vec<i64> = (0..SPOTS).map(|spot| self.story.end(spot)).collect();
            for topic in &found.topics {
                for part in &topic.partitions {
                    let spot = spots::spot(topic.name, part.partition_index);
                    assert_eq!(part.committed_offset, ends[spot as usize], "of {spot}");
                    ends[spot as usize] = 0;
                }
            }
            assert!(ends.iter().all(|end| *end == 0), "not committed: {ends:?}");
            let request = DescribeGroupsRequest {
                groups: vec![group].into(),
                ..DescribeGroupsRequest::default()
            };
            let body = self.ask(ApiKey::DescribeGroups, 5, &request);
            let response: DescribeGroupsResponse<'_> = decode(&body, 5);
            let found = response.groups.first().expect("one was asked for");
            assert_eq!((found.error_code, found.group_state), (0, "Stable"));
        }
    }
}

/// In CI.
const SEEDS: u64 = 2_000;
const STORM: Micros = Micros::from_millis(20_000);
const CALM_MAX: Micros = Micros::from_millis(120_000);
/// So that even an idle broker has its faults.
const LEAP_MAX: Micros = Micros::from_millis(500);
