//! What this host can do: direct disk writes and reads, syncs, the journal's tick, loopback,
//! memory. Ten to twenty seconds; two with [`Plan::quick`].
//!
//! Every case runs for a short while in each of several rounds, so that a slow moment of the
//! machine falls on all of them. A figure is the median of its rounds; its spread says how far
//! the rounds lay apart. Scratch files have no name from the start: nothing is left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::host::Host;
use crate::quantity::Bytes;
use crate::volume::Volume;

mod disk;
mod journal;
mod loopback;
mod measurement;
mod memory;
mod scratch;

pub use measurement::{Group, Measurement};

use measurement::Run;
use scratch::Scratch;

/// How thorough to be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The directory whose disk is measured.
    pub directory: PathBuf,
    /// Rounds; a figure is their median.
    pub rounds: usize,
    /// How long one case runs in one round.
    pub slice: Duration,
    /// Size of the scratch file, bytes.
    pub scratch_bytes: u64,
}

impl Plan {
    /// About 15 seconds.
    pub fn thorough(directory: &Path) -> Plan {
        Plan {
            directory: directory.to_owned(),
            rounds: 5,
            slice: Duration::from_millis(90),
            scratch_bytes: 512 << 20,
        }
    }

    /// About 2 seconds: rough figures.
    pub fn quick(directory: &Path) -> Plan {
        Plan {
            directory: directory.to_owned(),
            rounds: 3,
            slice: Duration::from_millis(18),
            scratch_bytes: 64 << 20,
        }
    }
}

/// What was measured, and on what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The machine.
    pub host: Host,
    /// The disk.
    pub volume: Volume,
    /// Whether the disk was measured around the page cache.
    pub direct_io: bool,
    /// Rounds per case.
    pub rounds: usize,
    /// How long it all took.
    pub seconds: f64,
    /// The figures, in the order of [`Group`].
    pub measurements: Vec<Measurement>,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The scratch file would fill the disk.
    #[error(
        "{directory} has {} free, the probe wants {} to spare; make room, or name another place \
         with --data-dir", Bytes(*free), Bytes(*needed)
    )]
    NoRoom {
        /// The directory asked for.
        directory: String,
        /// What the probe asks for, bytes.
        needed: u64,
        /// What there is, bytes.
        free: u64,
    },
    /// The directory takes no files.
    #[error("no file can be made in {directory}: {reason}; name another place with --data-dir")]
    NoFiles {
        /// The directory asked for.
        directory: String,
        /// The system's own words.
        reason: String,
    },
    /// An operation failed while it was measured.
    #[error("{case}: {error}; `logmill-tuning doctor` may say why")]
    Failed {
        /// The case's name.
        case: String,
        /// The system's error.
        error: io::Error,
    },
}

/// Where a run stands, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
    /// What is under way.
    pub name: &'a str,
}

/// Something to measure again and again.
trait Case {
    fn group(&self) -> Group;
    fn name(&self) -> String;
    /// Bytes per operation.
    fn bytes(&self) -> u64;
    /// Runs for about `slice`.
    fn run(&mut self, slice: Duration) -> io::Result<Run>;
}

/// Measures everything; `observe` is told of each step.
pub fn run(plan: &Plan, observe: &mut dyn FnMut(Step<'_>)) -> Result<Report, ProbeError> {
    let start = Instant::now();
    let volume = Volume::inspect(&plan.directory);
    check_room(plan, &volume)?;
    let failed = |case: &str| {
        let case = case.to_owned();
        move |error| ProbeError::Failed { case, error }
    };
    observe(Step {
        done: 0,
        total: 1,
        name: "writing zeros to the scratch file",
    });
    let scratch = Scratch::make(&volume, plan.scratch_bytes).map_err(failed("scratch file"))?;
    let mut cases = cases(&scratch);
    let mut runs: Vec<Vec<Run>> = cases
        .iter()
        .map(|_| Vec::with_capacity(plan.rounds))
        .collect();
    let total = cases.len() * plan.rounds;
    for round in 0..plan.rounds {
        for (index, case) in cases.iter_mut().enumerate() {
            let name = case.name();
            observe(Step {
                done: round * runs.len() + index,
                total,
                name: &name,
            });
            runs[index].push(case.run(plan.slice).map_err(failed(&name))?);
        }
    }
    observe(Step {
        done: total,
        total,
        name: "done",
    });
    let measurements = cases
        .iter()
        .zip(&runs)
        .map(|(case, runs)| Measurement::of_runs(case.group(), case.name(), case.bytes(), runs));
    Ok(Report {
        host: Host::inspect(),
        direct_io: scratch.is_direct(),
        rounds: plan.rounds,
        measurements: measurements.collect(),
        seconds: start.elapsed().as_secs_f64(),
        volume,
    })
}

fn cases(scratch: &Scratch) -> Vec<Box<dyn Case + '_>> {
    let mut cases = disk::cases(scratch);
    cases.extend(journal::cases(scratch));
    cases.extend(loopback::cases());
    cases.extend(memory::cases());
    cases
}

fn check_room(plan: &Plan, volume: &Volume) -> Result<(), ProbeError> {
    let directory = plan.directory.display().to_string();
    if !plan.directory.is_dir() {
        return Err(ProbeError::NoFiles {
            directory,
            reason: "it is not a directory".to_owned(),
        });
    }
    if let Some(reason) = volume.refusal.clone() {
        return Err(ProbeError::NoFiles { directory, reason });
    }
    let needed = plan.scratch_bytes + ROOM_LEFT_BYTES;
    match volume.free_bytes {
        Some(free) if free < needed => Err(ProbeError::NoRoom {
            directory,
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

/// Left free whatever is measured, so that nobody else on the disk notices.
const ROOM_LEFT_BYTES: u64 = 256 << 20;

#[cfg(test)]
mod tests;
