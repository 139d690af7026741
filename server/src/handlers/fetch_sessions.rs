//! Incremental fetch sessions (KIP-227): what a client fetches is remembered, so that its requests
//! name only what changes and our responses only what is new.
//!
//! Each shard keeps those of its own connections, bounded. A client whose session is gone is told
//! so and begins anew with a full fetch.
//!
//! KAFKA: `FetchSession.scala`, `FetchManager`, `FetchSessionCache`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use logmill_engine::base::{Micros, TopicId};
use logmill_wire::ErrorCode;
use logmill_wire::messages::fetch::FetchRequest;

#[cfg(test)]
mod tests;

/// A topic as the client's version names it, which alone makes two the same.
#[derive(Clone, Debug)]
pub struct NamedTopic {
    /// Its id, from version 13 on; zero where names are used.
    pub id: TopicId,
    /// Its name; where ids are used, the one that the id had when the client asked first, or
    /// nothing.
    pub name: Arc<str>,
}

impl PartialEq for NamedTopic {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && (self.id != TopicId::ZERO || self.name == other.name)
    }
}

impl Eq for NamedTopic {}

impl Hash for NamedTopic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        if self.id == TopicId::ZERO {
            self.name.hash(state);
        }
    }
}

/// A partition of a fetch, as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The topic.
    pub topic: NamedTopic,
    /// The partition.
    pub partition: i32,
    /// The first offset wanted.
    pub offset: i64,
    /// Bytes wanted at most.
    pub max_bytes: i32,
    /// The term the client believes in, or -1.
    pub current_epoch: i32,
    /// The term of what it has fetched last, or -1.
    pub last_fetched_epoch: i32,
}

impl Asked {
    fn is_same_partition(&self, other: &Self) -> bool {
        self.partition == other.partition && self.topic == other.topic
    }
}

/// What a request is, with regard to sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionUse {
    /// A full fetch without a session.
    Sessionless,
    /// A full fetch that wants one.
    Wanted,
    /// An incremental fetch of this session.
    Of(i32),
}

/// What the client was told last of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The high watermark.
    pub high: i64,
    /// The first offset.
    pub log_start: i64,
}

/// The sessions of one shard.
#[derive(Debug)]
pub struct FetchSessions {
    slots_max: usize,
    /// Partitions of all sessions together, and their bound.
    parts: usize,
    parts_max: usize,
    sessions: HashMap<i32, Session>,
    next_id: i32,
    id_step: i32,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    by_id: bool,
    created: Micros,
    used: Micros,
    /// By order of service: what was served moves to the end.
    order: BTreeMap<u64, Entry>,
    places: HashMap<(NamedTopic, i32), u64>,
    next_order: u64,
}

#[derive(Debug)]
struct Entry {
    asked: Asked,
    told: Told,
}

impl FetchSessions {
    /// No sessions yet; at most `slots_max`, with `parts_max` partitions in all. Ids begin at
    /// `first_id` and go in steps of `id_step`, so that shards give different ones.
    pub fn new(slots_max: usize, parts_max: usize, first_id: i32, id_step: i32) -> Self {
        Self {
            slots_max,
            parts: 0,
            parts_max,
            sessions: HashMap::new(),
            next_id: first_id.max(1),
            id_step,
        }
    }

