//! From a frame to the handler that serves it, and from results back to the request that waits.

use logmill_engine::base::{Micros, Now, Offset};
use logmill_engine::store::{AckError, AppendAnswer, StoreError};
use logmill_engine::sys::region::Slice;
use logmill_wire::messages::produce::ProduceRequest;
use logmill_wire::{ApiKey, DecodeError, EncodeError, Message, Reader, RequestHeader};

use super::answers::WaitingChange;
use super::control::Waiting;
use super::coordinators::{CoordinatorBatch, CoordinatorLoaded, RemoteAsk};
use super::fetches::{RemoteRead, RemoteWait};
use super::lookups::RemoteQuestion;
use super::net::begin_reply;
use super::out::Notice;
use super::peers::Remote;
use super::{Shard, Timer};
use crate::base::work::Token;
use crate::connection::{CloseReason, ConnectionKey, RequestNumber};
use crate::handlers::Caller;
use crate::handlers::api_versions::served_versions;
use crate::handlers::fetch::Fetch;
use crate::handlers::groups::{self, GroupCall};
use crate::handlers::lookup::Lookup;
use crate::handlers::produce::Produce;
use crate::partitions::mail::Reply;

/// A request under way.
#[derive(Debug)]
pub enum Work {
    /// A client's produce.
    Produce(Box<Produce>),
    /// A client's fetch.
    Fetch(Box<Fetch>),
    /// A client's questions about partitions.
    Lookup(Box<Lookup>),
    /// A client's change of the metadata.
    Change(Box<WaitingChange>),
    /// The batch of a change of metadata, until it is synced.
    MetadataBatch,
    /// The first batch of this start.
    StartupBatch,
    /// An image that a peer has not passed yet.
    Passing,
    /// An append that a peer asked for.
    Remote(Remote),
    /// A read that a peer asked for.
    RemoteRead(RemoteRead),
    /// A question that a peer asked.
    RemoteQuestion(RemoteQuestion),
    /// A peer's wait for a watermark.
    RemoteWait(RemoteWait),
    /// A client's call on group coordinators.
    Group(Box<GroupCall>),
    /// An ask of a peer's that a coordinator has.
    RemoteAsk(RemoteAsk),
    /// A coordinator's batch, until it is synced.
    CoordinatorBatch(CoordinatorBatch),
    /// A coordinator that is being loaded.
    CoordinatorLoad,
    /// A coordinator whose log is replayed and not yet synced.
    CoordinatorLoaded(CoordinatorLoaded),
}

/// States kept for the next requests.
#[derive(Debug, Default)]
pub struct Spare {
    #[expect(clippy::vec_box, reason = "a box goes into the table of work as it is")]
    produces: Vec<Box<Produce>>,
}

/// Why a request closes its connection.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Its bytes are no request.
    #[error("a request that cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// Its reply cannot be said in its version.
    #[error("a reply that cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// Nobody serves it.
    #[error("{api:?} version {version} is not served here")]
    NotServed {
        /// The API.
        api: ApiKey,
        /// The version.
        version: i16,
    },
    /// It names more partitions than one request may.
    #[error("a request for {count} partitions; {PARTS_PER_REQUEST_MAX} are the most")]
    TooManyParts {
        /// How many it names.
        count: usize,
    },
    /// More requests are under way than there are names for.
    #[error("too many requests under way")]
    TooMany,
}

impl Shard {
    /// A client's request.
    pub(super) fn request(
        &mut self,
        now: Now,
        connection: ConnectionKey,
        number: RequestNumber,
        frame: &Slice,
    ) {
        if let Err(error) = self.serve(now, connection, number, frame) {
            let text = error.to_string();
            self.net.notice(Notice::Refused { connection, text });
            self.close(connection, CloseReason::BadRequest);
        }
    }

    /// A new turn has room for requests that found none in the one before.
    pub(super) fn control_requests(&mut self, now: Now) {
        self.control.begin_turn();
        while let Some(waiting) = self.control.resume() {
            if self.net.outgoing(waiting.connection).is_some() {
                self.request(now, waiting.connection, waiting.number, &waiting.frame);
            }
            self.control.resumed();
        }
    }

