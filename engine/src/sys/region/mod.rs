//! Counted, page-aligned memory for record bytes: written once by one owner, read by many.
//!
//! A [`RegionPool`] belongs to one shard. It lends regions as [`RegionWriter`]s, unique and
//! append-only; the writer hands out [`Slice`]s, counted views of bytes that are already there,
//! while it goes on appending behind them. Slices travel to other shards and to the kernel. The
//! last reference to go, wherever that happens, sends the region home by a lock-free list; only
//! the pool takes it off that list and lends it again. So memory is never freed or overwritten
//! under a reader, and lending and returning allocate nothing once the pool is warm.
//!
//! The rule that makes it sound: **bytes below `published` never change while a slice may exist,
//! and nothing but the one writer touches bytes at or above it.** References to either side never
//! overlap.
//!
//! Worst-case memory: the pool's budget, whatever is lent or kept for reuse.

mod block;
mod pool;
mod slices;
mod writer;

#[cfg(test)]
mod tests;

pub use block::Slice;
pub use pool::{RegionClass, RegionPool};
pub use slices::Slices;
pub use writer::RegionWriter;

/// Regions begin at addresses that are multiples of this, and their sizes are multiples of it:
/// what direct I/O asks for on every device we know.
pub const REGION_ALIGNMENT: usize = 4096;
