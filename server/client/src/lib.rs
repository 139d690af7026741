//! A client's side of one Kafka connection, without I/O: version negotiation, correlation,
//! pipelining, time-outs.
//!
//! A driver owns the socket and the clock. It connects, then turns this wheel:
//!
//! 1. [`Connection::slices`] are what is to be written; [`Connection::sent`] tells how much was.
//! 2. [`Connection::space`] is where to read into; [`Connection::received`] tells how much came.
//! 3. [`Connection::poll`] hands out replies, in the order of the requests.
//! 4. [`Connection::next_deadline`] is when to come back at the latest; [`Connection::expired`]
//!    names the request that has waited too long. The connection is of no use after that.
//!
//! The first request, `ApiVersions`, is sent by the connection itself; nothing else may be sent
//! until [`Connection::is_ready`]. Pure: no clock, no socket, no randomness.

#![forbid(unsafe_code)]

mod connection;
mod incoming;
mod outgoing;
mod versions;

pub use crate::connection::{
    Connection, ConnectionError, CorrelationId, Options, Reply, SendError, SendOptions,
};
pub use crate::incoming::Frame;
pub use crate::versions::Versions;
