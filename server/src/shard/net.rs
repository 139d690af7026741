//! The shard's connections: bytes in, replies out, deadlines, and who may be read.

use std::collections::VecDeque;
use std::net::IpAddr;

use logmill_engine::base::{Micros, Slab};
use logmill_engine::sys::region::{RegionPool, Slice};
use logmill_wire::{Message, ResponseHeader, Writer};

use super::Timer;
use super::out::{Notice, Out};
use crate::base::timers::TimerWheel;
use crate::base::work::Token;
use crate::connection::{
    ByteBudget, CloseReason, Connection, ConnectionKey, ConnectionLimits, ExternalAt, Framed,
    Outgoing, ReceiveMemory, RequestNumber, Window,
};
use crate::handlers::Caller;
use crate::partitions::options::ShardOptions;

/// All connections of a shard.
pub struct Net {
    limits: ConnectionLimits,
    connections: Slab<Connection>,
    memory: ReceiveMemory,
    pool: RegionPool,
    budget: ByteBudget,
    /// Memory of encoded replies that have not left. Above half of what it may be, only connections
    /// without any of it are asked for more requests; above all of it none, and since when.
    reply_bytes: usize,
    reply_bytes_max: usize,
    full_since: Option<Micros>,
    full_look_at: Option<Micros>,
    /// Connections with something to send.
    dirty: Vec<ConnectionKey>,
    /// Connections to go on with: what they hold may be handled now, or they may be read.
    resuming: Vec<ConnectionKey>,
    /// Connections that wait for budget or memory, the longest first.
    starved: VecDeque<ConnectionKey>,
    closed: Vec<(ConnectionKey, CloseReason)>,
    /// Fetches of connections that were closed.
    abandoned: Vec<Token>,
    notices: Vec<Notice>,
    stopping: bool,
}

/// One step of taking requests from a connection.
#[derive(Debug)]
pub enum Step {
    /// A request.
    Request {
        /// Its place among the replies.
        number: RequestNumber,
        /// Its bytes.
        frame: Slice,
    },
    /// Nothing more for now.
    Enough,
}

impl Net {
    /// No connections yet.
    pub fn new(options: &ShardOptions) -> Self {
        Self {
            limits: options.connection.clone(),
            connections: Slab::new(),
            memory: ReceiveMemory::default(),
            pool: RegionPool::new(options.receive_bytes),
            budget: ByteBudget::new(options.request_bytes),
            reply_bytes: 0,
            reply_bytes_max: options.reply_bytes,
            full_since: None,
            full_look_at: None,
            dirty: Vec::new(),
            resuming: Vec::new(),
            starved: VecDeque::new(),
            closed: Vec::new(),
            abandoned: Vec::new(),
            notices: Vec::new(),
            stopping: false,
        }
    }

    /// A connection was accepted.
    pub fn accept(
        &mut self,
        now: Micros,
        listener: u16,
        peer: IpAddr,
        timers: &mut TimerWheel<Timer>,
    ) -> ConnectionKey {
        let key = self
            .connections
            .insert(Connection::new(now, listener, peer));
        self.arm(key, timers);
        key
    }

    /// Where to receive bytes of a connection; `None` while it must not be read.
    pub fn target(&mut self, key: ConnectionKey) -> Option<&mut [u8]> {
        let is_tight = !self.starved.is_empty();
        let connection = self.connections.get_mut(key)?;
        if self.stopping || connection.is_starved || !connection.takes_requests(&self.limits) {
            return None;
        }
        // A begun frame has its budget and is read on; a new one needs room at least for a small
        // one.
        let has_room =
            self.budget.fits(1) && may_reply(connection, self.reply_bytes, self.reply_bytes_max);
        let may_begin = connection.receiver.is_amid_frame() || has_room;
        let (memory, pool) = (&mut self.memory, &mut self.pool);
        if !may_begin || connection.receiver.target(memory, pool, is_tight).is_none() {
            self.memory.shrink();
            starve(connection, key, &mut self.starved);
            return None;
        }
        // Asked twice because a borrow that is returned on one path only is held on all.
        let connection = self.connections.get_mut(key)?;
        connection
            .receiver
            .target(&mut self.memory, &mut self.pool, is_tight)
    }

    /// Bytes came; what to go through with [`Self::step`].
    pub fn received(&mut self, now: Micros, key: ConnectionKey, count: usize) -> Option<Window> {
        let connection = self.connections.get_mut(key)?;
        connection.note_receive(now);
        Some(connection.receiver.received(count, &mut self.memory))
    }

