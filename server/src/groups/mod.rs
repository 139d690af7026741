//! Consumer groups of the classic protocol, and their committed offsets.
//!
//! One coordinator is the state of one partition of `__consumer_offsets`: all groups that
//! [`partition_of`] sends there. It is plain state: an [`Ask`] with a ticket goes in, [`Effects`]
//! come out, and replaying the records of all effects rebuilds it. It has no clock, no files and
//! no sockets, and its randomness is seeded from outside.
//!
//! What a host calls:
//!
//! ```text
//! Coordinator::new(now, Options, rng)                  one for each partition, before its load
//! replay(key, value) -> Result<(), ReplayError>        each record of the log, in order
//! replay_of(producer, position, key, value)            the same for those of producers' batches
//! end_transaction(producer, is_committed)              each marker
//! loaded(now, &mut Effects)                            end of the load; members' time begins anew
//! take(now, ticket: u64, Ask, &mut Effects)            the reply may come out of a later call
//! expire(now, &mut Effects)   next_deadline() -> Option<Micros>
//! set_options(Options)
//! close(now, &mut Effects)                             parked tickets are answered error 16
//! live_records(&mut LiveCursor, bytes_max, &mut Vec<Record>) -> bool    true: there is more
//! memory_bytes()   counts()
//! ```

mod alarm;
mod answer;
mod ask;
mod commits;
mod coordinator;
mod effects;
mod group;
mod join;
mod leave;
mod live;
mod member;
mod members;
mod offsets;
mod options;
mod pending;
mod placement;
mod rebalance;
mod records;
mod refusal;
mod replay;
mod reports;
mod retention;
mod sync;
mod take;
mod turn;
mod votes;

#[cfg(test)]
mod tests;

pub use answer::*;
pub use ask::*;
pub use coordinator::{Coordinator, Counts};
pub use effects::{Effects, Record, Reply, When};
pub use live::LiveCursor;
pub use options::Options;
pub use placement::partition_of;
pub use replay::ReplayError;