    fn serve(
        &mut self,
        now: Now,
        connection: ConnectionKey,
        number: RequestNumber,
        frame: &Slice,
    ) -> Result<(), RequestError> {
        let (header, reader) = RequestHeader::decode(frame)?;
        let version = header.request_api_version;
        let api = ApiKey::from_i16(header.request_api_key);
        let api = api.expect("the header's decoder knows the API");
        if !self.control.admits(api, frame) {
            let frame = frame.clone();
            self.control.wait(Waiting {
                connection,
                number,
                frame,
            });
            return Ok(());
        }
        let correlation_id = header.correlation_id;
        let listener = self.net.listener(connection);
        let caller = Caller {
            connection,
            number,
            correlation_id,
            api,
            version,
            listener,
        };
        let served = served_versions(api, self.core.options.unstable_versions);
        match api {
            _ if served.is_some_and(|range| range.contains(&version)) => {}
            ApiKey::ApiVersions => return self.answer_unsupported_versions(caller),
            _ => return Err(RequestError::NotServed { api, version }),
        }
        match api {
            ApiKey::Produce => self.produce(now, caller, &header, reader, frame)?,
            ApiKey::Fetch => self.fetch(now, caller, reader)?,
            ApiKey::ListOffsets | ApiKey::OffsetForLeaderEpoch | ApiKey::DeleteRecords => {
                self.lookup(now, caller, reader)?;
            }
            api if groups::serves(api) => self.group_request(now, caller, &header, reader)?,
            _ => self.answer(now, caller, &header, reader)?,
        }
        self.net.establish(connection, &mut self.timers);
        Ok(())
    }

    fn produce(
        &mut self,
        now: Now,
        caller: Caller,
        header: &RequestHeader<'_>,
        mut reader: Reader<'_>,
        frame: &Slice,
    ) -> Result<(), RequestError> {
        let request = ProduceRequest::decode(&mut reader, caller.version)?;
        check_parts(
            request
                .topic_data
                .iter()
                .map(|topic| topic.partition_data.len()),
        )?;
        let token = self.work.reserve().ok_or(RequestError::TooMany)?;
        let mut produce = self.spare.produces.pop().unwrap_or_default();
        let internal = header.client_id == Some(ADMIN_CLIENT_ID);
        let began = produce.begin(
            now,
            &mut self.core,
            caller,
            token,
            &request,
            frame,
            internal,
        );
        self.hold_if_short(caller.connection, began.short_peers);
        if !produce.is_complete() && !produce.is_silent() {
            let timeout = Micros::from_millis(request.timeout_ms.max(0) as u64);
            let deadline = now.monotonic.saturating_add(timeout);
            produce.timer = Some(self.timers.set(deadline, Timer::Work(token)));
        }
        self.produce_on(token, produce);
        Ok(())
    }

    /// Answers a produce request that is complete, puts another one back.
    fn produce_on(&mut self, token: Token, mut produce: Box<Produce>) {
        if !produce.is_complete() {
            self.work.put(token, Work::Produce(produce));
            return;
        }
        self.work.release(token);
        if let Some(timer) = produce.timer.take() {
            self.timers.cancel(timer);
        }
        let Some(caller) = produce.caller() else {
            return;
        };
        if !produce.is_silent() {
            begin_reply(&caller, &mut self.writer);
            match produce.encode(&self.core, caller.version, &mut self.writer) {
                Ok(()) => self
                    .net
                    .reply(&caller, &mut self.writer, &mut self.externals),
                Err(error) => self.unanswerable(&caller, &error),
            }
        } else if produce.has_failed() {
            self.close(caller.connection, CloseReason::SilentProduceFailed);
        } else {
            self.net.reply_silently(&caller);
        }
        if self.spare.produces.len() < SPARE_MAX {
            self.spare.produces.push(produce);
        }
    }

