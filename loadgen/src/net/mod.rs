//! Sockets and the cluster behind them: connections by broker, metadata, calls that wait.

mod admin;
mod cluster;
mod links;
mod session;

pub use admin::{Admin, AdminError, TopicPlan};
pub use cluster::{Cluster, Leader, NodeId};
pub use links::{Event, LinkError, LinkProgress, Links, LinksOptions};
pub use session::{Session, SessionOptions};
pub(crate) use session::{means_stale, no_payload};

/// The payload type of connections that send no records.
#[derive(Clone, Copy, Debug)]
pub enum NoPayload {}

impl AsRef<[u8]> for NoPayload {
    fn as_ref(&self) -> &[u8] {
        match *self {}
    }
}
