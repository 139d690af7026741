//! One coordinator with its log.

use std::collections::VecDeque;

use logmill_engine::base::{Micros, Now};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::log::{AppendError, Origin};
use logmill_engine::store::{Ack, AckLevel, LeaderBatch, PartitionKey, Store, StoreError};
use logmill_wire::ErrorCode;
use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};
use rand::RngCore;

use super::pace::BATCH_BYTES_MAX;
use super::rewrite::Rewrite;
use crate::base::planted::{self, Planted};
use crate::base::work::Token;
use crate::groups::{
    Answer, Ask, Coordinator, DeleteOffsetsAnswer, DescribedGroup, Effects, FetchAnswer,
    JoinAnswer, LeaveAnswer, ListAnswer, Options, PartitionErrors, Record, Reply, SyncAnswer, When,
};

/// A coordinator, the batches that it wants appended, and the replies that wait for them.
pub struct Hosted {
    key: PartitionKey,
    life: u64,
    coordinator: Coordinator,
    state: State,
    /// The number of the last batch that was made, and of the last that is synced.
    made: u64,
    synced: u64,
    /// Batches that were not taken by the store yet; the last is `made`.
    batches: VecDeque<Vec<u8>>,
    /// Of batches that the store took and has not synced.
    unsynced_bytes: usize,
    /// The store had no memory: try again then.
    retry_at: Option<Micros>,
    /// Replies and the batch that each waits for.
    held: VecDeque<(u64, u64, Answer)>,
    rewrite: Rewrite,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Its log is being replayed. Topics that were deleted meanwhile.
    Loading(Vec<String>),
    Serving,
    /// Its log cannot be replayed.
    Failed,
}

impl Hosted {
    pub(super) fn new(
        now: Now,
        (key, life): (PartitionKey, u64),
        options: Options,
        rng: Box<dyn RngCore + Send>,
    ) -> Self {
        Self {
            key,
            life,
            coordinator: Coordinator::new(now, options, rng),
            state: State::Loading(Vec::new()),
            made: 0,
            synced: 0,
            batches: VecDeque::new(),
            unsynced_bytes: 0,
            retry_at: None,
            held: VecDeque::new(),
            rewrite: Rewrite::new(),
        }
    }

    pub(super) fn key(&self) -> PartitionKey {
        self.key
    }

    /// Tells it from others that the partition had.
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// What the coordinator may take of memory, and a batch of its records in the log.
    pub(super) fn limit(&mut self, memory_bytes_max: usize, batch_bytes_max: usize) {
        self.coordinator.set_options(Options {
            memory_bytes_max,
            batch_bytes_max,
            ..self.coordinator.options().clone()
        });
    }

