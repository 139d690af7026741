//! The kernel's io_uring behind a safe face: work that owns its memory goes in, results come out.
//!
//! One ring belongs to one thread (`SINGLE_ISSUER`, `DEFER_TASKRUN` where the kernel has them),
//! which sleeps in the ring itself: one call hands over what is queued and waits. Other threads end
//! the sleep by a bell, an eventfd that the ring polls. Work owns descriptors, slices and regions
//! until its completion, so the kernel never sees freed or reused memory.

use std::mem::ManuallyDrop;
use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    sync::Arc,
    time::Duration,
};

use io_uring::{IoUring, opcode, squeue, types};

use super::region::{RegionWriter, Slice, Slices};

/// One ring. Not `Send`: it stays on the thread that made it.
pub struct KernelRing {
    ring: IoUring,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots and polls that found the submission queue full.
    backlog: VecDeque<squeue::Entry>,
    in_flight: usize,
    bell: Arc<OwnedFd>,
    _not_send: std::marker::PhantomData<*const ()>,
}

/// Work that owns all that the kernel touches.
#[derive(Debug)]
pub enum Work {
    /// Writes the parts back to back; short writes are continued.
    Write {
        /// Open descriptor.
        file: Arc<OwnedFd>,
        /// File position.
        position: u64,
        /// The bytes.
        parts: Slices,
    },
    /// fdatasync.
    Sync {
        /// Open descriptor.
        file: Arc<OwnedFd>,
    },
    /// fallocate that keeps the file's length.
    Allocate {
        /// Open descriptor.
        file: Arc<OwnedFd>,
        /// First byte.
        position: u64,
        /// Bytes.
        len: u64,
    },
    /// Reads up to `len` bytes behind what `into` holds.
    Read {
        /// Open descriptor.
        file: Arc<OwnedFd>,
        /// File position.
        position: u64,
        /// Bytes, at most what `into` has spare.
        len: u32,
        /// Receives them.
        into: RegionWriter,
    },
}

/// What the ring reports.
#[derive(Debug)]
pub enum Report {
    /// Work ended: its key, and the bytes of a read or the error number.
    Done {
        /// The key given with the work.
        key: u64,
        /// The bytes of a read, `None` for other work; or the error number.
        result: Result<Option<Slice>, i32>,
    },
    /// A descriptor became ready (or its poll failed: a negative value).
    Ready {
        /// The key given with the poll.
        key: u64,
        /// poll(2) event bits, or a negated error number.
        events: i32,
    },
}

#[derive(Default)]
struct Slot {
    key: u64,
    work: Option<Work>,
    iovecs: Vec<libc::iovec>,
    /// First vector not yet written in full.
    next: usize,
    done: u64,
}

