//! Each check against facts that trip it and facts that do not.

use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::host::{
    ControlGroup, DirtyPages, KernelVersion, Memory, Quota, ResourceLimit, RingSupport,
};
use crate::quantity::Limit;
use crate::volume::{Alignment, Device, WriteCache};

/// A host on which nothing is to mend.
fn host() -> Host {
    let limit = |amount| {
        Some(ResourceLimit {
            soft: Limit::At(amount),
            hard: Limit::At(amount),
        })
    };
    Host {
        kernel: KernelVersion::parse("6.18.0"),
        io_uring: RingSupport::Works {
            deferred_tasks: true,
            missing_operations: vec![],
        },
        processors: vec![0, 1, 2, 3],
        governors: Some(["performance".to_owned()].into()),
        clock_source: Some("tsc".to_owned()),
        memory: Some(Memory {
            total: 8 << 30,
            available: 8 << 30,
            swap_total: 0,
            swap_used: 0,
        }),
        swappiness: Some(60),
        huge_pages: Some("madvise".to_owned()),
        locked_memory: limit(8 << 20),
        file_descriptors: limit(65_536),
        control_group: Some(ControlGroup::default()),
        backlog_max: Some(4096),
        dirty_pages: Some(DirtyPages {
            ratio: 20,
            bytes: 0,
            background_ratio: 10,
            background_bytes: 0,
        }),
    }
}

/// A volume on which nothing is to mend.
fn volume() -> Volume {
    Volume {
        path: PathBuf::from("/data"),
        examined: PathBuf::from("/data"),
        file_system: Some("ext4".to_owned()),
        mount_options: vec!["rw".to_owned()],
        device: Some(Device {
            name: "nvme0n1".to_owned(),
            write_cache: Some(WriteCache::WriteThrough),
            scheduler: Some("none".to_owned()),
            rotational: Some(false),
            logical_block_bytes: Some(512),
            physical_block_bytes: Some(4096),
        }),
        direct_io: Some(Alignment {
            memory: 512,
            offset: 512,
            reported: true,
        }),
        refusal: None,
        total_bytes: Some(100 << 30),
        free_bytes: Some(50 << 30),
    }
}

fn found(host: &Host, volume: &Volume, check: &str) -> Finding {
    let findings = diagnose(host, std::slice::from_ref(volume), &Needs::default());
    let mut of_check = findings
        .into_iter()
        .filter(|finding| finding.check == check);
    let finding = of_check
        .next()
        .unwrap_or_else(|| panic!("no check is called {check}"));
    assert_eq!(of_check.next(), None, "{check} was found twice");
    finding
}

fn host_with(change: impl FnOnce(&mut Host)) -> Host {
    let mut host = host();
    change(&mut host);
    host
}

fn volume_with(change: impl FnOnce(&mut Volume)) -> Volume {
    let mut volume = volume();
    change(&mut volume);
    volume
}

#[test]
fn a_good_host_has_no_remarks() {
    let findings = diagnose(&host(), &[volume()], &Needs::default());
    assert_eq!(worst(&findings), Severity::Ok, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.mend.is_none()));
    assert!(findings.len() >= 19);
}

fn host_shows(check: &str, severity: Severity, change: impl FnOnce(&mut Host)) {
    assert_says_all(&found(&host_with(change), &volume(), check), severity);
}

fn volume_shows(check: &str, severity: Severity, change: impl FnOnce(&mut Volume)) {
    assert_says_all(&found(&host(), &volume_with(change), check), severity);
}

fn assert_says_all(finding: &Finding, severity: Severity) {
    assert_eq!(finding.severity, severity, "{finding}");
    assert!(!finding.reason.is_empty(), "{finding}");
    assert!(finding.mend.is_some(), "{finding}");
    assert!(finding.gain.is_some(), "{finding}");
}

