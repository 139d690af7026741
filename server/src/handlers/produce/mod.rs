//! Produce: batches are checked on the shard that received them, appended by the shard that owns
//! the partition, and answered when the last partition is settled.
//!
//! KAFKA: `KafkaApis.handleProduceRequest`, `ProduceRequest.validateRecords`; KIP-467 (record
//! errors), KIP-951 (current leader), KIP-516 (topic ids, v13).

mod batch;
mod response;

use logmill_engine::base::{Now, Offset, PartitionIndex, TopicId};
use logmill_engine::store::{AckError, AckLevel, AppendAnswer, StoreError};
use logmill_engine::sys::region::Slice;
use logmill_wire::ErrorCode;
use logmill_wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

use super::Caller;
use crate::base::timers::TimerKey;
use crate::base::work::Token;
use crate::error::KafkaError;
use crate::partitions::catalog::Topic;
use crate::partitions::core::{AppendOrder, Appending, Core, part_of};
use crate::partitions::mail::{AppendFailure, PartitionName, Request};

pub use batch::Refusal;

/// A produce request under way. Reused: its vectors keep their capacity.
#[derive(Debug, Default)]
pub struct Produce {
    caller: Option<Caller>,
    acks: i16,
    topics: Vec<TopicPart>,
    names: String,
    parts: Vec<Part>,
    /// What is wrong with parts that were refused.
    refusals: Vec<(usize, Refusal)>,
    /// Parts that are not settled.
    pending: usize,
    failed: bool,
    /// Ends the wait at the request's time-out.
    pub timer: Option<TimerKey>,
}

/// A topic of the request: its name within `names`, and how many of the parts are its own.
#[derive(Debug)]
struct TopicPart {
    name_end: usize,
    /// As the request has it: zero where it names topics.
    id: TopicId,
    known: Option<TopicId>,
    part_count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    index: i32,
    settled: bool,
    code: ErrorCode,
    base_offset: i64,
    append_time: i64,
    log_start: i64,
}

/// Beside the parts' results: what the shard must do after a request began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Began {
    /// A peer's mailbox had no room; bit `n` stands for shard `n` modulo 64.
    pub short_peers: u64,
}

impl Produce {
    /// Takes a request up: checks and appends what it brings.
    #[expect(clippy::too_many_arguments, reason = "the one way in, called once")]
    pub fn begin(
        &mut self,
        now: Now,
        core: &mut Core,
        caller: Caller,
        token: Token,
        request: &ProduceRequest<'_>,
        frame: &Slice,
        may_write_internal: bool,
    ) -> Began {
        self.clear();
        self.caller = Some(caller);
        self.acks = request.acks;
        let mut began = Began::default();
        let level = match request.acks {
            0 => Some(AckLevel::None),
            1 => Some(AckLevel::Written),
            -1 => Some(AckLevel::Synced),
            _ => None,
        };
        let scope = Scope {
            now,
            token,
            frame,
            version: caller.version,
            level,
        };
        for data in &request.topic_data {
            self.topic(&scope, core, &data, may_write_internal, &mut began);
        }
        began
    }

    fn topic(
        &mut self,
        scope: &Scope<'_>,
        core: &mut Core,
        data: &TopicProduceData<'_>,
        may_write_internal: bool,
        began: &mut Began,
    ) {
        if data.partition_data.is_empty() {
            return;
        }
        let by_id = scope.version >= FIRST_VERSION_WITH_IDS;
        let id = TopicId(data.topic_id.0);
        let topic = if by_id {
            core.catalog.by_id(id)
        } else {
            core.catalog.by_name(data.name)
        };
        let known = topic.map(|topic| topic.id);
        let unknown = if by_id {
            ErrorCode::UNKNOWN_TOPIC_ID
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        };
        let barred = topic.is_some_and(|topic| topic.is_internal && !may_write_internal);
        self.names.push_str(data.name);
        self.topics.push(TopicPart {
            name_end: self.names.len(),
            id,
            known,
            part_count: data.partition_data.len(),
        });
        for partition in &data.partition_data {
            let part = self.parts.len();
            self.parts.push(Part::open(partition.index));
            self.pending += 1;
            let refusal = match (known, scope.level) {
                (_, None) => Refusal::code(ErrorCode::INVALID_REQUIRED_ACKS),
                (None, _) => Refusal::code(unknown),
                _ if barred => Refusal::text(
                    ErrorCode::INVALID_TOPIC_EXCEPTION,
                    "clients do not write to internal topics",
                ),
                (Some(id), Some(level)) => {
                    match self.partition(scope, core, id, level, part, &partition, began) {
                        Ok(()) => continue,
                        Err(refusal) => refusal,
                    }
                }
            };
            self.refuse(part, refusal);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of a request, named for its length"
    )]
    fn partition(
        &mut self,
        scope: &Scope<'_>,
        core: &mut Core,
        id: TopicId,
        level: AckLevel,
        part: usize,
        data: &PartitionProduceData<'_>,
        began: &mut Began,
    ) -> Result<(), Refusal> {
        let unknown = || Refusal::code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        let index = PartitionIndex(data.index);
        let topic: &Topic = core.catalog.by_id(id).ok_or_else(unknown)?;
        let partition = *topic.partition(index).ok_or_else(unknown)?;
        if partition.leader != core.options.node_id {
            return Err(Refusal::code(ErrorCode::NOT_LEADER_OR_FOLLOWER));
        }
        let records = data.records.and_then(|records| records.bytes());
        let batch = batch::check(
            scope,
            &mut core.validator,
            &core.options,
            &topic.config,
            records,
        )?;
        // Another codec means other bytes: they get a region of their own.
        let other = match &batch.recompressed {
            Some(bytes) => Some(core.own_bytes(bytes).ok_or_else(out_of_memory)?),
            None => None,
        };
        let (bytes, frame) = match &other {
            Some(own) => (&own[..], own),
            None => (batch.bytes, scope.frame),
        };
        let token = scope.token.with_part(part);
        if partition.owner != core.options.id {
            let request = Request::Append {
                partition: PartitionName { topic: id, index },
                header: batch.header,
                bytes: part_of(frame, bytes),
                level,
            };
            if !core.ask(partition.owner, token, request) {
                began.short_peers |= 1 << (partition.owner.0 % 64);
            }
            return Ok(());
        }
        let key = partition
            .key
            .ok_or_else(|| Refusal::code(ErrorCode::KAFKA_STORAGE_ERROR))?;
        let order = AppendOrder { key, level, token };
        match core.append(scope.now, order, batch.header, bytes, frame) {
            Appending::Appended(answer) => self.appended(part, &answer),
            Appending::Pressed => {}
            Appending::Refused(error) => return Err(refusal_of(&error)),
        }
        Ok(())
    }

