//! One connection's protocol state, without a socket: framing, order of replies, what waits to be
//! sent, deadlines.
//!
//! The shard owns connections in a slab; the driver moves bytes between them and the sockets. A
//! connection says when it wants bytes; it stops while too many of its requests are unanswered, too
//! many reply bytes wait for the peer, or one of its requests waits for room in a mailbox.
//!
//! Worst-case memory per connection: one frame (charged to the request budget), or what one receive
//! brought while the budget was used up; `queued_reply_bytes_max` plus one reply, of which what is
//! encoded counts for the bound of all connections together.

mod budget;
mod limits;
mod outgoing;
mod receiver;
mod replies;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use logmill_engine::base::{Micros, SlabKey};

use crate::base::timers::TimerKey;
use crate::base::work::Token;

pub use budget::ByteBudget;
pub use limits::ConnectionLimits;
pub use outgoing::{Next, Outgoing};
pub use receiver::{FrameError, Framed, ReceiveMemory, Receiver, Window};
pub use replies::{External, ExternalAt, Replies, RequestNumber};

/// Names a connection of a shard; stale once it is closed.
pub type ConnectionKey = SlabKey;

/// Why the shard closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed or reset it.
    Peer,
    /// No good request within the handshake limit.
    Handshake,
    /// A frame was begun and no byte of it came for too long.
    HalfFrame,
    /// Nothing happened for too long.
    Idle,
    /// A length field that no frame may have.
    Frame(FrameError),
    /// The request could not be decoded, or nobody serves its API or version.
    BadRequest,
    /// A produce request that asked for no reply failed.
    SilentProduceFailed,
    /// Its peer takes no replies, and the memory that they hold is needed.
    MemoryNeeded,
    /// The broker stops.
    Stopping,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Which listener it came by.
    pub listener: u16,
    /// Where it comes from.
    pub peer: IpAddr,
    /// Framing.
    pub receiver: Receiver,
    /// Replies owed.
    pub replies: Replies,
    /// Bytes to send.
    pub outgoing: Outgoing,
    /// Its fetches that are not answered.
    pub polls: Vec<Token>,
    /// The timer that will look at this connection next, and when.
    pub timer: Option<(TimerKey, Micros)>,
    /// A request of this connection waits for room in a mailbox: no more is taken from it.
    pub waits_for_mail: u32,
    /// In the shard's list of connections with something to send.
    pub is_dirty: bool,
    /// In the shard's list of connections to go on with.
    pub is_resuming: bool,
    /// In the shard's list of connections that wait for budget or memory.
    pub is_starved: bool,
    /// Whether a good request came yet.
    pub is_established: bool,
    /// Memory of its replies, as last counted.
    pub reply_bytes: usize,
    accepted_at: Micros,
    last_receive: Micros,
    last_progress: Micros,
}

impl Connection {
    /// A new connection.
    pub fn new(now: Micros, listener: u16, peer: IpAddr) -> Self {
        Self {
            listener,
            peer,
            receiver: Receiver::default(),
            replies: Replies::default(),
            outgoing: Outgoing::default(),
            polls: Vec::new(),
            timer: None,
            waits_for_mail: 0,
            is_dirty: false,
            is_resuming: false,
            is_starved: false,
            is_established: false,
            reply_bytes: 0,
            accepted_at: now,
            last_receive: now,
            last_progress: now,
        }
    }

    /// Bytes came.
    pub fn note_receive(&mut self, now: Micros) {
        self.last_receive = now;
        self.last_progress = now;
    }

    /// Bytes left.
    pub fn note_send(&mut self, now: Micros) {
        self.last_progress = now;
    }

    /// Whether another request may be taken from it now.
    pub fn takes_requests(&self, limits: &ConnectionLimits) -> bool {
        self.waits_for_mail == 0
            && self.replies.in_flight() < limits.requests_in_flight_max as usize
            && self.outgoing.len() < limits.queued_reply_bytes_max
    }

    /// The next moment at which it may have to be closed, and why, if nothing happens until then.
    pub fn deadline(&self, limits: &ConnectionLimits) -> (Micros, CloseReason) {
        if !self.is_established {
            let at = self.accepted_at.saturating_add(limits.handshake_timeout);
            return (at, CloseReason::Handshake);
        }
        let idle = self.last_progress.saturating_add(limits.idle_timeout);
        // Only a connection that is being read can be late with a frame.
        if self.receiver.is_amid_frame() && !self.is_starved && self.takes_requests(limits) {
            let frame = self.last_receive.saturating_add(limits.frame_timeout);
            if frame < idle {
                return (frame, CloseReason::HalfFrame);
            }
        }
        (idle, CloseReason::Idle)
    }

    /// Whether replies wait and the peer has taken nothing of them for a while.
    pub fn is_stalled(&self, now: Micros) -> bool {
        let quiet = now.saturating_since(self.last_progress);
        !self.outgoing.is_empty() && quiet > STALLED_AFTER
    }

    /// Whether an idle deadline applies: somebody who waits for our answer is not idle.
    pub fn may_expire(&self) -> bool {
        self.replies.in_flight() == 0 || !self.outgoing.is_empty()
    }

    /// Gives everything up; returns the request bytes that are free again.
    pub fn abandon(&mut self) -> u64 {
        self.receiver.abandon() + self.replies.abandon() + self.outgoing.abandon()
    }
}

/// A peer that takes nothing for so long may be closed when memory is short.
const STALLED_AFTER: Micros = Micros::from_millis(5_000);
