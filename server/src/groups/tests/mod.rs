//! Conversations with a coordinator in virtual time, and what must hold of all of them.

mod admin;
mod fixture;
mod histories;
mod host;
mod joins;
mod log;
mod offsets;
mod rebalances;
mod retention;
mod statics;