    /// A part stands in the log; its ack follows unless none was asked for.
    pub fn appended(&mut self, part: usize, answer: &AppendAnswer) {
        let asks_no_ack = self.acks == 0;
        let Some(part) = self.parts.get_mut(part).filter(|part| !part.settled) else {
            return;
        };
        part.base_offset = answer.base_offset.0;
        part.append_time = answer.append_time;
        part.log_start = answer.log_start.0;
        if asks_no_ack {
            part.settled = true;
            self.pending -= 1;
        }
    }

    /// A part of this shard is as durable as asked, or never will be.
    pub fn acked(&mut self, part: usize, result: Result<Offset, AckError>) {
        match result {
            Ok(_) => self.settle(part),
            Err(error) => self.refuse(part, Refusal::code(error.code())),
        }
    }

    /// A part of another shard is done.
    pub fn answered(&mut self, part: usize, result: &Result<AppendAnswer, AppendFailure>) {
        match result {
            Ok(answer) => {
                self.appended(part, answer);
                self.settle(part);
            }
            Err(AppendFailure::Refused(error)) => self.refuse(part, refusal_of(error)),
            Err(failure) => self.refuse(part, Refusal::code(failure.code())),
        }
    }

    /// A part that waited for memory was refused after all.
    pub fn refused(&mut self, part: usize, error: &StoreError) {
        self.refuse(part, refusal_of(error));
    }

    /// The request's time is up: what is not settled is answered so.
    pub fn timed_out(&mut self) {
        for part in 0..self.parts.len() {
            self.refuse(part, Refusal::code(ErrorCode::REQUEST_TIMED_OUT));
        }
    }

    /// Whether every part is settled.
    pub fn is_complete(&self) -> bool {
        self.pending == 0
    }

    /// Whether no reply is wanted.
    pub fn is_silent(&self) -> bool {
        self.acks == 0
    }

    /// Whether any part failed.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Who asked.
    pub fn caller(&self) -> Option<Caller> {
        self.caller
    }

    fn settle(&mut self, part: usize) {
        let Some(part) = self.parts.get_mut(part).filter(|part| !part.settled) else {
            return;
        };
        part.settled = true;
        self.pending -= 1;
    }

    fn refuse(&mut self, number: usize, refusal: Refusal) {
        let Some(part) = self.parts.get_mut(number).filter(|part| !part.settled) else {
            return;
        };
        *part = Part {
            settled: true,
            code: refusal.code,
            ..Part::open(part.index)
        };
        self.pending -= 1;
        self.failed = true;
        if refusal.text.is_some() {
            self.refusals.push((number, refusal));
        }
    }

    fn clear(&mut self) {
        self.caller = None;
        self.topics.clear();
        self.names.clear();
        self.parts.clear();
        self.refusals.clear();
        self.pending = 0;
        self.failed = false;
        self.timer = None;
    }
}

impl Part {
    fn open(index: i32) -> Self {
        Self {
            index,
            settled: false,
            code: ErrorCode::NONE,
            base_offset: -1,
            append_time: -1,
            log_start: -1,
        }
    }
}

/// What all partitions of a request share.
struct Scope<'f> {
    now: Now,
    token: Token,
    frame: &'f Slice,
    version: i16,
    level: Option<AckLevel>,
}

fn refusal_of(error: &StoreError) -> Refusal {
    Refusal::text(error.code(), error.to_string())
}

fn out_of_memory() -> Refusal {
    Refusal::code(ErrorCode::REQUEST_TIMED_OUT)
}

const FIRST_VERSION_WITH_IDS: i16 = 13;
