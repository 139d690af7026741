//! Members against a coordinator of a few lines, with lost links and members that vanish.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::payload::SplitMix64;

const PARTITIONS: u32 = 7;

fn config(assignor: Assignor) -> MembershipConfig {
    MembershipConfig {
        group: "g".to_owned(),
        topic: "t".to_owned(),
        instance: None,
        assignor,
        session_timeout: Duration::from_secs(6),
        rebalance_timeout: Duration::from_secs(60),
        heartbeat_interval: Duration::from_secs(1),
        commit_interval: Some(Duration::from_secs(2)),
        retry_backoff: Duration::from_millis(100),
    }
}

/// A member as its coordinator sees it.
#[derive(Default)]
struct Known {
    /// What it said when it joined last.
    owned: Vec<u32>,
    generation: i32,
    last_heard: u64,
    waits_for_join: Option<usize>,
    waits_for_sync: Option<usize>,
}

#[derive(Default)]
struct Coordinator {
    members: BTreeMap<String, Known>,
    generation: i32,
    preparing: bool,
    leader: String,
    shares: Option<BTreeMap<String, Vec<u32>>>,
    committed: BTreeSet<u32>,
    names: u32,
}

impl Coordinator {
    fn find(&self, name: &str, generation: i32) -> ErrorCode {
        if !self.members.contains_key(name) {
            ErrorCode::UNKNOWN_MEMBER_ID
        } else if generation != self.generation {
            ErrorCode::ILLEGAL_GENERATION
        } else if self.preparing {
            ErrorCode::REBALANCE_IN_PROGRESS
        } else {
            ErrorCode::NONE
        }
    }

    /// A new member gets its name, and has to come again with it.
    fn name(&mut self, now: u64) -> Joined {
        self.names += 1;
        let member_id = format!("m-{}", self.names);
        let known = Known {
            last_heard: now,
            ..Known::default()
        };
        self.members.insert(member_id.clone(), known);
        Joined {
            error: ErrorCode::MEMBER_ID_REQUIRED,
            member_id,
            ..Joined::default()
        }
    }

    fn prepare(&mut self) {
        self.preparing = true;
        self.shares = None;
    }
}

struct World {
    coordinator: Coordinator,
    members: Vec<Option<Membership>>,
    now: u64,
    /// By generation and partition, who was given it.
    given: BTreeMap<(i32, u32), usize>,
}

impl World {
    fn new(assignor: Assignor, count: usize) -> Self {
        let member = || Some(Membership::new(config(assignor), PARTITIONS));
        Self {
            coordinator: Coordinator::default(),
            members: (0..count).map(|_| member()).collect(),
            now: 0,
            given: BTreeMap::new(),
        }
    }

    /// Every member asks what it wants; one in `losses` asks in vain (0: none).
    fn turn(&mut self, random: &mut SplitMix64, losses: u64) {
        self.now += 50_000_000;
        for at in 0..self.members.len() {
            let Some(member) = &mut self.members[at] else {
                continue;
            };
            let Some(ask) = member.wants(self.now) else {
                continue;
            };
            member.asked(ask);
            if losses > 0 && random.below(losses) == 0 {
                member.lost(self.now, ask);
                let name = member.member_id.clone();
                if let Some(known) = self.coordinator.members.get_mut(&name) {
                    (known.waits_for_join, known.waits_for_sync) = (None, None);
                }
                continue;
            }
            self.ask(at, ask);
        }
        self.coordinate();
        self.look();
    }

