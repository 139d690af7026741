//! Rare work of many blocking calls, such as reading one file and writing another.

use std::{fmt, sync::Arc};

use super::{BlockingDisk, DiskError};

/// What a driver runs off the shard, with blocking calls. It owns all it needs.
pub trait BlockingWork: fmt::Debug + Send + Sync {
    /// Does it. Complete when it returns; what is durable then is its own affair.
    ///
    /// # Errors
    /// The first disk error that it cannot do without.
    fn run(&self, disk: &dyn BlockingDisk) -> Result<(), DiskError>;
}

/// Counted [`BlockingWork`]; equal only to its own clones.
#[derive(Clone, Debug)]
pub struct Work(Arc<dyn BlockingWork>);

impl Work {
    /// The work, on its way to the driver.
    pub fn new(work: impl BlockingWork + 'static) -> Self {
        Self(Arc::new(work))
    }

    /// See [`BlockingWork::run`].
    ///
    /// # Errors
    /// See [`BlockingWork::run`].
    pub fn run(&self, disk: &dyn BlockingDisk) -> Result<(), DiskError> {
        self.0.run(disk)
    }
}

impl PartialEq for Work {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Work {}
