//! Checks of the place where the data lies.

use super::{Finding, Needs, Severity};
use crate::quantity::Bytes;
use crate::volume::{Alignment, Device, Volume, WriteCache};

/// All of them, in the order they are shown. Without a block device its checks are left out.
pub(super) fn check(volume: &Volume, needs: &Needs) -> Vec<Finding> {
    let mut findings = vec![
        writable(volume),
        file_system(volume),
        direct_io(volume),
        barriers(volume),
        free_space(volume, needs),
    ];
    if let Some(device) = &volume.device {
        findings.push(write_cache(device));
        findings.push(scheduler(device));
    }
    findings
}

fn writable(volume: &Volume) -> Finding {
    const CHECK: &str = "data-directory";
    let examined = volume.examined.display();
    match &volume.refusal {
        Some(refusal) => {
            let found = format!("no file can be made in {examined}: {refusal}");
            Finding::new(CHECK, Severity::Failure, found)
                .because("the broker keeps its logs here")
                .mended_by(
                    format!("chown and chmod {examined} for the broker's user, or mount it rw"),
                    "the broker runs",
                )
        }
        None => Finding::ok(CHECK, format!("files can be made in {examined}")),
    }
}

fn file_system(volume: &Volume) -> Finding {
    const CHECK: &str = "file-system";
    const LOCAL_DISK: &str = "keep log.dirs on ext4 or XFS on a local disk";
    let Some(name) = volume.file_system.as_deref() else {
        return Finding::unknown(CHECK, "/proc/self/mountinfo");
    };
    let warning = |reason| Finding::new(CHECK, Severity::Warning, name).because(reason);
    match name {
        "ext4" | "xfs" => Finding::ok(CHECK, name),
        "tmpfs" | "ramfs" => {
            warning("files in memory: acknowledged records are gone when the machine stops")
                .mended_by(LOCAL_DISK, "records survive a reboot")
        }
        "overlay" | "aufs" => {
            warning("a container's own layer: it goes with the container, and copies on write")
                .mended_by(
                    "docker run -v logmill:/data, a volume",
                    "records outlive the container",
                )
        }
        _ if name.starts_with("nfs") || NETWORKED.contains(&name) => {
            warning("a network file system: each sync is a round trip, and a lock can be lost")
                .mended_by(
                    LOCAL_DISK,
                    "syncs as fast as the disk, errors that mean what they say",
                )
        }
        "btrfs" | "bcachefs" | "zfs" => Finding::new(CHECK, Severity::Note, name)
            .because("copies on write: rewriting the journal in place allocates each time")
            .mended_by(
                "chattr +C on the empty data directory (btrfs), or ext4 or XFS",
                "cheaper syncs",
            ),
        _ => Finding::new(CHECK, Severity::Note, name).because("Logmill is tested on ext4 and XFS"),
    }
}

fn direct_io(volume: &Volume) -> Finding {
    const CHECK: &str = "direct-io";
    if volume.refusal.is_some() {
        return Finding::new(CHECK, Severity::Note, "unknown: no file can be made here");
    }
    let Some(Alignment {
        memory,
        offset,
        reported,
    }) = volume.direct_io
    else {
        return Finding::new(CHECK, Severity::Warning, "refused by the file system")
            .because("writes go through the page cache, and a sync waits for other files' pages")
            .mended_by(
                "keep log.dirs on ext4 or XFS on a disk",
                "less CPU, steadier latency",
            );
    };
    let source = if reported { "reported" } else { "assumed" };
    let found = format!("aligned to {memory} in memory and {offset} in files ({source})");
    if memory.max(offset) <= BLOCK_BYTES {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Warning, found)
        .because("the journal writes blocks of 4096 bytes, so it falls back to the page cache")
        .mended_by(
            "format the device with sectors of 4096 bytes or less",
            "direct journal writes",
        )
}

fn barriers(volume: &Volume) -> Finding {
    const CHECK: &str = "flushes";
    let off = ["nobarrier", "barrier=0"];
    let set = volume
        .mount_options
        .iter()
        .find(|option| off.contains(&option.as_str()));
    match set {
        None => Finding::ok(CHECK, "a sync reaches the device"),
        Some(option) => Finding::new(CHECK, Severity::Warning, format!("mounted with {option}"))
            .because(
                "a sync does not empty the device's cache: a power cut loses records that \
                      were acknowledged as synced",
            )
            .mended_by(
                format!("mount -o remount,barrier {}", volume.examined.display()),
                "synced means synced",
            ),
    }
}

fn free_space(volume: &Volume, needs: &Needs) -> Finding {
    const CHECK: &str = "free-space";
    let (Some(free), Some(total)) = (volume.free_bytes, volume.total_bytes) else {
        return Finding::unknown(CHECK, "the size of the file system");
    };
    let found = format!("{} of {}", Bytes(free), Bytes(total));
    if free >= needs.free_bytes {
        return Finding::ok(CHECK, found);
    }
    Finding::new(CHECK, Severity::Warning, found)
        .because("when the disk is full, produce is refused until there is room")
        .mended_by(
            "lower log.retention.bytes or log.retention.ms, or a larger disk",
            "producers are not refused",
        )
}

fn write_cache(device: &Device) -> Finding {
    const CHECK: &str = "write-cache";
    let name = &device.name;
    match device.write_cache {
        None => Finding::unknown(CHECK, "queue/write_cache"),
        Some(WriteCache::WriteThrough) => Finding::ok(
            CHECK,
            format!("{name}: write through, a sync costs no flush"),
        ),
        Some(WriteCache::WriteBack) => Finding::new(
            CHECK,
            Severity::Note,
            format!("{name}: write back, a sync flushes it"),
        )
        .because(
            "a flush empties the cache for everyone on the device, so syncs of \
                          neighbours are felt",
        )
        .mended_by(
            "a drive with power-loss protection, and no neighbours on it",
            "quicker and steadier syncs",
        ),
    }
}

fn scheduler(device: &Device) -> Finding {
    const CHECK: &str = "io-scheduler";
    let Some(scheduler) = device.scheduler.as_deref() else {
        return Finding::unknown(CHECK, "queue/scheduler");
    };
    let name = &device.name;
    let found = format!("{name}: {scheduler}");
    let turning = device.rotational == Some(true) && !is_virtual_or_flash(name);
    let (severity, reason) = match (scheduler, turning) {
        ("none", false) | ("mq-deadline", true) => return Finding::ok(CHECK, found),
        ("none", true) => (Severity::Note, "a turning disk wants its requests sorted"),
        ("bfq" | "cfq", _) => (Severity::Warning, "it holds requests back to be fair"),
        _ => (
            Severity::Note,
            "it sorts requests under a lock, which flash and virtual disks do \
                               not need",
        ),
    };
    let better = if turning { "mq-deadline" } else { "none" };
    Finding::new(CHECK, severity, found)
        .because(reason)
        .mended_by(
            format!("echo {better} > /sys/block/{name}/queue/scheduler"),
            "less CPU per request and lower latency",
        )
}

/// Virtual disks say that they rotate unless they are told otherwise.
fn is_virtual_or_flash(name: &str) -> bool {
    ["vd", "xvd", "nvme", "nbd", "loop", "zram"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The block in which the journal writes.
const BLOCK_BYTES: u32 = 4096;

const NETWORKED: [&str; 8] = [
    "cifs",
    "smb3",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "9p",
    "virtiofs",
];
