//! From facts to findings: what this host lacks, why it matters, what mends it, what that gains.
//!
//! `logmill-tuning doctor` prints these, and the broker prints those of [`Severity::Warning`] and
//! above when it starts. Facts that could not be read are said to be unknown and never fail.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::host::Host;
use crate::volume::Volume;

mod limits;
mod machine;
mod storage;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing; or the fact is unknown here.
    Note,
    /// Costs speed, room or safety.
    Warning,
    /// The broker cannot run, or cannot keep what it promises.
    Failure,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Failure => "failure",
        })
    }
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's stable name, such as `memlock`.
    pub check: &'static str,
    /// The data directory it is about, when it is about one.
    pub subject: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, with figures.
    pub found: String,
    /// Why it matters to a broker.
    pub reason: &'static str,
    /// The command that mends it, when something is to mend.
    pub mend: Option<String>,
    /// What mending gains.
    pub gain: Option<&'static str>,
}

impl Finding {
    fn new(check: &'static str, severity: Severity, found: impl Into<String>) -> Finding {
        Finding {
            check,
            subject: None,
            severity,
            found: found.into(),
            reason: "",
            mend: None,
            gain: None,
        }
    }

    fn ok(check: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(check, Severity::Ok, found)
    }

    fn unknown(check: &'static str, what: &str) -> Finding {
        let found = format!("unknown: {what} cannot be read here");
        Finding::new(check, Severity::Note, found)
    }

    fn because(mut self, reason: &'static str) -> Finding {
        self.reason = reason;
        self
    }

    fn mended_by(mut self, mend: impl Into<String>, gain: &'static str) -> Finding {
        self.mend = Some(mend.into());
        self.gain = Some(gain);
        self
    }

    fn about(mut self, volume: &Volume) -> Finding {
        self.subject = Some(volume.path.display().to_string());
        self
    }
}

/// One line for a log: `warning: memlock: found; reason; mend it with: command (gain)`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.check)?;
        if let Some(subject) = &self.subject {
            write!(f, " ({subject})")?;
        }
        write!(f, ": {}", self.found)?;
        if !self.reason.is_empty() {
            write!(f, "; {}", self.reason)?;
        }
        if let Some(mend) = &self.mend {
            write!(f, "; mend it with: {mend}")?;
        }
        match self.gain {
            Some(gain) => write!(f, " (gain: {gain})"),
            None => Ok(()),
        }
    }
}

/// What the broker is about to ask of the host. The default fits the broker's default settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// File descriptors: connections, open segments, and a few of its own.
    pub file_descriptors: u64,
    /// `RLIMIT_MEMLOCK` that the runtime insists on, bytes.
    pub locked_memory_bytes: u64,
    /// The worst-case memory of the broker's settings, bytes, when it is known.
    pub memory_bytes: Option<u64>,
    /// Free space to start with, bytes.
    pub free_bytes: u64,
}

impl Default for Needs {
    fn default() -> Needs {
        Needs {
            // 16,384 connections, 2,048 open segments, and room for rings, logs and listeners.
            file_descriptors: 16_384 + 2_048 + 128,
            locked_memory_bytes: 512 << 10,
            memory_bytes: None,
            free_bytes: 1 << 30,
        }
    }
}

/// Inspects this host and one data directory with the default needs.
pub fn examine(data_directory: &Path) -> Vec<Finding> {
    diagnose(
        &Host::inspect(),
        &[Volume::inspect(data_directory)],
        &Needs::default(),
    )
}

/// Judges facts that were read before. One finding per check and volume, those that are fine too.
pub fn diagnose(host: &Host, volumes: &[Volume], needs: &Needs) -> Vec<Finding> {
    let mut findings = machine::check(host);
    findings.extend(limits::check(host, volumes, needs));
    for volume in volumes {
        findings.extend(
            storage::check(volume, needs)
                .into_iter()
                .map(|one| one.about(volume)),
        );
    }
    findings
}

/// The gravest severity among findings.
pub fn worst(findings: &[Finding]) -> Severity {
    findings
        .iter()
        .map(|finding| finding.severity)
        .max()
        .unwrap_or(Severity::Ok)
}

#[cfg(test)]
mod tests;
