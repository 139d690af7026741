//! The group coordinators of this shard: one for each partition of `__consumer_offsets` that it
//! leads.
//!
//! A coordinator is plain state ([`crate::groups`]). Here it gets its log: what it wants recorded
//! is appended, always synced, and what it answers waits for that. A coordinator whose append
//! fails is dropped and loaded anew from its log.

mod hosted;
mod load;
mod pace;
mod rewrite;

use std::collections::{BTreeMap, VecDeque};

use logmill_engine::base::{Micros, Now, Offset, PartitionIndex, ShardId};
use logmill_engine::disk::{DiskOp, OpKey};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::store::{AckError, PartitionKey};
use logmill_wire::batch::BatchBuilder;
use logmill_wire::{ErrorCode, Reader, RequestHeader};
use rand::RngCore;

use self::hosted::Hosted;
pub use self::load::CoordinatorLoaded;
use self::load::Loads;
use self::pace::Pace;
use super::Shard;
use super::net::begin_reply;
use super::out::{LongReply, Notice, Out, WrittenReply};
use super::requests::{RequestError, Work};
use crate::base::work::Token;
use crate::connection::ConnectionKey;
use crate::groups::{Answer, Ask, Effects, Options};
use crate::handlers::groups::{self as calls, Asked, Client, GroupCall};
use crate::handlers::{Caller, RequestContext};
use crate::metadata::OFFSETS_TOPIC;
use crate::partitions::mail::{Reply, Request};

/// Makes a source of randomness for each coordinator.
pub type Rngs = Box<dyn FnMut() -> Box<dyn RngCore + Send> + Send>;

/// All coordinators of a shard.
pub struct Coordinators {
    hosted: BTreeMap<i32, Hosted>,
    /// What all of them take of memory, nearly; counted anew at every time-out.
    bytes: usize,
    /// None of them is due before. Whatever changes one lowers it; when it is reached all of them
    /// are looked at.
    due_at: Option<Micros>,
    options: Options,
    rngs: Rngs,
    /// Counts coordinators that were made.
    lives: u64,
    loads: Loads,
    pace: Pace,
    effects: Effects,
    builder: BatchBuilder,
    /// Calls whose replies are long, and whose they are: one is written at a time.
    long_calls: VecDeque<(Token, ConnectionKey)>,
    is_writing: bool,
    /// Reads of segments that loading wants.
    reads: Vec<(OpKey, DiskOp)>,
}

/// A peer's ask that a coordinator of this shard has.
#[derive(Debug)]
pub struct RemoteAsk {
    from: ShardId,
    theirs: Token,
    /// The peer knows that its ask came, and expects another letter with the answer.
    is_long: bool,
}

/// A batch of a coordinator's records on its way to the disk.
#[derive(Clone, Copy, Debug)]
pub struct CoordinatorBatch {
    index: i32,
    /// Which coordinator of the partition made it: it may have been loaded anew since.
    life: u64,
    number: u64,
    bytes: usize,
}

impl Coordinators {
    /// None yet. `rngs` make member ids, which nobody may guess.
    pub fn new(options: Options, rngs: Rngs) -> Self {
        Self {
            hosted: BTreeMap::new(),
            bytes: 0,
            due_at: None,
            options,
            rngs,
            lives: 0,
            loads: Loads::default(),
            pace: Pace::default(),
            effects: Effects::default(),
            builder: BatchBuilder::new(),
            long_calls: VecDeque::new(),
            is_writing: false,
            reads: Vec::new(),
        }
    }

    /// When one of them wants to be asked although nothing happened.
    pub fn next_deadline(&self) -> Option<Micros> {
        if self.loads.is_busy() {
            return Some(Micros(0));
        }
        let paced = self.pace.next_turn_at();
        [self.due_at, paced].into_iter().flatten().min()
    }

    /// A coordinator may be due earlier than it was.
    fn changed(&mut self, index: i32) {
        let own = self.hosted.get(&index).and_then(Hosted::next_deadline);
        self.due_at = [self.due_at, own].into_iter().flatten().min();
    }

