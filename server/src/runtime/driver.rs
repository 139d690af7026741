//! One shard's loop: events in, effects out, sleep when there is neither.
//!
//! One task of the shard's executor runs it. Everything but disk control operations and read-ahead,
//! which a helper thread does, is non-blocking here: receives, vectored sends and bounded slices of
//! `sendfile` for resident ranges.

use std::io::{self, Read};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logmill_engine::base::{DirectoryIndex, Micros, Now, ShardId};
use logmill_engine::disk::Completion;
use logmill_engine::io::{Ring, RingEvent};

use super::egress::{Egress, Sent};
use super::gate::Gate;
use super::log_lines::LogLines;
use super::mailboxes::Mailboxes;
use super::scribe::Scribe;
use super::sockets::{Readiness, Sockets};
use super::{GatePlan, SocketOptions, StoppedShard, sys};
use crate::connection::{CloseReason, ConnectionKey};
use crate::shard::out::{Notice, Out};
use crate::shard::{Event, Shard};

/// What all shards of the process share.
#[derive(Debug)]
pub struct Common {
    /// Finish and leave.
    pub stop: AtomicBool,
    /// Every shard is ready: accept.
    pub open: AtomicBool,
    /// Shards whose replies have all left, and whose stores may stop once all have.
    pub drained: AtomicUsize,
    /// How many shards there are.
    pub shards: usize,
    /// Counts connections.
    pub gate: Gate,
    /// What it counts up to.
    pub gate_plan: GatePlan,
    /// The moment that monotonic time counts from.
    pub origin: Instant,
}

/// A shard with its ring, sockets and mail.
pub struct Driver {
    shard: Shard,
    ring: Ring,
    out: Out,
    sockets: Sockets,
    egress: Egress,
    listeners: Vec<TcpListener>,
    mailboxes: Mailboxes,
    scribe: Scribe,
    common: Arc<Common>,
    options: SocketOptions,
    /// Connections to read in this turn, and in the next.
    readable: Vec<ConnectionKey>,
    reading: Vec<ConnectionKey>,
    /// Connections with something to send that the kernel may take.
    sendable: Vec<ConnectionKey>,
    events: Vec<RingEvent>,
    log: LogLines,
    /// Listeners that ran into a limit wait until then.
    accept_again: Option<Instant>,
    /// When free space is looked at next.
    space_again: Micros,
    is_open: bool,
    stop_seen: bool,
    drained_seen: bool,
    store_stopping: bool,
}

impl Driver {
    /// A driver over a shard; its listeners are not polled yet.
    pub fn new(
        id: ShardId,
        shard: Shard,
        ring: Ring,
        listeners: Vec<TcpListener>,
        mailboxes: Mailboxes,
        common: Arc<Common>,
        options: SocketOptions,
    ) -> Self {
        Self {
            shard,
            ring,
            out: Out::default(),
            sockets: Sockets::default(),
            egress: Egress::new(options.fetch_path),
            listeners,
            scribe: Scribe::new(Arc::clone(mailboxes.bell())),
            mailboxes,
            common,
            options,
            readable: Vec::new(),
            reading: Vec::new(),
            sendable: Vec::new(),
            events: Vec::new(),
            log: LogLines::new(id.0),
            accept_again: None,
            space_again: Micros(0),
            is_open: false,
            stop_seen: false,
            drained_seen: false,
            store_stopping: false,
        }
    }

    /// One turn of the loop; says whether the next one has something to do already.
    pub fn turn(&mut self) -> io::Result<bool> {
        let now = self.now();
        if !self.is_open && self.common.open.load(Ordering::SeqCst) {
            self.open();
        }
        self.take_events(now)?;
        self.receive_all(now);
        self.take_mail(now);
        self.take_written(now);
        self.look_for_stop(now);
        self.look_at_space(now);
        self.shard.pump(now, &mut self.out);
        let fed = self.carry_out(now);
        Ok(fed || !self.readable.is_empty() || !self.sendable.is_empty())
    }

    /// Hands over what the turn left for the kernel, and sleeps until something happens.
    pub fn sleep(&mut self, sleep: Sleep) -> io::Result<()> {
        self.ring.wait(sleep.until)
    }

    /// Whether the shard can serve: what it had to make durable first is so.
    pub fn is_ready(&self) -> bool {
        self.shard.is_ready()
    }

