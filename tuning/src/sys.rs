//! System calls that the standard library does not offer: the crate's only `unsafe`.

use std::alloc::{self, Layout};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::slice;

use io_uring::{IoUring, opcode, squeue, types};

use crate::quantity::Limit;

/// Soft and hard value of a resource limit, `getrlimit(2)`; `None` when the kernel refuses.
pub(crate) fn resource_limit(resource: Resource) -> Option<(Limit, Limit)> {
    let number = match resource {
        Resource::LockedMemory => libc::RLIMIT_MEMLOCK,
        Resource::FileDescriptors => libc::RLIMIT_NOFILE,
    };
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit that outlives the call, which only writes to it.
    let answer = unsafe { libc::getrlimit(number, &mut limit) };
    let value = |raw| {
        if raw == libc::RLIM_INFINITY {
            Limit::Unlimited
        } else {
            Limit::At(raw)
        }
    };
    (answer == 0).then(|| (value(limit.rlim_cur), value(limit.rlim_max)))
}

/// The limits that [`resource_limit`] reads.
#[derive(Clone, Copy)]
pub(crate) enum Resource {
    /// `RLIMIT_MEMLOCK`, bytes.
    LockedMemory,
    /// `RLIMIT_NOFILE`, a count.
    FileDescriptors,
}

/// What `statx(2)` says of direct I/O on a file (`STATX_DIOALIGN`, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DirectAlignment {
    /// Memory and offset alignment in bytes.
    Reported(u32, u32),
    /// The file system says that direct I/O is not for this file.
    Refused,
    /// The kernel or the file system does not say.
    Unknown,
}

/// Asks for the alignment that direct I/O on `file` needs.
pub(crate) fn direct_alignment(file: &File) -> DirectAlignment {
    let mut answer = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the path is an empty C string, which AT_EMPTY_PATH allows; the descriptor is open
    // while `file` is borrowed; the buffer is a whole statx that outlives the call.
    let failed = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_DIOALIGN,
            answer.as_mut_ptr(),
        )
    };
    if failed != 0 {
        return DirectAlignment::Unknown;
    }
    // SAFETY: all zeros is a valid statx, and the kernel has only overwritten its fields.
    let answer = unsafe { answer.assume_init() };
    match (answer.stx_dio_mem_align, answer.stx_dio_offset_align) {
        _ if answer.stx_mask & libc::STATX_DIOALIGN == 0 => DirectAlignment::Unknown,
        (0, _) | (_, 0) => DirectAlignment::Refused,
        (memory, offset) => DirectAlignment::Reported(memory, offset),
    }
}

/// Size and free space of a file system, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// All of it.
    pub(crate) total: u64,
    /// What an ordinary user may still take.
    pub(crate) free: u64,
}