#[test]
fn what_is_wrong_with_the_machine_is_found() {
    use Severity::{Failure, Note, Warning};
    let refused = |errno| RingSupport::Refused {
        errno: Some(errno),
        disabled: None,
    };
    let powersave = Some(["powersave".to_owned()].into());
    host_shows("kernel", Failure, |h| {
        h.kernel = KernelVersion::parse("5.4.0")
    });
    host_shows("kernel", Warning, |h| {
        h.kernel = KernelVersion::parse("5.15.0")
    });
    host_shows("io_uring", Failure, |h| h.io_uring = refused(libc::ENOSYS));
    host_shows("io_uring", Failure, |h| h.io_uring = refused(libc::EPERM));
    host_shows("cores", Note, |h| h.processors = vec![3]);
    host_shows("cpu-governor", Warning, |h| h.governors = powersave);
    host_shows("clock-source", Warning, |h| {
        h.clock_source = Some("hpet".into())
    });
    host_shows("huge-pages", Note, |h| h.huge_pages = Some("always".into()));
}

#[test]
fn what_is_wrong_with_the_limits_is_found() {
    use Severity::{Failure, Note, Warning};
    let limit = |amount| {
        Some(ResourceLimit {
            soft: Limit::At(amount),
            hard: Limit::Unlimited,
        })
    };
    host_shows("memlock", Failure, |h| h.locked_memory = limit(64 << 10));
    host_shows("file-descriptors", Warning, |h| {
        h.file_descriptors = limit(1024)
    });
    host_shows("file-descriptors", Failure, |h| {
        h.file_descriptors = limit(64)
    });
    host_shows("accept-backlog", Warning, |h| h.backlog_max = Some(128));
    host_shows("swap", Note, |h| {
        h.memory.as_mut().unwrap().swap_total = 1 << 30
    });
    let calm = host_with(|h| {
        h.memory.as_mut().unwrap().swap_total = 1 << 30;
        h.swappiness = Some(1);
    });
    assert_eq!(found(&calm, &volume(), "swap").severity, Severity::Ok);
}

#[test]
fn what_is_wrong_with_the_volume_is_found() {
    use Severity::{Failure, Note, Warning};
    let wide = Alignment {
        memory: 512,
        offset: 65_536,
        reported: true,
    };
    volume_shows("data-directory", Failure, |v| {
        v.refusal = Some("Read-only".into())
    });
    volume_shows("file-system", Warning, |v| {
        v.file_system = Some("tmpfs".into())
    });
    volume_shows("file-system", Warning, |v| {
        v.file_system = Some("nfs4".into())
    });
    volume_shows("file-system", Warning, |v| {
        v.file_system = Some("overlay".into())
    });
    volume_shows("file-system", Note, |v| {
        v.file_system = Some("btrfs".into())
    });
    volume_shows("direct-io", Warning, |v| v.direct_io = None);
    volume_shows("direct-io", Warning, |v| v.direct_io = Some(wide));
    volume_shows("dirty-pages", Note, |v| v.direct_io = None);
    volume_shows("flushes", Warning, |v| {
        v.mount_options.push("nobarrier".into())
    });
    volume_shows("free-space", Warning, |v| v.free_bytes = Some(1 << 20));
    let on = |change: fn(&mut Device)| move |v: &mut Volume| change(v.device.as_mut().unwrap());
    let write_back = on(|device| device.write_cache = Some(WriteCache::WriteBack));
    volume_shows("write-cache", Note, write_back);
    let scheduled = on(|device| device.scheduler = Some("bfq".into()));
    volume_shows("io-scheduler", Warning, scheduled);
    let scheduled = on(|device| device.scheduler = Some("mq-deadline".into()));
    volume_shows("io-scheduler", Note, scheduled);
}

#[test]
fn a_turning_disk_wants_a_scheduler_and_a_virtual_one_does_not() {
    let disk = |name: &str, scheduler: &str| {
        volume_with(|v| {
            let device = v.device.as_mut().unwrap();
            device.name = name.to_owned();
            device.scheduler = Some(scheduler.to_owned());
            device.rotational = Some(true);
        })
    };
    assert_eq!(
        found(&host(), &disk("sda", "mq-deadline"), "io-scheduler").severity,
        Severity::Ok
    );
    assert_eq!(
        found(&host(), &disk("sda", "none"), "io-scheduler").severity,
        Severity::Note
    );
    assert_eq!(
        found(&host(), &disk("vda", "none"), "io-scheduler").severity,
        Severity::Ok
    );
}