    /// What a connection holds, to go through with [`Self::step`].
    pub fn kept(&mut self, key: ConnectionKey) -> Option<Window> {
        let connection = self.connections.get_mut(key)?;
        connection.receiver.kept()
    }

    /// Takes the next request off the window.
    pub fn step(&mut self, key: ConnectionKey, window: &mut Window) -> Step {
        let Some(connection) = self.connections.get_mut(key) else {
            return Step::Enough;
        };
        if self.stopping || !connection.takes_requests(&self.limits) {
            return Step::Enough;
        }
        if !may_reply(connection, self.reply_bytes, self.reply_bytes_max) {
            starve(connection, key, &mut self.starved);
            return Step::Enough;
        }
        let limit = self.limits.frame_bytes_max;
        let framed =
            connection
                .receiver
                .next_frame(window, &mut self.memory, limit, &mut self.budget);
        match framed {
            Ok(Framed::Frame { bytes, charged }) => {
                let number = connection.replies.begin(charged);
                Step::Request {
                    number,
                    frame: bytes,
                }
            }
            Ok(Framed::Partial) => Step::Enough,
            Ok(Framed::NoBudget) => {
                starve(connection, key, &mut self.starved);
                Step::Enough
            }
            Err(error) => {
                let text = error.to_string();
                self.notices.push(Notice::Refused {
                    connection: key,
                    text,
                });
                self.close(key, CloseReason::Frame(error));
                Step::Enough
            }
        }
    }

