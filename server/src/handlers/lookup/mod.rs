//! Questions about single partitions, asked of the shards that own them: ListOffsets,
//! OffsetForLeaderEpoch and DeleteRecords.

mod delete_records;
mod epoch_ends;
mod list_offsets;

use logmill_engine::base::{LeaderEpoch, Micros, Now, PartitionIndex, ShardId};
use logmill_engine::store::{PartitionKey, StoreError};
use logmill_wire::messages::delete_records::DeleteRecordsRequest;
use logmill_wire::messages::list_offsets::ListOffsetsRequest;
use logmill_wire::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use logmill_wire::{EncodeError, ErrorCode, Writer};

use super::Caller;
use crate::base::timers::TimerKey;
use crate::base::work::Token;
use crate::error::KafkaError;
use crate::partitions::core::{Core, check_epoch};
use crate::partitions::mail::{PartitionName, Request};
use crate::partitions::question::{self, Answer, Question, Told};

/// A request of one of these kinds under way.
#[derive(Debug)]
pub struct Lookup {
    caller: Caller,
    token: Token,
    topics: Vec<TopicPart>,
    parts: Vec<Part>,
    pending: usize,
    /// How long it may take in all, if the client says so.
    pub timeout: Option<Micros>,
    /// What ends it then.
    pub timer: Option<TimerKey>,
}

/// A topic, and how many of the parts are its own.
#[derive(Debug)]
struct TopicPart {
    name: String,
    part_count: usize,
}

#[derive(Debug)]
struct Part {
    index: i32,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// To be asked.
    Open {
        name: PartitionName,
        place: Place,
        question: Question,
    },
    Told(Told),
    Failed(ErrorCode),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Here(PartitionKey),
    Peer(ShardId),
}

impl Lookup {
    /// Takes a ListOffsets request up.
    pub fn list_offsets(
        core: &Core,
        caller: Caller,
        token: Token,
        request: &ListOffsetsRequest<'_>,
    ) -> Self {
        let mut lookup = Self::empty(caller, token);
        lookup.take_list_offsets(core, request);
        lookup
    }

    /// Takes a DeleteRecords request up.
    pub fn delete_records(
        core: &Core,
        caller: Caller,
        token: Token,
        request: &DeleteRecordsRequest<'_>,
    ) -> Self {
        let mut lookup = Self::empty(caller, token);
        lookup.timeout = Some(Micros::from_millis(request.timeout_ms.max(0) as u64));
        lookup.take_delete_records(core, request);
        lookup
    }

    /// Takes an OffsetForLeaderEpoch request up.
    pub fn epoch_ends(
        core: &Core,
        caller: Caller,
        token: Token,
        request: &OffsetForLeaderEpochRequest<'_>,
    ) -> Self {
        let mut lookup = Self::empty(caller, token);
        lookup.take_epoch_ends(core, request);
        lookup
    }

    /// Asks for every part. `short_peers` gets a bit for every peer whose mailbox had no room.
    pub fn ask(&mut self, now: Now, core: &mut Core, short_peers: &mut u64) {
        self.pending = self.parts.len();
        for part in 0..self.parts.len() {
            let State::Open {
                name,
                place,
                question,
            } = self.parts[part].state
            else {
                self.pending -= 1;
                continue;
            };
            match place {
                Place::Here(_) => self.ask_again(now, core, part),
                Place::Peer(peer) => {
                    let request = Request::Ask {
                        partition: name,
                        question,
                    };
                    if !core.ask(peer, self.token.with_part(part), request) {
                        *short_peers |= 1 << (peer.0 % 64);
                    }
                }
            }
        }
    }

    /// Asks this shard's store for a part; what it had to load is there now.
    pub fn ask_again(&mut self, now: Now, core: &mut Core, part: usize) {
        let token = self.token.with_part(part);
        let Some(State::Open {
            place: Place::Here(key),
            question,
            ..
        }) = self.parts.get_mut(part).map(|part| &mut part.state)
        else {
            return;
        };
        match question::answer(now, core, *key, question, token) {
            Ok(Answer::Loading) => {}
            Ok(Answer::Told(told)) => self.told(part, Ok(told)),
            Err(error) => self.told(part, Err(error)),
        }
    }

    /// A part's answer.
    pub fn told(&mut self, part: usize, result: Result<Told, StoreError>) {
        let Some(known) = self.parts.get_mut(part) else {
            return;
        };
        if matches!(known.state, State::Open { .. }) {
            self.pending -= 1;
            known.state = match result {
                Ok(told) => State::Told(told),
                Err(error) => State::Failed(error.code()),
            };
        }
    }

    /// Its time is up: what is not answered yet goes on, and nobody hears of it.
    pub fn timed_out(&mut self) {
        for part in &mut self.parts {
            if matches!(part.state, State::Open { .. }) {
                part.state = State::Failed(ErrorCode::REQUEST_TIMED_OUT);
            }
        }
        self.pending = 0;
    }

    /// Whether every part is answered.
    pub fn is_complete(&self) -> bool {
        self.pending == 0
    }

    /// Who asked.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Encodes the response's body.
    pub fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        match self.caller.api {
            logmill_wire::ApiKey::ListOffsets => self.encode_list_offsets(out),
            logmill_wire::ApiKey::DeleteRecords => self.encode_delete_records(out),
            _ => self.encode_epoch_ends(out),
        }
    }

    fn empty(caller: Caller, token: Token) -> Self {
        Self {
            caller,
            token,
            topics: Vec::new(),
            parts: Vec::new(),
            pending: 0,
            timeout: None,
            timer: None,
        }
    }

    fn begin_topic(&mut self, name: &str) {
        self.topics.push(TopicPart {
            name: name.to_owned(),
            part_count: 0,
        });
    }

    /// A part of the topic that was begun last.
    fn push(&mut self, index: i32, state: State) {
        if let Some(topic) = self.topics.last_mut() {
            topic.part_count += 1;
            self.parts.push(Part { index, state });
        }
    }

    /// Each topic with its parts.
    fn by_topic(&self) -> impl Iterator<Item = (&str, &[Part])> {
        let mut first = 0;
        self.topics.iter().map(move |topic| {
            let parts = &self.parts[first..first + topic.part_count];
            first += topic.part_count;
            (topic.name.as_str(), parts)
        })
    }
}

/// Finds a partition by its topic's name, or the code that says why it cannot be asked.
fn open(core: &Core, topic: &str, index: i32, epoch: i32, question: Question) -> State {
    let index = PartitionIndex(index);
    let known = core.catalog.by_name(topic);
    let Some((topic, partition)) = known.and_then(|it| Some((it, it.partition(index)?))) else {
        return State::Failed(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    };
    if let Err(error) = check_epoch(partition.epoch, LeaderEpoch(epoch)) {
        return State::Failed(error.code());
    }
    if partition.leader != core.options.node_id {
        return State::Failed(ErrorCode::NOT_LEADER_OR_FOLLOWER);
    }
    let place = match partition.key {
        _ if partition.owner != core.options.id => Place::Peer(partition.owner),
        Some(key) => Place::Here(key),
        None => return State::Failed(ErrorCode::KAFKA_STORAGE_ERROR),
    };
    State::Open {
        name: PartitionName {
            topic: topic.id,
            index,
        },
        place,
        question,
    }
}
