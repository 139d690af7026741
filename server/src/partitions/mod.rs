//! What requests are served with: the topics and who owns their partitions, this shard's store, and
//! the mail to the shards that own the rest.
//!
//! Handlers ask here for a partition's append, read or offset, wherever it lives; [`read`] and
//! [`question`] are the owner's side of that.

pub mod catalog;
pub mod core;
pub mod mail;
pub mod options;
pub mod placement;
pub mod question;
pub mod read;