    /// An append of this shard's is as durable as asked, or never will be.
    pub(super) fn append_acked(
        &mut self,
        now: Now,
        token: Token,
        result: Result<Offset, AckError>,
    ) {
        match self.work.take(token) {
            Some(Work::Produce(mut produce)) => {
                produce.acked(token.part(), result);
                self.produce_on(token, produce);
            }
            Some(Work::Remote(remote)) => self.remote_acked(token, remote, result),
            Some(Work::MetadataBatch) => {
                self.work.release(token);
                self.metadata_synced(now, result);
            }
            Some(Work::CoordinatorBatch(batch)) => {
                self.work.release(token);
                self.coordinator_acked(now, batch, result);
            }
            Some(Work::StartupBatch) => {
                self.work.release(token);
                self.startup_synced(result);
            }
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// An append of this shard's that waited for memory was settled.
    pub(super) fn append_settled(
        &mut self,
        _now: Now,
        token: Token,
        result: Result<AppendAnswer, StoreError>,
    ) {
        match self.work.take(token) {
            Some(Work::Produce(mut produce)) => {
                match &result {
                    Ok(answer) => produce.appended(token.part(), answer),
                    Err(error) => produce.refused(token.part(), error),
                }
                self.produce_on(token, produce);
            }
            Some(Work::Remote(remote)) => self.remote_appended(token, remote, result),
            Some(other) => self.work.put(token, other),
            None => {}
        }
    }

    /// A peer answered for a part of a request.
    pub(super) fn answered(&mut self, now: Now, token: Token, reply: Reply) {
        let reply = match reply {
            Reply::Changed(outcome) => return self.changed(now, token, &outcome),
            Reply::Group(answer) => return self.group_told(token, *answer),
            reply => reply,
        };
        match (self.work.take(token), reply) {
            (Some(Work::Passing), _) => {
                self.work.release(token);
                self.image_passed(now);
            }
            (Some(Work::Produce(mut produce)), Reply::Appended(result)) => {
                produce.answered(token.part(), &result);
                self.produce_on(token, produce);
            }
            (Some(Work::Fetch(mut fetch)), Reply::Read(result)) => {
                fetch.answered(token.part(), result);
                self.fetch_on(now, token, fetch);
            }
            (Some(Work::Lookup(mut lookup)), Reply::Told(result)) => {
                lookup.told(token.part(), result);
                self.lookup_on(token, lookup);
            }
            (Some(work), _) => self.work.put(token, work),
            (None, _) => {}
        }
    }

    /// A request's time is up.
    pub(super) fn work_timed_out(&mut self, now: Now, token: Token) {
        match self.work.take(token) {
            Some(Work::Produce(mut produce)) => {
                produce.timer = None;
                produce.timed_out();
                self.produce_on(token, produce);
            }
            Some(Work::Fetch(mut fetch)) => {
                fetch.timer = None;
                fetch.end();
                self.fetch_on(now, token, fetch);
            }
            Some(Work::Lookup(mut lookup)) => {
                lookup.timer = None;
                lookup.timed_out();
                self.lookup_on(token, lookup);
            }
            Some(work) => self.work.put(token, work),
            None => {}
        }
    }

    /// Stops reading a connection whose letters wait for room.
    pub(super) fn hold_if_short(&mut self, connection: ConnectionKey, short_peers: u64) {
        if short_peers == 0 {
            return;
        }
        for peer in 0..self.core.options.shards {
            if short_peers & 1 << (peer % 64) != 0 {
                self.net.hold_for_mail(connection, true);
                self.short
                    .push((logmill_engine::base::ShardId(peer), connection));
            }
        }
    }

    pub(super) fn unanswerable(&mut self, caller: &Caller, error: &EncodeError) {
        let text = format!("{:?} version {}: {error}", caller.api, caller.version);
        self.net.notice(Notice::Refused {
            connection: caller.connection,
            text,
        });
        self.close(caller.connection, CloseReason::BadRequest);
    }
}

/// Partitions cost memory beyond the bytes that name them.
pub(super) fn check_parts(counts: impl Iterator<Item = usize>) -> Result<(), RequestError> {
    let count = counts.sum();
    match count {
        0..=PARTS_PER_REQUEST_MAX => Ok(()),
        _ => Err(RequestError::TooManyParts { count }),
    }
}

/// Partitions that one request may name: well above what a client asks of one broker, well below
/// what tokens can tell apart.
pub(super) const PARTS_PER_REQUEST_MAX: usize = 100_000;
/// The client id with which Kafka lets internal topics be written.
const ADMIN_CLIENT_ID: &str = "__admin_client";
/// States of each kind that are kept for reuse.
const SPARE_MAX: usize = 256;
