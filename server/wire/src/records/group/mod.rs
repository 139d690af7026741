//! `__consumer_offsets`: committed offsets and the state of groups of all protocols. A record's
//! value is absent when what its key names is gone.

mod classic;
mod consumer;

pub mod share;
pub mod streams;

pub use classic::*;
pub use consumer::*;
