//! The asynchronous disk of a shard, over the kernel's ring and a helper thread.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
    time::Duration,
};

use super::{
    descriptors::{Descriptors, Mode},
    directory::{LogDirectories, PAGE},
    helper::{Helper, Job},
};
use crate::{
    disk::{Completion, ControlOp, DiskError, DiskOp, DiskOut, DiskOutput, FileName, OpKey},
    sys::{
        self,
        region::Slices,
        ring::{KernelRing, Report, Work},
    },
};

/// Sizes of a [`Ring`].
#[derive(Clone, Copy, Debug)]
pub struct RingOptions {
    /// Submission entries; more work than that queues up in memory.
    pub entries: u32,
    /// Descriptors kept open at most.
    pub descriptors_max: usize,
}

impl Default for RingOptions {
    fn default() -> Self {
        Self {
            entries: 256,
            descriptors_max: 1024,
        }
    }
}

/// What a [`Ring`] reports.
#[derive(Debug)]
pub enum RingEvent {
    /// A disk operation ended.
    Disk(Completion),
    /// A descriptor given to [`Ring::poll_add`] is ready: poll(2) bits, or a negated errno.
    Ready {
        /// The key of the poll.
        key: u64,
        /// What it is ready for.
        events: i32,
    },
}

/// The disk of one shard. Made, used and dropped on the shard's thread.
///
/// [`Ring::submit`] and [`Ring::reap`] never block: a file whose name is not in memory is opened by
/// the helper. [`Ring::wait`] sleeps. What is queued reaches the kernel with the next reap or wait,
/// so that a turn of the shard's loop takes one call. Work in flight holds its memory and
/// descriptors; dropping the ring waits for it.
pub struct Ring {
    kernel: KernelRing,
    pub(super) descriptors: Descriptors,
    helper: Helper,
    helper_in_flight: usize,
    bell: Arc<OwnedFd>,
    tickets: Tickets,
    /// Operations whose files are being opened by the helper.
    opening: HashMap<OpKey, DiskOp>,
    /// Completions of operations that failed before they reached the kernel.
    refused: Vec<Completion>,
}

impl Ring {
    /// Sets up the ring, its bell and its helper thread.
    pub fn new(directories: LogDirectories, options: RingOptions) -> io::Result<Self> {
        let bell = Arc::new(sys::file::event_fd()?);
        let mut kernel = KernelRing::new(options.entries, Arc::clone(&bell))?;
        let locks = directories.locks().iter().map(|it| it.as_fd().as_raw_fd());
        let locks: Vec<RawFd> = locks.collect();
        if !locks.is_empty() {
            kernel.hold(&locks)?;
        }
        Ok(Self {
            kernel,
            helper: Helper::start(directories.clone(), Arc::clone(&bell))?,
            descriptors: Descriptors::new(directories, options.descriptors_max),
            helper_in_flight: 0,
            bell,
            tickets: Tickets::default(),
            opening: HashMap::new(),
            refused: Vec::new(),
        })
    }

    /// The directories that it works in.
    pub fn directories(&self) -> &LogDirectories {
        self.descriptors.directories()
    }

    /// An eventfd that ends [`Ring::wait`], now or the next one, when another thread adds to it.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Whether the kernel gave the modes for one issuing thread.
    pub fn single_issuer(&self) -> bool {
        self.kernel.single_issuer()
    }

    /// Operations submitted and not yet reported; polls do not count.
    pub fn in_flight(&self) -> usize {
        self.kernel.in_flight() + self.helper_in_flight + self.refused.len()
    }

    /// Takes the queued operations for the kernel or the helper.
    pub fn submit(&mut self, out: &mut DiskOut) {
        for (key, op) in out.drain() {
            if let Err(error) = self.begin(key, op) {
                self.refused.push(Completion {
                    key,
                    result: Err(error),
                });
            }
        }
    }

