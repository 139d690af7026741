//! The counted block of memory behind writers and slices, and its way home.

use std::alloc::{self, Layout};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::{Bound, Deref, RangeBounds};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};
use std::{fmt, slice};

use super::REGION_ALIGNMENT;

/// A block's head. It lives in a `Box` of its own, so that the memory stays whole pages.
pub(super) struct Block {
    /// How many [`BlockRef`]s exist; 0 while the block is in the pool's hands.
    references: AtomicUsize,
    /// The next block of the list that this one stands on; only meaningful while on one.
    next: AtomicPtr<Block>,
    memory: NonNull<u8>,
    capacity: usize,
    /// Where the block goes when the last reference is dropped. Initialised exactly while the
    /// block is lent: put in by `lend`, taken out when it goes home. A block at home keeps no
    /// count on its home, or the two would keep each other alive.
    home: MaybeUninit<Arc<Home>>,
}

/// The list of blocks that came back. Any thread pushes, only the pool takes.
pub(super) struct Home {
    returned: AtomicPtr<Block>,
}

/// A counted reference to a block that is lent.
pub(super) struct BlockRef(NonNull<Block>);

/// A block with no references, owned by whoever holds this.
pub(super) struct IdleBlock(NonNull<Block>);

// SAFETY: a reference is a pointer to a `Block` whose count is atomic and whose other fields do
// not change while references exist; what the memory behind it holds is guarded by `RegionWriter`
// and `Slice`. Dropping on any thread only pushes onto an atomic list.
unsafe impl Send for BlockRef {}
// SAFETY: as above; shared use reads immutable fields and changes the atomic count.
unsafe impl Sync for BlockRef {}
// SAFETY: an idle block is owned by one holder, like a `Box`.
unsafe impl Send for IdleBlock {}

