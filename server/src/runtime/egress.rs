//! Sending: memory by vectored writes, file ranges by `sendfile` in bounded slices.
//!
//! A range that is not in the page cache would block the shard: it is read ahead first, by the
//! helper thread, and sent when it is there. A slow reader costs its leases and its place in a
//! list, never the shard's time.

use std::collections::HashMap;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use logmill_engine::base::Now;
use logmill_engine::disk::{DiskOp, DiskOut, FileRange, OpKey};
use logmill_engine::io::{Ring, resident_bytes};
use rustix::pipe::{self, PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with};

use super::sockets::Sockets;
use super::sys;
use crate::config::FetchPath;
use crate::connection::{ConnectionKey, Next};
use crate::shard::{Event, Shard};

/// The sending side of a shard's driver.
#[derive(Debug)]
pub struct Egress {
    path: FetchPath,
    /// Connections whose leases wait for the peer's acknowledgement.
    draining: Vec<ConnectionKey>,
    /// Who waits for which read-ahead.
    reading: HashMap<u64, ConnectionKey>,
    next_read: u64,
    /// For the paths that copy.
    buffer: Vec<u8>,
    /// For the path through a pipe: where to read and where to write; empty between sends.
    pipe: Option<(OwnedFd, OwnedFd)>,
}

/// What a connection's turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing is left.
    All,
    /// Its share of the turn is used up.
    More,
    /// The socket is full.
    Full,
    /// Its next range is being read ahead.
    Reading,
    /// The connection is gone.
    Failed,
}

impl Egress {
    /// Sends file ranges in the way that `fetch.path` says.
    pub fn new(path: FetchPath) -> Self {
        Self {
            path,
            draining: Vec::new(),
            reading: HashMap::new(),
            next_read: 0,
            buffer: Vec::new(),
            pipe: None,
        }
    }