    fn ask(&mut self, at: usize, ask: Ask) {
        let now = self.now;
        let member = self.members[at].as_mut().unwrap();
        let (name, generation) = (member.member_id.clone(), member.generation);
        let found = self.coordinator.find(&name, generation);
        if let Some(known) = self.coordinator.members.get_mut(&name) {
            known.last_heard = now;
        }
        match ask {
            Ask::Join if name.is_empty() => {
                let answer = self.coordinator.name(now);
                member.take_join(now, answer);
            }
            Ask::Join if found == ErrorCode::UNKNOWN_MEMBER_ID => {
                let answer = Joined {
                    error: found,
                    ..Joined::default()
                };
                member.take_join(now, answer);
            }
            Ask::Join => {
                let known = self.coordinator.members.get_mut(&name).unwrap();
                known.owned = member.owned().collect();
                known.generation = generation;
                known.waits_for_join = Some(at);
                self.coordinator.prepare();
            }
            Ask::Sync if found != ErrorCode::NONE => member.take_sync(now, found, &[]),
            Ask::Sync => {
                if name == self.coordinator.leader {
                    self.coordinator.shares = Some(member.shares().iter().cloned().collect());
                }
                let known = self.coordinator.members.get_mut(&name).unwrap();
                known.waits_for_sync = Some(at);
            }
            Ask::Heartbeat => member.take_heartbeat(now, found),
            Ask::Commit => {
                // Kafka takes commits while it waits for everybody to join again.
                let taken = matches!(found, ErrorCode::NONE | ErrorCode::REBALANCE_IN_PROGRESS);
                let error = if taken { ErrorCode::NONE } else { found };
                if taken {
                    self.coordinator.committed.extend(member.owned());
                }
                member.take_commit(now, error);
            }
            Ask::Offsets => {
                let offset = |partition: &u32| {
                    let known = self.coordinator.committed.contains(partition);
                    (*partition, if known { 5 } else { -1 })
                };
                let offsets: Vec<_> = member.arriving().iter().map(offset).collect();
                member.take_offsets(now, ErrorCode::NONE, &offsets);
            }
            Ask::Leave => {
                self.coordinator.members.remove(&name);
                self.coordinator.prepare();
                member.take_leave(now, ErrorCode::NONE);
            }
        }
    }

    /// Sessions end, joins and syncs are answered once all have come.
    fn coordinate(&mut self) {
        let now = self.now;
        let is_late = |known: &Known| {
            known.waits_for_join.is_none() && now >= known.last_heard + 6_000_000_000
        };
        let members = &mut self.coordinator.members;
        let late = members.iter().filter(|(_, known)| is_late(known));
        let late: Vec<String> = late.map(|(name, _)| name.clone()).collect();
        let gone: Vec<_> = late
            .iter()
            .filter_map(|name| members.remove(name))
            .collect();
        if !gone.is_empty() {
            self.coordinator.prepare();
        }
        let waiting = gone.into_iter().map(|known| known.waits_for_sync).collect();
        self.refuse_syncs(waiting, ErrorCode::UNKNOWN_MEMBER_ID);
        if self.coordinator.preparing {
            let known = self.coordinator.members.values_mut();
            let waiting = known.map(|known| known.waits_for_sync.take()).collect();
            self.refuse_syncs(waiting, ErrorCode::REBALANCE_IN_PROGRESS);
        }
        let known = &mut self.coordinator.members;
        let all_join = known.values().all(|member| member.waits_for_join.is_some());
        if self.coordinator.preparing && all_join && !known.is_empty() {
            self.coordinator.preparing = false;
            self.coordinator.generation += 1;
            self.coordinator.leader = known.keys().next().unwrap().clone();
            let subscriber = |(name, known): (&String, &Known)| Subscriber {
                member_id: name.clone(),
                instance_id: None,
                owned: known.owned.clone(),
                generation: known.generation,
            };
            let members: Vec<_> = known.iter().map(subscriber).collect();
            for (name, known) in known {
                let answer = Joined {
                    error: ErrorCode::NONE,
                    generation: self.coordinator.generation,
                    member_id: name.clone(),
                    leader: self.coordinator.leader.clone(),
                    skip_assignment: false,
                    members: members.clone(),
                };
                let at = known.waits_for_join.take().unwrap();
                known.last_heard = now;
                if let Some(member) = &mut self.members[at] {
                    member.take_join(now, answer);
                }
            }
        }
        if let Some(shares) = &self.coordinator.shares {
            for (name, known) in &mut self.coordinator.members {
                if let Some(at) = known.waits_for_sync.take()
                    && let Some(member) = &mut self.members[at]
                {
                    let mine = shares.get(name).cloned().unwrap_or_default();
                    member.take_sync(now, ErrorCode::NONE, &mine);
                }
            }
        }
    }

