//! Sending: memory by vectored writes, file ranges by `sendfile` in bounded slices.
//!
//! A range that is not in the page cache would block the shard: it is read ahead first, by the
//! helper thread, and sent when it is there; or, with `fetch.path=memory`, read past the page cache
//! into a block of the shard's own. A slow reader costs its leases, a block and its place in a
//! list, never the shard's time.

use std::collections::HashMap;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use logmill_engine::base::Now;
use logmill_engine::disk::{Completion, DiskOp, DiskOut, DiskOutput, FileName, FileRange, OpKey};
use logmill_engine::io::{Ring, resident_bytes};
use logmill_engine::sys::region::{RegionClass, RegionPool, Slice};
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
    /// Who waits for which read, of which file and from where on.
    reading: HashMap<u64, (ConnectionKey, FileName, u64)>,
    next_read: u64,
    /// What was read into memory for a connection, of which file and from where on.
    blocks: HashMap<ConnectionKey, (FileName, u64, Slice)>,
    pool: RegionPool,
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
            blocks: HashMap::new(),
            pool: RegionPool::new(BLOCK_BYTES_MAX),
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
                Next::File(range) => match self.send_range(connection, range, stream, ring, disk) {
                    Ok(sent) => sent,
                    Err(sent) => return sent,
                },
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

    /// Whether a disk operation is one of this side's.
    pub fn owns(key: OpKey) -> bool {
        key.0 & READ != 0
    }

    /// A read of this side's ended: who waited for it, and whether that may go on.
    pub fn read_done(&mut self, completion: Completion) -> Option<(ConnectionKey, bool)> {
        let (connection, file, position) = self.reading.remove(&completion.key.0)?;
        let goes_on = match completion.result {
            Ok(DiskOutput::Done) => true,
            // The file ended before the range.
            Ok(DiskOutput::Bytes(block)) if block.is_empty() => false,
            Ok(DiskOutput::Bytes(block)) => {
                self.blocks.insert(connection, (file, position, block));
                true
            }
            Err(_) => false,
        };
        Some((connection, goes_on))
    }

    /// A connection is gone.
    pub fn forget(&mut self, connection: ConnectionKey) {
        self.blocks.remove(&connection);
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

    /// Sends of a range what is there; how much was tried and what came of it, or why not now.
    fn send_range(
        &mut self,
        connection: ConnectionKey,
        range: &FileRange,
        stream: &TcpStream,
        ring: &mut Ring,
        disk: &mut DiskOut,
    ) -> Result<(usize, io::Result<usize>), Sent> {
        if self.path == FetchPath::Memory {
            if let Some(sent) = self.send_block(connection, range, stream) {
                return Ok(sent);
            }
            if self.read_block(connection, range, disk) {
                return Err(Sent::Reading);
            }
        }
        let file = match ring.open_for_send(&range.file) {
            Ok(Some(file)) => file,
            Ok(None) => {
                self.read_ahead(connection, range, disk);
                return Err(Sent::Reading);
            }
            Err(_) => return Err(Sent::Failed),
        };
        let len = (range.len as usize).min(FILE_SLICE_MAX);
        let resident = resident_bytes(&file, range.position, len as u64) as usize;
        if resident == 0 {
            self.read_ahead(connection, range, disk);
            return Err(Sent::Reading);
        }
        let len = resident.min(len);
        Ok((len, self.send_file(stream, &file, range.position, len)))
    }

    fn read_ahead(&mut self, connection: ConnectionKey, range: &FileRange, disk: &mut DiskOut) {
        let op = DiskOp::ReadAhead {
            file: range.file.clone(),
            position: range.position,
            len: u64::from(range.len).min(READ_AHEAD_BYTES_MAX),
        };
        self.read(connection, range, range.position, op, disk);
    }

    /// Sends from the connection's block, which is given back when all that is wanted of it is
    /// sent. `None` without a block that begins the range.
    fn send_block(
        &mut self,
        connection: ConnectionKey,
        range: &FileRange,
        stream: &TcpStream,
    ) -> Option<(usize, io::Result<usize>)> {
        let (file, from, block) = self.blocks.get(&connection)?;
        let start = range.position.checked_sub(*from)? as usize;
        let rest = block.get(start..).filter(|rest| !rest.is_empty())?;
        if file.id() != range.file.id() {
            return None;
        }
        let len = rest.len().min(range.len as usize);
        let result = (&mut &*stream).write(&rest[..len]);
        if matches!(result, Ok(count) if count == len) {
            self.blocks.remove(&connection);
        }
        Some((len, result))
    }

    /// Reads the pages that begin a range into a block; says whether there is memory for one.
    fn read_block(
        &mut self,
        connection: ConnectionKey,
        range: &FileRange,
        disk: &mut DiskOut,
    ) -> bool {
        let page = RegionClass::Page.bytes() as u64;
        let position = range.position - range.position % page;
        let wanted = range.position + u64::from(range.len) - position;
        let len = wanted.next_multiple_of(page).min(BLOCK_BYTES);
        let Some(into) = self.pool.take_for(len as usize) else {
            return false;
        };
        let op = DiskOp::Read {
            direct: true,
            file: range.file.clone(),
            position,
            len: len as u32,
            into,
        };
        self.read(connection, range, position, op, disk);
        true
    }

    fn read(
        &mut self,
        connection: ConnectionKey,
        range: &FileRange,
        position: u64,
        op: DiskOp,
        disk: &mut DiskOut,
    ) {
        self.next_read += 1;
        let key = READ | self.next_read;
        self.reading
            .insert(key, (connection, range.file.clone(), position));
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
const READ: u64 = 1 << 63;
/// A slice of a file sent at once: keeps one reader from holding the shard.
const FILE_SLICE_MAX: usize = 128 << 10;
/// What one connection may send in a turn while others wait.
const TURN_BYTES_MAX: usize = 1 << 20;
const READ_AHEAD_BYTES_MAX: u64 = 1 << 20;
/// What is read into memory at once, and what all such blocks may take.
const BLOCK_BYTES: u64 = 1 << 20;
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Pieces of a vectored send.
const PARTS_MAX: usize = 64;