    /// What is left after a stop.
    pub fn into_stopped(self) -> StoppedShard {
        let store = self.shard.into_store();
        let level = store.level_directories();
        StoppedShard {
            partitions: store.into_states(),
            level,
        }
    }

    /// Whether the shard has stopped and nothing is under way.
    pub fn is_done(&self) -> bool {
        self.out.stopped && self.ring.in_flight() == 0
    }

    /// How long the loop may sleep, `None` for until something happens. Mail that comes from now
    /// on rings the bell.
    pub fn may_sleep(&mut self) -> Option<Sleep> {
        self.mailboxes.bell().fall_asleep();
        let flags_moved = self.common.stop.load(Ordering::SeqCst) != self.stop_seen
            || self.common.open.load(Ordering::SeqCst) != self.is_open;
        if flags_moved || self.has_mail() {
            self.wake_up();
            return None;
        }
        let now = self.now();
        let mut wait = self
            .shard
            .next_deadline()
            .map(|at| Duration::from_micros(at.saturating_since(now.monotonic).0));
        let mut sooner = |limit: Duration| wait = Some(wait.map_or(limit, |it| it.min(limit)));
        if self.egress.is_draining() {
            sooner(DRAIN_POLL);
        }
        if self.has_staged_mail() {
            sooner(MAIL_POLL);
        }
        if let Some(at) = self.accept_again {
            sooner(at.saturating_duration_since(Instant::now()));
        }
        if self.stop_seen {
            sooner(STOP_POLL);
        }
        if wait == Some(Duration::ZERO) {
            self.wake_up();
            return None;
        }
        Some(Sleep { until: wait })
    }

    /// Whether mail found no room in a peer's box. Nobody tells when there is some.
    fn has_staged_mail(&mut self) -> bool {
        let shard = &mut self.shard;
        (0..self.common.shards as u16).any(|peer| !shard.mail(ShardId(peer)).is_empty())
    }

    /// The loop is awake again.
    pub fn wake_up(&self) {
        self.mailboxes.bell().wake_up();
    }

    /// The present moment.
    pub fn now(&self) -> Now {
        now(self.common.origin)
    }

    /// Begins to accept.
    fn open(&mut self) {
        self.is_open = true;
        for (number, listener) in self.listeners.iter().enumerate() {
            Sockets::arm_listener(number, listener, &mut self.ring);
        }
    }

    fn take_events(&mut self, now: Now) -> io::Result<()> {
        let mut events = std::mem::take(&mut self.events);
        self.ring.reap(|event| events.push(event))?;
        for event in events.drain(..) {
            match event {
                RingEvent::Disk(completion) if Egress::owns(completion.key) => {
                    self.range_read(now, completion);
                }
                RingEvent::Disk(completion) => self.shard.feed(now, Event::Completed(completion)),
                RingEvent::Ready { key, .. } => match self.sockets.ready(key) {
                    Readiness::Listener(number) => self.accept(now, number),
                    Readiness::Read(connection) => self.list_readable(connection),
                    Readiness::Write(connection) => self.sendable.push(connection),
                    Readiness::Stale => {}
                },
            }
        }
        self.events = events;
        if self.accept_again.is_some_and(|at| at <= Instant::now()) {
            self.accept_again = None;
            for number in 0..self.listeners.len() {
                self.accept(now, number);
            }
        }
        Ok(())
    }

    /// What a connection has to send next was read, or cannot be.
    fn range_read(&mut self, now: Now, completion: Completion) {
        let failed = completion.result.as_ref().err().map(ToString::to_string);
        match self.egress.read_done(completion) {
            Some((connection, _)) if self.sockets.entry(connection).is_none() => {
                self.egress.forget(connection);
            }
            Some((connection, true)) => self.sendable.push(connection),
            Some((connection, false)) => {
                let why = failed.unwrap_or_else(|| "a segment ends before its records".to_owned());
                self.log.line(&format!("connection closed: {why}"));
                self.peer_closed(now, connection);
            }
            None => {}
        }
    }

