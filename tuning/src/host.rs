//! Facts about the machine and about the limits set on this process.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::quantity::{Bytes, Limit};
use crate::sys::{self, Resource};
use crate::tree::Tree;

mod cgroup;
mod kernel;

pub use cgroup::{ControlGroup, Quota};
pub use kernel::{KernelVersion, RingSupport};

/// What is known about this host; `None` means that it could not be found out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Host {
    /// The kernel's release.
    pub kernel: Option<KernelVersion>,
    /// Whether io_uring works for this process.
    pub io_uring: RingSupport,
    /// The processors this process may run on, by number; never empty.
    pub processors: Vec<u32>,
    /// The governors of those processors' clocks; `None` where the host shows none, as in most
    /// virtual machines.
    pub governors: Option<BTreeSet<String>>,
    /// The clock that the kernel reads time from, such as `tsc`.
    pub clock_source: Option<String>,
    /// Memory and swap.
    pub memory: Option<Memory>,
    /// `vm.swappiness`.
    pub swappiness: Option<u32>,
    /// The mode of transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// `RLIMIT_MEMLOCK`, bytes.
    pub locked_memory: Option<ResourceLimit>,
    /// `RLIMIT_NOFILE`.
    pub file_descriptors: Option<ResourceLimit>,
    /// Limits of the control groups.
    pub control_group: Option<ControlGroup>,
    /// `net.core.somaxconn`: connections that may wait to be accepted.
    pub backlog_max: Option<u32>,
    /// When the kernel writes back what was written through the page cache.
    pub dirty_pages: Option<DirtyPages>,
}

/// A limit of `getrlimit(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceLimit {
    /// What holds now.
    pub soft: Limit,
    /// What this process may raise it to by itself.
    pub hard: Limit,
}

/// Memory and swap, bytes, as `/proc/meminfo` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All memory.
    pub total: u64,
    /// What could be used without swapping.
    pub available: u64,
    /// All swap.
    pub swap_total: u64,
    /// Swap in use.
    pub swap_used: u64,
}

/// `vm.dirty_*`: a limit in bytes counts if it is not 0, else the percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DirtyPages {
    /// At this percentage of available memory, writers are stopped to write back.
    pub ratio: u32,
    /// The same in bytes.
    pub bytes: u64,
    /// At this percentage, write-back begins.
    pub background_ratio: u32,
    /// The same in bytes.
    pub background_bytes: u64,
}

impl Host {
    /// Reads all facts: small files and a ring that is made and closed again, well below 5 ms.
    pub fn inspect() -> Host {
        Host {
            locked_memory: limit(Resource::LockedMemory),
            file_descriptors: limit(Resource::FileDescriptors),
            ..Host::read(&Tree::host())
        }
    }

    /// What the files below a root say; the process's own limits stay unknown.
    pub(crate) fn read(tree: &Tree) -> Host {
        let processors = processors(tree);
        Host {
            kernel: tree
                .text("/proc/sys/kernel/osrelease")
                .as_deref()
                .and_then(KernelVersion::parse),
            io_uring: RingSupport::read(tree),
            governors: governors(tree, &processors),
            processors,
            clock_source: tree.text(CLOCK_SOURCE),
            memory: tree.text("/proc/meminfo").as_deref().and_then(parse_memory),
            swappiness: tree.value("/proc/sys/vm/swappiness"),
            huge_pages: tree.choice("/sys/kernel/mm/transparent_hugepage/enabled"),
            locked_memory: None,
            file_descriptors: None,
            control_group: ControlGroup::read(tree),
            backlog_max: tree.value("/proc/sys/net/core/somaxconn"),
            dirty_pages: dirty_pages(tree),
        }
    }

    /// How many shards can run without sharing a processor or being throttled: the processors
    /// this process may use, less what a control group's quota takes away; at least 1.
    pub fn cores_usable(&self) -> usize {
        let quota = self
            .control_group
            .as_ref()
            .and_then(|group| group.cpu_cores.as_ref());
        let quota = quota.map_or(usize::MAX, |quota| quota.limit.floor() as usize);
        self.processors.len().min(quota).max(1)
    }

    /// The memory a process may grow to: the host's, or the control group's limit if that is
    /// less. `None` when neither is known.
    pub fn memory_usable_bytes(&self) -> Option<u64> {
        let group = self
            .control_group
            .as_ref()
            .and_then(|group| group.memory_bytes.as_ref());
        let host = self.memory.map(|memory| memory.total);
        host.into_iter().chain(group.map(|quota| quota.limit)).min()
    }
}

/// One line for a log: `Linux 6.18, 2 cores, 23.5 GiB memory, memlock 8 MiB, 20000 descriptors`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernel = self
            .kernel
            .as_ref()
            .map_or("(unknown)", |kernel| &kernel.release);
        let cores = self.cores_usable();
        let s = if cores == 1 { "" } else { "s" };
        write!(f, "Linux {kernel}, {cores} core{s}, ")?;
        match self.memory_usable_bytes() {
            Some(bytes) => write!(f, "{} memory", Bytes(bytes))?,
            None => f.write_str("memory unknown")?,
        }
        if let Some(limit) = self.locked_memory {
            match limit.soft {
                Limit::At(bytes) => write!(f, ", memlock {}", Bytes(bytes))?,
                Limit::Unlimited => f.write_str(", memlock unlimited")?,
            }
        }
        match self.file_descriptors {
            Some(limit) => write!(f, ", {} file descriptors", limit.soft),
            None => Ok(()),
        }
    }
}

fn limit(resource: Resource) -> Option<ResourceLimit> {
    sys::resource_limit(resource).map(|(soft, hard)| ResourceLimit { soft, hard })
}

/// The affinity of this process, else as many as the standard library counts.
fn processors(tree: &Tree) -> Vec<u32> {
    let status = tree.text("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let listed = list.map(parse_processor_list).unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let count = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    (0..count).collect()
}

/// `0-3,8` is 0, 1, 2, 3 and 8. What is not a number or a range ends the list.
fn parse_processor_list(list: &str) -> Vec<u32> {
    let mut processors = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else {
            break;
        };
        if last >= PROCESSORS_MAX {
            break;
        }
        processors.extend(first..=last);
    }
    processors
}

fn governors(tree: &Tree, processors: &[u32]) -> Option<BTreeSet<String>> {
    let governor = |cpu: &u32| {
        tree.text(format!(
            "/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor"
        ))
    };
    let found: BTreeSet<String> = processors.iter().map_while(governor).collect();
    (!found.is_empty()).then_some(found)
}

fn parse_memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()?
            .checked_mul(1024)
    };
    let swap_total = bytes("SwapTotal").unwrap_or(0);
    Some(Memory {
        total: bytes("MemTotal")?,
        available: bytes("MemAvailable")?,
        swap_total,
        swap_used: swap_total.saturating_sub(bytes("SwapFree").unwrap_or(swap_total)),
    })
}

fn dirty_pages(tree: &Tree) -> Option<DirtyPages> {
    Some(DirtyPages {
        ratio: tree.value("/proc/sys/vm/dirty_ratio")?,
        bytes: tree.value("/proc/sys/vm/dirty_bytes")?,
        background_ratio: tree.value("/proc/sys/vm/dirty_background_ratio")?,
        background_bytes: tree.value("/proc/sys/vm/dirty_background_bytes")?,
    })
}

const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// More than any kernel is built for (`CONFIG_NR_CPUS`), so that no text makes a giant list.
const PROCESSORS_MAX: u32 = 8192;

#[cfg(test)]
mod tests;
