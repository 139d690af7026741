//! The unique, append-only hold of a region.

use std::fmt;
use std::ops::Range;
use std::slice;

use super::block::{BlockRef, Slice};

/// The one who may append to a region. See the module's text for the rule that it keeps.
///
/// Layout: `head` bytes that may be filled in later, then bytes up to `len` that are appended,
/// of which those below `published` may have views, then spare room.
pub struct RegionWriter {
    block: BlockRef,
    head: usize,
    len: usize,
    published: usize,
}

impl RegionWriter {
    pub(super) fn new(block: BlockRef) -> Self {
        Self {
            block,
            head: 0,
            len: 0,
            published: 0,
        }
    }

    /// How many bytes the region can hold: a multiple of 4 KiB.
    pub fn capacity(&self) -> usize {
        self.block.capacity()
    }

    /// How many bytes stand in it, the head included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was appended or reserved yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes still fit.
    pub fn remaining(&self) -> usize {
        self.capacity() - self.len
    }

    /// The length of a head that was reserved and is not filled yet.
    pub fn unfilled_head(&self) -> usize {
        self.head
    }

    /// Leaves room for `len` bytes at the beginning of an empty region: so that a file position
    /// and the memory for it agree modulo the page size. Fill it with [`Self::fill_head`].
    pub fn reserve_head(&mut self, len: usize) {
        assert!(
            self.is_empty() && len <= self.capacity(),
            "a head comes first and must fit"
        );
        self.head = len;
        self.len = len;
    }

    /// Fills the head that [`Self::reserve_head`] left; from then on it may be sliced.
    pub fn fill_head(&mut self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.head, "the head is filled whole");
        // SAFETY: `slice` refuses ranges that touch an unfilled head, so no view of these bytes
        // exists, and `&mut self` is the only writer. They lie within the block.
        unsafe { self.bytes_mut(0, self.head) }.copy_from_slice(bytes);
        self.head = 0;
    }

    /// Copies as much of `bytes` as fits; says how much that was.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.remaining());
        self.spare()[..taken].copy_from_slice(&bytes[..taken]);
        self.len += taken;
        taken
    }

    /// The room behind the appended bytes, to receive into; then call [`Self::advance`]. Holds
    /// what the region held before: initialised, but meaningless.
    pub fn spare(&mut self) -> &mut [u8] {
        let (len, remaining) = (self.len, self.remaining());
        // SAFETY: views end at or below `published <= len`, and `&mut self` is the only writer.
        // Every byte was zeroed when the block was allocated, so all are initialised.
        unsafe { self.bytes_mut(len, remaining) }
    }

    /// The first `count` bytes of [`Self::spare`] were filled: they are appended now.
    pub fn advance(&mut self, count: usize) {
        assert!(
            count <= self.remaining(),
            "{count} bytes do not fit {}",
            self.remaining()
        );
        self.len += count;
    }

    /// Appends zeros up to the next multiple of `alignment` (a power of two).
    pub fn pad_to(&mut self, alignment: usize) {
        let padding = self.len.next_multiple_of(alignment) - self.len;
        self.spare()[..padding].fill(0);
        self.len += padding;
    }

    /// Overwrites bytes that were appended but never sliced.
    ///
    /// # Panics
    /// If any of them was sliced before, or was not appended yet.
    pub fn patch(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        assert!(
            at >= self.published && end <= self.len,
            "{at}..{end} is not open to patches"
        );
        // SAFETY: at or above `published` no view exists; `&mut self` is the only writer.
        unsafe { self.bytes_mut(at, bytes.len()) }.copy_from_slice(bytes);
    }

    /// A view of appended bytes. They never change from now on.
    ///
    /// # Panics
    /// If the range touches bytes that were not appended, or a head that is not filled.
    pub fn slice(&mut self, range: Range<usize>) -> Slice {
        assert!(
            range.start <= range.end && range.end <= self.len && range.start >= self.head,
            "{range:?} is not within {}..{}",
            self.head,
            self.len
        );
        self.published = self.published.max(range.end);
        // SAFETY: the range is within `len`, initialised, and below `published`: no method
        // writes there again. (`fill_head` writes below `head` only, `patch` at or above
        // `published` only, `spare` at or above `len` only; `clear` asks for the only reference.)
        unsafe { Slice::new(self.block.clone(), range.start, range.len()) }
    }

    /// The appended bytes, without making a view. An unfilled head reads as arbitrary bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `&self` keeps the only writer from writing; the bytes are initialised.
        unsafe { slice::from_raw_parts(self.block.memory().as_ptr(), self.len) }
    }

    /// Begins anew if no view is left; says whether it could. For frames received one by one.
    pub fn clear(&mut self) -> bool {
        let alone = self.block.is_only();
        if alone {
            (self.head, self.len, self.published) = (0, 0, 0);
        }
        alone
    }

    /// # Safety
    /// No view of `at..at + len` may exist, and the range must lie within the block.
    unsafe fn bytes_mut(&mut self, at: usize, len: usize) -> &mut [u8] {
        debug_assert!(at + len <= self.capacity());
        // SAFETY: within the block by the caller's word; unaliased likewise; initialised since
        // allocation zeroes the whole block.
        unsafe { slice::from_raw_parts_mut(self.block.memory().as_ptr().add(at), len) }
    }
}

impl fmt::Debug for RegionWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionWriter({} of {} bytes)", self.len, self.capacity())
    }
}
