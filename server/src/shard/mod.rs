//! A shard: everything that one core owns, as a state machine without clock, socket or file.
//!
//! The driver feeds it ([`Shard::feed`]: bytes that arrived, completions, mail, deadlines) and
//! carries out what it wants ([`Shard::pump`]). Neither blocks; in steady state neither allocates.
//!
//! Worst-case memory: `receive_bytes` for frames, the store's figures, per connection what
//! [`crate::connection`] says, and per unanswered request its state, which `request_bytes` bounds.

pub mod coordinators;
pub mod metadata;
pub mod out;

mod answers;
mod control;
mod fetches;
mod lookups;
mod net;
mod peers;
mod requests;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use logmill_engine::base::{DirectoryIndex, Micros, Now, ShardId};
use logmill_engine::disk::Completion;
use logmill_engine::store::{PartitionKey, Store, StoreEvent};
use logmill_wire::Writer;

use self::control::Control;
use self::coordinators::Coordinators;
use self::metadata::Metadata;
use self::net::Net;
use self::out::{Notice, Out, WrittenReply};
use self::requests::{Spare, Work};
use crate::base::timers::TimerWheel;
use crate::base::work::{Token, WorkTable};
use crate::connection::{CloseReason, ConnectionKey, ExternalAt, Outgoing, Window};
use crate::handlers::fetch_sessions::FetchSessions;
use crate::partitions::core::Core;
use crate::partitions::mail::Mail;
use crate::partitions::options::ShardOptions;

/// One shard.
pub struct Shard {
    net: Net,
    core: Core,
    metadata: Metadata,
    work: WorkTable<Work>,
    control: Control,
    timers: TimerWheel<Timer>,
    spare: Spare,
    /// The reply that is being encoded.
    writer: Writer,
    externals: Vec<ExternalAt>,
    /// Events taken from the store, and timers that fired, while they are handled.
    events: Vec<StoreEvent>,
    due: Vec<Timer>,
    /// Connections that are not read because a peer's mailbox was full for them.
    short: Vec<(ShardId, ConnectionKey)>,
    stopping: Stopping,
    is_ready: bool,
    sessions: FetchSessions,
    coordinators: Coordinators,
    /// Peers' waits: their request to this shard's name for the wait.
    remote_waits: HashMap<(ShardId, u64), (Token, PartitionKey)>,
}

/// What the world tells a shard.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many bytes were received into [`Shard::receive_target`].
    Received {
        /// The connection.
        connection: ConnectionKey,
        /// How many.
        count: usize,
    },
    /// The peer closed or reset a connection; its socket is gone.
    PeerClosed {
        /// The connection.
        connection: ConnectionKey,
    },
    /// The socket took so many bytes of [`Shard::outgoing`].
    Sent {
        /// The connection.
        connection: ConnectionKey,
        /// How many.
        count: usize,
    },
    /// A disk operation ended.
    Completed(Completion),
    /// A batch of mail came; it is taken out.
    Mail {
        /// From whom.
        from: ShardId,
        /// The letters, in the order they were sent.
        batch: &'a mut Vec<Mail>,
    },
    /// [`Out::long_reply`] is written.
    Written(Box<WrittenReply>),
    /// How much room a log directory has.
    FreeBytes {
        /// Which.
        directory: DirectoryIndex,
        /// Free bytes of its file system.
        bytes: u64,
    },
    /// Finish what is in flight, take nothing new; then [`Shard::is_drained`].
    Stop,
    /// No shard has requests under way any more: write everything to segments.
    StopStore,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// A connection's deadlines.
    Connection(ConnectionKey),
    /// A request's wait.
    Work(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// Replies are being finished until this moment.
    Draining(Micros),
    /// They are.
    Drained,
    /// The store writes everything to segments.
    Store,
    Done,
}

impl Shard {
    /// A shard over its store.
    pub fn new(
        now: Now,
        options: ShardOptions,
        store: Store,
        metadata: Metadata,
        coordinators: Coordinators,
    ) -> Self {
        let first_id = i32::from(options.id.0) + 1;
        let step = i32::from(options.shards.max(1));
        let sessions = FetchSessions::new(
            options.fetch_sessions_max,
            options.fetch_session_parts_max,
            first_id,
            step,
        );
        Self {
            net: Net::new(&options),
            core: Core::new(options, store),
            metadata,
            work: WorkTable::new(),
            control: Control::default(),
            timers: TimerWheel::new(now.monotonic),
            spare: Spare::default(),
            writer: Writer::new(),
            externals: Vec::new(),
            events: Vec::new(),
            due: Vec::new(),
            short: Vec::new(),
            stopping: Stopping::No,
            is_ready: true,
            sessions,
            coordinators,
            remote_waits: HashMap::new(),
        }
    }

