//! Why the broker does not start, each in one clear line.

use std::io;
use std::path::PathBuf;

use logmill_engine::disk::DiskError;
use logmill_engine::recovery::RecoveryError;

use crate::config::{ConfigError, MemoryError};
use crate::metadata::ApplyError;
use crate::runtime::RunError;

/// Why the broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The configuration is wrong.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The worst case of memory does not fit.
    #[error("memory: {0}")]
    Memory(#[from] MemoryError),
    /// A data directory cannot be made or used.
    #[error("data directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has the data directory.
    #[error(
        "data directory {} is in use by another process: stop that one, or set log.dirs to \
         another directory",
        path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory belongs to another broker or cluster, or says nothing sensible.
    #[error("{}: {what}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the way out.
        what: String,
    },
    /// A listener's address cannot be used.
    #[error("listener {name} on {address}: {source}; choose another with --set listeners=...")]
    Listener {
        /// The listener.
        name: String,
        /// Its address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Descriptors do not suffice for what is configured.
    #[error(
        "{needed} file descriptors are needed and {allowed} are allowed: lower max.connections or \
         logmill.open.files.max, or raise the limit with: ulimit -n {needed}"
    )]
    Descriptors {
        /// What the configuration needs.
        needed: u64,
        /// `RLIMIT_NOFILE`.
        allowed: u64,
    },
    /// A disk operation failed.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// A file of the kernel's cannot be read.
    #[error("{path}: {source}")]
    Kernel {
        /// The file.
        path: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Recovery gave up.
    #[error("recovery: {0}")]
    Recovery(#[from] RecoveryError),
    /// A log directory failed, and the metadata log is in none of the others.
    #[error("the metadata log is not in any usable log directory: {findings}")]
    MetadataMissing {
        /// What is wrong with which directory.
        findings: String,
    },
    /// The shards could not run, or one of them failed.
    #[error("{0}")]
    Run(#[from] RunError),
    /// The metadata log cannot be replayed.
    #[error("metadata log: {0}")]
    Metadata(#[from] ApplyError),
    /// The metadata log's bytes are not batches.
    #[error("metadata log: {what} at byte {position} of {file}")]
    MetadataBytes {
        /// What is wrong.
        what: String,
        /// The segment.
        file: String,
        /// Where in it.
        position: u64,
    },
}
