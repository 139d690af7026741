//! The kernel: its version and what it lets this process do with io_uring.

use std::fmt;
use std::io;

use io_uring::{IoUring, Probe, opcode};
use serde::Serialize;

use crate::tree::Tree;

/// A kernel's release, such as `6.18.44-generic`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelVersion {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// The whole text.
    pub release: String,
}

impl KernelVersion {
    /// Parses a release; `None` unless it begins with two numbers.
    pub fn parse(release: &str) -> Option<KernelVersion> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some(KernelVersion {
            major: numbers.next()?.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
            release: release.to_owned(),
        })
    }

    /// Whether it is this version or a later one.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.release)
    }
}

/// Whether this process can make an io_uring ring, found by making one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RingSupport {
    /// A ring was made.
    Works {
        /// `IORING_SETUP_SINGLE_ISSUER` and `IORING_SETUP_DEFER_TASKRUN` are taken (6.1).
        deferred_tasks: bool,
        /// Operations that the broker uses and this kernel lacks.
        missing_operations: Vec<&'static str>,
    },
    /// The kernel refused.
    Refused {
        /// The error number of `io_uring_setup(2)`, when there was one.
        errno: Option<i32>,
        /// `/proc/sys/kernel/io_uring_disabled`: 0 allowed, 1 for a group only, 2 for nobody.
        disabled: Option<u32>,
    },
}

impl RingSupport {
    /// Makes a small ring and closes it again.
    pub(super) fn read(tree: &Tree) -> RingSupport {
        match IoUring::new(RING_ENTRIES) {
            Ok(ring) => RingSupport::Works {
                deferred_tasks: deferred_ring().is_ok(),
                missing_operations: missing_operations(&ring),
            },
            Err(error) => RingSupport::Refused {
                errno: error.raw_os_error(),
                disabled: tree.value("/proc/sys/kernel/io_uring_disabled"),
            },
        }
    }
}

fn deferred_ring() -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(RING_ENTRIES)
}

fn missing_operations(ring: &IoUring) -> Vec<&'static str> {
    let mut probe = Probe::new();
    if ring.submitter().register_probe(&mut probe).is_err() {
        return Vec::new();
    }
    let needed = [
        ("READ", opcode::Read::CODE),
        ("WRITE", opcode::Write::CODE),
        ("WRITEV", opcode::Writev::CODE),
        ("FSYNC", opcode::Fsync::CODE),
        ("FALLOCATE", opcode::Fallocate::CODE),
        ("POLL_ADD", opcode::PollAdd::CODE),
    ];
    needed
        .into_iter()
        .filter(|(_, code)| !probe.is_supported(*code))
        .map(|(name, _)| name)
        .collect()
}

const RING_ENTRIES: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_many_shapes() {
        for (release, version) in [
            ("6.18.44-fc-v657", Some((6, 18))),
            ("5.10.0", Some((5, 10))),
            ("6.1-rc3", Some((6, 1))),
            ("6", None),
            ("", None),
            ("unknown", None),
            ("99999999999.1", None),
        ] {
            let parsed = KernelVersion::parse(release).map(|kernel| (kernel.major, kernel.minor));
            assert_eq!(parsed, version, "{release:?}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        let kernel = KernelVersion::parse("6.9.1").unwrap();
        assert!(kernel.at_least(5, 18) && kernel.at_least(6, 9) && !kernel.at_least(6, 10));
    }
}
