//! The scripts, by what they are about.

mod alter_configs;
mod cluster;
mod configs;
mod connections;
mod deletion;
mod fetch;
mod groups;
mod idempotence;
mod metadata;
mod offsets;
mod produce;
mod restricted;
mod sessions;
mod topics;

use crate::conversation::Conversation;

/// A script: its name, which its topics' names begin with, and what it does.
pub type Case = (&'static str, fn(&mut Conversation));

/// Scripts about groups, those for brokers that give members little time, and what comes first.
pub use groups::{
    SHORT as SHORT_OF_TIME, SHORT_SETTINGS as SHORT_OF_TIME_SETTINGS, all as groups,
    await_coordinator,
};
pub use produce::one_partition;
/// The scripts for a pair of brokers that may do less, and how those are started.
pub use restricted::{CASES as RESTRICTED, SETTINGS as RESTRICTED_SETTINGS};

/// All scripts for brokers with their defaults, in the order in which they run: those that look at
/// everything there is come first.
pub fn all() -> Vec<Case> {
    [
        connections::CASES,
        cluster::CASES,
        metadata::CASES,
        topics::CASES,
        configs::CASES,
        alter_configs::CASES,
        produce::CASES,
        idempotence::CASES,
        fetch::CASES,
        sessions::CASES,
        offsets::CASES,
        deletion::CASES,
    ]
    .concat()
}