    fn refuse_syncs(&mut self, waiting: Vec<Option<usize>>, error: ErrorCode) {
        for at in waiting.into_iter().flatten() {
            if let Some(member) = &mut self.members[at] {
                member.take_sync(self.now, error, &[]);
            }
        }
    }

    /// No generation gives a partition to two; the changes tell what is owned.
    fn look(&mut self) {
        for (at, member) in self.members.iter_mut().enumerate() {
            let Some(member) = member else { continue };
            for change in member.drain_changes().collect::<Vec<_>>() {
                if let Change::Joined(generation, mine) = change {
                    for partition in mine {
                        let old = self.given.insert((generation, partition), at);
                        assert!(
                            old.is_none_or(|old| old == at),
                            "{partition} of {generation}"
                        );
                    }
                }
            }
        }
    }

    fn owners(&self) -> Vec<Vec<u32>> {
        let members = self.members.iter().flatten();
        members.map(|member| member.owned().collect()).collect()
    }

    fn is_settled(&self) -> bool {
        let mut owned: Vec<u32> = self.owners().into_iter().flatten().collect();
        owned.sort_unstable();
        let members = self.members.iter().flatten();
        members.clone().all(Membership::is_settled) && owned == (0..PARTITIONS).collect::<Vec<_>>()
    }

    fn settle(&mut self, random: &mut SplitMix64, why: &str) {
        for _ in 0..2_000 {
            self.turn(random, 0);
            if self.is_settled() {
                return;
            }
        }
        panic!("{why}: {:?}", self.members);
    }
}

fn storm(assignor: Assignor, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let mut world = World::new(assignor, 1 + random.below(5) as usize);
    for _ in 0..400 {
        world.turn(&mut random, 30);
        let at = random.below(world.members.len() as u64) as usize;
        match random.below(60) {
            0 => world.members[at] = None,
            1 if world.members[at].is_none() => {
                world.members[at] = Some(Membership::new(config(assignor), PARTITIONS));
            }
            2 => {
                if let Some(member) = &mut world.members[at] {
                    member.leave();
                }
            }
            _ => {}
        }
        for slot in &mut world.members {
            if slot.as_ref().is_some_and(Membership::is_gone) {
                *slot = None;
            }
        }
    }
    world
        .members
        .push(Some(Membership::new(config(assignor), PARTITIONS)));
    for member in world.members.iter_mut().flatten() {
        member.leaving = false;
    }
    world.settle(&mut random, &format!("{assignor:?}, seed {seed}"));
}

#[test]
fn storms_end_with_every_partition_owned_once() {
    for seed in 0..150 {
        storm(Assignor::Range, seed);
        storm(Assignor::CooperativeSticky, seed);
    }
}

/// A lone member that has settled.
fn settled(assignor: Assignor) -> (World, SplitMix64) {
    let mut random = SplitMix64::new(1);
    let mut world = World::new(assignor, 1);
    world.settle(&mut random, "alone");
    (world, random)
}

#[test]
fn an_eager_member_commits_and_gives_up_everything_before_it_joins_again() {
    let (mut world, mut random) = settled(Assignor::Range);
    let newcomer = Membership::new(config(Assignor::Range), PARTITIONS);
    world.members.push(Some(newcomer));
    let member = |world: &World| world.members[0].as_ref().unwrap().wants(world.now);
    world.coordinator.committed.clear();
    world.coordinator.prepare();
    let now = world.now + 1_000_000_000;
    world.members[0]
        .as_mut()
        .unwrap()
        .take_heartbeat(now, ErrorCode::NONE);
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Heartbeat);
    first.take_heartbeat(now, ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(first.is_paused());
    assert_eq!(
        first.drain_changes().collect::<Vec<_>>(),
        [Change::Rebalancing]
    );
    assert_eq!(member(&world), Some(Ask::Commit));
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Commit);
    assert_eq!(first.wants(now), None, "the commit is on its way");
    first.take_commit(now, ErrorCode::NONE);
    assert_eq!(first.wants(now), Some(Ask::Join));
    first.asked(Ask::Join);
    let all = (0..PARTITIONS).collect::<Vec<_>>();
    assert_eq!(
        first.drain_changes().collect::<Vec<_>>(),
        [Change::Revoked(all)]
    );
    first.lost(now, Ask::Join);
    world.settle(&mut random, "two");
    assert_eq!(world.owners(), [vec![0, 1, 2, 3], vec![4, 5, 6]]);
}