    /// Hands over what is queued and reports all that ended, without waiting. Without either it
    /// costs two reads of shared memory.
    pub fn reap(&mut self, mut sink: impl FnMut(RingEvent)) -> io::Result<()> {
        self.kernel.enter()?;
        for completion in self.refused.drain(..) {
            sink(RingEvent::Disk(completion));
        }
        let tickets = &mut self.tickets;
        self.kernel.reap(|report| {
            sink(match report {
                Report::Ready { key, events } => RingEvent::Ready { key, events },
                Report::Done {
                    key: ticket,
                    result,
                } => RingEvent::Disk(tickets.finish(ticket, result)),
            });
        });
        while let Some((key, result)) = self.helper.next_done() {
            self.helper_in_flight -= 1;
            let result = match (self.opening.remove(&key), result) {
                (Some(op), Ok(Some(opened))) => {
                    self.opened(key, op, opened);
                    continue;
                }
                (_, result) => result.map(|_| DiskOutput::Done),
            };
            sink(RingEvent::Disk(Completion { key, result }));
        }
        Ok(())
    }

    /// Hands over what is queued and sleeps until there is something to reap, the bell rings or the
    /// time is over. It may end sooner.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.refused.is_empty() {
            true => self.kernel.wait(timeout),
            false => Ok(()),
        }
    }

    /// Asks once for readiness of a socket (poll(2) bits). The answer comes as
    /// [`RingEvent::Ready`]. `key` has 62 bits; the descriptor stays open until then.
    pub fn poll_add(&mut self, fd: RawFd, events: u32, key: u64) {
        self.kernel.poll(fd, events, key);
    }

    /// Takes a poll back: its event still comes, as an error.
    pub fn poll_remove(&mut self, key: u64) {
        self.kernel.cancel_poll(key);
    }

    /// A descriptor for sending from a file through the page cache (sendfile). Keep it, and the
    /// lease of the range, until the bytes have left. `None` if opening it would wait for a disk:
    /// read ahead, and ask again.
    pub fn open_for_send(&mut self, file: &FileName) -> Result<Option<Arc<OwnedFd>>, DiskError> {
        self.descriptors.open(file, Mode::Buffered)
    }

    fn begin(&mut self, key: OpKey, op: DiskOp) -> Result<(), DiskError> {
        if let DiskOp::Control(op) = op {
            self.forget_removed(&op);
            self.help(Job::Control(key, *op));
            return Ok(());
        }
        let (file, mode) = self.file_of(&op);
        let Some(opened) = self.descriptors.open(&file, mode)? else {
            let direct = mode == Mode::Direct;
            self.help(Job::Open { key, file, direct });
            self.opening.insert(key, op);
            return Ok(());
        };
        self.carry_out(key, op, opened);
        Ok(())
    }

    /// The file of an operation, and how it is to be open.
    fn file_of(&self, op: &DiskOp) -> (FileName, Mode) {
        match op {
            DiskOp::Write {
                file,
                position,
                parts,
            } => (file.clone(), self.write_mode(file, *position, parts)),
            DiskOp::Read {
                direct: true,
                file,
                position,
                len,
                into,
            } => {
                let fits = is_aligned(*position)
                    && is_aligned((*len).into())
                    && is_aligned(into.len() as u64);
                (file.clone(), self.mode(file, fits))
            }
            DiskOp::Sync { file }
            | DiskOp::Allocate { file, .. }
            | DiskOp::Read { file, .. }
            | DiskOp::ReadAhead { file, .. } => (file.clone(), Mode::Buffered),
            DiskOp::Control(_) => unreachable!("control operations name their files themselves"),
        }
    }

    fn carry_out(&mut self, key: OpKey, op: DiskOp, opened: Arc<OwnedFd>) {
        let (operation, file, work) = match op {
            DiskOp::Write {
                file,
                position,
                parts,
            } => {
                let work = Work::Write {
                    file: opened,
                    position,
                    parts,
                };
                ("write", file, work)
            }
            DiskOp::Sync { file } => ("sync", file, Work::Sync { file: opened }),
            DiskOp::Allocate {
                file,
                position,
                len,
            } => {
                let work = Work::Allocate {
                    file: opened,
                    position,
                    len,
                };
                ("allocate", file, work)
            }
            DiskOp::Read {
                direct: _,
                file,
                position,
                len,
                into,
            } => {
                let work = Work::Read {
                    file: opened,
                    position,
                    len,
                    into,
                };
                ("read", file, work)
            }
            DiskOp::ReadAhead {
                file,
                position,
                len,
            } => {
                let path = file.path().to_owned();
                return self.help(Job::ReadAhead {
                    key,
                    file: opened,
                    path,
                    position,
                    len,
                });
            }
            DiskOp::Control(_) => unreachable!("control operations are begun elsewhere"),
        };
        self.queue(key, operation, &file, work);
    }

    /// A file was opened by the helper: what waited for it goes on.
    fn opened(&mut self, key: OpKey, op: DiskOp, opened: OwnedFd) {
        let (file, mode) = self.file_of(&op);
        let opened = self.descriptors.insert(&file, mode, opened);
        self.carry_out(key, op, opened);
    }

    fn queue(&mut self, key: OpKey, operation: &'static str, file: &FileName, work: Work) {
        let ticket = self.tickets.begin(key, operation, file.clone());
        self.kernel.queue(ticket, work);
    }

    fn help(&mut self, job: Job) {
        self.helper_in_flight += 1;
        self.helper.send(job);
    }

    fn write_mode(&self, file: &FileName, position: u64, parts: &Slices) -> Mode {
        let fits = is_aligned(position)
            && parts
                .iter()
                .all(|p| is_aligned(p.as_ptr().addr() as u64) && is_aligned(p.len() as u64));
        self.mode(file, fits)
    }

    fn mode(&self, file: &FileName, fits: bool) -> Mode {
        let facts = self.descriptors.directories().facts(file.directory());
        match facts.direct_io && fits {
            true => Mode::Direct,
            false => Mode::Buffered,
        }
    }

    fn forget_removed(&mut self, op: &ControlOp) {
        match op {
            ControlOp::Remove { file } => self.descriptors.forget(file.id()),
            ControlOp::RemoveTree { directory, path } => {
                self.descriptors.forget_below(*directory, path);
            }
            // Or the bytes of a file that is renamed, then removed, would stay with a descriptor.
            ControlOp::Rename {
                directory, from, ..
            } => self.descriptors.forget_below(*directory, from),
            ControlOp::Sequence(ops) | ControlOp::Unsynced(ops) => {
                ops.iter().for_each(|op| self.forget_removed(op))
            }
            _ => {}
        }
    }
}

fn is_aligned(value: u64) -> bool {
    value.is_multiple_of(u64::from(PAGE))
}

/// What belongs to work in the kernel: the caller's key, and what to say if it fails.
#[derive(Default)]
struct Tickets {
    places: Vec<Option<(OpKey, &'static str, FileName)>>,
    free: Vec<u32>,
}

impl Tickets {
    fn begin(&mut self, key: OpKey, operation: &'static str, file: FileName) -> u64 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            (self.places.len() - 1) as u32
        });
        self.places[place as usize] = Some((key, operation, file));
        u64::from(place)
    }

    fn finish(
        &mut self,
        ticket: u64,
        result: Result<Option<sys::region::Slice>, i32>,
    ) -> Completion {
        let taken = self.places[ticket as usize].take();
        let (key, operation, file) = taken.expect("a ticket is finished once");
        self.free.push(ticket as u32);
        let result = match result {
            Ok(Some(bytes)) => Ok(DiskOutput::Bytes(bytes)),
            Ok(None) => Ok(DiskOutput::Done),
            Err(errno) => Err(DiskError::from_errno(errno, operation, file.path())),
        };
        Completion { key, result }
    }
}
