//! Someone who commits without being a member of anything, deletes what he committed, and tries to
//! delete what others have: all of it his own doing, so that he knows what must be found.

use std::collections::BTreeMap;

use logmill_engine::base::{Micros, Now};
use logmill_wire::ApiKey;
use logmill_wire::messages::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
use logmill_wire::messages::offset_commit::OffsetCommitResponse;
use logmill_wire::messages::offset_delete::OffsetDeleteResponse;
use logmill_wire::messages::offset_fetch::OffsetFetchResponse;

use super::asks::{self, GROUPS, Who};
use super::broker::Broker;
use super::dice::Dice;
use super::spots::{SPOTS, note, spot};
use super::story::Story;
use super::wire::Wire;
use crate::shard::tests::rig::decode;

/// See the module.
pub struct Loner {
    wire: Option<Wire>,
    asked: Option<(Asked, Micros)>,
    asleep_until: Micros,
    /// What may be committed, by partition, in the order in which it was asked for: the first is
    /// certain, each further one may have come true. -1 is nothing.
    possible: BTreeMap<i32, Vec<i64>>,
    next: i64,
    /// How often it was told what is committed.
    pub reads: u64,
}

/// The request under way.
#[derive(Clone, Debug)]
enum Asked {
    Commit(BTreeMap<i32, (i64, String)>),
    /// A commit that says more beside an offset than may be said.
    LongNote,
    Read,
    DeleteGroup,
    DeleteOffsets(Vec<i32>),
    DeleteOthers(usize),
    DeleteOthersOffsets(usize),
}

impl Loner {
    pub fn new() -> Self {
        Self {
            wire: None,
            asked: None,
            asleep_until: Micros(0),
            possible: (0..SPOTS).map(|spot| (spot, vec![-1])).collect(),
            next: 0,
            reads: 0,
        }
    }

    /// When it does something next, whatever the broker says.
    pub fn next_event(&self, now: Now) -> Micros {
        let wakes = self.asked.as_ref().map_or(now.monotonic, |asked| asked.1);
        wakes.max(self.asleep_until)
    }

    /// The broker is gone.
    pub fn lose_broker(&mut self, story: &mut Story) {
        self.wire = None;
        if let Some((asked, _)) = self.asked.take() {
            self.maybe(&asked, story);
        }
    }

    /// The connection breaks, on its side.
    pub fn hang_up(&mut self, broker: &mut Broker, story: &mut Story, now: Now) {
        if let Some(wire) = self.wire.take() {
            wire.close(broker, now);
        }
        self.lose_broker(story);
        // What it sent is over when it comes back.
        self.asleep_until = now.monotonic.saturating_add(RETRY);
    }