#[test]
fn a_cooperative_member_reads_on_while_it_joins_again() {
    let (mut world, mut random) = settled(Assignor::CooperativeSticky);
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Heartbeat);
    first.take_heartbeat(world.now, ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(!first.is_paused());
    first.asked(Ask::Commit);
    first.take_commit(world.now, ErrorCode::NONE);
    first.asked(Ask::Join);
    assert_eq!(first.owned().count(), PARTITIONS as usize);
    first.lost(world.now, Ask::Join);
    let newcomer = Membership::new(config(Assignor::CooperativeSticky), PARTITIONS);
    world.members.push(Some(newcomer));
    world.settle(&mut random, "two");
    assert_eq!(world.owners()[0], [0, 1, 2, 3], "it keeps what it had");
}

#[test]
fn a_member_that_the_group_forgot_loses_everything_and_comes_back() {
    let (mut world, mut random) = settled(Assignor::CooperativeSticky);
    world.coordinator.members.clear();
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Commit);
    first.take_commit(world.now, ErrorCode::UNKNOWN_MEMBER_ID);
    let all: Vec<u32> = (0..PARTITIONS).collect();
    assert_eq!(
        first.drain_changes().collect::<Vec<_>>(),
        [Change::Lost(all)]
    );
    assert_eq!((first.member_id(), first.generation()), ("", -1));
    world.settle(&mut random, "back");
}

#[test]
fn answers_of_an_older_generation_say_nothing() {
    let (mut world, _) = settled(Assignor::Range);
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Heartbeat);
    first.generation += 1;
    first.take_heartbeat(world.now, ErrorCode::ILLEGAL_GENERATION);
    assert!(first.is_settled() && first.owned().count() == PARTITIONS as usize);
}

#[test]
fn an_error_that_does_not_pass_ends_the_membership() {
    let (mut world, _) = settled(Assignor::Range);
    let first = world.members[0].as_mut().unwrap();
    first.asked(Ask::Heartbeat);
    first.take_heartbeat(world.now, ErrorCode::FENCED_INSTANCE_ID);
    assert!(first.is_gone() && first.wants(u64::MAX).is_none());
    let changes: Vec<_> = first.drain_changes().collect();
    assert_eq!(changes[1], Change::Failed(ErrorCode::FENCED_INSTANCE_ID));
}

#[test]
fn a_leader_that_hears_of_more_partitions_shares_them_out() {
    let (mut world, _) = settled(Assignor::Range);
    let first = world.members[0].as_mut().unwrap();
    first.set_partitions(PARTITIONS);
    assert!(first.is_settled());
    first.set_partitions(PARTITIONS + 1);
    assert_eq!(first.wants(world.now), Some(Ask::Commit));
}

#[test]
fn a_farewell_is_said_until_it_is_heard() {
    let (mut world, _) = settled(Assignor::Range);
    let first = world.members[0].as_mut().unwrap();
    first.leave();
    first.asked(Ask::Commit);
    first.take_commit(world.now, ErrorCode::NONE);
    first.drain_changes();
    let mut now = world.now;
    assert_eq!(first.wants(now), Some(Ask::Leave));
    first.asked(Ask::Leave);
    first.lost(now, Ask::Leave);
    for loading in [true, false] {
        assert_eq!(first.wants(now), None, "not at once");
        now = first.next_due().unwrap();
        assert_eq!(first.wants(now), Some(Ask::Leave));
        first.asked(Ask::Leave);
        if loading {
            first.take_leave(now, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        }
    }
    // It was heard the first time.
    first.take_leave(now, ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(first.is_gone());
    assert_eq!(first.drain_changes().next_back(), Some(Change::Left));
}
