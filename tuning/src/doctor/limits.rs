//! Checks of the limits set on this process: rlimits, control groups, kernel settings.

use super::{Finding, Needs, Severity};
use crate::host::{DirtyPages, Host, ResourceLimit};
use crate::quantity::{Bytes, Limit};
use crate::volume::Volume;

/// All of them, in the order they are shown.
pub(super) fn check(host: &Host, volumes: &[Volume], needs: &Needs) -> Vec<Finding> {
    vec![
        locked_memory(host.locked_memory, needs),
        file_descriptors(host.file_descriptors, needs),
        cpu_quota(host),
        memory(host, needs),
        swap(host),
        backlog(host.backlog_max),
        dirty_pages(host.dirty_pages, volumes),
    ]
}

fn locked_memory(limit: Option<ResourceLimit>, needs: &Needs) -> Finding {
    const CHECK: &str = "memlock";
    let Some(ResourceLimit { soft, .. }) = limit else {
        return Finding::unknown(CHECK, "RLIMIT_MEMLOCK");
    };
    let found = match soft {
        Limit::At(bytes) => format!("RLIMIT_MEMLOCK is {}", Bytes(bytes)),
        Limit::Unlimited => "RLIMIT_MEMLOCK is unlimited".to_owned(),
    };
    if soft.allows(needs.locked_memory_bytes) {
        return Finding::ok(CHECK, found);
    }
    let need = Bytes(needs.locked_memory_bytes);
    Finding::new(
        CHECK,
        Severity::Failure,
        format!("{found}, {need} are needed"),
    )
    .because(
        "rings and their registered buffers are locked memory, and the runtime refuses \
                  to start with less",
    )
    .mended_by(
        "ulimit -l 8192 (as root), LimitMEMLOCK=8M in the systemd unit, or docker run \
             --ulimit memlock=8388608",
        "the broker runs",
    )
}

fn file_descriptors(limit: Option<ResourceLimit>, needs: &Needs) -> Finding {
    const CHECK: &str = "file-descriptors";
    const REASON: &str = "each connection and each open segment takes one";
    const GAIN: &str = "all allowed connections can be held";
    let Some(ResourceLimit { soft, hard }) = limit else {
        return Finding::unknown(CHECK, "RLIMIT_NOFILE");
    };
    let needed = needs.file_descriptors;
    if soft.allows(needed) {
        return Finding::ok(CHECK, format!("RLIMIT_NOFILE is {soft}"));
    }
    let found = format!("RLIMIT_NOFILE is {soft} (hard limit {hard}), {needed} may be wanted");
    let severity = match soft.allows(DESCRIPTORS_LEAST) {
        true => Severity::Warning,
        false => Severity::Failure,
    };
    let mend = match hard.allows(needed) {
        true => format!("ulimit -n {needed}, or LimitNOFILE={needed} in the systemd unit"),
        false => format!(
            "LimitNOFILE={needed} in the systemd unit, docker run --ulimit nofile={needed}, or \
             fewer max.connections"
        ),
    };
    Finding::new(CHECK, severity, found)
        .because(REASON)
        .mended_by(mend, GAIN)
}

fn cpu_quota(host: &Host) -> Finding {
    const CHECK: &str = "cpu-quota";
    let Some(group) = &host.control_group else {
        return Finding::unknown(CHECK, "the control group");
    };
    let Some(quota) = &group.cpu_cores else {
        return Finding::ok(CHECK, "none");
    };
    let (cores, all) = (quota.limit, host.processors.len());
    let found = format!("{cores:.2} of {all} cores, by {}", quota.file.display());
    if cores >= all as f64 {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Warning, found)
        .because(
            "when the quota is used up every shard stands still until the next period, \
                  100 ms by default",
        )
        .mended_by(
            "pin instead of throttle: AllowedCPUs=0-1 in the systemd unit, docker run \
             --cpuset-cpus=0-1, Kubernetes' static CPU manager",
            "no stalls of up to a period in the tail of the latencies",
        )
}

