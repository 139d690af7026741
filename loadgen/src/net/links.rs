//! Non-blocking sockets to brokers, one each, with the protocol's connection on top.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use logmill_client::{Connection, ConnectionError, Options, Reply};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use super::cluster::NodeId;
use crate::clock::{Clock, until};
use crate::sys::{self, PollFd};

/// How links behave.
#[derive(Clone, Debug)]
pub struct LinksOptions {
    /// The connections' own options.
    pub connection: Options,
    /// Time to establish a connection, in ns.
    pub connect_ns: u64,
    /// Size of the sockets' kernel buffers, 0 for the system's default.
    pub socket_buffer_bytes: usize,
}

impl Default for LinksOptions {
    fn default() -> Self {
        Self {
            connection: Options::default(),
            connect_ns: 10_000_000_000,
            socket_buffer_bytes: 0,
        }
    }
}

/// The connections of one thread, by broker.
#[derive(Debug)]
pub struct Links<P> {
    options: LinksOptions,
    clock: Clock,
    links: Vec<Link<P>>,
    waits: Vec<PollFd>,
    scratch: Vec<libc::pollfd>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Link<P> {
    node: NodeId,
    stream: TcpStream,
    connection: Connection<P>,
    /// When connecting has taken too long; `None` once the socket is connected.
    connect_deadline: Option<u64>,
    announced: bool,
    /// Nothing more is read.
    is_deaf: bool,
}

/// What happened on a link.
#[derive(Debug)]
pub enum Event {
    /// Connected and negotiated: requests can be sent.
    Ready(NodeId),
    /// An answer.
    Reply(NodeId, Reply),
    /// The link is gone, and with it whatever was in flight.
    Lost(NodeId, LinkError),
}

/// How far a link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkProgress {
    /// The socket is being connected.
    Connecting,
    /// It is connected; the broker has still to say which versions it speaks.
    Negotiating,
    /// Requests can be sent.
    Ready,
}

/// Why a link is gone.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The system's word: refused, reset.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It could not be established in time.
    #[error("connecting took too long")]
    ConnectTimedOut,
    /// The broker closed it.
    #[error("the broker closed the connection")]
    Closed,
    /// It was closed before the first answer.
    #[error("connected, and closed before ApiVersions was answered: this may be no broker")]
    ClosedEarly,
    /// The first answer is not one that a broker gives.
    #[error("what listens there does not speak Kafka's protocol in the clear: {0}")]
    NotKafka(ConnectionError),
    /// The broker broke the protocol or is silent.
    #[error(transparent)]
    Protocol(#[from] ConnectionError),
}

impl<P: AsRef<[u8]>> Links<P> {
    /// No links yet.
    pub fn new(options: LinksOptions, clock: Clock) -> Self {
        let (waits, scratch, events) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            options,
            clock,
            links: Vec::new(),
            waits,
            scratch,
            events,
        }
    }

    /// Begins to connect to `node`; an error at once is an event like a later one.
    pub fn open(&mut self, node: NodeId, address: SocketAddr) {
        assert!(self.link(node).is_none(), "a node has one link");
        let now = self.clock.now();
        match connect(address, self.options.socket_buffer_bytes) {
            Ok(stream) => self.links.push(Link {
                node,
                stream,
                connection: Connection::new(self.options.connection.clone(), now),
                connect_deadline: Some(now + self.options.connect_ns),
                announced: false,
                is_deaf: false,
            }),
            Err(error) => self.events.push(Event::Lost(node, error.into())),
        }
    }

    /// True if there is a link to `node`, usable or on its way.
    pub fn is_open(&self, node: NodeId) -> bool {
        self.link(node).is_some()
    }

    /// How far the link to `node` has come, if there is one.
    pub fn progress(&self, node: NodeId) -> Option<LinkProgress> {
        let link = self.link(node)?;
        Some(match link.connect_deadline {
            Some(_) => LinkProgress::Connecting,
            None if link.announced => LinkProgress::Ready,
            None => LinkProgress::Negotiating,
        })
    }

    /// The connection to `node`, if it is ready for requests.
    pub fn ready(&mut self, node: NodeId) -> Option<&mut Connection<P>> {
        let link = self.links.iter_mut().find(|link| link.node == node)?;
        link.announced.then_some(&mut link.connection)
    }

    /// A node whose connection takes requests now, the first for which `wanted` holds.
    pub fn any_ready(&self, wanted: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let usable = |link: &&Link<P>| link.announced && link.connection.can_send();
        self.links
            .iter()
            .filter(usable)
            .map(|link| link.node)
            .find(|&node| wanted(node))
    }

    /// Reads nothing more from `node`: what it sends piles up, there and on the way. Requests are
    /// still written, at every [`Links::poll`].
    pub fn deafen(&mut self, node: NodeId) {
        if let Some(link) = self.links.iter_mut().find(|link| link.node == node) {
            link.is_deaf = true;
        }
    }

    /// Closes the link to `node`, without an event.
    pub fn close(&mut self, node: NodeId) {
        self.links.retain(|link| link.node != node);
    }

    /// Writes what `node`'s connection has to say, as far as the socket takes it.
    pub fn flush(&mut self, node: NodeId) {
        if let Some(at) = self.links.iter().position(|link| link.node == node)
            && self.links[at].connect_deadline.is_none()
            && let Err(error) = self.links[at].write()
        {
            self.lose(at, error);
        }
    }

    /// Waits until something happens, at most `timeout`; then reads and writes what can be.
    /// Events are taken with [`Links::take_events`].
    pub fn poll(&mut self, timeout: Duration) -> io::Result<()> {
        let now = self.clock.now();
        let due = self.links.iter().filter_map(Link::next_deadline).min();
        let limit = due.map_or(timeout, |due| timeout.min(until(now, due)));
        let limit = if self.events.is_empty() {
            limit
        } else {
            Duration::ZERO
        };
        self.waits.clear();
        self.waits.extend(self.links.iter().map(Link::interest));
        sys::poll(&mut self.waits, &mut self.scratch, Some(limit))?;
        let now = self.clock.now();
        for at in (0..self.links.len()).rev() {
            let wait = self.waits[at];
            if let Err(error) = self.links[at].turn(wait, now, &mut self.events) {
                self.lose(at, error);
            }
        }
        Ok(())
    }

    /// Sockets to be waited for, for a caller that waits for others as well and polls then.
    pub fn interests(&self, into: &mut Vec<PollFd>) {
        into.extend(self.links.iter().map(Link::interest));
    }

    /// Links that are open or being opened.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// True if there is no link.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Moves the events since the last call into `into`.
    pub fn take_events(&mut self, into: &mut Vec<Event>) {
        into.append(&mut self.events);
    }

    fn link(&self, node: NodeId) -> Option<&Link<P>> {
        self.links.iter().find(|link| link.node == node)
    }

    fn lose(&mut self, at: usize, error: LinkError) {
        let link = self.links.swap_remove(at);
        self.events.push(Event::Lost(link.node, error));
    }
}

