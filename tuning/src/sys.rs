//! System calls that the standard library does not offer: the crate's only `unsafe`.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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
}