impl Home {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            returned: AtomicPtr::new(ptr::null_mut()),
        })
    }

    /// Takes all blocks that came back so far, latest first.
    pub(super) fn take_returned(&self) -> Returned {
        // Acquire pairs with the Release of the push: what readers did before is over.
        Returned(self.returned.swap(ptr::null_mut(), Ordering::Acquire))
    }

    fn push(&self, block: IdleBlock) {
        let block = ManuallyDrop::new(block).0;
        let mut head = self.returned.load(Ordering::Relaxed);
        loop {
            // SAFETY: the block has no references and is ours until the exchange succeeds.
            unsafe { block.as_ref() }
                .next
                .store(head, Ordering::Relaxed);
            // Nobody takes single blocks off this list, the pool swaps it whole: no ABA.
            match self.returned.compare_exchange_weak(
                head,
                block.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The pool and every lent block are gone, so nobody else can see the list.
        drop(self.take_returned());
    }
}

/// Blocks taken off the list of a [`Home`]; those not iterated are freed.
pub(super) struct Returned(*mut Block);

impl Iterator for Returned {
    type Item = IdleBlock;

    fn next(&mut self) -> Option<IdleBlock> {
        let block = NonNull::new(self.0)?;
        // SAFETY: the list was taken whole, so its blocks are ours; each is live until freed.
        self.0 = unsafe { block.as_ref() }.next.load(Ordering::Relaxed);
        Some(IdleBlock(block))
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl IdleBlock {
    /// New memory, zeroed, at least `capacity` bytes in whole pages; `None` if there is none.
    pub(super) fn allocate(capacity: usize) -> Option<Self> {
        let layout = layout(capacity)?;
        // SAFETY: the layout's size is not zero: `layout` refuses that.
        let memory = NonNull::new(unsafe { alloc::alloc_zeroed(layout) })?;
        let block = Box::new(Block {
            references: AtomicUsize::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            memory,
            capacity,
            home: MaybeUninit::uninit(),
        });
        Some(Self(NonNull::from(Box::leak(block))))
    }

    pub(super) fn capacity(&self) -> usize {
        // SAFETY: an idle block is live, and ours.
        unsafe { self.0.as_ref() }.capacity
    }

    /// Makes the block's first reference.
    pub(super) fn lend(self, home: &Arc<Home>) -> BlockRef {
        let mut block = ManuallyDrop::new(self).0;
        // SAFETY: no reference exists, so this is the only access.
        let inner = unsafe { block.as_mut() };
        debug_assert_eq!(*inner.references.get_mut(), 0);
        *inner.references.get_mut() = 1;
        inner.home.write(Arc::clone(home));
        BlockRef(block)
    }
}

impl Drop for IdleBlock {
    fn drop(&mut self) {
        // SAFETY: the block came from `Box::leak` in `allocate`, has no references, and this is
        // its owner. The memory came from the same layout. `home` is not initialised in an idle
        // block, and `MaybeUninit` drops nothing.
        unsafe {
            let block = Box::from_raw(self.0.as_ptr());
            if let Some(layout) = layout(block.capacity) {
                alloc::dealloc(block.memory.as_ptr(), layout);
            }
        }
    }
}

impl BlockRef {
    pub(super) fn capacity(&self) -> usize {
        self.block().capacity
    }

    /// The first byte. Who may touch what behind it is the business of the holder.
    pub(super) fn memory(&self) -> NonNull<u8> {
        self.block().memory
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Whether no other reference exists at this moment. It stays so only if this one is not
    /// cloned, since references come from references.
    pub(super) fn is_only(&self) -> bool {
        self.block().references.load(Ordering::Acquire) == 1
    }

    fn block(&self) -> &Block {
        // SAFETY: a block is neither freed nor reused while a reference to it exists.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for BlockRef {
    fn clone(&self) -> Self {
        // Relaxed suffices: a new reference is made from one that exists (as in `Arc`).
        let before = self.block().references.fetch_add(1, Ordering::Relaxed);
        assert!(
            before < isize::MAX as usize,
            "too many references to one region"
        );
        Self(self.0)
    }
}

impl Drop for BlockRef {
    fn drop(&mut self) {
        // Release: what this holder read or wrote happens before the block is lent again.
        if self.block().references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        // SAFETY: the count fell to zero, so no other reference exists and none can be made: the
        // block is ours. Its home was put in by `lend` and is read out exactly once, here.
        let home = unsafe { self.0.as_ref().home.assume_init_read() };
        home.push(IdleBlock(self.0));
        // `home` may be the last count: then the whole list, this block too, is freed.
    }
}

/// A counted, immutable view of bytes that a [`super::RegionWriter`] has appended.
///
/// Cheap to clone and to cut; may be sent anywhere. The bytes stay as they are for as long as any
/// view of them exists.
#[derive(Clone)]
pub struct Slice {
    block: BlockRef,
    start: u32,
    len: u32,
}

impl Slice {
    /// # Safety
    /// `start..start + len` must lie within the block, be initialised, and never be written again
    /// while a reference to the block exists.
    pub(super) unsafe fn new(block: BlockRef, start: usize, len: usize) -> Self {
        // Regions are smaller than 4 GiB: `layout` refuses more.
        Self {
            block,
            start: start as u32,
            len: len as u32,
        }
    }

    /// A part of this view.
    ///
    /// # Panics
    /// If the range is not within the view.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&at) => at,
            Bound::Excluded(&at) => at + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&at) => at + 1,
            Bound::Excluded(&at) => at,
            Bound::Unbounded => self.len(),
        };
        assert!(
            start <= end && end <= self.len(),
            "{start}..{end} of {} bytes",
            self.len()
        );
        Self {
            block: self.block.clone(),
            start: self.start + start as u32,
            len: (end - start) as u32,
        }
    }

    /// Extends this view by `next` if that continues it in the same region.
    pub(super) fn try_join(&mut self, next: &Self) -> bool {
        let joins = self.block.same(&next.block) && self.start + self.len == next.start;
        if joins {
            self.len += next.len;
        }
        joins
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: by the contract of `new` the range is within the live block, initialised, and
        // not written while this reference exists.
        unsafe {
            let start = self.block.memory().as_ptr().add(self.start as usize);
            slice::from_raw_parts(start, self.len as usize)
        }
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({} bytes at {:p})", self.len, self.as_ptr())
    }
}

/// `None` for sizes that are no whole number of pages, or zero, or beyond what a slice can name.
fn layout(capacity: usize) -> Option<Layout> {
    let sound = capacity > 0
        && capacity.is_multiple_of(REGION_ALIGNMENT)
        && u32::try_from(capacity).is_ok();
    sound.then(|| Layout::from_size_align(capacity, REGION_ALIGNMENT).ok())?
}
