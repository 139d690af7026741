//! A member of a group as stock consumers are: joins, assigns if it leads, reads from what is
//! committed, commits what it has read, says that it is there.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use logmill_engine::base::{Micros, Now};
use logmill_wire::ApiKey;
use logmill_wire::batch::Batches;
use logmill_wire::messages::fetch::FetchResponse;
use logmill_wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use logmill_wire::messages::join_group::JoinGroupResponse;
use logmill_wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use logmill_wire::messages::offset_commit::OffsetCommitResponse;
use logmill_wire::messages::offset_fetch::OffsetFetchResponse;
use logmill_wire::messages::sync_group::SyncGroupResponse;

use super::asks::{self, Patience, Who};
use super::assignor::{self, COOPERATIVE, EAGER, Known, share_out};
use super::broker::Broker;
use super::dice::Dice;
use super::spots::{SPOTS, note, spot};
use super::story::{GroupStory, Story, Then};
use super::wire::Wire;
use crate::shard::tests::rig::decode;

/// See the module.
pub struct Member {
    /// The number of its group.
    pub group: usize,
    protocols: Vec<&'static str>,
    patience: Patience,
    /// `group.instance.id`, for a static one.
    pub instance: Option<String>,
    wire: Option<Wire>,
    asked: Option<(Asked, Micros)>,
    stage: Stage,
    id: String,
    generation: i32,
    /// What it was given, and in which generation.
    owned: BTreeSet<i32>,
    owned_since: i32,
    /// It joins again then, if it still leads this generation.
    joins_again_at: Option<Micros>,
    /// The next offset of each partition that it reads.
    positions: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    /// It does nothing before.
    pub asleep_until: Micros,
    beat_at: Micros,
    /// It wants to go, politely.
    pub leaves: bool,
    /// It has asked for something that changes the group's log, just now.
    pub has_begun: bool,
    /// Another one took its place, or it has left: nothing more comes of it.
    pub is_over: bool,
}

/// The request under way.
enum Asked {
    Join,
    Sync(Then),
    Offsets(Then),
    Fetch,
    Commit(Then, BTreeMap<i32, i64>),
    Beat,
    Leave,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// To join.
    Out,
    /// To fetch its assignment; the leader has one for everybody.
    Joined(Vec<(String, Vec<u8>)>),
    /// To ask from where on to read.
    Assigned,
    Reading,
}

impl Member {
    /// A member of a group by number; whether its members go on reading while they join.
    pub fn new(
        (group, is_cooperative): (usize, bool),
        instance: Option<String>,
        dice: &mut Dice,
        now: Now,
    ) -> Self {
        let [first, second] = EAGER;
        let protocols = match dice.below(3) {
            _ if is_cooperative => vec![COOPERATIVE],
            0 => vec![second, first],
            _ => vec![first, second],
        };
        Self {
            group,
            protocols,
            patience: Patience {
                session_ms: 6_000 * (1 + dice.below(2) as i32),
                rebalance_ms: 3_000 * (1 + dice.below(3) as i32),
            },
            instance,
            wire: None,
            asked: None,
            stage: Stage::Out,
            id: String::new(),
            generation: -1,
            owned: BTreeSet::new(),
            owned_since: -1,
            joins_again_at: None,
            positions: BTreeMap::new(),
            committed: BTreeMap::new(),
            asleep_until: now.monotonic,
            beat_at: now.monotonic,
            leaves: false,
            has_begun: false,
            is_over: false,
        }
    }

    /// Its generation and what it owns, when it reads.
    pub fn owns(&self) -> Option<(i32, Vec<i32>)> {
        let owned = || self.owned.iter().copied().collect();
        (self.stage == Stage::Reading).then(|| (self.generation, owned()))
    }

    /// What it is about, for people.
    pub fn describe(&self) -> String {
        let asked = self.asked.as_ref().map(|(asked, _)| asked.api().0);
        format!(
            "group {}, {} ({:?}), generation {}, {:?}, asked {asked:?}, owns {:?}, reads {:?}, \
             committed {:?}",
            self.group,
            self.id,
            self.instance,
            self.generation,
            self.stage,
            self.owned,
            self.positions,
            self.committed
        )
    }

    /// Whether it has read and committed all that was written where it reads.
    pub fn is_done(&self, story: &Story) -> bool {
        let mut positions = self.positions.iter();
        self.committed == self.positions && positions.all(|(spot, at)| *at == story.end(*spot))
    }