    fn accept(&mut self, now: Now, number: usize) {
        if self.stop_seen {
            return;
        }
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            if let Err(wait) = self.common.gate.take_turn(Instant::now()) {
                self.accept_again = Some(Instant::now() + wait);
                return;
            }
            let accepted = self.listeners[number].accept();
            if accepted.is_err() {
                self.common.gate.return_turn();
            }
            match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    if let Err(error) = self.common.gate.enter(address) {
                        self.log
                            .line(&format!("connection from {peer} refused: {error}"));
                        continue;
                    }
                    // A socket that is gone already fails at its first receive.
                    let _ = stream.set_nonblocking(true);
                    let _ = stream.set_nodelay(true);
                    let SocketOptions {
                        send_buffer,
                        receive_buffer,
                        ..
                    } = self.options;
                    sys::set_buffers(&stream, send_buffer, receive_buffer);
                    let connection = self.shard.accept(now, number as u16, address);
                    self.sockets.insert(stream, address, connection);
                    self.list_readable(connection);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // Descriptors or memory ran out: others may close meanwhile.
                    self.log.line(&format!("cannot accept: {error}"));
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
        Sockets::arm_listener(number, &self.listeners[number], &mut self.ring);
    }

    fn list_readable(&mut self, connection: ConnectionKey) {
        if let Some(socket) = self.sockets.entry(connection).filter(|it| !it.is_listed) {
            socket.is_listed = true;
            self.readable.push(connection);
        }
    }

    fn receive_all(&mut self, now: Now) {
        std::mem::swap(&mut self.readable, &mut self.reading);
        let mut reading = std::mem::take(&mut self.reading);
        for connection in reading.drain(..) {
            self.receive(now, connection);
        }
        self.reading = reading;
    }

