//! A member of a group as stock consumers are: joins, assigns if it leads, reads from what is
//! committed, commits what it has read, says that it is there.

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

use super::asks;
use super::broker::Broker;
use super::dice::Dice;
use super::story::{Story, Then};
use super::wire::Wire;
use crate::shard::tests::rig::{decode, fetch_request};

/// See the module.
pub struct Member {
    /// `group.instance.id`, for a static one.
    pub instance: Option<String>,
    wire: Option<Wire>,
    asked: Option<(Asked, Micros)>,
    stage: Stage,
    id: String,
    generation: i32,
    /// The next offset of each partition that it owns.
    positions: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    /// It does nothing before.
    pub asleep_until: Micros,
    beat_at: Micros,
    /// It wants to go, politely.
    pub leaves: bool,
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
    Assigned(BTreeSet<i32>),
    Reading,
}

impl Member {
    pub fn new(instance: Option<String>, now: Now) -> Self {
        Self {
            instance,
            wire: None,
            asked: None,
            stage: Stage::Out,
            id: String::new(),
            generation: -1,
            positions: BTreeMap::new(),
            committed: BTreeMap::new(),
            asleep_until: now.monotonic,
            beat_at: now.monotonic,
            leaves: false,
            is_over: false,
        }
    }

    /// Its generation and what it owns, when it reads.
    pub fn owns(&self) -> Option<(i32, Vec<i32>)> {
        let owned = || self.positions.keys().copied().collect();
        (self.stage == Stage::Reading).then(|| (self.generation, owned()))
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
        }
    }

    /// The broker is gone.
    pub fn lose_broker(&mut self) {
        (self.asked, self.wire) = (None, None);
    }

    /// Does what is next.
    pub fn turn(&mut self, broker: &mut Broker, story: &mut Story, dice: &mut Dice, now: Now) {
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

    fn ask(&mut self, story: &mut Story, dice: &mut Dice, now: Now) {
        let Some(wire) = &mut self.wire else {
            return;
        };
        let (id, instance) = (&*self.id, self.instance.as_deref());
        let asked = match &self.stage {
            _ if self.leaves && !id.is_empty() => {
                let member = MemberIdentity {
                    member_id: id,
                    group_instance_id: instance,
                    reason: None,
                };
                let request = LeaveGroupRequest {
                    group_id: asks::GROUP,
                    members: vec![member].into(),
                    ..LeaveGroupRequest::default()
                };
                wire.ask(ApiKey::LeaveGroup, 5, &request);
                Asked::Leave
            }
            Stage::Out => {
                wire.ask(ApiKey::JoinGroup, 9, &asks::join(id, instance));
                Asked::Join
            }
            Stage::Joined(assignments) => {
                let request = asks::sync(self.generation, id, instance, assignments);
                wire.ask(ApiKey::SyncGroup, 5, &request);
                Asked::Sync(story.now(instance))
            }
            Stage::Assigned(_) => {
                wire.ask(ApiKey::OffsetFetch, 9, &asks::offsets());
                Asked::Offsets(story.now(instance))
            }
            Stage::Reading if self.beat_at <= now.monotonic => {
                self.beat_at = now.monotonic.saturating_add(BEAT);
                let request = HeartbeatRequest {
                    group_id: asks::GROUP,
                    generation_id: self.generation,
                    member_id: id,
                    group_instance_id: instance,
                };
                wire.ask(ApiKey::Heartbeat, 4, &request);
                Asked::Beat
            }
            Stage::Reading if self.committed != self.positions && dice.one_in(3) => {
                let offsets = self.positions.clone();
                for (&partition, &offset) in &offsets {
                    story.asks_to_commit(partition, offset);
                }
                let request = asks::commit(self.generation, id, instance, &offsets);
                wire.ask(ApiKey::OffsetCommit, 9, &request);
                Asked::Commit(story.now(instance), offsets)
            }
            Stage::Reading if self.positions.is_empty() => return,
            Stage::Reading => {
                let parts: Vec<_> = self.positions.iter().map(|(&p, &at)| (p, at)).collect();
                let wait_ms = dice.below(300) as i32;
                wire.ask(ApiKey::Fetch, 12, &fetch_request(&parts, wait_ms, 1));
                Asked::Fetch
            }
        };
        self.asked = Some((asked, now.monotonic.saturating_add(PATIENCE)));
    }

    fn told(&mut self, asked: Asked, body: &[u8], story: &mut Story, now: Now) {
        match asked {
            Asked::Join => self.joined(body, now),
            Asked::Sync(then) => self.synced(body, &then, story, now),
            Asked::Offsets(then) => self.told_offsets(body, &then, story, now),
            Asked::Fetch => self.fetched(body, story),
            Asked::Commit(then, offsets) => {
                let response: OffsetCommitResponse<'_> = decode(body, 9);
                let partitions = response.topics.iter().flat_map(|it| it.partitions.to_vec());
                let mut trouble = 0;
                for part in partitions {
                    trouble = part.error_code;
                    if trouble == 0 {
                        let at = (part.partition_index, offsets[&part.partition_index]);
                        story.commit_acknowledged(&then, (self.generation, &self.id), at);
                        self.committed.insert(at.0, at.1);
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
        self.positions.clear();
        let leads = response.leader == response.member_id && !response.skip_assignment;
        let members: Vec<_> = response.members.to_vec();
        let mut members: Vec<_> = members
            .iter()
            .map(|it| (it.group_instance_id.unwrap_or(it.member_id), it.member_id))
            .collect();
        members.sort_unstable();
        let parts = |at: usize| -> Vec<u8> {
            let own = (0..asks::PARTITIONS).filter(|part| *part as usize % members.len() == at);
            own.map(|part| part as u8).collect()
        };
        let assignments = members.iter().enumerate().filter(|_| leads);
        let assignments = assignments.map(|(at, (_, id))| ((*id).to_owned(), parts(at)));
        self.stage = Stage::Joined(assignments.collect());
    }

    fn synced(&mut self, body: &[u8], then: &Then, story: &mut Story, now: Now) {
        let response: SyncGroupResponse<'_> = decode(body, 5);
        if response.error_code != 0 {
            return self.heed(response.error_code, now);
        }
        let owned: Vec<i32> = response
            .assignment
            .iter()
            .map(|&it| i32::from(it))
            .collect();
        let who = (self.instance.as_deref(), &*self.id);
        story.assigned(then, self.generation, who, &owned);
        self.stage = Stage::Assigned(owned.into_iter().collect());
        self.beat_at = now.monotonic.saturating_add(BEAT);
    }

    fn told_offsets(&mut self, body: &[u8], then: &Then, story: &mut Story, now: Now) {
        let response: OffsetFetchResponse<'_> = decode(body, 9);
        let group = response.groups.first().unwrap();
        if group.error_code != 0 {
            return self.heed(group.error_code, now);
        }
        let Stage::Assigned(owned) = std::mem::replace(&mut self.stage, Stage::Reading) else {
            return;
        };
        let mut told = BTreeMap::new();
        for topic in &group.topics {
            for part in &topic.partitions {
                assert_eq!(part.error_code, 0);
                told.insert(part.partition_index, part.committed_offset);
            }
        }
        self.positions.clear();
        for partition in owned {
            let offset = told.get(&partition).copied().unwrap_or(-1);
            let begin = story.commit_read(then, partition, offset);
            self.positions.insert(partition, begin);
        }
        self.committed = self.positions.clone();
    }

    fn fetched(&mut self, body: &[u8], story: &mut Story) {
        let response: FetchResponse<'_> = decode(body, 12);
        for topic in &response.responses {
            for part in &topic.partitions {
                assert_ne!(part.error_code, OFFSET_OUT_OF_RANGE);
                let bytes = part.records.and_then(|records| records.bytes());
                let position = self.positions.get_mut(&part.partition_index).unwrap();
                for batch in Batches::new(bytes.unwrap_or_default()) {
                    // The last may be cut by the bound on bytes.
                    let Ok(batch) = batch else { break };
                    batch.check_crc().expect("as it was made");
                    for record in batch.records().unwrap().map(Result::unwrap) {
                        if record.offset < *position {
                            continue;
                        }
                        let value = u64::from_be_bytes(record.value.unwrap().try_into().unwrap());
                        let at = (record.offset, value);
                        story.record_read(part.partition_index, *position, at);
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
            ILLEGAL_GENERATION | UNKNOWN_MEMBER_ID => {
                self.stage = Stage::Out;
                self.id.clear();
                self.generation = -1;
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
const REBALANCE_IN_PROGRESS: i16 = 27;
const MEMBER_ID_REQUIRED: i16 = 79;
const FENCED_INSTANCE_ID: i16 = 82;
const BEAT: Micros = Micros::from_millis(1_000);
const RETRY: Micros = Micros::from_millis(200);
/// Longer than a rebalance may take.
const PATIENCE: Micros = Micros::from_millis(15_000);
