//! Whole shards driven without sockets, over a disk in memory: what clients see of produce, fetch,
//! sessions, long polls, order and limits.

mod allocations;
mod configs;
mod deletion;
mod groups;
mod lives;
mod loads;
mod mail;
mod order;
mod produce;
mod read;
mod rig;
mod shares;
mod simulation;