    /// Receives once. A full target means that there may be more: next turn, after the others.
    fn receive(&mut self, now: Now, connection: ConnectionKey) {
        let Some(socket) = self.sockets.entry(connection) else {
            return;
        };
        socket.is_listed = false;
        // `None`: the shard names it in `Out::reads` when it may be read again.
        let Some(target) = self.shard.receive_target(connection) else {
            return;
        };
        let room = target.len();
        match (&socket.stream).read(target) {
            Ok(0) => self.peer_closed(now, connection),
            Ok(count) => {
                self.shard.feed(now, Event::Received { connection, count });
                if count == room {
                    self.list_readable(connection);
                } else {
                    self.sockets.arm_read(connection, &mut self.ring);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.sockets.arm_read(connection, &mut self.ring);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.list_readable(connection);
            }
            Err(_) => self.peer_closed(now, connection),
        }
    }

    fn peer_closed(&mut self, now: Now, connection: ConnectionKey) {
        self.shard.feed(now, Event::PeerClosed { connection });
        self.close(connection);
    }

    fn close(&mut self, connection: ConnectionKey) {
        self.egress.forget(connection);
        if let Some(address) = self.sockets.close(connection, &mut self.ring) {
            self.common.gate.leave(address);
        }
    }

    fn take_mail(&mut self, now: Now) -> bool {
        let mut busy = false;
        for peer in 0..self.common.shards as u16 {
            let from = ShardId(peer);
            while let Some(mut batch) = self.mailboxes.receive(from) {
                busy = true;
                self.shard.feed(
                    now,
                    Event::Mail {
                        from,
                        batch: &mut batch,
                    },
                );
                self.mailboxes.emptied(from, batch);
            }
        }
        busy
    }

    /// Tells the store how much room there is, ten times a second while anything happens.
    fn look_at_space(&mut self, now: Now) {
        if now.monotonic < self.space_again {
            return;
        }
        self.space_again = now.monotonic.saturating_add(SPACE_EVERY);
        for number in 0..self.ring.directories().len() {
            let directory = DirectoryIndex(number as u16);
            // A directory that cannot be asked fails at its next write, and says why.
            if let Ok(bytes) = self.ring.directories().free_bytes(directory) {
                self.shard.feed(now, Event::FreeBytes { directory, bytes });
            }
        }
    }

    fn take_written(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some(reply) = self.scribe.next_written() {
            self.shard.feed(now, Event::Written(Box::new(reply)));
            any = true;
        }
        any
    }

    /// Looks without taking: a batch that came is kept for the next turn by not sleeping.
    fn has_mail(&mut self) -> bool {
        let now = self.now();
        let has_written = self.take_written(now);
        self.take_mail(now) || has_written
    }

    fn look_for_stop(&mut self, now: Now) {
        if !self.stop_seen && self.common.stop.load(Ordering::SeqCst) {
            self.stop_seen = true;
            self.listeners.clear();
            self.shard.feed(now, Event::Stop);
        }
        if self.stop_seen && !self.drained_seen && self.shard.is_drained() {
            self.drained_seen = true;
            self.common.drained.fetch_add(1, Ordering::SeqCst);
        }
        // A shard's store stops when no peer can ask it for anything any more.
        let all = self.common.drained.load(Ordering::SeqCst) >= self.common.shards;
        if all && self.drained_seen && !self.store_stopping {
            self.store_stopping = true;
            self.shard.feed(now, Event::StopStore);
        }
    }

    /// Says whether the shard was fed, and wants to be pumped again.
    fn carry_out(&mut self, now: Now) -> bool {
        for index in 0..self.out.notices.len() {
            let line = match &self.out.notices[index] {
                Notice::Storage { text } => text.clone(),
                Notice::Directory { directory, text } => {
                    let path = self.ring.directories().path(*directory);
                    format!("log directory {}: {text}", path.display())
                }
                Notice::Refused { connection, text } => {
                    let address = self.sockets.entry(*connection).map(|socket| socket.address);
                    let from = address.map_or_else(String::new, |it| format!(" from {it}"));
                    format!("connection{from} closed: {text}")
                }
            };
            self.log.line(&line);
        }
        self.out.notices.clear();
        if let Some(config) = self.out.config.take() {
            let limits = self.common.gate_plan.limits(&config);
            self.common.gate.limit(limits);
        }
        for index in 0..self.out.closes.len() {
            let (connection, reason) = self.out.closes[index];
            if matches!(reason, CloseReason::Handshake | CloseReason::HalfFrame) {
                self.log_close(connection, reason);
            }
            self.close(connection);
        }
        self.out.closes.clear();
        for index in 0..self.out.reads.len() {
            // What is polled already is told of when there is something to read.
            let connection = self.out.reads[index];
            if !self.sockets.is_read_armed(connection) {
                self.list_readable(connection);
            }
        }
        self.out.reads.clear();
        self.sendable.append(&mut self.out.sends);
        let fed = self.send_all(now);
        self.ring.submit(&mut self.out.disk);
        if let Some(reply) = self.out.long_reply.take() {
            self.scribe.order(reply);
        }
        for peer in 0..self.common.shards as u16 {
            let staged = self.shard.mail(ShardId(peer));
            if !staged.is_empty() {
                self.mailboxes.send(ShardId(peer), staged);
            }
        }
        fed
    }

    fn log_close(&mut self, connection: ConnectionKey, reason: CloseReason) {
        let address = self.sockets.entry(connection).map(|socket| socket.address);
        let from = address.map_or_else(String::new, |it| format!(" from {it}"));
        let why = match reason {
            CloseReason::Handshake => "no whole request within the handshake limit",
            _ => "a request was begun and no byte of it came for too long",
        };
        self.log.line(&format!("connection{from} closed: {why}"));
    }

    fn send_all(&mut self, now: Now) -> bool {
        let fed = !self.sendable.is_empty();
        for _ in 0..self.sendable.len() {
            let connection = self.sendable.swap_remove(0);
            let Some(socket) = self.sockets.entry(connection) else {
                continue;
            };
            let sent = self.egress.send(
                now,
                &mut self.shard,
                connection,
                &socket.stream,
                &mut self.ring,
                &mut self.out.disk,
            );
            match sent {
                Sent::All => {}
                Sent::More => self.sendable.push(connection),
                Sent::Full => self.sockets.arm_write(connection, &mut self.ring),
                Sent::Reading => {}
                Sent::Failed => self.peer_closed(now, connection),
            }
        }
        self.egress.watch_leases(&mut self.shard, &mut self.sockets);
        fed
    }
}

/// How long the loop may sleep.
#[derive(Clone, Copy, Debug)]
pub struct Sleep {
    /// `None` for until something happens.
    pub until: Option<Duration>,
}

/// The present moment by both clocks.
pub fn now(origin: Instant) -> Now {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        // From one on: zero is never a moment of this process.
        monotonic: Micros(origin.elapsed().as_micros() as u64 + 1),
        wall_ms: wall.as_millis() as i64,
    }
}

/// How often free space is looked at.
const SPACE_EVERY: Micros = Micros::from_millis(100);
const ACCEPTS_PER_TURN_MAX: usize = 64;
/// How long a listener rests when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often leases of sent file ranges are looked at when nothing else happens.
const DRAIN_POLL: Duration = Duration::from_millis(20);
/// How often a full mailbox is tried again when nothing else happens.
const MAIL_POLL: Duration = Duration::from_micros(200);
/// How often a stopping shard looks for its peers.
const STOP_POLL: Duration = Duration::from_millis(5);
