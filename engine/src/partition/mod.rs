//! What a partition keeps beside its bytes: its producers, and who waits for which watermark.

mod acks;
mod producers;

pub use crate::base::Watermarks;
pub use acks::{AckLevel, AckQueue};
pub use producers::{
    ProducerBatchState, ProducerState, ProducerTable, SequenceCheck, SequenceError,
};