    /// When it does something next, whatever the broker says.
    pub fn next_event(&self, now: Now) -> Micros {
        let idle = self.stage == Stage::Reading && self.positions.is_empty();
        let wakes = match &self.asked {
            Some((_, late)) => *late,
            None if idle && !self.leaves => self.beat_at,
            None => now.monotonic,
        };
        wakes.max(self.asleep_until)
    }

    /// The connection breaks, on its side.
    pub fn hang_up(&mut self, broker: &mut Broker, now: Now) {
        self.asked = None;
        if let Some(wire) = self.wire.take() {
            wire.close(broker, now);
            // What it sent is over when it comes back.
            let back = now.monotonic.saturating_add(RETRY);
            self.asleep_until = self.asleep_until.max(back);
        }
    }

    /// The broker is gone.
    pub fn lose_broker(&mut self) {
        (self.asked, self.wire) = (None, None);
    }

    /// Does what is next.
    pub fn turn(&mut self, broker: &mut Broker, story: &mut GroupStory, dice: &mut Dice, now: Now) {
        if self.is_over || now.monotonic < self.asleep_until || !broker.is_ready() {
            return;
        }
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::open(broker, now, dice)),
        };
        if !wire.move_bytes(broker, now, dice) {
            return self.lose_broker();
        }
        match &self.asked {
            None => self.ask(story, dice, now),
            Some((_, late)) if *late <= now.monotonic => self.hang_up(broker, now),
            Some((asked, _)) => {
                let (api, version) = asked.api();
                if let Some(body) = wire.answer(api, version)
                    && let Some((asked, _)) = self.asked.take()
                {
                    self.told(asked, &body, story, now);
                }
            }
        }
    }

    fn ask(&mut self, story: &mut GroupStory, dice: &mut Dice, now: Now) {
        let Some(wire) = &mut self.wire else {
            return;
        };
        let is_due = self.joins_again_at.is_some_and(|at| at <= now.monotonic);
        if is_due && self.stage == Stage::Reading {
            self.stage = Stage::Out;
        }
        let (id, instance) = (&*self.id, self.instance.as_deref());
        let group = asks::GROUPS[self.group];
        let who = Who {
            group,
            id,
            instance,
        };
        let has_read = self.committed != self.positions;
        let asked = match &self.stage {
            _ if self.leaves && !id.is_empty() => Self::leave(wire, who),
            // What was read is said before it may be given up.
            Stage::Out if has_read && !id.is_empty() && dice.one_in(2) => {
                Self::commit(wire, who, self.generation, &self.positions, story)
            }
            Stage::Out => {
                let owned = self.owned.iter().copied();
                let metadata = assignor::subscription(owned, self.owned_since);
                let request = asks::join(who, self.patience, &self.protocols, &metadata);
                wire.ask(ApiKey::JoinGroup, 9, &request);
                Asked::Join
            }
            Stage::Joined(assignments) => {
                let request = asks::sync(who, self.generation, assignments);
                wire.ask(ApiKey::SyncGroup, 5, &request);
                Asked::Sync(story.now(instance))
            }
            Stage::Assigned => {
                wire.ask(ApiKey::OffsetFetch, 9, &asks::offsets(group));
                Asked::Offsets(story.now(instance))
            }
            Stage::Reading if self.beat_at <= now.monotonic => {
                self.beat_at = now.monotonic.saturating_add(BEAT);
                Self::beat(wire, who, self.generation)
            }
            Stage::Reading if has_read && dice.one_in(3) => {
                Self::commit(wire, who, self.generation, &self.positions, story)
            }
            Stage::Reading if self.positions.is_empty() => return,
            Stage::Reading => {
                let wait_ms = dice.below(300) as i32;
                wire.ask(ApiKey::Fetch, 12, &asks::fetch(&self.positions, wait_ms));
                Asked::Fetch
            }
        };
        self.has_begun = matches!(asked, Asked::Join | Asked::Sync(_) | Asked::Commit(..));
        self.asked = Some((asked, now.monotonic.saturating_add(PATIENCE)));
    }

    fn leave(wire: &mut Wire, who: Who<'_>) -> Asked {
        let member = MemberIdentity {
            member_id: who.id,
            group_instance_id: who.instance,
            reason: None,
        };
        let request = LeaveGroupRequest {
            group_id: who.group,
            members: vec![member].into(),
            ..LeaveGroupRequest::default()
        };
        wire.ask(ApiKey::LeaveGroup, 5, &request);
        Asked::Leave
    }

    fn beat(wire: &mut Wire, who: Who<'_>, generation_id: i32) -> Asked {
        let request = HeartbeatRequest {
            group_id: who.group,
            generation_id,
            member_id: who.id,
            group_instance_id: who.instance,
        };
        wire.ask(ApiKey::Heartbeat, 4, &request);
        Asked::Beat
    }

    fn commit(
        wire: &mut Wire,
        who: Who<'_>,
        generation: i32,
        positions: &BTreeMap<i32, i64>,
        story: &mut GroupStory,
    ) -> Asked {
        let said = |(&spot, &offset): (&i32, &i64)| (spot, (offset, note(offset)));
        let said = positions.iter().map(said).collect();
        for (&spot, &offset) in positions {
            story.asks_to_commit(spot, offset);
        }
        let request = asks::commit(who, generation, &said);
        wire.ask(ApiKey::OffsetCommit, 9, &request);
        Asked::Commit(story.now(who.instance), positions.clone())
    }

    fn told(&mut self, asked: Asked, body: &[u8], story: &mut GroupStory, now: Now) {
        match asked {
            Asked::Join => self.joined(body, now),
            Asked::Sync(then) => self.synced(body, &then, story, now),
            Asked::Offsets(then) => self.told_offsets(body, &then, story, now),
            Asked::Fetch => self.fetched(body, story),
            Asked::Commit(then, offsets) => {
                let response: OffsetCommitResponse<'_> = decode(body, 9);
                let mut trouble = 0;
                for topic in &response.topics {
                    for part in &topic.partitions {
                        trouble = part.error_code;
                        if trouble == 0 {
                            let spot = spot(topic.name, part.partition_index);
                            let at = (spot, offsets[&spot]);
                            story.commit_acknowledged(&then, (self.generation, &self.id), at);
                            self.committed.insert(at.0, at.1);
                        }
                    }
                }
                self.heed(trouble, now);
            }
            Asked::Beat => {
                let response: HeartbeatResponse = decode(body, 4);
                self.heed(response.error_code, now);
            }
            Asked::Leave => self.is_over = true,
        }
    }

    fn joined(&mut self, body: &[u8], now: Now) {
        let response: JoinGroupResponse<'_> = decode(body, 9);
        if response.error_code != 0 {
            if response.error_code == MEMBER_ID_REQUIRED {
                self.id = response.member_id.to_owned();
                return;
            }
            return self.heed(response.error_code, now);
        }
        self.id = response.member_id.to_owned();
        self.generation = response.generation_id;
        let is_cooperative = self.protocols == [COOPERATIVE];
        if !is_cooperative {
            self.give_up();
        } else if self.generation > self.owned_since + 1 {
            // Who missed a generation does not know what others did with its partitions.
            self.positions.clear();
            self.committed.clear();
        }
        let leads = response.leader == response.member_id && !response.skip_assignment;
        let members = response.members.iter().filter(|_| leads);
        let members = members.map(|it| Known {
            name: it.group_instance_id.unwrap_or(it.member_id),
            id: it.member_id,
            subscription: it.metadata,
        });
        let members: Vec<_> = members.collect();
        let protocol = response.protocol_name.expect("a group has one");
        let shares = match leads {
            true => share_out(protocol, members),
            false => Vec::new(),
        };
        // A leader sees to it that everything is somebody's in the end; one that took its
        // predecessor's place does not know. It gives dead members the time to be found dead.
        let given: usize = shares.iter().map(|share| share.1.len()).sum();
        let is_leader = response.leader == response.member_id;
        let is_partial = is_cooperative && is_leader && given < SPOTS as usize;
        self.joins_again_at = is_partial.then(|| now.monotonic.saturating_add(LEADS_AGAIN));
        self.stage = Stage::Joined(shares);
    }

    /// It owns nothing any more.
    fn give_up(&mut self) {
        self.owned.clear();
        self.positions.clear();
        self.committed.clear();
    }

    fn synced(&mut self, body: &[u8], then: &Then, story: &mut GroupStory, now: Now) {
        let response: SyncGroupResponse<'_> = decode(body, 5);
        if response.error_code != 0 {
            return self.heed(response.error_code, now);
        }
        let given = response.assignment.iter();
        let given: BTreeSet<i32> = given.map(|&it| i32::from(it)).collect();
        let who = (self.instance.as_deref(), &*self.id);
        story.assigned(then, self.generation, who, &given);
        self.positions.retain(|spot, _| given.contains(spot));
        self.committed.retain(|spot, _| given.contains(spot));
        let has_lost = !self.owned.is_subset(&given);
        self.owned = given;
        self.owned_since = self.generation;
        self.stage = match self.owned.iter().all(|it| self.positions.contains_key(it)) {
            // Others are given what it gave up when all have joined again.
            _ if has_lost => Stage::Out,
            true => Stage::Reading,
            false => Stage::Assigned,
        };
        self.beat_at = now.monotonic.saturating_add(BEAT);
    }

    fn told_offsets(&mut self, body: &[u8], then: &Then, story: &mut GroupStory, now: Now) {
        let response: OffsetFetchResponse<'_> = decode(body, 9);
        let group = response.groups.first().unwrap();
        if group.error_code != 0 {
            return self.heed(group.error_code, now);
        }
        let mut told = BTreeMap::new();
        for topic in &group.topics {
            for part in &topic.partitions {
                assert_eq!(part.error_code, 0);
                let offset = part.committed_offset;
                assert_eq!(part.metadata.unwrap_or_default(), note(offset));
                told.insert(spot(topic.name, part.partition_index), offset);
            }
        }
        for &spot in &self.owned {
            if let Entry::Vacant(unread) = self.positions.entry(spot) {
                let offset = told.get(&spot).copied().unwrap_or(-1);
                let begin = story.commit_read(then, spot, offset);
                unread.insert(begin);
                self.committed.insert(spot, begin);
            }
        }
        self.stage = Stage::Reading;
    }

    fn fetched(&mut self, body: &[u8], story: &mut GroupStory) {
        let response: FetchResponse<'_> = decode(body, 12);
        for topic in &response.responses {
            for part in &topic.partitions {
                assert_ne!(part.error_code, OFFSET_OUT_OF_RANGE);
                let spot = spot(topic.topic, part.partition_index);
                let bytes = part.records.and_then(|records| records.bytes());
                let position = self.positions.get_mut(&spot).unwrap();
                for batch in Batches::new(bytes.unwrap_or_default()) {
                    // The last may be cut by the bound on bytes.
                    let Ok(batch) = batch else { break };
                    batch.check_crc().expect("as it was made");
                    for record in batch.records().unwrap().map(Result::unwrap) {
                        if record.offset < *position {
                            continue;
                        }
                        let value = u64::from_be_bytes(record.value.unwrap().try_into().unwrap());
                        story.record_read(spot, *position, (record.offset, value));
                        *position += 1;
                    }
                }
            }
        }
    }

    /// What clients do about an error.
    fn heed(&mut self, code: i16, now: Now) {
        match code {
            0 => {}
            FENCED_INSTANCE_ID => self.is_over = true,
            REBALANCE_IN_PROGRESS => self.stage = Stage::Out,
            // The last is a commit's: its session was over, and someone deleted the empty group.
            ILLEGAL_GENERATION | UNKNOWN_MEMBER_ID | GROUP_ID_NOT_FOUND => {
                self.stage = Stage::Out;
                self.id.clear();
                self.generation = -1;
                self.owned_since = -1;
                self.give_up();
            }
            // No coordinator now, or the disk fails: later.
            14..=16 | 56 | -1 => {
                self.asleep_until = now.monotonic.saturating_add(RETRY);
                if matches!(self.stage, Stage::Joined(_)) {
                    self.stage = Stage::Out;
                }
            }
            code => panic!("error {code}"),
        }
    }
}

impl Asked {
    fn api(&self) -> (ApiKey, i16) {
        match self {
            Self::Join => (ApiKey::JoinGroup, 9),
            Self::Sync(_) => (ApiKey::SyncGroup, 5),
            Self::Offsets(_) => (ApiKey::OffsetFetch, 9),
            Self::Fetch => (ApiKey::Fetch, 12),
            Self::Commit(..) => (ApiKey::OffsetCommit, 9),
            Self::Beat => (ApiKey::Heartbeat, 4),
            Self::Leave => (ApiKey::LeaveGroup, 5),
        }
    }
}

const OFFSET_OUT_OF_RANGE: i16 = 1;
const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER_ID: i16 = 25;
const GROUP_ID_NOT_FOUND: i16 = 69;
const REBALANCE_IN_PROGRESS: i16 = 27;
const MEMBER_ID_REQUIRED: i16 = 79;
const FENCED_INSTANCE_ID: i16 = 82;
const BEAT: Micros = Micros::from_millis(1_000);
/// Longer than any session.
const LEADS_AGAIN: Micros = Micros::from_millis(14_000);
const RETRY: Micros = Micros::from_millis(200);
/// Longer than a rebalance may take.
const PATIENCE: Micros = Micros::from_millis(15_000);