fn memory(host: &Host, needs: &Needs) -> Finding {
    const CHECK: &str = "memory";
    let Some(usable) = host.memory_usable_bytes() else {
        return Finding::unknown(CHECK, "/proc/meminfo");
    };
    let limit = host
        .control_group
        .as_ref()
        .and_then(|group| group.memory_bytes.as_ref());
    let limit = limit.filter(|quota| quota.limit == usable);
    let found = match limit {
        Some(quota) => format!("{}, by {}", Bytes(usable), quota.file.display()),
        None => Bytes(usable).to_string(),
    };
    let mend = match limit {
        Some(_) => "raise the container's memory limit, or MemoryMax= of the systemd unit",
        None => "a machine with more memory, or smaller budgets in the broker's settings",
    };
    let needed = needs.memory_bytes.unwrap_or(MEMORY_LEAST_BYTES);
    if usable >= needed {
        return Finding::ok(CHECK, found);
    }
    let found = format!("{found}, {} may be used", Bytes(needed));
    Finding::new(CHECK, Severity::Warning, found)
        .because("a broker that passes this limit is killed by the kernel")
        .mended_by(mend, "the broker's budgets hold before the kernel's do")
}

fn swap(host: &Host) -> Finding {
    const CHECK: &str = "swap";
    let Some(memory) = host.memory else {
        return Finding::unknown(CHECK, "/proc/meminfo");
    };
    if memory.swap_total == 0 {
        return Finding::ok(CHECK, "none");
    }
    let swappiness = host.swappiness;
    let shown = swappiness.map_or("unknown".to_owned(), |swappiness| swappiness.to_string());
    let (used, total) = (Bytes(memory.swap_used), Bytes(memory.swap_total));
    let found = format!("{used} used of {total}, vm.swappiness {shown}");
    if swappiness.is_some_and(|swappiness| swappiness <= 1) {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Note, found)
        .because("a shard that touches a swapped page waits for the disk, with all its connections")
        .mended_by(
            "swapoff -a, or sysctl -w vm.swappiness=1",
            "no stalls under memory pressure",
        )
}

fn backlog(max: Option<u32>) -> Finding {
    const CHECK: &str = "accept-backlog";
    let Some(max) = max else {
        return Finding::unknown(CHECK, "net.core.somaxconn");
    };
    let found = format!("net.core.somaxconn is {max}");
    if max >= BACKLOG_LEAST {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Warning, found)
        .because(
            "when a broker restarts all clients connect at once; what does not fit waits a \
                  second or longer for its next try",
        )
        .mended_by(
            "sysctl -w net.core.somaxconn=4096",
            "quick reconnects after a restart",
        )
}

/// Logmill writes around the page cache where it can; then these settings do not matter.
fn dirty_pages(settings: Option<DirtyPages>, volumes: &[Volume]) -> Finding {
    const CHECK: &str = "dirty-pages";
    if volumes
        .iter()
        .all(|volume| volume.direct_io.is_some() || volume.is_in_memory())
    {
        return Finding::ok(CHECK, "not relevant: writes are direct");
    }
    let Some(dirty) = settings else {
        return Finding::unknown(CHECK, "vm.dirty_ratio");
    };
    let background = match dirty.background_bytes {
        0 => format!("{} % of memory", dirty.background_ratio),
        bytes => Bytes(bytes).to_string(),
    };
    let found = format!("write-back begins at {background}, and writes go through the page cache");
    if (1..=DIRTY_BACKGROUND_MOST_BYTES).contains(&dirty.background_bytes) {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Note, found)
        .because("a sync waits behind everything that has gathered before it")
        .mended_by(
            "sysctl -w vm.dirty_background_bytes=67108864 vm.dirty_bytes=536870912",
            "shorter and steadier syncs",
        )
}

/// Below this not even a small broker gets through a working day.
const DESCRIPTORS_LEAST: u64 = 256;

/// Memory below which the broker's smallest budgets do not fit.
const MEMORY_LEAST_BYTES: u64 = 256 << 20;

/// The kernel's own default since 5.4.
const BACKLOG_LEAST: u32 = 1024;

/// Background write-back that begins at or below this keeps syncs short.
const DIRTY_BACKGROUND_MOST_BYTES: u64 = 256 << 20;