/// Asks `statvfs(3)` about the file system that holds `path`.
pub(crate) fn space(path: &Path) -> io::Result<Space> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` is a C string and `answer` a whole statvfs; both outlive the call.
    if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all zeros is a valid statvfs, and the call has only overwritten its fields.
    let answer = unsafe { answer.assume_init() };
    let unit = answer.f_frsize;
    Ok(Space {
        total: answer.f_blocks.saturating_mul(unit),
        free: answer.f_bavail.saturating_mul(unit),
    })
}

/// A ring for one file with buffers of its own, one operation per buffer at a time.
///
/// A buffer belongs to the kernel from the call that hands it over until [`DiskRing::reap`] has
/// named its slot; in between it cannot be touched. Dropping the ring waits for the kernel.
pub(crate) struct DiskRing<'f> {
    ring: IoUring,
    file: &'f File,
    buffers: Vec<Buffer>,
    /// By slot: the bytes the operation in flight must move, if there is one.
    in_flight: Vec<Option<usize>>,
}

impl<'f> DiskRing<'f> {
    /// Makes the ring and `buffers` zeroed buffers of `bytes` each, aligned to 4096.
    pub(crate) fn new(file: &'f File, buffers: usize, bytes: usize) -> io::Result<DiskRing<'f>> {
        let entries = u32::try_from(buffers.next_power_of_two()).map_err(io::Error::other)?;
        Ok(DiskRing {
            ring: IoUring::new(entries)?,
            file,
            buffers: (0..buffers).map(|_| Buffer::new(bytes)).collect(),
            in_flight: vec![None; buffers],
        })
    }

    /// The buffer of a slot. Panics while it belongs to the kernel.
    pub(crate) fn buffer(&mut self, slot: usize) -> &mut [u8] {
        assert!(
            self.in_flight[slot].is_none(),
            "the kernel has buffer {slot}"
        );
        self.buffers[slot].bytes()
    }

    /// Begins to write the first `len` bytes of a buffer at `position`.
    pub(crate) fn write(&mut self, slot: usize, len: usize, position: u64) -> io::Result<()> {
        let file = types::Fd(self.file.as_raw_fd());
        let start = self.buffer(slot)[..len].as_ptr();
        let entry = opcode::Write::new(file, start, len as u32)
            .offset(position)
            .build();
        self.begin(slot, len, entry)
    }

    /// Begins to read `len` bytes at `position` into a buffer.
    pub(crate) fn read(&mut self, slot: usize, len: usize, position: u64) -> io::Result<()> {
        let file = types::Fd(self.file.as_raw_fd());
        let start = self.buffer(slot)[..len].as_mut_ptr();
        let entry = opcode::Read::new(file, start, len as u32)
            .offset(position)
            .build();
        self.begin(slot, len, entry)
    }

    /// Begins an `fdatasync(2)`; `slot` names it.
    pub(crate) fn sync(&mut self, slot: usize) -> io::Result<()> {
        assert!(self.in_flight[slot].is_none(), "slot {slot} is in use");
        let file = types::Fd(self.file.as_raw_fd());
        let entry = opcode::Fsync::new(file)
            .flags(types::FsyncFlags::DATASYNC)
            .build();
        self.begin(slot, 0, entry)
    }

    fn begin(&mut self, slot: usize, moves: usize, entry: squeue::Entry) -> io::Result<()> {
        let entry = entry.user_data(slot as u64);
        // SAFETY: the entry names the file, open as long as `self` borrows it, and at most one
        // buffer of `self`. `in_flight` keeps everyone off that buffer until its completion, and
        // `drop` waits for the completion before the buffer is freed.
        unsafe { self.ring.submission().push(&entry) }.map_err(io::Error::other)?;
        self.in_flight[slot] = Some(moves);
        Ok(())
    }

    /// Submits what was begun and waits for `count` completions.
    pub(crate) fn wait(&mut self, count: usize) -> io::Result<()> {
        loop {
            match self.ring.submit_and_wait(count) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                waited => return waited.map(drop),
            }
        }
    }

    /// Hands out the slots that are done and says how many. The first failed or short operation
    /// is the error; the slots behind it are done as well.
    pub(crate) fn reap(&mut self, mut done: impl FnMut(usize)) -> io::Result<usize> {
        let mut count = 0;
        let mut outcome = Ok(());
        for completion in self.ring.completion() {
            let slot = completion.user_data() as usize;
            let expected = self.in_flight[slot]
                .take()
                .expect("only what was begun completes");
            count += 1;
            done(slot);
            let result = completion.result();
            let failure = match usize::try_from(result) {
                Err(_) => io::Error::from_raw_os_error(-result),
                Ok(moved) if moved < expected => {
                    io::Error::other(format!("{moved} of {expected} bytes moved"))
                }
                Ok(_) => continue,
            };
            outcome = outcome.and(Err(failure));
        }
        outcome.map(|()| count)
    }
}

impl Drop for DiskRing<'_> {
    fn drop(&mut self) {
        while self.in_flight.iter().any(Option::is_some) {
            if self.wait(1).is_err() {
                // The kernel may still write into the buffers: rather lose them than free them.
                self.buffers.drain(..).for_each(Buffer::leak);
                return;
            }
            let _ = self.reap(|_| ());
        }
    }
}

/// Zeroed memory at an address that direct I/O takes.
struct Buffer {
    start: NonNull<u8>,
    layout: Layout,
}

impl Buffer {
    fn new(bytes: usize) -> Buffer {
        let layout = Layout::from_size_align(bytes.max(1), ALIGNMENT).expect("a sane length");
        // SAFETY: the layout's size is not 0.
        let start = unsafe { alloc::alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else {
            alloc::handle_alloc_error(layout)
        };
        Buffer { start, layout }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the memory is initialised, of the layout's size, and borrowed as `self` is; the
        // ring lets nobody call this while the kernel has it.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size()) }
    }

    /// Never frees the memory.
    fn leak(self) {
        let _ = std::mem::ManuallyDrop::new(self);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed only here.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// What the kernel asks for at most when it does not say.
const ALIGNMENT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_this_process() {
        let (soft, hard) = resource_limit(Resource::FileDescriptors).unwrap();
        assert!(soft.allows(3) && hard >= soft);
        let (soft, hard) = resource_limit(Resource::LockedMemory).unwrap();
        assert!(hard >= soft);
    }

    #[test]
    fn space_of_the_root_and_of_nothing() {
        let space = space(Path::new("/")).unwrap();
        assert!(space.total > 0 && space.free <= space.total);
        assert!(super::space(Path::new("/no/such/folder")).is_err());
        assert!(super::space(Path::new("a\0b")).is_err());
    }

    #[test]
    fn alignment_of_a_file_is_a_power_of_two_or_not_told() {
        let file = tempfile::tempfile().unwrap();
        if let DirectAlignment::Reported(memory, offset) = direct_alignment(&file) {
            assert!(memory.is_power_of_two() && offset.is_power_of_two());
        }
        let null = File::open("/proc/self/status").unwrap();
        assert_eq!(direct_alignment(&null), DirectAlignment::Unknown);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = tempfile::tempfile().unwrap();
        let mut ring = DiskRing::new(&file, 2, 8192).unwrap();
        ring.buffer(0).fill(7);
        ring.write(0, 8192, 4096).unwrap();
        ring.wait(1).unwrap();
        assert_eq!(ring.reap(|slot| assert_eq!(slot, 0)).unwrap(), 1);
        ring.sync(0).unwrap();
        ring.read(1, 8192, 4096).unwrap();
        ring.wait(2).unwrap();
        assert_eq!(ring.reap(|_| ()).unwrap(), 2);
        assert!(ring.buffer(1).iter().all(|byte| *byte == 7));
        assert_eq!(file.metadata().unwrap().len(), 4096 + 8192);
    }

    #[test]
    fn short_and_failed_operations_are_errors() {
        let file = tempfile::tempfile().unwrap();
        let mut ring = DiskRing::new(&file, 1, 4096).unwrap();
        ring.read(0, 4096, 0).unwrap();
        ring.wait(1).unwrap();
        let error = ring.reap(|_| ()).unwrap_err();
        assert!(error.to_string().contains("0 of 4096"), "{error}");
        let read_only = File::open("/proc/self/status").unwrap();
        let mut ring = DiskRing::new(&read_only, 1, 4096).unwrap();
        ring.write(0, 4096, 0).unwrap();
        ring.wait(1).unwrap();
        assert_eq!(
            ring.reap(|_| ()).unwrap_err().raw_os_error(),
            Some(libc::EBADF)
        );
    }

    #[test]
    #[should_panic(expected = "the kernel has buffer 0")]
    fn a_buffer_in_flight_is_out_of_reach() {
        let file = tempfile::tempfile().unwrap();
        let mut ring = DiskRing::new(&file, 1, 4096).unwrap();
        ring.write(0, 4096, 0).unwrap();
        ring.buffer(0);
    }

    #[test]
    fn buffers_are_aligned_and_zeroed() {
        let mut buffer = Buffer::new(12_288);
        assert_eq!(buffer.bytes().as_ptr() as usize % ALIGNMENT, 0);
        assert!(buffer.bytes().iter().all(|byte| *byte == 0));
    }
}
