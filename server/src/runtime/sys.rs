//! System calls on sockets that neither the standard library nor glommio has. The only `unsafe` of
//! the server.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A listening socket with `SO_REUSEPORT`, so that every shard can have its own on one address: the
/// kernel spreads new connections over them.
pub fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers.
    let fd = check(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: the descriptor is new and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    let (storage, len) = socket_address(address);
    // SAFETY: `storage` holds an address of `len` bytes.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const storage).cast(), len) })?;
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    // SAFETY: no pointers.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) })?;
    Ok(TcpListener::from(socket))
}

/// Lets every other thread run before the calling one.
pub fn give_way() {
    // SAFETY: no pointers. A refusal leaves the priority as it is.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
}

/// Sets the socket's buffer sizes where they were configured.
pub fn set_buffers(socket: &impl AsRawFd, send: Option<u32>, receive: Option<u32>) {
    // The kernel clamps what it does not like; a refusal leaves its default.
    let size = |bytes: u32| i32::try_from(bytes).unwrap_or(i32::MAX);
    if let Some(bytes) = send {
        let _ = set_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, size(bytes));
    }
    if let Some(bytes) = receive {
        let _ = set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, size(bytes));
    }
}

/// Sends up to `len` bytes of a file from `position` on, through the page cache. Returns how many
/// the socket took. `WouldBlock`: it is full.
pub fn send_file(
    socket: &impl AsRawFd,
    file: &impl AsRawFd,
    position: u64,
    len: usize,
) -> io::Result<usize> {
    let mut offset = i64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `offset` is a live, writable i64.
    let sent =
        unsafe { libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, len) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Reads from a file at a position, through the page cache.
pub fn read_at(file: &impl AsRawFd, position: u64, into: &mut [u8]) -> io::Result<usize> {
    let offset = i64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `into` is writable for its length.
    let count = unsafe {
        libc::pread(
            file.as_raw_fd(),
            into.as_mut_ptr().cast(),
            into.len(),
            offset,
        )
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Bytes that the peer has not acknowledged yet (`SIOCOUTQ`).
pub fn unacknowledged(socket: &impl AsRawFd) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: `count` is a live, writable int, which is what the request fills.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) })?;
    Ok(count.unsigned_abs().into())
}

/// How many bytes this process may lock in memory, `None` for no bound.
pub fn lockable_bytes() -> io::Result<Option<u64>> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is writable.
    check(unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) })?;
    Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
}

fn set_option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: `value` is readable and of the length told.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            len,
        )
    })?;
    Ok(())
}

fn socket_address(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: a sockaddr_storage is plain data for which zeros are a value.
    let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let target = &raw mut storage;
    let len = match address {
        SocketAddr::V4(v4) => {
            let filled = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: storage is large enough for, and aligned as, any socket address.
            unsafe { target.cast::<libc::sockaddr_in>().write(filled) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            let filled = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { target.cast::<libc::sockaddr_in6>().write(filled) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (storage, len as libc::socklen_t)
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn two_listeners_share_one_port() {
        let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 16).unwrap();
        let address = first.local_addr().unwrap();
        let second = listen(address, 16).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
        let _client = TcpStream::connect(address).unwrap();
    }

    #[test]
    fn an_unacknowledged_range_of_a_file_is_counted() {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 16).unwrap();
        listener.set_nonblocking(false).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        assert_eq!(send_file(&server, &file, 1_000, 9_000).unwrap(), 9_000);
        let mut bytes = vec![0; 9_000];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, [7; 9_000]);
        while unacknowledged(&server).unwrap() > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_memlock_limit_can_be_asked() {
        lockable_bytes().unwrap();
    }
}
