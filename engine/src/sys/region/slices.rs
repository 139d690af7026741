//! A run of views: bytes that may span regions.

use std::fmt;

use super::block::Slice;

/// Views in order, as a vectored write or send takes them. Up to four need no allocation; a view
/// that continues the last one in the same region is joined to it.
#[derive(Clone, Default)]
pub struct Slices {
    inline: [Option<Slice>; INLINE],
    more: Vec<Slice>,
    count: u32,
    len: u64,
}

impl Slices {
    /// No bytes.
    pub const fn new() -> Self {
        Self {
            inline: [const { None }; INLINE],
            more: Vec::new(),
            count: 0,
            len: 0,
        }
    }

    /// Adds a view behind the others; empty ones are left out.
    pub fn push(&mut self, slice: Slice) {
        if slice.is_empty() {
            return;
        }
        self.len += slice.len() as u64;
        if let Some(last) = self.last_mut()
            && last.try_join(&slice)
        {
            return;
        }
        match self.inline.get_mut(self.count as usize) {
            Some(place) => *place = Some(slice),
            None => self.more.push(slice),
        }
        self.count += 1;
    }

    /// Adds all views of `other` behind these.
    pub fn extend(&mut self, other: &Self) {
        other.iter().for_each(|slice| self.push(slice.clone()));
    }

    /// Drops the views; keeps the memory of a long run.
    pub fn clear(&mut self) {
        self.inline = [const { None }; INLINE];
        self.more.clear();
        self.count = 0;
        self.len = 0;
    }

    /// The views in order, none of them empty.
    pub fn iter(&self) -> impl Iterator<Item = &Slice> + Clone {
        self.inline.iter().flatten().chain(&self.more)
    }

    /// How many views.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// How many bytes in all.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A copy of all bytes in one piece, for tests and rare paths.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.iter().for_each(|slice| bytes.extend_from_slice(slice));
        bytes
    }

    fn last_mut(&mut self) -> Option<&mut Slice> {
        match self.more.last_mut() {
            Some(last) => Some(last),
            None => self
                .inline
                .get_mut((self.count as usize).checked_sub(1)?)?
                .as_mut(),
        }
    }
}

impl From<Slice> for Slices {
    fn from(slice: Slice) -> Self {
        let mut slices = Self::new();
        slices.push(slice);
        slices
    }
}

impl PartialEq for Slices {
    /// The same bytes, however they are cut.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .iter()
                .flat_map(|s| &**s)
                .eq(other.iter().flat_map(|s| &**s))
    }
}

impl Eq for Slices {}

impl fmt::Debug for Slices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slices({} bytes in {} parts)", self.len, self.count)
    }
}

const INLINE: usize = 4;

// Larger would be felt where these travel in queues.
const _: () = assert!(size_of::<Slices>() <= 112);
