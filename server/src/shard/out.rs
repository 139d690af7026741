//! What a shard wants done, once per turn. The driver carries it out and clears it; the capacity
//! stays.

use std::sync::Arc;

use logmill_engine::disk::DiskOut;

use crate::config::Config;
use crate::connection::{CloseReason, ConnectionKey};

/// A turn's effects, but for mail, which waits in the shard's outboxes until the driver takes it.
#[derive(Debug, Default)]
pub struct Out {
    /// Connections with something to send.
    pub sends: Vec<ConnectionKey>,
    /// Connections that may be read again.
    pub reads: Vec<ConnectionKey>,
    /// Connections that the shard has closed.
    pub closes: Vec<(ConnectionKey, CloseReason)>,
    /// Disk operations.
    pub disk: DiskOut,
    /// The broker's configuration is another one from here on.
    pub config: Option<Arc<Config>>,
    /// What the log should say.
    pub notices: Vec<Notice>,
    /// The store has stopped cleanly.
    pub stopped: bool,
}

/// Something for the broker's log; the driver limits their rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A connection was closed for what it sent.
    Refused {
        /// The connection.
        connection: ConnectionKey,
        /// What it did.
        text: String,
    },
    /// A partition or directory failed.
    Storage {
        /// What happened.
        text: String,
    },
}
