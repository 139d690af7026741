//! The sockets of one shard and their readiness.
//!
//! A socket is polled once at a time for reading, and once for room to send when the peer is slow.
//! Both polls are one-shot: what is polled costs nothing until it happens.

use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::AsRawFd;

use logmill_engine::base::{Slab, SlabKey};
use logmill_engine::io::Ring;

use crate::connection::ConnectionKey;

/// A connection's socket.
#[derive(Debug)]
pub struct Socket {
    /// The stream.
    pub stream: TcpStream,
    /// The shard's name for it; stale once closed.
    pub connection: ConnectionKey,
    /// Where it comes from.
    pub address: IpAddr,
    /// In the list of sockets to read.
    pub is_listed: bool,
    read_armed: bool,
    write_armed: bool,
    closing: bool,
}

/// All sockets of a shard.
#[derive(Debug, Default)]
pub struct Sockets {
    sockets: Slab<Socket>,
    /// The socket of each connection, by the connection's place.
    by_connection: Vec<Option<SlabKey>>,
}

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// A listener, by its number.
    Listener(usize),
    /// A socket may be read.
    Read(ConnectionKey),
    /// A socket has room.
    Write(ConnectionKey),
    /// Nothing that anyone waits for.
    Stale,
}

impl Sockets {
    /// Takes a socket in.
    pub fn insert(&mut self, stream: TcpStream, address: IpAddr, connection: ConnectionKey) {
        let key = self.sockets.insert(Socket {
            stream,
            connection,
            address,
            is_listed: false,
            read_armed: false,
            write_armed: false,
            closing: false,
        });
        let place = connection.index();
        if self.by_connection.len() <= place {
            self.by_connection.resize(place + 1, None);
        }
        self.by_connection[place] = Some(key);
    }

    /// The socket of a connection.
    pub fn entry(&mut self, connection: ConnectionKey) -> Option<&mut Socket> {
        let key = (*self.by_connection.get(connection.index())?)?;
        self.sockets
            .get_mut(key)
            .filter(|socket| socket.connection == connection)
    }

    /// Asks to be told when a connection can be read.
    pub fn arm_read(&mut self, connection: ConnectionKey, ring: &mut Ring) {
        let Some(key) = self.key(connection) else {
            return;
        };
        let Some(socket) = self.sockets.get_mut(key).filter(|it| !it.read_armed) else {
            return;
        };
        socket.read_armed = true;
        let events = (libc::POLLIN | libc::POLLRDHUP) as u32;
        ring.poll_add(socket.stream.as_raw_fd(), events, poll_key(key, READ));
    }

    /// Whether [`Readiness::Read`] will come of itself.
    pub fn is_read_armed(&mut self, connection: ConnectionKey) -> bool {
        self.entry(connection).is_some_and(|it| it.read_armed)
    }

    /// Asks to be told when a connection has room to send.
    pub fn arm_write(&mut self, connection: ConnectionKey, ring: &mut Ring) {
        let Some(key) = self.key(connection) else {
            return;
        };
        let Some(socket) = self.sockets.get_mut(key).filter(|it| !it.write_armed) else {
            return;
        };
        socket.write_armed = true;
        ring.poll_add(
            socket.stream.as_raw_fd(),
            libc::POLLOUT as u32,
            poll_key(key, WRITE),
        );
    }

    /// Asks to be told when a listener has a connection.
    pub fn arm_listener(number: usize, listener: &impl AsRawFd, ring: &mut Ring) {
        ring.poll_add(
            listener.as_raw_fd(),
            libc::POLLIN as u32,
            LISTENER | number as u64,
        );
    }

    /// What a poll's event means.
    pub fn ready(&mut self, poll: u64) -> Readiness {
        if poll & LISTENER != 0 {
            return Readiness::Listener((poll & !LISTENER) as usize);
        }
        // Polls outlive neither their socket nor the key, so that the index alone is enough.
        let Some(key) = self.key_at(poll) else {
            return Readiness::Stale;
        };
        let Some(socket) = self.sockets.get_mut(key) else {
            return Readiness::Stale;
        };
        let is_write = poll & WRITE != 0;
        *(if is_write {
            &mut socket.write_armed
        } else {
            &mut socket.read_armed
        }) = false;
        let connection = socket.connection;
        if socket.closing {
            if !socket.read_armed && !socket.write_armed {
                self.sockets.remove(key);
            }
            return Readiness::Stale;
        }
        if is_write {
            Readiness::Write(connection)
        } else {
            Readiness::Read(connection)
        }
    }

    /// Closes a connection's socket; says where it came from. The descriptor stays until its polls
    /// have ended.
    pub fn close(&mut self, connection: ConnectionKey, ring: &mut Ring) -> Option<IpAddr> {
        let key = self.key(connection)?;
        self.by_connection[connection.index()] = None;
        let socket = self.sockets.get_mut(key)?;
        let address = socket.address;
        if !socket.read_armed && !socket.write_armed {
            self.sockets.remove(key);
            return Some(address);
        }
        socket.closing = true;
        // Ends the polls as well; those of a socket that is not connected any more are taken back.
        let (read, write) = (socket.read_armed, socket.write_armed);
        if socket.stream.shutdown(Shutdown::Both).is_err() {
            for (armed, kind) in [(read, READ), (write, WRITE)] {
                if armed {
                    ring.poll_remove(poll_key(key, kind));
                }
            }
        }
        Some(address)
    }

    fn key(&self, connection: ConnectionKey) -> Option<SlabKey> {
        let key = (*self.by_connection.get(connection.index())?)?;
        let socket = self.sockets.get(key)?;
        (socket.connection == connection).then_some(key)
    }

    fn key_at(&self, poll: u64) -> Option<SlabKey> {
        let key = SlabKey::from_bits(poll & KEY);
        if self.sockets.get(key).is_some() {
            return Some(key);
        }
        // Generations beyond 28 bits were cut off: the place has one live key.
        let wanted = key.index();
        self.sockets
            .iter()
            .map(|(key, _)| key)
            .find(|key| key.index() == wanted)
    }
}

fn poll_key(key: SlabKey, kind: u64) -> u64 {
    key.to_bits() & KEY | kind
}

/// Poll keys have 62 bits: two for the kind, the rest for the socket's place and generation.
const LISTENER: u64 = 1 << 61;
const WRITE: u64 = 1 << 60;
const READ: u64 = 0;
const KEY: u64 = (1 << 60) - 1;
