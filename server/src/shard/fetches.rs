//! Fetch requests between their reads, waits and replies; and what peers read here.

use logmill_engine::base::{Micros, Now, Offset, ShardId};
use logmill_engine::store::{PartitionKey, ReadData, StoreError};
use logmill_wire::messages::fetch::FetchRequest;
use logmill_wire::{Message, Reader};

use super::net::begin_reply;
use super::requests::{RequestError, Work, check_parts};
use super::{Shard, Timer};
use crate::base::work::Token;
use crate::connection::ConnectionKey;
use crate::handlers::Caller;
use crate::handlers::fetch::{Fetch, Progress};
use crate::partitions::mail::{PartitionName, Reply, Request};
use crate::partitions::read::{self, PartRead};

/// A peer's read that waits for this shard's disk.
#[derive(Debug)]
pub struct RemoteRead {
    from: ShardId,
    theirs: Token,
    key: PartitionKey,
    read: PartRead,
}

/// A peer's request that waits for a watermark of this shard's.
#[derive(Debug)]
pub struct RemoteWait {
    from: ShardId,
    theirs: Token,
}

impl Shard {
    pub(super) fn fetch(
        &mut self,
        now: Now,
        caller: Caller,
        mut reader: Reader<'_>,
    ) -> Result<(), RequestError> {
        let request = FetchRequest::decode(&mut reader, caller.version)?;
        check_parts(request.topics.iter().map(|topic| topic.partitions.len()))?;
        let token = self.work.reserve().ok_or(RequestError::TooMany)?;
        let sessions = &mut self.sessions;
        let fetch = Fetch::begin(now, &mut self.core, sessions, caller, token, &request);
        let mut fetch = Box::new(fetch);
        if self.stopping != super::Stopping::No {
            fetch.end();
        }
        let wait = Micros::from_millis(request.max_wait_ms.max(0) as u64);
        let deadline = now.monotonic.saturating_add(wait);
        fetch.timer = Some(self.timers.set(deadline, Timer::Work(token)));
        self.net.note_poll(caller.connection, token);
        self.fetch_on(now, token, fetch);
        Ok(())
    }

    /// Goes on with a fetch, and answers it when it is complete.
    pub(super) fn fetch_on(&mut self, now: Now, token: Token, mut fetch: Box<Fetch>) {
        let mut short_peers = 0;
        let progress = fetch.advance(now, &mut self.core, &mut short_peers);
        self.hold_if_short(fetch.caller().connection, short_peers);
        if progress != Progress::Complete {
            self.work.put(token, Work::Fetch(fetch));
            return;
        }
        let caller = self.end_fetch(token, &mut fetch);
        begin_reply(&caller, &mut self.writer);
        let (sessions, writer) = (&mut self.sessions, &mut self.writer);
        match fetch.encode(now, &self.core, sessions, writer, &mut self.externals) {
            Ok(()) => self
                .net
                .reply(&caller, &mut self.writer, &mut self.externals),
            Err(error) => self.unanswerable(&caller, &error),
        }
    }

    /// The connections of these fetches are gone: nobody waits for them any more.
    pub(super) fn abandon_fetches(&mut self, tokens: Vec<Token>) {
        for token in tokens {
            match self.work.take(token) {
                Some(Work::Fetch(mut fetch)) => {
                    self.end_fetch(token, &mut fetch);
                }
                Some(other) => self.work.put(token, other),
                None => {}
            }
        }
    }

    /// The broker stops: who waits for records is answered now.
    pub(super) fn end_long_polls(&mut self, now: Now) {
        for token in self.work.tokens() {
            match self.work.take(token) {
                Some(Work::Fetch(mut fetch)) => {
                    fetch.end();
                    self.fetch_on(now, token, fetch);
                }
                Some(other) => self.work.put(token, other),
                None => {}
            }
        }
    }