impl<P: AsRef<[u8]>> Link<P> {
    fn interest(&self) -> PollFd {
        if self.is_deaf {
            // Bytes that are not read would wake it all the time.
            return PollFd::new(-1, false);
        }
        let writes = self.connect_deadline.is_some() || self.connection.wants_write();
        PollFd::new(self.stream.as_raw_fd(), writes)
    }

    fn next_deadline(&self) -> Option<u64> {
        self.connect_deadline
            .or_else(|| self.connection.next_deadline())
    }

    fn turn(&mut self, wait: PollFd, now: u64, events: &mut Vec<Event>) -> Result<(), LinkError> {
        let turned = self.exchange(wait, now, events);
        if self.announced {
            return turned;
        }
        turned.map_err(|error| match error {
            LinkError::Closed => LinkError::ClosedEarly,
            LinkError::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                LinkError::ClosedEarly
            }
            LinkError::Protocol(
                error @ (ConnectionError::FrameSize { .. }
                | ConnectionError::Unexpected
                | ConnectionError::Order { .. }
                | ConnectionError::Decode { .. }),
            ) => LinkError::NotKafka(error),
            other => other,
        })
    }

    fn exchange(
        &mut self,
        wait: PollFd,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), LinkError> {
        if let Some(deadline) = self.connect_deadline {
            if !wait.writable {
                let late = deadline <= now;
                return if late {
                    Err(LinkError::ConnectTimedOut)
                } else {
                    Ok(())
                };
            }
            if let Some(error) = self.stream.take_error()? {
                return Err(error.into());
            }
            self.connect_deadline = None;
        }
        if wait.readable {
            self.read(now, events)?;
        }
        self.write()?;
        match self.connection.expired(now) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Reads until the socket is empty or a fair share has been read.
    fn read(&mut self, now: u64, events: &mut Vec<Event>) -> Result<(), LinkError> {
        let mut budget = READ_BUDGET;
        while budget > 0 {
            let space = self.connection.space();
            let room = space.len();
            let count = match self.stream.read(space) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.connection.received(count);
            budget = budget.saturating_sub(count);
            while let Some(reply) = self.connection.poll(now)? {
                events.push(Event::Reply(self.node, reply));
            }
            if self.connection.is_ready() && !self.announced {
                self.announced = true;
                events.push(Event::Ready(self.node));
            }
            if count < room {
                return Ok(());
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), LinkError> {
        while self.connection.wants_write() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let set = self.connection.slices(&mut slices);
            match self.stream.write_vectored(&slices[..set]) {
                Ok(count) => self.connection.sent(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn connect(address: SocketAddr, buffer_bytes: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if buffer_bytes > 0 {
        socket.set_send_buffer_size(buffer_bytes)?;
        socket.set_recv_buffer_size(buffer_bytes)?;
    }
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(socket.into())
}

/// Bytes read from one link before the others have their turn.
const READ_BUDGET: usize = 16 << 20;
const SLICES: usize = 32;
