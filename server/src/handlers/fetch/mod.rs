//! Fetch: every partition is read by the shard that owns it; what is not enough waits until a
//! watermark moves or the time is up.
//!
//! KAFKA: `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`, `DelayedFetch`; KIP-74
//! (first batch), KIP-227 (sessions), KIP-320 (epochs), KIP-516 (ids), KIP-951 (current leader).

mod limit;
mod response;

use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, Now, Offset, PartitionIndex, ShardId};
use logmill_engine::store::{Isolation, PartitionKey, ReadData, StoreError};
use logmill_wire::ErrorCode;
use logmill_wire::messages::fetch::FetchRequest;

use super::Caller;
use super::fetch_sessions::{Asked, FIRST_VERSION_WITH_IDS, FetchSessions, SessionUse};
use crate::base::timers::TimerKey;
use crate::base::work::Token;
use crate::error::KafkaError;
use crate::partitions::core::{Core, check_epoch};
use crate::partitions::mail::{PartitionName, Request};
use crate::partitions::read::{self, PartAnswer, PartRead};

/// A fetch request under way.
#[derive(Debug)]
pub struct Fetch {
    caller: Caller,
    token: Token,
    min_bytes: i64,
    max_bytes: usize,
    isolation: Isolation,
    session: Result<SessionUse, ErrorCode>,
    asked: Vec<Asked>,
    parts: Vec<Part>,
    /// Reads whose answer is still to come.
    pending: usize,
    is_over: bool,
    /// Ends the long poll.
    pub timer: Option<TimerKey>,
}

/// A partition of the request.
#[derive(Debug)]
struct Part {
    name: PartitionName,
    place: Place,
    state: State,
}

/// Where a partition lives.
#[derive(Clone, Copy, Debug)]
enum Place {
    Nowhere,
    Here(PartitionKey),
    Peer(ShardId),
}

#[derive(Debug)]
enum State {
    /// Nothing was asked yet, or something new may be there.
    Stale,
    Reading,
    Answered(PartAnswer),
    /// As answered, and a waiter stands at its watermark.
    Waiting(PartAnswer),
    Failed(ErrorCode),
}

/// How a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its response can be made.
    Complete,
    /// Answers are still to come.
    Pending,
    /// Nothing but news or time will move it.
    Waiting,
}

