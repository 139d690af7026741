//! What a shard wants done, once per turn. The driver carries it out and clears it; the capacity
//! stays.

use std::sync::Arc;

use logmill_engine::base::DirectoryIndex;
use logmill_engine::disk::DiskOut;
use logmill_wire::{EncodeError, Writer};

use super::net::begin_reply;
use crate::base::work::Token;
use crate::config::Config;
use crate::connection::{CloseReason, ConnectionKey};
use crate::handlers::Caller;
use crate::handlers::groups::GroupCall;

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
    /// A reply that takes long to write: [`LongReply::write`] it beside the shard, and come back
    /// with [`Event::Written`](super::Event::Written).
    pub long_reply: Option<LongReply>,
    /// The broker's configuration is another one from here on.
    pub config: Option<Arc<Config>>,
    /// What the log should say.
    pub notices: Vec<Notice>,
    /// The store has stopped cleanly.
    pub stopped: bool,
}

/// The answers of a call that make a long reply.
#[derive(Debug)]
pub struct LongReply {
    pub(super) token: Token,
    pub(super) call: Box<GroupCall>,
}

/// A long reply, written.
#[derive(Debug)]
pub struct WrittenReply {
    pub(super) token: Token,
    pub(super) caller: Caller,
    pub(super) result: Result<Writer, EncodeError>,
}

impl LongReply {
    /// Writes it, which takes about a millisecond for 2 MiB.
    pub fn write(self) -> WrittenReply {
        let caller = self.call.caller();
        let mut writer = Writer::new();
        begin_reply(&caller, &mut writer);
        let result = self.call.encode(&mut writer).map(|()| writer);
        WrittenReply {
            token: self.token,
            caller,
            result,
        }
    }
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
    /// What the operator should know of a log directory.
    Directory {
        /// Which.
        directory: DirectoryIndex,
        /// What it is.
        text: String,
    },
    /// A partition or directory failed.
    Storage {
        /// What happened.
        text: String,
    },
}
