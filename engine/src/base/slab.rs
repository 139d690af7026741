//! A slab whose keys carry generations: completions and tokens that outlive their entry miss it.

/// Names an entry of a [`Slab`]; stale keys name nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlabKey {
    index: u32,
    generation: u32,
}

impl SlabKey {
    /// The key as one word, for a completion's user data.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that [`Self::to_bits`] gave. Any value is safe: a wrong one names nothing.
    pub fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    /// The entry's number, for tables beside the slab: unique among live entries.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// Entries in one vector; a removed entry's place is used again under a new generation.
#[derive(Debug)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: u32,
    len: usize,
}

impl<T> Slab<T> {
    /// An empty slab, without memory of its own yet.
    pub const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    /// Stores `value`; the key stays good until it is removed.
    pub fn insert(&mut self, value: T) -> SlabKey {
        self.len += 1;
        if self.free == NONE {
            let index = u32::try_from(self.places.len()).expect("fewer than 2^32 entries");
            self.places.push(Place {
                generation: 0,
                content: Content::Used(value),
            });
            return SlabKey {
                index,
                generation: 0,
            };
        }
        let index = self.free;
        let place = &mut self.places[index as usize];
        let Content::Free(next) = place.content else {
            unreachable!("the free list names free places only");
        };
        self.free = next;
        place.content = Content::Used(value);
        SlabKey {
            index,
            generation: place.generation,
        }
    }

    /// Takes the entry out; its key is stale from now on.
    pub fn remove(&mut self, key: SlabKey) -> Option<T> {
        let free = self.free;
        let place = self.place_mut(key)?;
        if matches!(place.content, Content::Free(_)) {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        let content = std::mem::replace(&mut place.content, Content::Free(free));
        self.free = key.index;
        self.len -= 1;
        match content {
            Content::Used(value) => Some(value),
            Content::Free(_) => None,
        }
    }

    /// The entry, to change.
    pub fn get_mut(&mut self, key: SlabKey) -> Option<&mut T> {
        match &mut self.place_mut(key)?.content {
            Content::Used(value) => Some(value),
            Content::Free(_) => None,
        }
    }

    /// The entry.
    pub fn get(&self, key: SlabKey) -> Option<&T> {
        let place = self.places.get(key.index())?;
        match &place.content {
            Content::Used(value) if place.generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (SlabKey, &T)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(index, place)| match &place.content {
                Content::Used(value) => Some((
                    SlabKey {
                        index: index as u32,
                        generation: place.generation,
                    },
                    value,
                )),
                Content::Free(_) => None,
            })
    }

    /// All entries in the order of their places, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (SlabKey, &mut T)> {
        self.places
            .iter_mut()
            .enumerate()
            .filter_map(|(index, place)| match &mut place.content {
                Content::Used(value) => Some((
                    SlabKey {
                        index: index as u32,
                        generation: place.generation,
                    },
                    value,
                )),
                Content::Free(_) => None,
            })
    }

    fn place_mut(&mut self, key: SlabKey) -> Option<&mut Place<T>> {
        self.places
            .get_mut(key.index())
            .filter(|place| place.generation == key.generation)
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Used(T),
    /// The next free place, or [`NONE`].
    Free(u32),
}

const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_names_nothing() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        let second = slab.insert("second");
        assert_eq!(slab.remove(first), Some("first"));
        assert_eq!(slab.remove(first), None);
        let third = slab.insert("third");
        assert_eq!(third.index(), first.index(), "the place is used again");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.get(third), Some(&"third"));
        assert_eq!(
            slab.get(SlabKey::from_bits(second.to_bits())),
            Some(&"second")
        );
        assert_eq!(slab.get(SlabKey::from_bits(u64::MAX)), None);
        assert_eq!(slab.len(), 2);
        assert_eq!(
            slab.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            ["third", "second"]
        );
    }
}