    /// Sends what the socket takes, within one connection's share of a turn.
    pub fn send(
        &mut self,
        now: Now,
        shard: &mut Shard,
        connection: ConnectionKey,
        stream: &TcpStream,
        ring: &mut Ring,
        disk: &mut DiskOut,
    ) -> Sent {
        let mut left = TURN_BYTES_MAX;
        loop {
            let Some(outgoing) = shard.outgoing(connection) else {
                return Sent::All;
            };
            let mut parts = [IoSlice::new(&[]); PARTS_MAX];
            let (wanted, result) = match outgoing.next(&mut parts) {
                Next::Nothing => return Sent::All,
                Next::Memory(1) => (parts[0].len(), (&mut &*stream).write(&parts[0])),
                Next::Memory(count) => {
                    let parts = &parts[..count];
                    let wanted = parts.iter().map(|part| part.len()).sum();
                    (wanted, (&mut &*stream).write_vectored(parts))
                }
                Next::File(range) => {
                    let file = match ring.open_for_send(&range.file) {
                        Ok(Some(file)) => file,
                        Ok(None) => {
                            self.read_ahead(connection, range, disk);
                            return Sent::Reading;
                        }
                        Err(_) => return Sent::Failed,
                    };
                    let len = (range.len as usize).min(FILE_SLICE_MAX);
                    let resident = resident_bytes(&file, range.position, len as u64) as usize;
                    if resident == 0 {
                        self.read_ahead(connection, range, disk);
                        return Sent::Reading;
                    }
                    let len = resident.min(len);
                    (len, self.send_file(stream, &file, range.position, len))
                }
            };
            let count = match result {
                Ok(0) => return Sent::Failed,
                Ok(count) => count,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Sent::Full,
                    io::ErrorKind::Interrupted => continue,
                    _ => return Sent::Failed,
                },
            };
            shard.feed(now, Event::Sent { connection, count });
            self.note_draining(shard, connection);
            if count < wanted {
                return Sent::Full;
            }
            left = left.saturating_sub(count);
            if left == 0 {
                return Sent::More;
            }
        }
    }

    /// Who waited for a read-ahead that ended, if the key is one of this side's.
    pub fn read_ahead_done(&mut self, key: OpKey) -> Option<Option<ConnectionKey>> {
        (key.0 & READ_AHEAD != 0).then(|| self.reading.remove(&key.0))
    }

    /// Ends the leases of ranges that peers have.
    pub fn watch_leases(&mut self, shard: &mut Shard, sockets: &mut Sockets) {
        self.draining.retain(|&connection| {
            let Some(socket) = sockets.entry(connection) else {
                return false;
            };
            let Some(outgoing) = shard.outgoing(connection) else {
                return false;
            };
            match sys::unacknowledged(&socket.stream) {
                Ok(bytes) => outgoing.drained(bytes),
                Err(_) => outgoing.drained(0),
            }
            outgoing.is_draining()
        });
    }

    /// Whether any lease waits.
    pub fn is_draining(&self) -> bool {
        !self.draining.is_empty()
    }

    fn note_draining(&mut self, shard: &mut Shard, connection: ConnectionKey) {
        let drains = shard
            .outgoing(connection)
            .is_some_and(|outgoing| outgoing.is_draining());
        if drains && !self.draining.contains(&connection) {
            self.draining.push(connection);
        }
    }

    fn read_ahead(&mut self, connection: ConnectionKey, range: &FileRange, disk: &mut DiskOut) {
        self.next_read += 1;
        let key = READ_AHEAD | self.next_read;
        self.reading.insert(key, connection);
        let len = u64::from(range.len).min(READ_AHEAD_BYTES_MAX);
        let op = DiskOp::ReadAhead {
            file: range.file.clone(),
            position: range.position,
            len,
        };
        disk.push(OpKey(key), op);
    }

    fn send_file(
        &mut self,
        stream: &TcpStream,
        file: &Arc<OwnedFd>,
        position: u64,
        len: usize,
    ) -> io::Result<usize> {
        match self.path {
            FetchPath::Auto | FetchPath::Sendfile => {
                sys::send_file(stream, &file.as_raw_fd(), position, len)
            }
            FetchPath::Splice => splice(&mut self.pipe, stream, file, position, len),
            FetchPath::Memory | FetchPath::Copy => {
                self.buffer.resize(FILE_SLICE_MAX, 0);
                let count = sys::read_at(&file.as_raw_fd(), position, &mut self.buffer[..len])?;
                (&mut &*stream).write(&self.buffer[..count])
            }
        }
    }
}

/// Sends through a pipe. What the socket did not take is dropped with the pipe: it is read again.
fn splice(
    pipe: &mut Option<(OwnedFd, OwnedFd)>,
    stream: &TcpStream,
    file: &OwnedFd,
    position: u64,
    len: usize,
) -> io::Result<usize> {
    let (from, to) = match pipe.take() {
        Some(ends) => ends,
        None => {
            let ends = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
            fcntl_setpipe_size(&ends.1, FILE_SLICE_MAX)?;
            ends
        }
    };
    let (flags, mut offset) = (SpliceFlags::NONBLOCK, position);
    let filled = pipe::splice(file, Some(&mut offset), &to, None, len, flags)?;
    let sent = pipe::splice(&from, None, stream, None, filled, flags)?;
    if sent == filled {
        *pipe = Some((from, to));
    }
    Ok(sent)
}

/// Marks the keys of this side's disk operations; the store's are smaller.
const READ_AHEAD: u64 = 1 << 63;
/// A slice of a file sent at once: keeps one reader from holding the shard.
const FILE_SLICE_MAX: usize = 128 << 10;
/// What one connection may send in a turn while others wait.
const TURN_BYTES_MAX: usize = 1 << 20;
const READ_AHEAD_BYTES_MAX: u64 = 1 << 20;
/// Pieces of a vectored send.
const PARTS_MAX: usize = 64;
