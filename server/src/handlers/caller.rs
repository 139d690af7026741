//! Where a reply goes.

use logmill_wire::ApiKey;

use crate::connection::{ConnectionKey, RequestNumber};

/// Where a reply goes, and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The connection.
    pub connection: ConnectionKey,
    /// The request's place among its replies.
    pub number: RequestNumber,
    /// Repeated in the reply.
    pub correlation_id: i32,
    /// The API.
    pub api: ApiKey,
    /// Its version.
    pub version: i16,
    /// Which listener the connection came by.
    pub listener: u16,
}