    /// The window was gone through as far as possible; what is left is kept.
    pub fn keep(&mut self, key: ConnectionKey, window: Window, timers: &mut TimerWheel<Timer>) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection
            .receiver
            .keep(window, &mut self.memory, &mut self.pool);
        if connection.receiver.is_amid_frame() {
            self.arm(key, timers);
        }
    }

    /// The first good request of a connection came.
    pub fn establish(&mut self, key: ConnectionKey, timers: &mut TimerWheel<Timer>) {
        if let Some(connection) = self.connections.get_mut(key)
            && !connection.is_established
        {
            connection.is_established = true;
            self.arm(key, timers);
        }
    }

    /// Sends the reply in `writer` when its turn comes; see [`begin_reply`].
    pub fn reply(&mut self, caller: &Caller, writer: &mut Writer, parts: &mut Vec<ExternalAt>) {
        let len = (writer.total_len() - LENGTH_FIELD) as u32;
        writer.bytes[..LENGTH_FIELD].copy_from_slice(&len.to_be_bytes());
        let Some(connection) = self.connections.get_mut(caller.connection) else {
            parts.clear();
            return;
        };
        connection.replies.finish(
            caller.number,
            &mut writer.bytes,
            parts,
            &mut connection.outgoing,
        );
        self.after_reply(caller.connection);
    }

    /// The request gets no reply.
    pub fn reply_silently(&mut self, caller: &Caller) {
        let Some(connection) = self.connections.get_mut(caller.connection) else {
            return;
        };
        connection
            .replies
            .finish_silently(caller.number, &mut connection.outgoing);
        self.after_reply(caller.connection);
    }

    /// The socket took bytes.
    pub fn sent(&mut self, now: Micros, key: ConnectionKey, count: usize) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection.note_send(now);
        let free = connection.outgoing.advance(count);
        self.budget.give_back(free);
        count_replies(connection, &mut self.reply_bytes);
        if connection.takes_requests(&self.limits) {
            resume(connection, key, &mut self.resuming);
        }
    }

    /// Closes a connection for a reason of the shard's.
    pub fn close(&mut self, key: ConnectionKey, reason: CloseReason) {
        if self.connections.get(key).is_some() {
            let polls = self.forget(key);
            self.abandoned.extend(polls);
            self.closed.push((key, reason));
        }
    }

    /// Fetches of connections that the shard closed since.
    pub fn take_abandoned(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.abandoned)
    }

    /// The peer closed; the driver has closed the socket.
    pub fn forget(&mut self, key: ConnectionKey) -> Vec<Token> {
        let Some(mut connection) = self.connections.remove(key) else {
            return Vec::new();
        };
        self.budget.give_back(connection.abandon());
        self.reply_bytes -= connection.reply_bytes;
        connection.polls
    }

    /// A fetch of a connection begins.
    pub fn note_poll(&mut self, key: ConnectionKey, token: Token) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.polls.push(token);
        }
    }

    /// A fetch of a connection is answered.
    pub fn forget_poll(&mut self, key: ConnectionKey, token: Token) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.polls.retain(|&known| known != token);
        }
    }

    /// A connection's requests wait for room in a mailbox, or no longer.
    pub fn hold_for_mail(&mut self, key: ConnectionKey, more: bool) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if more {
            connection.waits_for_mail += 1;
        } else {
            connection.waits_for_mail -= 1;
            resume(connection, key, &mut self.resuming);
        }
    }

    /// Whether there is memory for another reply to a connection. One that is gone needs none.
    pub fn may_reply(&self, key: ConnectionKey) -> bool {
        let connection = self.connections.get(key);
        connection.is_none_or(|it| may_reply(it, self.reply_bytes, self.reply_bytes_max))
    }

    /// How long replies have taken more memory than they may.
    pub fn full_for(&mut self, now: Micros) -> Micros {
        if self.reply_bytes <= self.reply_bytes_max {
            (self.full_since, self.full_look_at) = (None, None);
            return Micros(0);
        }
        if self.full_look_at.is_none_or(|at| at <= now) {
            self.full_look_at = Some(now.saturating_add(FULL_LOOK_EVERY));
        }
        now.saturating_since(*self.full_since.get_or_insert(now))
    }

    /// When to ask [`Self::full_for`] again although nothing happens.
    pub fn next_look(&self) -> Option<Micros> {
        self.full_look_at
    }

    /// Closes the connection that holds most reply bytes of those whose peers take nothing.
    pub fn close_stalled_reader(&mut self, now: Micros) {
        let stalled = self.connections.iter().filter(|(_, it)| it.is_stalled(now));
        let most = stalled
            .max_by_key(|(_, it)| it.outgoing.len())
            .map(|(key, _)| key);
        if let Some(key) = most {
            self.close_for_memory(key, "the peer takes no replies, and their memory is needed");
        }
    }

    /// Closes connections that hold most memory of encoded replies until others can be served
    /// again. Those that take a little now and then are no better than those that take nothing.
    pub fn close_greatest_holders(&mut self) {
        while self.reply_bytes > self.reply_bytes_max / 2 {
            let holders = self.connections.iter().filter(|(_, it)| it.reply_bytes > 0);
            let most = holders.max_by_key(|(_, it)| it.reply_bytes);
            let Some((key, _)) = most else {
                return;
            };
            self.close_for_memory(
                key,
                "the peer takes its replies too slowly for their memory",
            );
        }
    }

    fn close_for_memory(&mut self, key: ConnectionKey, why: &str) {
        self.notices.push(Notice::Refused {
            connection: key,
            text: why.to_owned(),
        });
        self.close(key, CloseReason::MemoryNeeded);
    }

    /// A connection's timer is due: closes it or looks again later.
    pub fn timer(&mut self, now: Micros, key: ConnectionKey, timers: &mut TimerWheel<Timer>) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection.timer = None;
        let (deadline, reason) = connection.deadline(&self.limits);
        if deadline <= now {
            if reason != CloseReason::Idle || connection.may_expire() {
                self.close(key, reason);
                return;
            }
            connection.note_send(now);
        }
        self.arm(key, timers);
    }

    /// Stops taking requests. Connections without unanswered requests are closed.
    pub fn begin_stop(&mut self) {
        self.stopping = true;
        let idle: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, it)| it.replies.in_flight() == 0 && it.outgoing.is_empty())
            .map(|(key, _)| key)
            .collect();
        idle.into_iter()
            .for_each(|key| self.close(key, CloseReason::Stopping));
    }

    /// Whether every reply that is owed has left.
    pub fn is_quiet(&self) -> bool {
        self.connections
            .iter()
            .all(|(_, it)| it.replies.in_flight() == 0 && it.outgoing.is_empty())
    }

    /// Once per turn: lets connections that wait for budget or memory go on where there is room
    /// for them now, the longest waiting first.
    pub fn unstarve(&mut self) {
        if self.starved.is_empty() || !self.budget.fits(1) {
            return;
        }
        let has_memory = self.pool.lent_bytes() + MEMORY_ROOM_MIN <= self.pool.budget_bytes();
        // What those before will take is not there for those behind.
        let mut promised = 0;
        for _ in 0..self.starved.len().min(UNSTARVED_PER_TURN_MAX) {
            let Some(key) = self.starved.pop_front() else {
                return;
            };
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            let charge = connection.receiver.front_charge().unwrap_or(0);
            let may_reply = may_reply(connection, self.reply_bytes, self.reply_bytes_max);
            if has_memory && may_reply && self.budget.fits(promised + charge) {
                promised += charge;
                connection.is_starved = false;
                resume(connection, key, &mut self.resuming);
            } else {
                self.starved.push_back(key);
            }
        }
    }

    /// The next connection to go on with.
    pub fn next_resuming(&mut self) -> Option<ConnectionKey> {
        let key = self.resuming.pop()?;
        if let Some(connection) = self.connections.get_mut(key) {
            connection.is_resuming = false;
        }
        Some(key)
    }

    /// Hands this turn's effects over.
    pub fn pump(&mut self, out: &mut Out) {
        for key in self.dirty.drain(..) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.is_dirty = false;
                out.sends.push(key);
            }
        }
        out.closes.append(&mut self.closed);
        out.notices.append(&mut self.notices);
    }

    /// Whether a connection may be read.
    pub fn may_read(&self, key: ConnectionKey) -> bool {
        self.connections.get(key).is_some_and(|connection| {
            !self.stopping && !connection.is_starved && connection.takes_requests(&self.limits)
        })
    }

    /// Which listener a connection came by.
    pub fn listener(&self, key: ConnectionKey) -> u16 {
        self.connections
            .get(key)
            .map_or(0, |connection| connection.listener)
    }

    /// Where a client comes from, as Kafka writes it.
    pub fn client_host(&self, key: ConnectionKey) -> String {
        let connection = self.connections.get(key);
        connection.map_or_else(String::new, |it| format!("/{}", it.peer))
    }

    /// What a connection has to send.
    pub fn outgoing(&mut self, key: ConnectionKey) -> Option<&mut Outgoing> {
        Some(&mut self.connections.get_mut(key)?.outgoing)
    }

    /// Says something in the broker's log.
    pub fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Bytes of requests under way.
    pub fn request_bytes(&self) -> u64 {
        self.budget.used()
    }

    fn after_reply(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        self.budget.give_back(connection.outgoing.settle());
        count_replies(connection, &mut self.reply_bytes);
        if !connection.outgoing.is_empty() && !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(key);
        }
        if connection.receiver.is_amid_frame() || connection.takes_requests(&self.limits) {
            resume(connection, key, &mut self.resuming);
        }
    }

    fn arm(&mut self, key: ConnectionKey, timers: &mut TimerWheel<Timer>) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let (deadline, _) = connection.deadline(&self.limits);
        if let Some((timer, at)) = connection.timer {
            if at <= deadline {
                return;
            }
            timers.cancel(timer);
        }
        let timer = timers.set(deadline, Timer::Connection(key));
        connection.timer = Some((timer, deadline));
    }
}

