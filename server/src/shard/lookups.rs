//! Questions about partitions, of clients and of peers.

use logmill_engine::base::{Now, ShardId};
use logmill_engine::store::{PartitionKey, StoreError};
use logmill_wire::messages::delete_records::DeleteRecordsRequest;
use logmill_wire::messages::list_offsets::ListOffsetsRequest;
use logmill_wire::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use logmill_wire::{ApiKey, Message, Reader};

use super::net::begin_reply;
use super::requests::{RequestError, Work, check_parts};
use super::{Shard, Timer};
use crate::base::work::Token;
use crate::handlers::Caller;
use crate::handlers::lookup::Lookup;
use crate::partitions::mail::{PartitionName, Reply};
use crate::partitions::question::{self, Answer, Question};

/// A peer's question that waits for this shard's disk.
#[derive(Debug)]
pub struct RemoteQuestion {
    from: ShardId,
    theirs: Token,
    key: PartitionKey,
    question: Question,
}

impl Shard {
    /// Serves ListOffsets, OffsetForLeaderEpoch and DeleteRecords.
    pub(super) fn lookup(
        &mut self,
        now: Now,
        caller: Caller,
        mut reader: Reader<'_>,
    ) -> Result<(), RequestError> {
        let token = self.work.reserve().ok_or(RequestError::TooMany)?;
        let made = match caller.api {
            ApiKey::ListOffsets => self.list_offsets(caller, token, &mut reader),
            ApiKey::DeleteRecords => self.delete_records(caller, token, &mut reader),
            _ => self.epoch_ends(caller, token, &mut reader),
        };
        let mut lookup = match made {
            Ok(lookup) => Box::new(lookup),
            Err(error) => {
                self.work.release(token);
                return Err(error);
            }
        };
        let mut short_peers = 0;
        lookup.ask(now, &mut self.core, &mut short_peers);
        self.hold_if_short(caller.connection, short_peers);
        if let Some(timeout) = lookup.timeout.filter(|_| !lookup.is_complete()) {
            let deadline = now.monotonic.saturating_add(timeout);
            lookup.timer = Some(self.timers.set(deadline, Timer::Work(token)));
        }
        self.lookup_on(token, lookup);
        Ok(())
    }

    fn list_offsets(
        &self,
        caller: Caller,
        token: Token,
        reader: &mut Reader<'_>,
    ) -> Result<Lookup, RequestError> {
        let request = ListOffsetsRequest::decode(reader, caller.version)?;
        check_parts(request.topics.iter().map(|topic| topic.partitions.len()))?;
        Ok(Lookup::list_offsets(&self.core, caller, token, &request))
    }

    fn delete_records(
        &self,
        caller: Caller,
        token: Token,
        reader: &mut Reader<'_>,
    ) -> Result<Lookup, RequestError> {
        let request = DeleteRecordsRequest::decode(reader, caller.version)?;
        check_parts(request.topics.iter().map(|topic| topic.partitions.len()))?;
        Ok(Lookup::delete_records(&self.core, caller, token, &request))
    }

    fn epoch_ends(
        &self,
        caller: Caller,
        token: Token,
        reader: &mut Reader<'_>,
    ) -> Result<Lookup, RequestError> {
        let request = OffsetForLeaderEpochRequest::decode(reader, caller.version)?;
        check_parts(request.topics.iter().map(|topic| topic.partitions.len()))?;
        Ok(Lookup::epoch_ends(&self.core, caller, token, &request))
    }

    /// Answers a lookup that is complete, puts another one back.
    pub(super) fn lookup_on(&mut self, token: Token, mut lookup: Box<Lookup>) {
        if !lookup.is_complete() {
            self.work.put(token, Work::Lookup(lookup));
            return;
        }
        self.work.release(token);
        if let Some(timer) = lookup.timer.take() {
            self.timers.cancel(timer);
        }
        let caller = lookup.caller();
        begin_reply(&caller, &mut self.writer);
        match lookup.encode(&mut self.writer) {
            Ok(()) => self
                .net
                .reply(&caller, &mut self.writer, &mut self.externals),
            Err(error) => self.unanswerable(&caller, &error),
        }
    }

    /// A peer asks about a partition of this shard's.
    pub(super) fn peer_wonders(
        &mut self,
        now: Now,
        from: ShardId,
        theirs: Token,
        partition: PartitionName,
        question: Question,
    ) {
        let key = match self.core.own(partition) {
            Ok(key) => key,
            Err(error) => return self.core.answer(from, theirs, Reply::Told(Err(error))),
        };
        match self.work.reserve() {
            Some(token) => {
                let remote = RemoteQuestion {
                    from,
                    theirs,
                    key,
                    question,
                };
                self.remote_question_on(now, token, remote);
            }
            None => self
                .core
                .answer(from, theirs, Reply::Told(Err(StoreError::Stopping))),
        }
    }

    /// Asks the store for a peer, again if it had to load something.
    pub(super) fn remote_question_on(
        &mut self,
        now: Now,
        token: Token,
        mut remote: RemoteQuestion,
    ) {
        let (core, question) = (&mut self.core, &mut remote.question);
        let answer = question::answer(now, core, remote.key, question, token);
        let told = match answer {
            Ok(Answer::Loading) => {
                self.work.put(token, Work::RemoteQuestion(remote));
                return;
            }
            Ok(Answer::Told(told)) => Ok(told),
            Err(error) => Err(error),
        };
        self.work.release(token);
        self.core
            .answer(remote.from, remote.theirs, Reply::Told(told));
    }
}