#[test]
fn the_reason_of_a_refused_ring_decides_the_command() {
    let mend = |errno, disabled| {
        let ring = RingSupport::Refused { errno, disabled };
        found(&host_with(|h| h.io_uring = ring), &volume(), "io_uring")
            .mend
            .unwrap_or_default()
    };
    assert!(mend(Some(libc::EPERM), Some(2)).contains("io_uring_disabled=0"));
    assert!(mend(Some(libc::EPERM), Some(0)).contains("seccomp"));
    assert!(mend(Some(libc::ENOMEM), None).contains("MEMLOCK"));
    assert_eq!(mend(Some(libc::EIO), None), "");
}

#[test]
fn quotas_of_control_groups_are_found() {
    let quota = |cores| Quota {
        limit: cores,
        file: PathBuf::from("/sys/fs/cgroup/cpu.max"),
    };
    let group = ControlGroup {
        cpu_cores: Some(quota(1.5)),
        memory_bytes: None,
    };
    let host = host_with(|h| h.control_group = Some(group));
    let finding = found(&host, &volume(), "cpu-quota");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.found.contains("1.50 of 4 cores"), "{finding}");
    assert!(found(&host, &volume(), "cores").found.starts_with("1 of 4"));

    let memory = Quota {
        limit: 64 << 20,
        file: PathBuf::from("/sys/fs/cgroup/memory.max"),
    };
    let group = ControlGroup {
        cpu_cores: Some(quota(4.0)),
        memory_bytes: Some(memory),
    };
    let host = host_with(|h| h.control_group = Some(group));
    assert_eq!(found(&host, &volume(), "cpu-quota").severity, Severity::Ok);
    let finding = found(&host, &volume(), "memory");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(
        finding
            .found
            .contains("64 MiB, by /sys/fs/cgroup/memory.max"),
        "{finding}"
    );
}

#[test]
fn the_broker_needs_decide() {
    let needs = Needs {
        file_descriptors: 100_000,
        memory_bytes: Some(16 << 30),
        free_bytes: 60 << 30,
        ..Needs::default()
    };
    let findings = diagnose(&host(), &[volume()], &needs);
    let bad: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Ok)
        .collect();
    let checks: Vec<_> = bad.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["file-descriptors", "memory", "free-space"]);
}

#[test]
fn what_is_unknown_is_a_note() {
    let host = Host {
        kernel: None,
        governors: None,
        clock_source: None,
        memory: None,
        swappiness: None,
        huge_pages: None,
        locked_memory: None,
        file_descriptors: None,
        control_group: None,
        backlog_max: None,
        dirty_pages: None,
        ..host()
    };
    let bare = Volume {
        file_system: None,
        device: None,
        total_bytes: None,
        free_bytes: None,
        mount_options: vec![],
        ..volume()
    };
    let findings = diagnose(&host, &[bare], &Needs::default());
    assert_eq!(worst(&findings), Severity::Note, "{findings:#?}");
}

#[test]
fn a_finding_is_one_line_that_names_all() {
    let host = host_with(|h| {
        h.locked_memory = Some(ResourceLimit {
            soft: Limit::At(65_536),
            hard: Limit::At(65_536),
        });
    });
    let line = found(&host, &volume(), "memlock").to_string();
    assert!(line.starts_with("failure: memlock: RLIMIT_MEMLOCK is 64 KiB, 512 KiB are needed; "));
    assert!(
        line.contains("mend it with: ulimit -l 8192") && !line.contains('\n'),
        "{line}"
    );
    let line = found(&host, &volume(), "file-system").to_string();
    assert_eq!(line, "ok: file-system (/data): ext4");
}

/// The broker examines its host at every start. The bound is generous: it is to catch a child
/// process or a walk over a tree, not to measure.
#[test]
fn examining_this_host_is_quick_and_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let quickest = (0..5)
        .map(|_| {
            let start = Instant::now();
            assert!(!examine(folder.path()).is_empty());
            start.elapsed()
        })
        .min();
    assert!(quickest.unwrap().as_millis() < 50, "{quickest:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