/// Begins a reply in `writer`: room for the length, then the header.
pub fn begin_reply(caller: &Caller, writer: &mut Writer) {
    writer.clear();
    writer.i32(0);
    let header = ResponseHeader {
        correlation_id: caller.correlation_id,
    };
    let version = caller.api.response_header_version(caller.version);
    header
        .encode(writer, version)
        .expect("a correlation id encodes in every version");
}

/// Whether a request may be taken from a connection, as far as replies are concerned.
fn may_reply(connection: &Connection, all: usize, max: usize) -> bool {
    all <= max / 2 || (all <= max && connection.reply_bytes == 0)
}

/// Counts what a connection's replies take of memory; `total` is that of all.
fn count_replies(connection: &mut Connection, total: &mut usize) {
    let bytes = connection.outgoing.encoded_bytes() + connection.replies.stored_bytes();
    let before = std::mem::replace(&mut connection.reply_bytes, bytes);
    *total = *total - before + bytes;
}

fn starve(connection: &mut Connection, key: ConnectionKey, starved: &mut VecDeque<ConnectionKey>) {
    if !connection.is_starved {
        connection.is_starved = true;
        starved.push_back(key);
    }
}

fn resume(connection: &mut Connection, key: ConnectionKey, resuming: &mut Vec<ConnectionKey>) {
    if !connection.is_resuming {
        connection.is_resuming = true;
        resuming.push(key);
    }
}

const LENGTH_FIELD: usize = 4;
/// How often stalled readers are looked for while replies take too much memory.
const FULL_LOOK_EVERY: Micros = Micros::from_millis(500);
/// Looking costs time even if there is no room; the rest follow next turn.
const UNSTARVED_PER_TURN_MAX: usize = 64;
/// Free memory below which nobody is read on.
const MEMORY_ROOM_MIN: usize = 1 << 20;
