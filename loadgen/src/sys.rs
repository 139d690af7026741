//! The few system calls that the standard library does not offer: waiting on several sockets with
//! nanosecond time-outs, this process's CPU time, timer slack. The only `unsafe` of the crate.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// What a socket is waited for, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct PollFd {
    /// The socket; negative entries are skipped by the kernel.
    pub fd: RawFd,
    /// Wake when it can be written as well as read.
    pub want_write: bool,
    /// Set by [`poll`]: bytes, end of stream or an error can be read.
    pub readable: bool,
    /// Set by [`poll`]: there is room to write, or a connect has ended.
    pub writable: bool,
}

impl PollFd {
    /// Waits for reading, and for writing if `want_write`.
    pub fn new(fd: RawFd, want_write: bool) -> Self {
        Self {
            fd,
            want_write,
            readable: false,
            writable: false,
        }
    }
}

/// Sleeps until one of `fds` is ready or `timeout` has passed (`None`: for ever). Returns how many
/// are ready; an interruption by a signal counts as none. `scratch` is reused between calls.
pub fn poll(
    fds: &mut [PollFd],
    scratch: &mut Vec<libc::pollfd>,
    timeout: Option<Duration>,
) -> io::Result<usize> {
    scratch.clear();
    for entry in fds.iter() {
        let write = if entry.want_write { libc::POLLOUT } else { 0 };
        scratch.push(libc::pollfd {
            fd: entry.fd,
            events: libc::POLLIN | write,
            revents: 0,
        });
    }
    let spec = timeout.map(|t| libc::timespec {
        tv_sec: t.as_secs().min(i32::MAX as u64) as libc::time_t,
        tv_nsec: t.subsec_nanos() as libc::c_long,
    });
    let spec_ptr = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `scratch` holds exactly `len` initialised pollfd entries that live across the call,
    // `spec_ptr` is null or points at `spec`, which lives until the end of this function, and a
    // null signal mask leaves the mask as it is.
    let ready = unsafe {
        libc::ppoll(
            scratch.as_mut_ptr(),
            scratch.len() as libc::nfds_t,
            spec_ptr,
            std::ptr::null(),
        )
    };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok(0)
        } else {
            Err(error)
        };
    }
    for (entry, raw) in fds.iter_mut().zip(scratch.iter()) {
        let failed = raw.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0;
        entry.readable = failed || raw.revents & libc::POLLIN != 0;
        entry.writable = failed || raw.revents & libc::POLLOUT != 0;
    }
    Ok(ready as usize)
}

/// User and system CPU time that this process has used so far, all threads, ended ones included.
pub fn process_cpu() -> Duration {
    // SAFETY: rusage is a plain C structure for which all zero bytes is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid, exclusively borrowed rusage for the kernel to fill.
    let rc = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    assert_eq!(
        rc, 0,
        "getrusage(RUSAGE_SELF) cannot fail with a valid pointer"
    );
    timeval(usage.ru_utime) + timeval(usage.ru_stime)
}

/// Ticks per second of the times in `/proc/PID/stat`.
pub fn clock_ticks_per_second() -> u64 {
    // SAFETY: sysconf reads a constant and touches no memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|&t| t > 0).unwrap_or(100)
}

/// Asks the kernel to wake this thread within a microsecond of a time-out instead of the usual
/// fifty, so that an open-loop schedule is kept.
pub fn sharpen_timers() {
    // SAFETY: PR_SET_TIMERSLACK takes one integer and changes this thread's timer slack only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_000_u64) };
}

/// Lets every other thread that wants to run go first: this one becomes the nicest there is.
pub fn give_way() {
    // SAFETY: setpriority takes three integers; process 0 is the calling thread, on Linux it alone.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
}

/// Asks the kernel to end this process, in the orderly way, when the one that started it ends.
pub fn die_with_parent() {
    // SAFETY: PR_SET_PDEATHSIG takes one integer and changes nothing but that setting.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
}

/// Sends `signal` to the process `pid`. An error if it is gone.
pub fn signal(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not a process id"))?;
    // SAFETY: kill has no memory effects; pid is positive, so no process group is addressed.
    let rc = unsafe { libc::kill(pid, signal) };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Free bytes for an unprivileged writer on the file system that holds `path`.
pub fn free_bytes(path: &std::path::Path) -> io::Result<u64> {
    use std::os::unix::ffi::OsStrExt;
    let c_path = std::ffi::CString::new(path.as_os_str().as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "path holds a zero byte"))?;
    // SAFETY: statvfs is a plain C structure for which all zero bytes is a valid value.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `c_path` ends with a zero byte and `stat` is exclusively borrowed for the call.
    let rc = unsafe { libc::statvfs(c_path.as_ptr(), &raw mut stat) };
    if rc == 0 {
        Ok(stat.f_bavail * stat.f_frsize)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn timeval(value: libc::timeval) -> Duration {
    Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1_000)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::time::Instant;

    use super::*;

    #[test]
    fn poll_times_out_then_sees_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        let mut fds = [PollFd::new(far.as_raw_fd(), false)];
        let mut scratch = Vec::new();
        let begun = Instant::now();
        assert_eq!(
            poll(&mut fds, &mut scratch, Some(Duration::from_millis(2))).unwrap(),
            0
        );
        assert!(begun.elapsed() >= Duration::from_millis(2));
        near.write_all(b"x").unwrap();
        assert_eq!(poll(&mut fds, &mut scratch, None).unwrap(), 1);
        assert!(fds[0].readable && !fds[0].writable);
        let mut writable = [PollFd::new(near.as_raw_fd(), true)];
        assert_eq!(poll(&mut writable, &mut scratch, None).unwrap(), 1);
        assert!(writable[0].writable);
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = process_cpu();
        let begun = Instant::now();
        let mut x = 1_u64;
        while begun.elapsed() < Duration::from_millis(30) {
            x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005));
        }
        assert!(process_cpu() > before);
        assert!(clock_ticks_per_second() >= 1);
    }

    #[test]
    fn free_space_and_signals_answer() {
        assert!(free_bytes(std::path::Path::new("/tmp")).unwrap() > 0);
        signal(std::process::id(), 0).unwrap();
    }
}