impl KernelRing {
    /// Sets up a ring of that many submission entries, whose sleep ends when `bell` is written to.
    pub fn new(entries: u32, bell: Arc<OwnedFd>) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_cqsize(entries * 4)
            .build(entries)
            .or_else(|_| IoUring::builder().setup_cqsize(entries * 4).build(entries))?;
        let mut this = Self {
            ring,
            slots: Vec::new(),
            free: Vec::new(),
            backlog: VecDeque::new(),
            in_flight: 0,
            bell,
            _not_send: std::marker::PhantomData,
        };
        this.hang_bell();
        Ok(this)
    }

    /// Has the kernel keep these files open until the ring is gone, whatever becomes of the process
    /// and its descriptors. Once.
    pub fn hold(&mut self, files: &[RawFd]) -> io::Result<()> {
        self.ring.submitter().register_files(files)
    }

    /// Whether the kernel gave the modes for one issuing thread.
    pub fn single_issuer(&self) -> bool {
        self.ring.params().is_setup_single_issuer()
    }

    /// Work handed over and not yet reported; polls do not count.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Queues work; [`KernelRing::enter`] hands it to the kernel.
    pub fn queue(&mut self, key: u64, work: Work) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        self.in_flight += 1;
        let slot = &mut self.slots[index as usize];
        slot.begin(key, work);
        let entry = slot.entry(index);
        self.push(entry);
    }

    /// Asks once for readiness of a descriptor. It must stay open until the report or
    /// [`KernelRing::cancel_poll`].
    pub fn poll(&mut self, fd: RawFd, events: u32, key: u64) {
        assert!(key & TAGS == 0, "poll keys have 62 bits");
        self.push(
            opcode::PollAdd::new(types::Fd(fd), events)
                .build()
                .user_data(POLL | key),
        );
    }

    /// Takes a poll back; its report, if any still comes, is an error.
    pub fn cancel_poll(&mut self, key: u64) {
        self.push(
            opcode::PollRemove::new(POLL | key)
                .build()
                .user_data(IGNORED),
        );
    }

    /// Hands queued work to the kernel and lets it post what is complete, without waiting. Cheap
    /// when there is nothing to do.
    pub fn enter(&mut self) -> io::Result<()> {
        loop {
            let ring = &mut self.ring;
            // Two looks at shared memory say whether a system call is needed at all.
            let (queued, deferred) = {
                let submission = ring.submission();
                (
                    !submission.is_empty(),
                    submission.taskrun() || submission.cq_overflow(),
                )
            };
            if queued || deferred {
                match ring.submit() {
                    Ok(_) => {}
                    // The completion queue is full or the call was interrupted: reaping mends it.
                    Err(error) if is_transient(&error) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            if self.backlog.is_empty() || !self.refill() {
                return Ok(());
            }
        }
    }

    /// Hands queued work to the kernel and waits until something is to be reaped, the bell rings,
    /// or the time is over.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if !self.backlog.is_empty() {
            return self.enter();
        }
        let waited = match timeout {
            None => self.ring.submit_and_wait(1),
            Some(timeout) => {
                let time = types::Timespec::from(timeout);
                let arguments = types::SubmitArgs::new().timespec(&time);
                self.ring.submitter().submit_with_args(1, &arguments)
            }
        };
        match waited {
            Err(error) if !is_transient(&error) && !is_timeout(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Reports all that is complete.
    pub fn reap(&mut self, mut report: impl FnMut(Report)) {
        while let Some((user_data, result)) = self.next_completion() {
            if user_data == IGNORED {
                continue;
            }
            if user_data == RUNG {
                super::file::drain(self.bell.as_fd());
                self.hang_bell();
                continue;
            }
            if user_data & POLL != 0 {
                report(Report::Ready {
                    key: user_data & !TAGS,
                    events: result,
                });
                continue;
            }
            let index = user_data as u32;
            match self.slots[index as usize].advance(result) {
                Step::Again => {
                    let entry = self.slots[index as usize].entry(index);
                    self.push(entry);
                }
                Step::Done(result) => {
                    let key = self.slots[index as usize].key;
                    self.free.push(index);
                    self.in_flight -= 1;
                    report(Report::Done { key, result });
                }
            }
        }
    }

    /// Waits for the bell, once.
    fn hang_bell(&mut self) {
        let bell = types::Fd(self.bell.as_raw_fd());
        let poll = opcode::PollAdd::new(bell, libc::POLLIN as u32);
        self.push(poll.build().user_data(RUNG));
    }

    fn next_completion(&mut self) -> Option<(u64, i32)> {
        self.ring
            .completion()
            .next()
            .map(|entry| (entry.user_data(), entry.result()))
    }

    fn push(&mut self, entry: squeue::Entry) {
        if self.backlog.is_empty() {
            // SAFETY: the entry's pointers lead into a slot's work and vectors, which stay in place
            // until the completion is reaped (`Slot::advance`), or it has none.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return;
            }
        }
        self.backlog.push_back(entry);
    }

    /// Moves backlog into the queue; false when there was no room at all.
    fn refill(&mut self) -> bool {
        let mut moved = false;
        while let Some(entry) = self.backlog.front() {
            // SAFETY: as in `push`.
            if unsafe { self.ring.submission().push(entry) }.is_err() {
                break;
            }
            self.backlog.pop_front();
            moved = true;
        }
        moved
    }
}

impl Drop for KernelRing {
    /// Waits for the kernel to let go of memory that in-flight work owns.
    fn drop(&mut self) {
        while self.in_flight > 0 {
            if self
                .ring
                .submit_and_wait(1)
                .is_err_and(|error| !is_transient(&error))
            {
                // The kernel may still write into this memory: leaking it is the safe end.
                let _leaked = ManuallyDrop::new(std::mem::take(&mut self.slots));
                return;
            }
            self.reap(drop);
            self.refill();
        }
    }
}

enum Step {
    Again,
    Done(Result<Option<Slice>, i32>),
}

impl Slot {
    fn begin(&mut self, key: u64, work: Work) {
        self.key = key;
        self.next = 0;
        self.done = 0;
        self.iovecs.clear();
        if let Work::Write { parts, .. } = &work {
            for part in parts.iter() {
                let base = part.as_ptr().cast_mut().cast();
                self.iovecs.push(libc::iovec {
                    iov_base: base,
                    iov_len: part.len(),
                });
            }
        }
        self.work = Some(work);
    }

    fn entry(&mut self, index: u32) -> squeue::Entry {
        let done = self.done;
        let entry = match self.work.as_mut().expect("a queued slot holds work") {
            Work::Write { file, position, .. } => {
                let vectors = &self.iovecs[self.next..];
                let count = vectors.len().min(VECTORS_MAX) as u32;
                opcode::Writev::new(types::Fd(file.as_raw_fd()), vectors.as_ptr(), count)
                    .offset(*position + done)
                    .build()
            }
            Work::Sync { file } => opcode::Fsync::new(types::Fd(file.as_raw_fd()))
                .flags(types::FsyncFlags::DATASYNC)
                .build(),
            Work::Allocate {
                file,
                position,
                len,
            } => opcode::Fallocate::new(types::Fd(file.as_raw_fd()), *len)
                .offset(*position)
                .mode(libc::FALLOC_FL_KEEP_SIZE)
                .build(),
            Work::Read {
                file,
                position,
                len,
                into,
            } => {
                let spare = into.spare();
                assert!(spare.len() >= *len as usize, "a read must fit its region");
                opcode::Read::new(types::Fd(file.as_raw_fd()), spare.as_mut_ptr().cast(), *len)
                    .offset(*position)
                    .build()
            }
        };
        entry.user_data(u64::from(index))
    }

    fn advance(&mut self, result: i32) -> Step {
        if result == -libc::EINTR || result == -libc::EAGAIN {
            return Step::Again;
        }
        if result < 0 {
            self.work = None;
            return Step::Done(Err(-result));
        }
        if matches!(self.work, Some(Work::Write { .. })) {
            self.consume(result as usize);
            if self.next < self.iovecs.len() {
                if result == 0 {
                    self.work = None;
                    return Step::Done(Err(libc::EIO));
                }
                return Step::Again;
            }
        }
        let slice = match self.work.take() {
            Some(Work::Read { mut into, .. }) => {
                let from = into.len();
                // The kernel filled that many bytes of the spare part.
                into.advance(result as usize);
                Some(into.slice(from..from + result as usize))
            }
            _ => None,
        };
        Step::Done(Ok(slice))
    }

    /// Moves the vectors past `written` bytes.
    fn consume(&mut self, mut written: usize) {
        self.done += written as u64;
        while let Some(vector) = self.iovecs.get_mut(self.next) {
            if written < vector.iov_len {
                vector.iov_base = vector.iov_base.cast::<u8>().wrapping_add(written).cast();
                vector.iov_len -= written;
                return;
            }
            written -= vector.iov_len;
            self.next += 1;
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINTR | libc::EAGAIN | libc::EBUSY)
    )
}

fn is_timeout(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ETIME)
}

const POLL: u64 = 1 << 63;
const IGNORED: u64 = 1 << 62;
const TAGS: u64 = POLL | IGNORED;
/// The bell rang: neither work, whose indexes have 32 bits, nor a poll.
const RUNG: u64 = 1 << 61;

/// IOV_MAX of Linux.
const VECTORS_MAX: usize = 1024;
