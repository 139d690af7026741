//! The real disk: an io_uring per shard ([`Ring`]) and blocking files for start and recovery
//! ([`Files`]).
//!
//! Direct I/O is used for writes whose position, memory and lengths are multiples of 4096 on file
//! systems that have it; everything else goes through the page cache. [`DirectoryFacts`] says what
//! each log directory gives, so that start-up can report it.

mod descriptors;
mod directory;
mod files;
mod helper;
mod lock;
mod ring;

pub use descriptors::resident_bytes;
pub use directory::{DirectoryFacts, LogDirectories};
pub use files::Files;
pub use lock::DirectoryLock;
pub use ring::{Ring, RingEvent, RingOptions};

#[cfg(test)]
mod tests;