    /// Something that a waiting request wants to read may be there.
    pub(super) fn became_visible(&mut self, now: Now, token: Token) {
        match self.work.take(token) {
            Some(Work::Fetch(mut fetch)) => {
                fetch.stale(token.part());
                self.fetch_on(now, token, fetch);
            }
            Some(Work::CoordinatorLoaded(loaded)) => {
                self.work.release(token);
                self.coordinator_loaded(now, loaded);
            }
            Some(Work::RemoteWait(wait)) => {
                self.work.release(token);
                self.remote_waits
                    .remove(&(wait.from, wait.theirs.to_bits()));
                // Its reply finds nobody, which is right: nothing waits for it.
                self.core.ask(
                    wait.from,
                    token,
                    Request::Wake {
                        waiter: wait.theirs,
                    },
                );
            }
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// Something that a request must read was loaded.
    pub(super) fn loaded(&mut self, now: Now, token: Token) {
        match self.work.take(token) {
            Some(Work::Fetch(mut fetch)) => {
                fetch.stale(token.part());
                self.fetch_on(now, token, fetch);
            }
            Some(Work::RemoteRead(remote)) => self.remote_read_on(now, token, remote),
            Some(Work::Lookup(mut lookup)) => {
                lookup.ask_again(now, &mut self.core, token.part());
                self.lookup_on(token, lookup);
            }
            Some(Work::RemoteQuestion(remote)) => self.remote_question_on(now, token, remote),
            Some(Work::CoordinatorLoad) => {
                self.work.put(token, Work::CoordinatorLoad);
                self.coordinator_load_on();
            }
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// A peer wants to read a partition of this shard's.
    pub(super) fn peer_reads(
        &mut self,
        now: Now,
        from: ShardId,
        theirs: Token,
        partition: PartitionName,
        read: PartRead,
    ) {
        let key = match self.core.own(partition) {
            Ok(key) => key,
            Err(error) => return self.core.answer(from, theirs, Reply::Read(Err(error))),
        };
        match self.work.reserve() {
            Some(token) => {
                self.remote_read_on(
                    now,
                    token,
                    RemoteRead {
                        from,
                        theirs,
                        key,
                        read,
                    },
                );
            }
            None => self
                .core
                .answer(from, theirs, Reply::Read(Err(StoreError::Stopping))),
        }
    }

    /// A peer's request waits for a watermark.
    pub(super) fn peer_waits(
        &mut self,
        from: ShardId,
        theirs: Token,
        partition: PartitionName,
        offset: Offset,
    ) {
        self.core.answer(from, theirs, Reply::Done);
        match (self.core.own(partition), self.work.reserve()) {
            (Ok(key), Some(token)) => {
                self.work
                    .put(token, Work::RemoteWait(RemoteWait { from, theirs }));
                self.remote_waits
                    .insert((from, theirs.to_bits()), (token, key));
                self.core.store.wait_visible(key, offset, token.to_bits());
            }
            (_, Some(token)) => {
                // Not here any more: reading again tells why.
                self.work.release(token);
                self.core.ask(from, token, Request::Wake { waiter: theirs });
            }
            _ => {}
        }
    }

    /// A peer takes a wait back.
    pub(super) fn peer_waits_no_more(&mut self, from: ShardId, theirs: Token, waiter: Token) {
        if let Some((token, key)) = self.remote_waits.remove(&(from, waiter.to_bits())) {
            self.core.store.cancel_wait(key, token.to_bits());
            self.work.release(token);
        }
        self.core.answer(from, theirs, Reply::Done);
    }

    fn remote_read_on(&mut self, now: Now, token: Token, remote: RemoteRead) {
        let answer = read::read(now, &mut self.core, remote.key, &remote.read, token);
        if answer
            .as_ref()
            .is_ok_and(|answer| matches!(answer.data, ReadData::Loading))
        {
            self.work.put(token, Work::RemoteRead(remote));
            return;
        }
        self.work.release(token);
        self.core
            .answer(remote.from, remote.theirs, Reply::Read(answer));
    }

    /// Takes a fetch off the books: its name, timer, waiters.
    fn end_fetch(&mut self, token: Token, fetch: &mut Fetch) -> Caller {
        self.work.release(token);
        if let Some(timer) = fetch.timer.take() {
            self.timers.cancel(timer);
        }
        fetch.cancel_waits(&mut self.core);
        let caller = fetch.caller();
        self.net.forget_poll(caller.connection, token);
        caller
    }

    /// A connection is closed; its waiting fetches end.
    pub(super) fn connection_gone(&mut self, connection: ConnectionKey) {
        let polls = self.net.forget(connection);
        self.abandon_fetches(polls);
    }
}