impl Fetch {
    /// Takes a request up and reads what it asks for.
    pub fn begin(
        now: Now,
        core: &mut Core,
        sessions: &mut FetchSessions,
        caller: Caller,
        token: Token,
        request: &FetchRequest<'_>,
    ) -> Self {
        let mut asked = Vec::new();
        let name_of = |id| core.catalog.by_id(id).map(|topic| Arc::clone(&topic.name));
        let (monotonic, version) = (now.monotonic, caller.version);
        let session = sessions.begin(monotonic, version, request, name_of, &mut asked);
        let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0);
        let mut fetch = Self {
            caller,
            token,
            min_bytes: i64::from(request.min_bytes),
            max_bytes: max_bytes.min(core.options.fetch_bytes_max),
            isolation: match request.isolation_level {
                0 => Isolation::ReadUncommitted,
                _ => Isolation::ReadCommitted,
            },
            session,
            parts: Vec::with_capacity(asked.len()),
            asked,
            pending: 0,
            is_over: request.max_wait_ms <= 0,
            timer: None,
        };
        let by_id = caller.version >= FIRST_VERSION_WITH_IDS;
        let is_replica = request.replica_id.max(request.replica_state.replica_id) >= 0;
        for asked in &fetch.asked {
            let mut part = resolve(core, asked, by_id);
            if is_replica && matches!(part.state, State::Stale) {
                // Every partition has one replica, which is this broker: nobody follows.
                part.state = State::Failed(ErrorCode::NOT_LEADER_OR_FOLLOWER);
            }
            fetch.parts.push(part);
        }
        fetch
    }

    /// Goes on: reads what is stale, and says whether that is enough. `short_peers` gets a bit for
    /// every peer whose mailbox had no room.
    pub fn advance(&mut self, now: Now, core: &mut Core, short_peers: &mut u64) -> Progress {
        for part in 0..self.parts.len() {
            if matches!(self.parts[part].state, State::Stale) {
                self.read(now, core, part, short_peers);
            }
        }
        if self.pending > 0 {
            return Progress::Pending;
        }
        if self.is_over || self.is_enough() {
            return Progress::Complete;
        }
        for part in 0..self.parts.len() {
            self.wait(core, part, short_peers);
        }
        Progress::Waiting
    }

    /// A peer's answer for a part.
    pub fn answered(&mut self, part: usize, result: Result<PartAnswer, StoreError>) {
        let Some(known) = self.parts.get_mut(part) else {
            return;
        };
        if matches!(known.state, State::Reading) {
            self.pending -= 1;
            known.state = settled(result);
        }
    }

    /// What a part of this shard waited for may be there, or was loaded.
    pub fn stale(&mut self, part: usize) {
        let Some(known) = self.parts.get_mut(part) else {
            return;
        };
        match known.state {
            State::Reading if matches!(known.place, Place::Here(_)) => self.pending -= 1,
            State::Waiting(_) => {}
            _ => return,
        }
        known.state = State::Stale;
    }

    /// The request's time is up: it is answered with what there is.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Takes all waiters back; the response is on its way, or nobody wants it any more.
    pub fn cancel_waits(&mut self, core: &mut Core) {
        for (number, part) in self.parts.iter_mut().enumerate() {
            if !matches!(part.state, State::Waiting(_)) {
                continue;
            }
            let token = self.token.with_part(number);
            match part.place {
                Place::Here(key) => core.store.cancel_wait(key, token.to_bits()),
                Place::Peer(peer) => {
                    let request = Request::CancelWait {
                        partition: part.name,
                        waiter: token,
                    };
                    core.ask(peer, token, request);
                }
                Place::Nowhere => {}
            }
            let state = std::mem::replace(&mut part.state, State::Stale);
            if let State::Waiting(answer) = state {
                part.state = State::Answered(answer);
            }
        }
    }

    /// Who asked.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    fn read(&mut self, now: Now, core: &mut Core, part: usize, short_peers: &mut u64) {
        let asked = &self.asked[part];
        let known = &mut self.parts[part];
        let token = self.token.with_part(part);
        let read = PartRead {
            offset: Offset(asked.offset),
            max_bytes: usize::try_from(asked.max_bytes)
                .unwrap_or(0)
                .min(self.max_bytes),
            isolation: self.isolation,
            last_fetched_epoch: LeaderEpoch(asked.last_fetched_epoch),
        };
        known.state = match known.place {
            Place::Nowhere => return,
            Place::Here(key) => match read::read(now, core, key, &read, token) {
                Ok(answer) if matches!(answer.data, ReadData::Loading) => {
                    self.pending += 1;
                    State::Reading
                }
                result => settled(result),
            },
            Place::Peer(peer) => {
                let request = Request::Read {
                    partition: known.name,
                    read,
                };
                if !core.ask(peer, token, request) {
                    *short_peers |= 1 << (peer.0 % 64);
                }
                self.pending += 1;
                State::Reading
            }
        };
    }

    /// Enough bytes, or something that must not wait.
    fn is_enough(&self) -> bool {
        let mut bytes = 0;
        for part in &self.parts {
            match &part.state {
                State::Failed(_) => return true,
                State::Answered(answer) | State::Waiting(answer) => {
                    if answer.diverging.is_some() {
                        return true;
                    }
                    bytes += answer.record_bytes() as i64;
                }
                State::Stale | State::Reading => {}
            }
        }
        self.session.is_err() || self.parts.is_empty() || bytes >= self.min_bytes
    }

    fn wait(&mut self, core: &mut Core, part: usize, short_peers: &mut u64) {
        let known = &mut self.parts[part];
        if !matches!(known.state, State::Answered(_)) {
            return;
        }
        let State::Answered(answer) = std::mem::replace(&mut known.state, State::Stale) else {
            return;
        };
        // Beyond what is known, and never before what was asked for.
        let seen = match self.isolation {
            Isolation::ReadCommitted => answer.last_stable,
            _ => answer.high,
        };
        let offset = Offset(seen.0.max(self.asked[part].offset));
        let token = self.token.with_part(part);
        match known.place {
            Place::Here(key) => core.store.wait_visible(key, offset, token.to_bits()),
            Place::Peer(peer) => {
                let request = Request::Wait {
                    partition: known.name,
                    offset,
                };
                if !core.ask(peer, token, request) {
                    *short_peers |= 1 << (peer.0 % 64);
                }
            }
            Place::Nowhere => {}
        }
        known.state = State::Waiting(answer);
    }
}

fn settled(result: Result<PartAnswer, StoreError>) -> State {
    match result {
        Ok(answer) => State::Answered(answer),
        Err(error) => State::Failed(error.code()),
    }
}

/// Finds a partition, or the code that says why it cannot be read.
fn resolve(core: &Core, asked: &Asked, by_id: bool) -> Part {
    let topic = match by_id {
        true => core.catalog.by_id(asked.topic.id),
        false => core.catalog.by_name(&asked.topic.name),
    };
    let index = PartitionIndex(asked.partition);
    let failed = |code| Part {
        name: PartitionName {
            topic: asked.topic.id,
            index,
        },
        place: Place::Nowhere,
        state: State::Failed(code),
    };
    let Some(topic) = topic else {
        // A session remembers the name of a topic that is gone, or is another by now.
        return failed(match by_id {
            true if asked.topic.name.is_empty() => ErrorCode::UNKNOWN_TOPIC_ID,
            true if core.catalog.by_name(&asked.topic.name).is_some() => {
                ErrorCode::INCONSISTENT_TOPIC_ID
            }
            _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        });
    };
    let Some(partition) = topic.partition(index) else {
        return failed(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    };
    if let Err(error) = check_epoch(partition.epoch, LeaderEpoch(asked.current_epoch)) {
        return failed(error.code());
    }
    if partition.leader != core.options.node_id {
        return failed(ErrorCode::NOT_LEADER_OR_FOLLOWER);
    }
    let place = match partition.key {
        _ if partition.owner != core.options.id => Place::Peer(partition.owner),
        Some(key) => Place::Here(key),
        None => return failed(ErrorCode::KAFKA_STORAGE_ERROR),
    };
    Part {
        name: PartitionName {
            topic: topic.id,
            index,
        },
        place,
        state: State::Stale,
    }
}