    /// Moves the reads that loading wants to `out`.
    pub fn take_reads(&mut self, out: &mut logmill_engine::disk::DiskOut) {
        for (key, op) in self.reads.drain(..) {
            out.push(key, op);
        }
    }
}

impl Shard {
    /// Serves an API of groups.
    pub(super) fn group_request(
        &mut self,
        now: Now,
        caller: Caller,
        header: &RequestHeader<'_>,
        mut reader: Reader<'_>,
    ) -> Result<(), RequestError> {
        let host = self.net.client_host(caller.connection);
        let ctx = RequestContext {
            image: &self.metadata.image,
            config: &self.metadata.config,
            broker: &self.metadata.brokers[usize::from(caller.listener)],
            version: caller.version,
            client_id: header.client_id,
            now,
        };
        let client = Client {
            id: header.client_id.unwrap_or_default(),
            host: &host,
        };
        let (call, asks) = calls::begin(&ctx, caller, client, &mut reader)?;
        super::requests::check_parts(std::iter::once(asks.len()))?;
        let token = self.work.reserve().ok_or(RequestError::TooMany)?;
        self.group_call_on(token, Box::new(call));
        let mut short_peers = 0;
        for (part, asked) in asks.into_iter().enumerate() {
            self.ask_coordinator(now, token.with_part(part), asked, &mut short_peers);
        }
        self.hold_if_short(caller.connection, short_peers);
        Ok(())
    }

    /// Asks a coordinator, wherever it is.
    fn ask_coordinator(&mut self, now: Now, token: Token, asked: Asked, short_peers: &mut u64) {
        let Asked { partition, ask } = asked;
        let topic = self.core.catalog.by_name(OFFSETS_TOPIC);
        let place =
            partition.and_then(|index| Some((index, topic?.partition(PartitionIndex(index))?)));
        match place {
            None => {
                let answer = ask.refused(ErrorCode::NOT_COORDINATOR);
                self.group_told(token, answer);
            }
            Some((index, at)) if at.owner == self.core.options.id => {
                self.coordinate(now, index, token.to_bits(), ask);
            }
            Some((index, at)) => {
                let peer = at.owner;
                let request = Request::Group {
                    index,
                    ask: Box::new(ask),
                };
                if !self.core.ask(peer, token, request) {
                    *short_peers |= 1 << (peer.0 % 64);
                }
            }
        }
    }

    /// A peer asks a coordinator of this shard's. What the coordinator knows at once is the reply.
    /// Otherwise the reply says that the ask came, and another letter what the answer is: that may
    /// take as long as a rebalance.
    pub(super) fn peer_asks_coordinator(
        &mut self,
        now: Now,
        from: ShardId,
        theirs: Token,
        index: i32,
        ask: Ask,
    ) {
        let Some(token) = self.work.reserve() else {
            let answer = ask.refused(ErrorCode::COORDINATOR_NOT_AVAILABLE);
            self.core
                .answer(from, theirs, Reply::Group(Box::new(answer)));
            return;
        };
        let remote = |is_long| {
            Work::RemoteAsk(RemoteAsk {
                from,
                theirs,
                is_long,
            })
        };
        self.work.put(token, remote(false));
        self.coordinate(now, index, token.to_bits(), ask);
        if self.work.take(token).is_some() {
            self.work.put(token, remote(true));
            self.core.answer(from, theirs, Reply::Done);
        }
    }

