//! The real binary under clients that are careless, slow or hostile: it stays within its memory,
//! says what it did, and serves the others.

mod broker;
mod connections;
mod floods;
mod frames;
mod memory;
mod order;
mod paths;
mod pauses;
mod slow_readers;
mod stop;
