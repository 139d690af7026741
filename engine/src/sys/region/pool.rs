//! The shard's stock of regions.

use std::fmt;
use std::sync::Arc;

use super::REGION_ALIGNMENT;
use super::block::{Home, IdleBlock};
use super::writer::RegionWriter;

/// The sizes that are kept for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegionClass {
    /// 4 KiB.
    Page,
    /// 16 KiB.
    Small,
    /// 64 KiB.
    Medium,
    /// 256 KiB.
    Large,
    /// 1 MiB.
    Huge,
}

impl RegionClass {
    /// All of them, smallest first.
    pub const ALL: [Self; 5] = [
        Self::Page,
        Self::Small,
        Self::Medium,
        Self::Large,
        Self::Huge,
    ];

    /// Its size in bytes.
    pub const fn bytes(self) -> usize {
        REGION_ALIGNMENT << (2 * self as usize)
    }

    /// The smallest class that holds `len` bytes; `None` above 1 MiB.
    pub fn holding(len: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.bytes() >= len)
    }

    /// The next larger class; the largest stays.
    pub fn larger(self) -> Self {
        Self::ALL[(self as usize + 1).min(Self::ALL.len() - 1)]
    }

    /// The next smaller class; the smallest stays.
    pub fn smaller(self) -> Self {
        Self::ALL[(self as usize).saturating_sub(1)]
    }
}

/// Lends regions within a budget; belongs to one shard.
///
/// `None` from a `take` means that the budget is used up: back-pressure, not failure. Regions of
/// another size that lie idle are freed first to make room.
pub struct RegionPool {
    home: Arc<Home>,
    idle: [Vec<IdleBlock>; RegionClass::ALL.len()],
    budget_bytes: usize,
    lent_bytes: usize,
    idle_bytes: usize,
}

impl RegionPool {
    /// A pool that never holds more than `budget_bytes`, lent and idle together.
    pub fn new(budget_bytes: usize) -> Self {
        Self {
            home: Home::new(),
            idle: std::array::from_fn(|_| Vec::new()),
            budget_bytes,
            lent_bytes: 0,
            idle_bytes: 0,
        }
    }

    /// Lends a region of a class.
    pub fn take(&mut self, class: RegionClass) -> Option<RegionWriter> {
        self.collect();
        let block = match self.idle[class as usize].pop() {
            Some(block) => {
                self.idle_bytes -= block.capacity();
                block
            }
            None => self.allocate(class.bytes())?,
        };
        self.lend(block)
    }

    /// Lends a region of at least `len` bytes: of a class where one fits, else a large one of
    /// whole pages, which is freed when it comes back.
    pub fn take_for(&mut self, len: usize) -> Option<RegionWriter> {
        if let Some(class) = RegionClass::holding(len) {
            return self.take(class);
        }
        self.collect();
        let block = self.allocate(len.checked_next_multiple_of(REGION_ALIGNMENT)?)?;
        self.lend(block)
    }

    /// Frees idle regions until at most `keep_bytes` of them are left.
    pub fn trim(&mut self, keep_bytes: usize) {
        self.collect();
        self.free_idle_down_to(keep_bytes);
    }

    /// Bytes lent at this moment: regions with a writer or a view.
    pub fn lent_bytes(&mut self) -> usize {
        self.collect();
        self.lent_bytes
    }

    /// Bytes held, lent and idle together.
    pub fn held_bytes(&self) -> usize {
        self.lent_bytes + self.idle_bytes
    }

    /// The bound of [`Self::held_bytes`].
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Brings home what was returned since. Linear in that, free when there is nothing.
    fn collect(&mut self) {
        for block in self.home.take_returned() {
            let capacity = block.capacity();
            self.lent_bytes -= capacity;
            match RegionClass::holding(capacity) {
                Some(class) => {
                    self.idle_bytes += capacity;
                    self.idle[class as usize].push(block);
                }
                None => drop(block),
            }
        }
    }

    fn allocate(&mut self, capacity: usize) -> Option<IdleBlock> {
        let room = self
            .budget_bytes
            .checked_sub(self.lent_bytes)?
            .checked_sub(capacity)?;
        self.free_idle_down_to(room);
        IdleBlock::allocate(capacity)
    }

    fn free_idle_down_to(&mut self, keep_bytes: usize) {
        for blocks in self.idle.iter_mut().rev() {
            while self.idle_bytes > keep_bytes {
                let Some(block) = blocks.pop() else { break };
                self.idle_bytes -= block.capacity();
            }
        }
    }

    fn lend(&mut self, block: IdleBlock) -> Option<RegionWriter> {
        self.lent_bytes += block.capacity();
        Some(RegionWriter::new(block.lend(&self.home)))
    }
}

impl fmt::Debug for RegionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegionPool")
            .field("budget_bytes", &self.budget_bytes)
            .field("lent_bytes", &self.lent_bytes)
            .field("idle_bytes", &self.idle_bytes)
            .finish()
    }
}
