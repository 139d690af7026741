//! Checks of the kernel and the processors.

use super::{Finding, Severity};
use crate::host::{Host, KernelVersion, RingSupport};

/// All of them, in the order they are shown.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    vec![
        kernel(host.kernel.as_ref()),
        io_uring(&host.io_uring),
        cores(host),
        governor(host),
        clock(host.clock_source.as_deref()),
        huge_pages(host.huge_pages.as_deref()),
    ]
}

fn kernel(kernel: Option<&KernelVersion>) -> Finding {
    const CHECK: &str = "kernel";
    const UPGRADE: &str = "install the distribution's newest kernel and reboot";
    let Some(kernel) = kernel else {
        return Finding::unknown(CHECK, "/proc/sys/kernel/osrelease");
    };
    let found = format!("Linux {kernel}");
    if !kernel.at_least(5, 8) {
        return Finding::new(CHECK, Severity::Failure, found)
            .because("the runtime needs io_uring as it is from 5.8 on")
            .mended_by(UPGRADE, "the broker runs");
    }
    if !kernel.at_least(6, 1) {
        return Finding::new(CHECK, Severity::Warning, found)
            .because(
                "before 6.1 rings cannot defer completions to the shard, and direct I/O \
                      alignment is guessed",
            )
            .mended_by(
                UPGRADE,
                "fewer interrupts of the shard and less CPU per operation",
            );
    }
    Finding::ok(CHECK, found)
}

fn io_uring(ring: &RingSupport) -> Finding {
    const CHECK: &str = "io_uring";
    const REASON: &str = "all disk and network work of the broker goes through io_uring";
    const GAIN: &str = "the broker runs";
    let (errno, disabled) = match ring {
        RingSupport::Works {
            deferred_tasks,
            missing_operations,
        } => {
            return ring_works(CHECK, *deferred_tasks, missing_operations);
        }
        RingSupport::Refused { errno, disabled } => (*errno, *disabled),
    };
    let finding = |found: String| Finding::new(CHECK, Severity::Failure, found).because(REASON);
    match (errno, disabled) {
        (_, Some(level @ 1..)) => finding(format!("kernel.io_uring_disabled is {level}"))
            .mended_by("sysctl -w kernel.io_uring_disabled=0", GAIN),
        (Some(libc::ENOSYS), _) => finding("the kernel has no io_uring".to_owned())
            .mended_by("boot a kernel built with CONFIG_IO_URING=y", GAIN),
        (Some(libc::EPERM | libc::EACCES), _) => {
            finding("a filter forbids io_uring_setup(2), as containers' default profiles do".into())
                .mended_by(
                    "docker run --security-opt seccomp=PROFILE that allows io_uring_setup, \
                     io_uring_enter and io_uring_register (Kubernetes: seccompProfile Localhost)",
                    GAIN,
                )
        }
        (Some(libc::ENOMEM), _) => finding("no locked memory is left for a ring".to_owned())
            .mended_by(
                "raise RLIMIT_MEMLOCK: ulimit -l 8192, or LimitMEMLOCK=8M",
                GAIN,
            ),
        (Some(libc::EMFILE | libc::ENFILE), _) => {
            finding("no file descriptor is left for a ring".to_owned())
                .mended_by("ulimit -n 65536, or LimitNOFILE=65536", GAIN)
        }
        (errno, _) => {
            let text = match errno {
                Some(errno) => std::io::Error::from_raw_os_error(errno).to_string(),
                None => "no reason given".to_owned(),
            };
            finding(format!("a ring could not be made: {text}"))
        }
    }
}

fn ring_works(check: &'static str, deferred: bool, missing: &[&str]) -> Finding {
    const UPGRADE: &str = "install a kernel of 6.1 or later and reboot";
    if !missing.is_empty() {
        let found = format!("a ring works but lacks {}", missing.join(", "));
        return Finding::new(check, Severity::Failure, found)
            .because("the broker's disk writes use these operations")
            .mended_by(UPGRADE, "the broker runs");
    }
    if !deferred {
        return Finding::new(check, Severity::Note, "works, without deferred task runs")
            .because("completions interrupt the shard instead of waiting for it")
            .mended_by(UPGRADE, "fewer interrupts of the shard");
    }
    Finding::ok(check, "works, with deferred task runs")
}

fn cores(host: &Host) -> Finding {
    const CHECK: &str = "cores";
    let usable = host.cores_usable();
    let found = match (usable, host.processors.len()) {
        (1, 1) => "1 core".to_owned(),
        (usable, all) if usable == all => format!("{usable} cores"),
        (usable, all) => format!("{usable} of {all} cores, by the control group's quota"),
    };
    if usable > 1 {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Note, found)
        .because("one shard runs, and shares its core with interrupts and helper threads")
        .mended_by(
            "give the machine or container 2 cores or more",
            "throughput grows by shard",
        )
}

fn governor(host: &Host) -> Finding {
    const CHECK: &str = "cpu-governor";
    let Some(governors) = &host.governors else {
        return Finding::ok(CHECK, "none shown: the hypervisor or the firmware decides");
    };
    let found = governors
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if found == "performance" {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Warning, found)
        .because("clocks that follow the load are low just when a quiet broker gets a request")
        .mended_by(
            "cpupower frequency-set -g performance",
            "lower and steadier latency",
        )
}

fn clock(source: Option<&str>) -> Finding {
    const CHECK: &str = "clock-source";
    let Some(source) = source else {
        return Finding::unknown(CHECK, "the kernel's clock source");
    };
    if !matches!(
        source,
        "hpet" | "acpi_pm" | "jiffies" | "pit" | "refined-jiffies"
    ) {
        return Finding::ok(CHECK, source);
    }
    Finding::new(CHECK, Severity::Warning, source)
        .because(
            "each loop turn reads the time, and this source costs a system call and about a \
                  microsecond",
        )
        .mended_by(
            "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource",
            "less CPU per loop turn",
        )
}

fn huge_pages(mode: Option<&str>) -> Finding {
    const CHECK: &str = "huge-pages";
    match mode {
        None => Finding::unknown(CHECK, "/sys/kernel/mm/transparent_hugepage/enabled"),
        Some("always") => Finding::new(CHECK, Severity::Note, "transparent huge pages: always")
            .because("small allocations grow to 2 MiB, and the kernel stalls writers to compact")
            .mended_by(
                "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
                "less resident memory, fewer stalls",
            ),
        Some(mode) => Finding::ok(CHECK, format!("transparent huge pages: {mode}")),
    }
}
