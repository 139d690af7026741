//! A storm of rebalances: members of many groups that join and leave all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use logmill_wire::ApiKey;

use super::figures::Tally;
use super::plan::TroublePlan;
use super::{Maker, TURN};
use crate::clock::{Clock, nanos};
use crate::consumer::group::{
    Ask, Assignor, Change, GroupClient, GroupEvent, Lines, MemberKey, Membership, MembershipConfig,
};
use crate::load::plan::LoadPlan;
use crate::load::shared::Shared;
use crate::payload::SplitMix64;

/// The members, each as a consumer of its own: with its connection, joining again as often as the
/// others make it.
pub(super) struct Storm {
    clock: Clock,
    client: GroupClient,
    topic: String,
    partitions: u32,
    groups: Vec<String>,
    /// Groups that have had a generation.
    formed: BTreeSet<usize>,
    members: BTreeMap<MemberKey, Member>,
    random: SplitMix64,
    events: Vec<GroupEvent>,
}

struct Member {
    group: usize,
    /// When it leaves; never again once it does.
    leaves_at: u64,
}

impl Storm {
    pub(super) fn new(
        plan: &LoadPlan,
        trouble: &TroublePlan,
        partitions: u32,
        shared: &Shared,
    ) -> Self {
        let clock = shared.clock;
        let client_id = &plan.consumer.client_id;
        let mut storm = Self {
            clock,
            client: GroupClient::new(Lines::Own, &plan.bootstrap, clock, client_id),
            topic: plan.topic.clone(),
            partitions,
            groups: (0..trouble.groups)
                .map(|index| format!("loadgen-{:x}-storm-{index}", shared.run))
                .collect(),
            formed: BTreeSet::new(),
            members: BTreeMap::new(),
            random: SplitMix64::new(plan.seed),
            events: Vec::new(),
        };
        for group in 0..storm.groups.len() {
            for _ in 0..trouble.members {
                storm.add(group);
            }
        }
        storm
    }

    fn add(&mut self, group: usize) {
        let config = MembershipConfig {
            group: self.groups[group].clone(),
            topic: self.topic.clone(),
            instance: None,
            assignor: Assignor::Range,
            session_timeout: SESSION_TIMEOUT,
            rebalance_timeout: REBALANCE_TIMEOUT,
            heartbeat_interval: HEARTBEAT_INTERVAL,
            commit_interval: Some(COMMIT_INTERVAL),
            retry_backoff: RETRY_BACKOFF,
        };
        let key = self.client.add(config, self.partitions);
        let stays = nanos(STAYS_MIN) + self.random.below(nanos(STAYS_MAX - STAYS_MIN));
        let leaves_at = self.clock.now() + stays;
        self.members.insert(key, Member { group, leaves_at });
    }

    /// Whose time has come leaves, and somebody else joins.
    fn replace(&mut self) {
        let now = self.clock.now();
        let due = self.members.iter_mut().filter(|(_, m)| m.leaves_at <= now);
        let due: Vec<(MemberKey, usize)> = due
            .map(|(&key, member)| {
                member.leaves_at = u64::MAX;
                (key, member.group)
            })
            .collect();
        for (key, group) in due {
            self.client.leave(key);
            self.add(group);
        }
    }

    fn take(&mut self, event: &GroupEvent, tally: &mut Tally) {
        match event {
            GroupEvent::Answered(_, ask, took, error, _) => {
                tally.answered(self.clock.now(), api(*ask), *error, *took);
            }
            GroupEvent::Changed(key, Change::Joined(..)) => {
                let group = self.members.get(key).map(|member| member.group);
                self.formed.extend(group);
            }
            GroupEvent::Changed(key, Change::Left) => {
                self.members.remove(key);
            }
            GroupEvent::Changed(key, Change::Failed(_)) => {
                if let Some(member) = self.members.remove(key) {
                    self.client.kill(*key);
                    self.add(member.group);
                }
            }
            GroupEvent::Asked(..) | GroupEvent::Changed(..) => {}
        }
    }
}

impl Maker for Storm {
    fn turn(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.replace();
        let now_ms = (self.clock.now() / 1_000_000) as i64;
        let positions = |_, member: &Membership| {
            let owned = member.owned();
            owned.map(|partition| (partition, now_ms)).collect()
        };
        let polled = self.client.poll(TURN, positions, &mut self.events);
        polled.map_err(|error| error.to_string())?;
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            self.take(&event, tally);
        }
        self.events = events;
        Ok(())
    }

    fn is_going(&self) -> bool {
        self.formed.len() == self.groups.len()
    }

    fn last_error(&self) -> Option<String> {
        self.client.last_error().map(str::to_owned)
    }
}

fn api(ask: Ask) -> ApiKey {
    match ask {
        Ask::Join => ApiKey::JoinGroup,
        Ask::Sync => ApiKey::SyncGroup,
        Ask::Offsets => ApiKey::OffsetFetch,
        Ask::Heartbeat => ApiKey::Heartbeat,
        Ask::Commit => ApiKey::OffsetCommit,
        Ask::Leave => ApiKey::LeaveGroup,
    }
}

const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(10);
/// Rebalances are heard of by heartbeats: the more of them, the wilder the storm.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
const RETRY_BACKOFF: Duration = Duration::from_millis(20);
/// How long a member stays.
const STAYS_MIN: Duration = Duration::from_millis(200);
const STAYS_MAX: Duration = Duration::from_secs(2);
