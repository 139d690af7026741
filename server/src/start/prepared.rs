//! What the runtime is handed: everything decided, checked and recovered, nothing running.

use std::sync::Arc;
use std::time::Instant;

use logmill_engine::base::{DirectoryIndex, LeaderEpoch};

use crate::config::{Config, MemoryPlan};
use crate::metadata::{LocalController, MetadataImage};
use crate::start::directories::DataDirectories;
use crate::start::listen::BoundListener;
use crate::start::resources::Descriptors;

/// A broker that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration.
    pub config: Arc<Config>,
    /// Bounds on memory; its `connections_max` is superseded by `descriptors.connections`.
    pub memory: MemoryPlan,
    /// Bounds on descriptors.
    pub descriptors: Descriptors,
    /// The core of each shard, by shard; cores repeat when there are more shards than cores.
    pub cores: Vec<u32>,
    /// The data directories, locked until this is dropped.
    pub directories: DataDirectories,
    /// Where to accept.
    pub listeners: Vec<BoundListener>,
    /// The metadata as the last run left it.
    pub image: Arc<MetadataImage>,
    /// Records to append to the metadata log, synced and as one batch, before anything is served:
    /// the registration of this start, and raised leader epochs after an unclean stop.
    pub startup_records: Vec<Vec<u8>>,
    /// Turns metadata commands into records, on the shard that owns the metadata log.
    pub controller: LocalController,
    /// The directory of the metadata log.
    pub metadata_directory: DirectoryIndex,
    /// The metadata log's term, new at every start.
    pub metadata_epoch: LeaderEpoch,
    /// When the process began, for the ready line.
    pub started: Instant,
}