    /// A connection was accepted on a listener, by its number.
    pub fn accept(&mut self, now: Now, listener: u16, peer: IpAddr) -> ConnectionKey {
        self.net
            .accept(now.monotonic, listener, peer, &mut self.timers)
    }

    /// Where to receive a connection's bytes; `None` while it must not be read. Then
    /// [`Out::reads`] names it when it may.
    pub fn receive_target(&mut self, connection: ConnectionKey) -> Option<&mut [u8]> {
        self.net.target(connection)
    }

    /// What a connection has to send.
    pub fn outgoing(&mut self, connection: ConnectionKey) -> Option<&mut Outgoing> {
        self.net.outgoing(connection)
    }

    /// Mail for a peer, to be taken whenever there is room for it.
    pub fn mail(&mut self, peer: ShardId) -> &mut Vec<Mail> {
        self.core.outboxes[usize::from(peer.0)].staged()
    }

    /// Something happened.
    pub fn feed(&mut self, now: Now, event: Event<'_>) {
        match event {
            Event::Received { connection, count } => {
                if let Some(window) = self.net.received(now.monotonic, connection, count) {
                    self.take_requests(now, connection, window);
                }
            }
            Event::PeerClosed { connection } => {
                self.connection_gone(connection);
            }
            Event::Sent { connection, count } => self.net.sent(now.monotonic, connection, count),
            Event::Completed(completion) if Self::is_coordinator_read(completion.key) => {
                self.coordinator_read(now, completion);
            }
            Event::Completed(completion) => self.core.store.complete(now, completion),
            Event::Mail { from, batch } => {
                for letter in batch.drain(..) {
                    self.letter(now, from, letter);
                }
            }
            Event::Written(reply) => self.long_reply_written(*reply),
            Event::FreeBytes { directory, bytes } => {
                self.core.store.set_free_bytes(directory, bytes);
            }
            Event::Stop => self.begin_stop(now),
            Event::StopStore => {
                self.stopping = Stopping::Store;
                self.core.store.begin_stop(now);
            }
        }
    }

    /// Ends a turn: moves on what can move, and says what is to be done.
    pub fn pump(&mut self, now: Now, out: &mut Out) {
        self.fire_timers(now);
        self.settle_store(now);
        self.net.unstarve();
        self.control_requests(now);
        while let Some(connection) = self.net.next_resuming() {
            self.go_on(now, connection, out);
        }
        self.release_short();
        self.pump_coordinators(now);
        self.coordinators.take_reads(&mut out.disk);
        self.begin_long_reply(out);
        self.relieve(now);
        self.advance_stop(now, out);
        self.core.store.pump(now, &mut out.disk);
        // Some operations settle at once, a sync of nothing for one.
        self.settle_store(now);
        let abandoned = self.net.take_abandoned();
        self.abandon_fetches(abandoned);
        self.net.pump(out);
        if let Some(config) = self.metadata.changed_config() {
            out.config = Some(config);
        }
    }

    /// When to call [`Shard::pump`] next if nothing happens.
    pub fn next_deadline(&self) -> Option<Micros> {
        let own = self.timers.next_deadline();
        let store = self.core.store.next_deadline();
        let coordinators = self.coordinators.next_deadline();
        let replies = self.net.next_look();
        let waiting = self.control.is_anyone_waiting();
        let control = waiting.then_some(Micros(0));
        let all = [own, store, coordinators, replies, control];
        all.into_iter().flatten().min()
    }

    /// The shard's topics, store and mail.
    pub fn core(&mut self) -> &mut Core {
        &mut self.core
    }

    /// Whether clients may be served: what start-up had to write is durable.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The store, when the shard has stopped.
    pub fn into_store(self) -> Store {
        self.core.store
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.net.len()
    }

    /// Bytes of requests under way.
    pub fn request_bytes(&self) -> u64 {
        self.net.request_bytes()
    }

    /// Requests under way, of clients and peers.
    pub fn requests(&self) -> usize {
        self.work.len()
    }

    /// Whether a stop has finished what was in flight.
    pub fn is_drained(&self) -> bool {
        !matches!(self.stopping, Stopping::No | Stopping::Draining(_))
    }

    /// Goes on with a connection that stood still.
    fn go_on(&mut self, now: Now, connection: ConnectionKey, out: &mut Out) {
        if let Some(window) = self.net.kept(connection) {
            self.take_requests(now, connection, window);
        }
        if self.net.may_read(connection) {
            out.reads.push(connection);
        }
    }