    /// A coordinator answered.
    pub(super) fn group_told(&mut self, token: Token, answer: Answer) {
        match self.work.take(token) {
            Some(Work::Group(mut call)) => {
                call.told(token.part(), answer);
                self.group_call_on(token, call);
            }
            Some(Work::RemoteAsk(remote)) => {
                self.work.release(token);
                let (waiter, answer) = (remote.theirs, Box::new(answer));
                if remote.is_long {
                    // Its reply finds nobody, which is right: nothing waits for it.
                    let told = Request::GroupTold { waiter, answer };
                    self.core.ask(remote.from, token, told);
                } else {
                    self.core.answer(remote.from, waiter, Reply::Group(answer));
                }
            }
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// Replies to a call that is complete, puts another one back. A long reply is written beside
    /// the shard, when there is memory for it.
    fn group_call_on(&mut self, token: Token, call: Box<GroupCall>) {
        if !call.is_complete() {
            self.work.put(token, Work::Group(call));
        } else if call.reply_bytes() >= LONG_REPLY_BYTES_MIN {
            let connection = call.caller().connection;
            self.work.put(token, Work::Group(call));
            self.coordinators.long_calls.push_back((token, connection));
        } else {
            self.work.release(token);
            self.group_reply(*call);
        }
    }

    /// Gives the next of the long replies away to be written.
    pub(super) fn begin_long_reply(&mut self, out: &mut Out) {
        let calls = &mut self.coordinators.long_calls;
        if calls.is_empty() || self.coordinators.is_writing {
            return;
        }
        let may_go = |(_, connection): &(Token, ConnectionKey)| self.net.may_reply(*connection);
        let Some(at) = calls.iter().position(may_go) else {
            return;
        };
        let Some((token, connection)) = calls.remove(at) else {
            return;
        };
        match self.work.take(token) {
            Some(Work::Group(_)) if self.net.outgoing(connection).is_none() => {
                self.work.release(token);
            }
            Some(Work::Group(call)) => {
                self.coordinators.is_writing = true;
                out.long_reply = Some(LongReply { token, call });
            }
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// A long reply is written: it goes, and the next one is begun.
    pub(super) fn long_reply_written(&mut self, reply: WrittenReply) {
        self.coordinators.is_writing = false;
        self.work.release(reply.token);
        match reply.result {
            Ok(mut writer) => self
                .net
                .reply(&reply.caller, &mut writer, &mut self.externals),
            Err(error) => self.unanswerable(&reply.caller, &error),
        }
    }

    fn group_reply(&mut self, call: GroupCall) {
        let caller = call.caller();
        begin_reply(&caller, &mut self.writer);
        match call.encode(&mut self.writer) {
            Ok(()) => self
                .net
                .reply(&caller, &mut self.writer, &mut self.externals),
            Err(error) => self.unanswerable(&caller, &error),
        }
    }

    /// Makes this shard the home of a partition's coordinator.
    pub(super) fn host_coordinator(&mut self, now: Now, index: i32, key: PartitionKey) {
        let coordinators = &mut self.coordinators;
        if coordinators.hosted.contains_key(&index) {
            return;
        }
        let rng = (coordinators.rngs)();
        coordinators.lives += 1;
        let (life, options) = (coordinators.lives, coordinators.options.clone());
        let hosted = Hosted::new(now, (key, life), options, rng);
        coordinators.hosted.insert(index, hosted);
        coordinators.loads.add(index);
    }

    /// The topic of offsets is gone, and its coordinators with it.
    pub(super) fn drop_coordinators(&mut self, now: Now) {
        for (_, hosted) in std::mem::take(&mut self.coordinators.hosted) {
            hosted.close(now, &mut self.coordinators.effects);
        }
        self.deliver();
        self.coordinators.loads.clear();
        self.coordinators.pace = Pace::default();
    }

    /// Topics are gone: what groups committed for them goes, too.
    pub(super) fn forget_offsets(&mut self, now: Now, topics: &[String]) {
        let indexes: Vec<i32> = self.coordinators.hosted.keys().copied().collect();
        for index in indexes {
            let ask = Ask::TopicsDeleted(topics.to_vec());
            self.coordinate(now, index, NOBODY, ask);
        }
    }

    /// Lets a coordinator take an ask, and carries out what comes of it.
    fn coordinate(&mut self, now: Now, index: i32, ticket: u64, ask: Ask) {
        let topic = self.core.catalog.by_name(OFFSETS_TOPIC);
        let batch_bytes = topic.map_or(0, |topic| topic.config.max_message_bytes as usize);
        let Coordinators {
            hosted,
            effects,
            options,
            bytes,
            ..
        } = &mut self.coordinators;
        match hosted.get_mut(&index) {
            Some(hosted) => {
                // What all may take together is the bound of each.
                let used = hosted.memory_bytes();
                hosted.limit(
                    options.memory_bytes_max.saturating_sub(*bytes) + used,
                    batch_bytes.saturating_sub(BatchHeader::SIZE),
                );
                hosted.take(now, ticket, ask, effects);
                *bytes = bytes.saturating_sub(used) + hosted.memory_bytes();
            }
            None => {
                let answer = ask.refused(ErrorCode::NOT_COORDINATOR);
                self.group_told(Token::from_bits(ticket), answer);
                return;
            }
        }
        self.carry_out(now, index);
    }

    /// Lets coordinators do what is due, goes on with loads and with appends that found no memory.
    pub(super) fn pump_coordinators(&mut self, now: Now) {
        self.load_coordinators(now);
        self.append_waiting(now);
        if self.coordinators.due_at.is_none_or(|at| at > now.monotonic) {
            return;
        }
        let due = |(index, hosted): (&i32, &Hosted)| hosted.is_due(now).then_some(*index);
        let due: Vec<i32> = self.coordinators.hosted.iter().filter_map(due).collect();
        let hosted = self.coordinators.hosted.values();
        self.coordinators.bytes = hosted.map(Hosted::memory_bytes).sum();
        for index in due {
            let Coordinators {
                hosted, effects, ..
            } = &mut self.coordinators;
            if let Some(hosted) = hosted.get_mut(&index) {
                hosted.expire(now, effects);
            }
            self.carry_out(now, index);
        }
        let hosted = self.coordinators.hosted.values();
        self.coordinators.due_at = hosted.filter_map(Hosted::next_deadline).min();
    }

    /// Appends what a coordinator wants recorded, and lets go what waits for nothing.
    fn carry_out(&mut self, now: Now, index: i32) {
        let Coordinators {
            hosted,
            effects,
            builder,
            ..
        } = &mut self.coordinators;
        if let Some(hosted) = hosted.get_mut(&index) {
            hosted.settle(now, effects, builder);
        }
        self.append_records(now, index);
        self.coordinators.changed(index);
        self.deliver();
    }

    /// Hands a coordinator's batches to the store, unless others are before it.
    fn append_records(&mut self, now: Now, index: i32) {
        let pace = &mut self.coordinators.pace;
        if pace.is_anyone_waiting() {
            return self.wait_for_room(index);
        }
        while let Went::On = self.append_batch(now, index) {}
    }

    /// There may be room for coordinators that wait for it: a batch of each, in turns.
    fn append_waiting(&mut self, now: Now) {
        while let Some(index) = self.coordinators.pace.first_waiting() {
            match self.append_batch(now, index) {
                Went::On => self.coordinators.pace.next_turn(),
                Went::Nowhere => return,
                Went::ToEnd => self.coordinators.pace.leave_turn(),
            }
            self.coordinators.changed(index);
        }
    }

    fn wait_for_room(&mut self, index: i32) {
        let hosted = self.coordinators.hosted.get(&index);
        if hosted.is_some_and(|hosted| hosted.next_batch().is_some()) {
            self.coordinators.pace.wait(index);
        }
    }

    fn append_batch(&mut self, now: Now, index: i32) -> Went {
        let Coordinators { hosted, pace, .. } = &mut self.coordinators;
        let Some(hosted) = hosted.get_mut(&index) else {
            return Went::ToEnd;
        };
        let Some((number, bytes)) = hosted.next_batch() else {
            return Went::ToEnd;
        };
        let len = bytes.len();
        if !pace.has_room(now.monotonic, len) {
            pace.wait(index);
            return Went::Nowhere;
        }
        let Some(token) = self.work.reserve() else {
            hosted.wait(now);
            return Went::ToEnd;
        };
        match hosted::append(now, &mut self.core.store, hosted.key(), bytes, token) {
            Ok(()) => {
                hosted.appended(len);
                pace.began(now.monotonic, len);
                let batch = CoordinatorBatch {
                    index,
                    life: hosted.life(),
                    number,
                    bytes: len,
                };
                self.work.put(token, Work::CoordinatorBatch(batch));
                Went::On
            }
            Err(None) => {
                self.work.release(token);
                hosted.wait(now);
                Went::ToEnd
            }
            Err(Some(error)) => {
                self.work.release(token);
                self.coordinator_failed(now, index, &error.to_string());
                Went::ToEnd
            }
        }
    }

    /// A batch is synced, or never will be.
    pub(super) fn coordinator_acked(
        &mut self,
        now: Now,
        batch: CoordinatorBatch,
        result: Result<Offset, AckError>,
    ) {
        let CoordinatorBatch {
            index,
            life,
            number,
            bytes,
        } = batch;
        let hosted = self.coordinators.hosted.get(&index);
        if hosted.is_none_or(|hosted| hosted.life() != life) {
            // It says nothing of what the present one made.
            return;
        }
        if let Err(error) = result {
            self.coordinator_failed(now, index, &error.to_string());
            return;
        }
        let Coordinators {
            hosted,
            effects,
            pace,
            ..
        } = &mut self.coordinators;
        if let Some(hosted) = hosted.get_mut(&index) {
            hosted.synced(number, bytes, &mut self.core.store, effects);
            pace.ended(bytes);
        }
        self.append_waiting(now);
        self.coordinators.changed(index);
        self.deliver();
    }

    /// What a coordinator knows may not be in its log: it is dropped, and loaded anew.
    pub(super) fn coordinator_failed(&mut self, now: Now, index: i32, why: &str) {
        let Coordinators {
            hosted,
            effects,
            options,
            rngs,
            loads,
            lives,
            pace,
            ..
        } = &mut self.coordinators;
        let Some(failed) = hosted.get_mut(&index) else {
            return;
        };
        let text = format!("{OFFSETS_TOPIC}-{index}: the coordinator is loaded anew: {why}");
        self.net.notice(Notice::Storage { text });
        *lives += 1;
        let anew = Hosted::new(now, (failed.key(), *lives), options.clone(), rngs());
        let failed = std::mem::replace(failed, anew);
        pace.ended(failed.unsynced_bytes());
        failed.close(now, effects);
        loads.add(index);
        self.deliver();
    }

    /// Sends the answers that are due.
    pub(super) fn deliver(&mut self) {
        let mut replies = std::mem::take(&mut self.coordinators.effects.replies);
        for reply in replies.drain(..) {
            self.group_told(Token::from_bits(reply.ticket), reply.answer);
        }
        self.coordinators.effects.replies = replies;
    }

    /// The broker stops: members that wait for others are sent to look for a coordinator again.
    pub(super) fn end_rebalances(&mut self) {
        for token in self.work.tokens() {
            match self.work.take(token) {
                Some(Work::Group(mut call)) if call.waits_for_members() => {
                    call.refuse(ErrorCode::NOT_COORDINATOR);
                    self.group_call_on(token, call);
                }
                Some(other) => self.work.put(token, other),
                None => {}
            }
        }
    }
}

/// How far a coordinator's append came.
enum Went {
    /// The store has a batch more.
    On,
    /// There is no room yet.
    Nowhere,
    /// It has no more to append, or has to leave the store alone for a while.
    ToEnd,
}

/// Replies from this size on are written beside the shard.
const LONG_REPLY_BYTES_MIN: usize = 64 << 10;
/// The ticket of asks that nobody waits for.
const NOBODY: u64 = u64::MAX;
