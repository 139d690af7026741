//! System calls on files that the standard library lacks.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

/// A new eventfd, non-blocking, closed on exec.
pub fn event_fd() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor returned is new and owned by nobody else.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes an exclusive lock (flock) on an open file; `false` if another has it.
pub fn try_lock(file: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: no pointers; the descriptor is open for the length of the call.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::EWOULDBLOCK) => Ok(false),
        error => Err(error),
    }
}

/// Adds one to an eventfd, waking who waits for it.
pub fn signal(event: BorrowedFd<'_>) {
    let one = 1u64.to_ne_bytes();
    // SAFETY: eight readable bytes. A full counter (EAGAIN) is awake already.
    unsafe { libc::write(event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

/// Sets an eventfd back to zero.
pub fn drain(event: BorrowedFd<'_>) {
    let mut count = [0u8; 8];
    // SAFETY: eight writable bytes. EAGAIN means that it was zero.
    unsafe { libc::read(event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
}

/// What direct I/O asks for on an open file: alignment of memory and of file positions, `None`
/// where the file system has no direct I/O or does not say.
pub fn direct_alignment(file: BorrowedFd<'_>) -> Option<(u32, u32)> {
    // SAFETY: statx is plain data for which zeros are a value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: an empty path with AT_EMPTY_PATH names the descriptor; `found` is writable.
    let result = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_DIOALIGN,
            &raw mut found,
        )
    };
    let known = result == 0 && found.stx_mask & libc::STATX_DIOALIGN != 0;
    let (memory, position) = (found.stx_dio_mem_align, found.stx_dio_offset_align);
    (known && position != 0).then_some((memory, position))
}

/// Opens a file for reading and writing, past the page cache if `direct`, without waiting for a
/// disk: `WouldBlock` if its name is not in the kernel's cache, `Unsupported` where the kernel has
/// no such call (before 5.12) or forbids it.
pub fn open_cached(path: &Path, direct: bool) -> io::Result<OwnedFd> {
    /// `struct open_how` of openat2(2).
    #[repr(C)]
    struct How {
        flags: u64,
        mode: u64,
        resolve: u64,
    }
    const RESOLVE_CACHED: u64 = 0x20;
    let path = CString::new(path.as_os_str().as_bytes())?;
    let extra = if direct { libc::O_DIRECT } else { 0 };
    let how = How {
        flags: (libc::O_RDWR | libc::O_CLOEXEC | extra) as u64,
        mode: 0,
        resolve: RESOLVE_CACHED,
    };
    // SAFETY: the path ends with a zero and, like `how`, outlives the call, which only reads them.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw const how,
            size_of::<How>(),
        )
    };
    if fd >= 0 {
        // SAFETY: the descriptor returned is new and owned by nobody else.
        return Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) });
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::EPERM) => {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        }
        _ => Err(error),
    }
}

/// Whether a byte of the page cache holds `position` already, so that reading it cannot block.
pub fn is_resident(file: BorrowedFd<'_>, position: u64) -> bool {
    let mut byte = 0u8;
    let vector = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    // SAFETY: one vector of one writable byte.
    let read = unsafe {
        libc::preadv2(
            file.as_raw_fd(),
            &raw const vector,
            1,
            position as libc::off_t,
            libc::RWF_NOWAIT,
        )
    };
    read == 1
}

/// Tells the kernel to start reading a range into the page cache.
pub fn will_need(file: BorrowedFd<'_>, position: u64, len: u64) {
    // SAFETY: no pointers. It is advice: a failure changes nothing.
    unsafe {
        libc::posix_fadvise(
            file.as_raw_fd(),
            position as libc::off_t,
            len as libc::off_t,
            libc::POSIX_FADV_WILLNEED,
        )
    };
}

/// Makes everything on a file's file system durable; reports write errors since it was opened.
pub fn sync_file_system(file: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers.
    match unsafe { libc::syncfs(file.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Free and total bytes of the file system that holds `path`, for an unprivileged user.
pub fn space(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: statvfs is plain data for which zeros are a value.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a terminated path and a writable structure.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut found) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((
        found.f_bavail * found.f_frsize,
        found.f_blocks * found.f_frsize,
    ))
}