    /// Does what is next.
    pub fn turn(&mut self, broker: &mut Broker, story: &mut Story, dice: &mut Dice, now: Now) {
        if now.monotonic < self.asleep_until || !broker.is_ready() {
            return;
        }
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::open(broker, now, dice)),
        };
        if !wire.move_bytes(broker, now, dice) {
            return self.lose_broker(story);
        }
        match &self.asked {
            None => self.ask(story, dice, now),
            Some((_, late)) if *late <= now.monotonic => self.hang_up(broker, story, now),
            Some((asked, _)) => {
                let (api, version) = asked.api();
                if let Some(body) = wire.answer(api, version)
                    && let Some((asked, _)) = self.asked.take()
                {
                    self.told(&asked, &body, story);
                    let pause = Micros::from_millis(u64::from(dice.below(700)));
                    self.asleep_until = now.monotonic.saturating_add(pause);
                }
            }
        }
    }

    fn ask(&mut self, story: &mut Story, dice: &mut Dice, now: Now) {
        let Some(wire) = &mut self.wire else {
            return;
        };
        let some =
            |dice: &mut Dice| -> Vec<i32> { (0..SPOTS).filter(|_| dice.one_in(3)).collect() };
        let other = dice.below(story.groups.len() as u32) as usize;
        let asked = match dice.below(24) {
            0..=9 => {
                let said = some(dice).into_iter().map(|spot| {
                    self.next += 1;
                    (spot, (self.next, note(self.next)))
                });
                Asked::Commit(said.collect())
            }
            10..=17 => Asked::Read,
            18 => Asked::LongNote,
            19 => Asked::DeleteGroup,
            20..=21 => Asked::DeleteOffsets(some(dice)),
            22 => Asked::DeleteOthers(other),
            _ => Asked::DeleteOthersOffsets(other),
        };
        let (api, version) = asked.api();
        let delete = |group| DeleteGroupsRequest {
            groups_names: vec![group].into(),
        };
        match &asked {
            Asked::Commit(said) => wire.ask(api, version, &asks::commit(ALONE, -1, said)),
            Asked::LongNote => {
                let said = BTreeMap::from([(0, (i64::MAX, "long".repeat(2_000)))]);
                wire.ask(api, version, &asks::commit(ALONE, -1, &said));
            }
            Asked::Read => wire.ask(api, version, &asks::offsets(ALONE.group)),
            Asked::DeleteGroup => wire.ask(api, version, &delete(ALONE.group)),
            Asked::DeleteOffsets(spots) => {
                wire.ask(api, version, &asks::delete_offsets(ALONE.group, spots));
            }
            Asked::DeleteOthers(other) => {
                story.groups[*other].asks_to_delete();
                wire.ask(api, version, &delete(GROUPS[*other]));
            }
            Asked::DeleteOthersOffsets(other) => {
                story.groups[*other].asks_to_delete();
                let all: Vec<i32> = (0..SPOTS).collect();
                wire.ask(api, version, &asks::delete_offsets(GROUPS[*other], &all));
            }
        }
        self.asked = Some((asked, now.monotonic.saturating_add(PATIENCE)));
    }

    fn told(&mut self, asked: &Asked, body: &[u8], story: &mut Story) {
        let code = match asked {
            Asked::Commit(_) | Asked::LongNote => {
                let response: OffsetCommitResponse<'_> = decode(body, 9);
                let topics = response.topics.iter();
                let mut codes = topics.flat_map(|it| it.partitions.to_vec());
                codes.next().map_or(0, |part| part.error_code)
            }
            Asked::Read => {
                let response: OffsetFetchResponse<'_> = decode(body, 9);
                let group = response.groups.first().expect("one was asked for");
                if group.error_code == 0 {
                    self.read(&response, story);
                }
                group.error_code
            }
            Asked::DeleteGroup | Asked::DeleteOthers(_) => {
                let response: DeleteGroupsResponse<'_> = decode(body, 2);
                let result = response.results.first();
                result.expect("one was asked for").error_code
            }
            Asked::DeleteOffsets(_) | Asked::DeleteOthersOffsets(_) => {
                let response: OffsetDeleteResponse<'_> = decode(body, 0);
                let mut topics = response.topics.iter();
                let of_parts = topics.find_map(|it| it.partitions.first());
                let of_parts = of_parts.map_or(0, |part| part.error_code);
                match response.error_code {
                    0 => of_parts,
                    code => code,
                }
            }
        };
        story.note(code as u64);
        match (asked, code) {
            (Asked::DeleteOthers(other) | Asked::DeleteOthersOffsets(other), code) => {
                assert!(
                    matches!(code, -1..=0 | 14..=16 | 56 | 68 | 69 | 86),
                    "{code}"
                );
                match code {
                    NON_EMPTY_GROUP | GROUP_SUBSCRIBED_TO_TOPIC => {
                        story.groups[*other].not_deleted()
                    }
                    _ => story.groups[*other].maybe_deleted(),
                }
            }
            (Asked::LongNote, OFFSET_METADATA_TOO_LARGE) | (Asked::Read, 0) => {}
            (Asked::Commit(said), 0) => {
                let said = said.iter().map(|(&spot, said)| (spot, vec![said.0]));
                self.possible.extend(said);
            }
            (Asked::DeleteGroup | Asked::DeleteOffsets(_), GROUP_ID_NOT_FOUND) => {
                let nothing = |all: &Vec<i64>| all.contains(&-1);
                assert!(self.possible.values().all(nothing), "{:?}", self.possible);
                self.possible.values_mut().for_each(|all| *all = vec![-1]);
            }
            (Asked::DeleteGroup, 0) => {
                self.possible.values_mut().for_each(|all| *all = vec![-1]);
            }
            (Asked::DeleteOffsets(spots), 0) => {
                self.possible
                    .extend(spots.iter().map(|&spot| (spot, vec![-1])));
            }
            (_, -1 | 14..=16 | 56) => self.maybe(asked, story),
            _ => panic!("{asked:?} is answered with {code}"),
        }
    }

    /// Nobody knows whether this was done.
    fn maybe(&mut self, asked: &Asked, story: &mut Story) {
        let mut further = |spot: i32, offset| {
            let all = self.possible.get_mut(&spot).expect("every one is there");
            all.push(offset);
        };
        match asked {
            Asked::Commit(said) => said.iter().for_each(|(&spot, said)| further(spot, said.0)),
            Asked::DeleteGroup => (0..SPOTS).for_each(|spot| further(spot, -1)),
            Asked::DeleteOffsets(spots) => spots.iter().for_each(|&spot| further(spot, -1)),
            Asked::DeleteOthers(other) | Asked::DeleteOthersOffsets(other) => {
                story.groups[*other].maybe_deleted();
            }
            Asked::LongNote | Asked::Read => {}
        }
    }

    fn read(&mut self, response: &OffsetFetchResponse<'_>, story: &mut Story) {
        let mut told: BTreeMap<i32, i64> = (0..SPOTS).map(|spot| (spot, -1)).collect();
        for topic in response.groups.iter().flat_map(|it| it.topics.to_vec()) {
            for part in &topic.partitions {
                let offset = part.committed_offset;
                assert_eq!(part.metadata.unwrap_or_default(), note(offset));
                told.insert(spot(topic.name, part.partition_index), offset);
            }
        }
        for (spot, offset) in told {
            let all = self.possible.get_mut(&spot).expect("every one is there");
            let at = all.iter().position(|possible| *possible == offset);
            let at = at.unwrap_or_else(|| panic!("{offset} of {spot} is none of {all:?}"));
            // What was asked for before it is over.
            all.drain(..at);
            story.note(offset as u64);
        }
        self.reads += 1;
    }
}

impl Asked {
    fn api(&self) -> (ApiKey, i16) {
        match self {
            Self::Commit(_) | Self::LongNote => (ApiKey::OffsetCommit, 9),
            Self::Read => (ApiKey::OffsetFetch, 9),
            Self::DeleteGroup | Self::DeleteOthers(_) => (ApiKey::DeleteGroups, 2),
            Self::DeleteOffsets(_) | Self::DeleteOthersOffsets(_) => (ApiKey::OffsetDelete, 0),
        }
    }
}

const ALONE: Who<'static> = Who {
    group: "alone",
    id: "",
    instance: None,
};
const OFFSET_METADATA_TOO_LARGE: i16 = 12;
const NON_EMPTY_GROUP: i16 = 68;
const GROUP_ID_NOT_FOUND: i16 = 69;
const GROUP_SUBSCRIBED_TO_TOPIC: i16 = 86;
const RETRY: Micros = Micros::from_millis(300);
const PATIENCE: Micros = Micros::from_millis(8_000);
