//! What this host lacks and what it can do, before a broker runs on it.
//!
//! - [`host`] and [`volume`] read typed facts from `/proc`, `/sys` and a handful of system calls,
//!   without starting a process. A fact that cannot be read is unknown (`None`), never an error:
//!   containers hide parts of `/sys`, and a broker must start there too.
//! - [`doctor`] turns facts into findings: severity, reason, the command that mends it, its gain.
//!   The broker's start-up warnings are these findings.
//! - [`probe`] measures: direct writes and reads, syncs, the journal's tick, loopback, memory.
//! - [`report`] prints both, as tables or JSON.
//!
//! ```no_run
//! use logmill_tuning::{doctor, host::Host, volume::Volume};
//!
//! let host = Host::inspect();
//! let volumes = [Volume::inspect("/var/lib/logmill".as_ref())];
//! for finding in doctor::diagnose(&host, &volumes, &doctor::Needs::default()) {
//!     if finding.severity >= doctor::Severity::Warning {
//!         eprintln!("{finding}");
//!     }
//! }
//! ```

pub mod doctor;
pub mod host;
mod mounts;
pub mod probe;
pub mod quantity;
pub mod report;
mod sys;
mod tree;
pub mod volume;