    /// Takes a request's partitions: those of its session in their order, or those it names, each
    /// once. `name_of` tells the name of a topic id. An error is the response's error.
    pub fn begin(
        &mut self,
        now: Micros,
        version: i16,
        request: &FetchRequest<'_>,
        name_of: impl Fn(TopicId) -> Option<Arc<str>>,
        parts: &mut Vec<Asked>,
    ) -> Result<SessionUse, ErrorCode> {
        let by_id = version >= FIRST_VERSION_WITH_IDS;
        if matches!(request.session_epoch, INITIAL_EPOCH | FINAL_EPOCH) {
            if request.session_id != NO_SESSION {
                self.remove(request.session_id);
            }
            each_asked(request, by_id, name_of, |asked| parts.push(asked));
            keep_once(parts);
            let wants = request.session_epoch == INITIAL_EPOCH;
            return Ok(if wants {
                SessionUse::Wanted
            } else {
                SessionUse::Sessionless
            });
        }
        let id = request.session_id;
        let session = self
            .sessions
            .get_mut(&id)
            .ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.by_id != by_id {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        let before = session.order.len();
        each_asked(request, by_id, name_of, |asked| session.set(asked));
        for topic in &request.forgotten_topics_data {
            let id = if by_id {
                TopicId(topic.topic_id.0)
            } else {
                TopicId::ZERO
            };
            let name: Arc<str> = if by_id { "".into() } else { topic.topic.into() };
            for partition in &topic.partitions {
                session.forget(
                    NamedTopic {
                        id,
                        name: Arc::clone(&name),
                    },
                    partition,
                );
            }
        }
        session.used = now;
        session.epoch = next_epoch(session.epoch);
        self.parts = self.parts + session.order.len() - before;
        if self.parts > self.parts_max {
            // It has outgrown its room: the client begins anew, without a session if need be.
            self.remove(id);
            return Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        }
        parts.extend(session.order.values().map(|entry| entry.asked.clone()));
        if parts.is_empty() {
            self.remove(id);
            return Ok(SessionUse::Sessionless);
        }
        Ok(SessionUse::Of(id))
    }

    /// Makes a session for a full fetch that was answered; 0 if there is no room.
    pub fn create(
        &mut self,
        now: Micros,
        by_id: bool,
        parts: impl ExactSizeIterator<Item = (Asked, Told)>,
    ) -> i32 {
        if parts.len() == 0 || !self.make_room(now, parts.len()) {
            return NO_SESSION;
        }
        let mut session = Session {
            epoch: next_epoch(INITIAL_EPOCH),
            by_id,
            created: now,
            used: now,
            order: BTreeMap::new(),
            places: HashMap::new(),
            next_order: 0,
        };
        for (asked, told) in parts {
            session.insert(asked, told);
        }
        let id = self.next_id;
        self.next_id = match id.checked_add(self.id_step) {
            Some(next) => next,
            None => id % self.id_step + self.id_step,
        };
        self.parts += session.order.len();
        self.sessions.insert(id, session);
        id
    }

    /// Whether an incremental response must name a partition: something is new in it. Remembers
    /// what is told. A partition with records moves behind the others, so that none starves.
    pub fn tells(&mut self, id: i32, asked: &Asked, told: Told, state: PartState) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else {
            return true;
        };
        let key = (asked.topic.clone(), asked.partition);
        let Some(&place) = session.places.get(&key) else {
            return true;
        };
        let Some(entry) = session.order.get_mut(&place) else {
            return true;
        };
        let is_new = entry.told != told || state != PartState::Nothing;
        // An error is told until it is over.
        entry.told = if state == PartState::Failed {
            Told { high: -1, ..told }
        } else {
            told
        };
        if state == PartState::Records
            && let Some(entry) = session.order.remove(&place)
        {
            session.order.insert(session.next_order, entry);
            session.places.insert(key, session.next_order);
            session.next_order += 1;
        }
        is_new
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Room for one more session of `size` partitions.
    fn make_room(&mut self, now: Micros, size: usize) -> bool {
        while self.sessions.len() >= self.slots_max || self.parts + size > self.parts_max {
            if !self.evict(now, size) {
                return false;
            }
        }
        true
    }

    /// A session unused for two minutes goes, or one that has lived as long and is smaller than one
    /// of `size` partitions.
    fn evict(&mut self, now: Micros, size: usize) -> bool {
        let age = |at: Micros| now.saturating_since(at) > EVICTION_AGE;
        let idle = self.sessions.iter().min_by_key(|(_, it)| it.used);
        let idle = idle.filter(|(_, it)| age(it.used)).map(|(&id, _)| id);
        let smaller = || {
            let old = self.sessions.iter().filter(|(_, it)| age(it.created));
            let least = old.min_by_key(|(_, it)| it.order.len());
            least
                .filter(|(_, it)| it.order.len() < size)
                .map(|(&id, _)| id)
        };
        idle.or_else(smaller).is_some_and(|id| self.remove(id))
    }

    fn remove(&mut self, id: i32) -> bool {
        let removed = self.sessions.remove(&id);
        if let Some(session) = &removed {
            self.parts -= session.order.len();
        }
        removed.is_some()
    }
}

/// What a response says of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// No records and no error.
    Nothing,
    /// Records.
    Records,
    /// An error, or a divergence.
    Failed,
}

impl Session {
    fn set(&mut self, asked: Asked) {
        let key = (asked.topic.clone(), asked.partition);
        match self
            .places
            .get(&key)
            .and_then(|place| self.order.get_mut(place))
        {
            Some(entry) => {
                let topic = entry.asked.topic.clone();
                entry.asked = Asked { topic, ..asked };
            }
            None => self.insert(
                asked,
                Told {
                    high: -1,
                    log_start: -1,
                },
            ),
        }
    }

    fn insert(&mut self, asked: Asked, told: Told) {
        self.places
            .insert((asked.topic.clone(), asked.partition), self.next_order);
        self.order.insert(self.next_order, Entry { asked, told });
        self.next_order += 1;
    }

    fn forget(&mut self, topic: NamedTopic, partition: i32) {
        if let Some(place) = self.places.remove(&(topic, partition)) {
            self.order.remove(&place);
        }
    }
}

fn each_asked(
    request: &FetchRequest<'_>,
    by_id: bool,
    name_of: impl Fn(TopicId) -> Option<Arc<str>>,
    mut take: impl FnMut(Asked),
) {
    for topic in &request.topics {
        let named = if by_id {
            let id = TopicId(topic.topic_id.0);
            let name = name_of(id).unwrap_or_default();
            NamedTopic { id, name }
        } else {
            let name = topic.topic.into();
            NamedTopic {
                id: TopicId::ZERO,
                name,
            }
        };
        for partition in &topic.partitions {
            take(Asked {
                topic: named.clone(),
                partition: partition.partition,
                offset: partition.fetch_offset,
                max_bytes: partition.partition_max_bytes,
                current_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
            });
        }
    }
}

/// Of a partition that is named twice, the last wish counts, in the first one's place.
fn keep_once(parts: &mut Vec<Asked>) {
    let mut kept = 0;
    let mut places = HashMap::new();
    for at in 0..parts.len() {
        let place = if parts.len() <= FEW_PARTS {
            let is_same = |it: &Asked| it.is_same_partition(&parts[at]);
            parts[..kept].iter().position(is_same)
        } else {
            let key = (parts[at].topic.clone(), parts[at].partition);
            let first = *places.entry(key).or_insert(kept);
            (first < kept).then_some(first)
        };
        parts.swap(place.unwrap_or(kept), at);
        kept += usize::from(place.is_none());
    }
    parts.truncate(kept);
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

/// Up to here comparing each with each is quicker than hashing.
const FEW_PARTS: usize = 16;
const NO_SESSION: i32 = 0;
const INITIAL_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;
/// Topics are named by id from this version on.
pub const FIRST_VERSION_WITH_IDS: i16 = 13;
/// Kafka's `MinIncrementalFetchSessionEvictionMs`.
const EVICTION_AGE: Micros = Micros::from_millis(120_000);