    fn take_requests(&mut self, now: Now, connection: ConnectionKey, mut window: Window) {
        while let net::Step::Request { number, frame } = self.net.step(connection, &mut window) {
            self.request(now, connection, number, &frame);
        }
        self.net.keep(connection, window, &mut self.timers);
    }

    fn fire_timers(&mut self, now: Now) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.advance(now.monotonic, |timer| due.push(timer));
        for timer in due.drain(..) {
            match timer {
                Timer::Connection(key) => self.net.timer(now.monotonic, key, &mut self.timers),
                Timer::Work(token) => self.work_timed_out(now, token),
            }
        }
        self.due = due;
    }

    /// Takes the store's events and the appends that found memory.
    fn settle_store(&mut self, now: Now) {
        loop {
            let mut events = std::mem::take(&mut self.events);
            self.core.store.events(&mut events);
            let is_quiet = events.is_empty();
            for event in events.drain(..) {
                self.store_event(now, event);
            }
            self.events = events;
            let mut settled = false;
            while let Some((token, result)) = self.core.retry_pressed(now) {
                self.append_settled(now, token, result);
                settled = true;
            }
            if is_quiet && !settled {
                return;
            }
        }
    }

    fn store_event(&mut self, now: Now, event: StoreEvent) {
        match event {
            StoreEvent::Acked { token, result } => {
                self.append_acked(now, Token::from_bits(token), result);
            }
            StoreEvent::Visible { token } => self.became_visible(now, Token::from_bits(token)),
            StoreEvent::Loaded { token } => self.loaded(now, Token::from_bits(token)),
            StoreEvent::Fenced { reason, .. } | StoreEvent::DirectoryFailed { reason, .. } => {
                self.net.notice(Notice::Storage { text: reason });
            }
            StoreEvent::RoomRanOut {
                directory,
                free_bytes,
                kept_bytes,
            } => {
                let text = format!(
                    "nearly full: {free_bytes} bytes are free, {kept_bytes} are kept for what is \
                     not in segments yet; produce is refused with KAFKA_STORAGE_ERROR until there \
                     is room: delete topics or records, lower retention or add space"
                );
                self.net.notice(Notice::Directory { directory, text });
            }
            StoreEvent::RoomCame {
                directory,
                free_bytes,
            } => {
                let text = format!("{free_bytes} bytes are free: produce is taken again");
                self.net.notice(Notice::Directory { directory, text });
            }
            // Only followers cut their logs.
            StoreEvent::Truncated { .. } => {}
            StoreEvent::Stopped => self.stopping = Stopping::Done,
        }
    }

    /// Reads connections again whose mail has found room.
    fn release_short(&mut self) {
        let (short, outboxes, net) = (&mut self.short, &self.core.outboxes, &mut self.net);
        short.retain(|&(peer, connection)| {
            let still = outboxes[usize::from(peer.0)].is_short();
            if !still {
                net.hold_for_mail(connection, false);
            }
            still
        });
    }

    /// Appends have waited for memory for too long: a reader that holds much of it and takes
    /// nothing must give it up. The same for requests that wait for the memory of replies.
    fn relieve(&mut self, now: Now) {
        if self.core.pressed_for(now) > PRESSURE_PATIENCE {
            self.net.close_stalled_reader(now.monotonic);
        }
        if self.net.full_for(now.monotonic) > PRESSURE_PATIENCE {
            self.net.close_greatest_holders();
        }
    }

    fn begin_stop(&mut self, now: Now) {
        if self.stopping == Stopping::No {
            self.net.begin_stop();
            let patience = Micros::from_millis(DRAIN_MS_MAX);
            self.stopping = Stopping::Draining(now.monotonic.saturating_add(patience));
            self.end_long_polls(now);
            self.end_rebalances();
        }
    }

    fn advance_stop(&mut self, now: Now, out: &mut Out) {
        if let Stopping::Draining(until) = self.stopping
            && (self.net.is_quiet() || now.monotonic >= until)
        {
            self.net.begin_stop();
            self.stopping = Stopping::Drained;
        }
        out.stopped = self.stopping == Stopping::Done;
    }

    fn close(&mut self, connection: ConnectionKey, reason: CloseReason) {
        self.net.close(connection, reason);
    }
}

/// How long appends, or requests, wait for memory before readers are closed for it.
const PRESSURE_PATIENCE: Micros = Micros::from_millis(2_000);
/// How long a stop waits for replies that are owed.
const DRAIN_MS_MAX: u64 = 5_000;