    /// What it takes of memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.coordinator.memory_bytes()
    }

    /// The state that the log is replayed into.
    pub(super) fn coordinator(&mut self) -> &mut Coordinator {
        &mut self.coordinator
    }

    /// The log cannot be replayed: as Kafka does, its groups are sent to look for another
    /// coordinator for as long as this one lives.
    pub(super) fn fail(&mut self) {
        self.state = State::Failed;
    }

    /// The whole log was replayed.
    pub(super) fn loaded(&mut self, now: Now, effects: &mut Effects) {
        let State::Loading(deleted) = &mut self.state else {
            return;
        };
        let deleted = std::mem::take(deleted);
        self.state = State::Serving;
        self.coordinator.loaded(now, effects);
        if !deleted.is_empty() {
            let ask = Ask::TopicsDeleted(deleted);
            self.coordinator.take(now, super::NOBODY, ask, effects);
        }
    }

    pub(super) fn take(&mut self, now: Now, ticket: u64, ask: Ask, effects: &mut Effects) {
        let error = match (&mut self.state, &ask) {
            (State::Serving, _) => return self.coordinator.take(now, ticket, ask, effects),
            (State::Loading(deleted), Ask::TopicsDeleted(topics)) => {
                deleted.extend(topics.iter().cloned());
                return;
            }
            (State::Loading(_), _) => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            (State::Failed, _) => ErrorCode::NOT_COORDINATOR,
        };
        effects.replies.push(Reply {
            ticket,
            answer: ask.refused(error),
            when: When::Now,
        });
    }

    pub(super) fn expire(&mut self, now: Now, effects: &mut Effects) {
        self.retry_at.take_if(|at| *at <= now.monotonic);
        if self.state == State::Serving {
            self.coordinator.expire(now, effects);
        }
        if self.batches.is_empty() && effects.records.is_empty() {
            let (records, batch) = (&mut effects.records, self.made + 1);
            self.rewrite.portion(&self.coordinator, records, batch);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Micros> {
        if self.rewrite.is_busy() && self.batches.is_empty() {
            return Some(Micros(0));
        }
        let own = match self.state {
            State::Serving => self.coordinator.next_deadline(),
            State::Loading(_) | State::Failed => None,
        };
        [own, self.retry_at].into_iter().flatten().min()
    }

    pub(super) fn is_due(&self, now: Now) -> bool {
        self.next_deadline().is_some_and(|at| at <= now.monotonic)
    }

    /// Makes batches of the records, and keeps the replies that wait.
    pub(super) fn settle(&mut self, now: Now, effects: &mut Effects, builder: &mut BatchBuilder) {
        self.make_batches(now, &effects.records, builder);
        effects.records.clear();
        if self.made == self.synced || planted::is(Planted::EarlyAnswer) {
            return;
        }
        let held = effects
            .replies
            .extract_if(.., |reply| reply.when == When::Synced);
        let made = self.made;
        self.held
            .extend(held.map(|reply| (made, reply.ticket, reply.answer)));
    }

    fn make_batches(&mut self, now: Now, records: &[Record], builder: &mut BatchBuilder) {
        let most = self.coordinator.options().batch_bytes_max;
        let most = most.min(BATCH_BYTES_MAX);
        for record in records {
            let bytes = record.bytes();
            if !builder.is_empty() && builder.uncompressed_bytes() + bytes > most {
                self.end_batch(builder);
            }
            let record = NewRecord {
                timestamp: now.wall_ms,
                key: Some(&record.key),
                value: record.value(),
                headers: &[],
            };
            // It fails only above 2 GiB, and a coordinator's records are smaller.
            builder.append(&record).expect("a record fits a batch");
        }
        if !builder.is_empty() {
            self.end_batch(builder);
        }
    }

    fn end_batch(&mut self, builder: &mut BatchBuilder) {
        let mut bytes = Vec::with_capacity(builder.uncompressed_bytes());
        builder.finish(&BatchMeta::default(), &mut bytes);
        builder.clear();
        self.batches.push_back(bytes);
        self.made += 1;
    }

    /// The next batch for the store and its number, unless the store has to be left alone.
    pub(super) fn next_batch(&self) -> Option<(u64, &[u8])> {
        let first = self.batches.front().filter(|_| self.retry_at.is_none())?;
        let number = self.made - (self.batches.len() as u64 - 1);
        Some((number, first))
    }

    /// The store took the next batch.
    pub(super) fn appended(&mut self, bytes: usize) {
        self.batches.pop_front();
        self.unsynced_bytes += bytes;
    }

    /// Bytes that the store took and has not synced.
    pub(super) fn unsynced_bytes(&self) -> usize {
        self.unsynced_bytes
    }

    /// The store has no room now.
    pub(super) fn wait(&mut self, now: Now) {
        self.retry_at = Some(now.monotonic.saturating_add(RETRY));
    }

    /// A batch of so many bytes is synced, and all before it: replies that waited for them go.
    pub(super) fn synced(
        &mut self,
        number: u64,
        bytes: usize,
        store: &mut Store,
        effects: &mut Effects,
    ) {
        self.unsynced_bytes -= bytes;
        self.synced = self.synced.max(number);
        self.rewrite.synced(store, self.key, self.synced);
        if self.batches.is_empty() {
            self.rewrite.look(store, self.key, &self.coordinator);
        }
        let ripe = self.held.partition_point(|held| held.0 <= self.synced);
        let ripe = self.held.drain(..ripe).map(|(_, ticket, answer)| Reply {
            ticket,
            answer,
            when: When::Now,
        });
        effects.replies.extend(ripe);
    }

    /// Refuses all who wait, for good.
    pub(super) fn close(self, now: Now, effects: &mut Effects) {
        self.coordinator.close(now, effects);
        effects.records.clear();
        for (_, ticket, answer) in self.held {
            effects.replies.push(Reply {
                ticket,
                answer: refused(answer, ErrorCode::NOT_COORDINATOR),
                when: When::Now,
            });
        }
    }
}

/// Appends a batch, always synced; `Err(None)` when there is no room now.
pub(super) fn append(
    now: Now,
    store: &mut Store,
    key: PartitionKey,
    bytes: &[u8],
    token: Token,
) -> Result<(), Option<StoreError>> {
    let batch = LeaderBatch {
        header: BatchHeader::parse(bytes).expect("made by the builder"),
        bytes,
        expected_epoch: None,
        origin: Origin::Coordinator,
    };
    let ack = Ack {
        level: AckLevel::Synced,
        token: token.to_bits(),
    };
    match store.append_as_leader(now, key, &batch, ack) {
        Ok(_) => Ok(()),
        Err(StoreError::Append(AppendError::Backpressure)) => Err(None),
        Err(error) => Err(Some(error)),
    }
}

/// The same answer with nothing done.
fn refused(answer: Answer, error: ErrorCode) -> Answer {
    let topics = |mut topics: Vec<PartitionErrors>| {
        for topic in &mut topics {
            topic.partitions.iter_mut().for_each(|it| it.1 = error);
        }
        topics
    };
    match answer {
        Answer::Join(it) => Answer::Join(Box::new(JoinAnswer::failed(error, it.member_id))),
        Answer::Sync(_) => Answer::Sync(SyncAnswer::failed(error)),
        Answer::Heartbeat(_) => Answer::Heartbeat(error),
        Answer::Leave(_) => Answer::Leave(LeaveAnswer {
            error,
            members: Vec::new(),
        }),
        Answer::Commit(it) => Answer::Commit(topics(it)),
        Answer::FetchOffsets(it) => Answer::FetchOffsets(FetchAnswer {
            error,
            topics: Vec::new(),
            ..it
        }),
        Answer::Describe(groups) => {
            let groups = groups.iter();
            let groups = groups.map(|it| DescribedGroup::failed(error, &it.group_id));
            Answer::Describe(groups.collect())
        }
        Answer::List(_) => Answer::List(ListAnswer {
            error,
            groups: Vec::new(),
        }),
        Answer::Delete(groups) => {
            Answer::Delete(groups.into_iter().map(|(name, _)| (name, error)).collect())
        }
        Answer::DeleteOffsets(_) => Answer::DeleteOffsets(DeleteOffsetsAnswer {
            error,
            topics: Vec::new(),
        }),
        Answer::TopicsDeleted(_) => Answer::TopicsDeleted(0),
    }
}

/// When an append that found no memory is tried again.
const RETRY: Micros = Micros::from_millis(5);
