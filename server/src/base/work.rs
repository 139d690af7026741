//! Requests that wait for something: a table whose entries are named by one word, so that a store's
//! answer or a mail finds its way back.

/// Names an entry of a [`WorkTable`] and, within it, one of its parts (a partition of the request).
///
/// Fits the 64-bit tokens of the store: 24 bits of index, 20 of generation, 20 of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(u64);

impl Token {
    /// The token as a word.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The token that [`Self::to_bits`] gave; any word is safe, a wrong one names nothing.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The same entry, another part of it.
    pub fn with_part(self, part: usize) -> Self {
        debug_assert!(part <= PART_MAX);
        Self(self.0 & !(PART_MAX as u64) | part as u64 & PART_MAX as u64)
    }

    /// Which part.
    pub fn part(self) -> usize {
        (self.0 & PART_MAX as u64) as usize
    }

    fn new(index: usize, generation: u32) -> Self {
        Self((index as u64) << 40 | u64::from(generation & GENERATION_MASK) << 20)
    }

    fn index(self) -> usize {
        (self.0 >> 40) as usize
    }

    fn generation(self) -> u32 {
        (self.0 >> 20) as u32 & GENERATION_MASK
    }
}

/// Entries in one vector, reused under a new generation.
#[derive(Debug)]
pub struct WorkTable<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> WorkTable<T> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Reserves a name for an entry that is put in later. `None` when the table is full: its bound
    /// is 2^24 entries, and the request budget is used up long before.
    pub fn reserve(&mut self) -> Option<Token> {
        if let Some(index) = self.free.pop() {
            return Some(Token::new(index as usize, self.places[index as usize].0));
        }
        if self.places.len() > INDEX_MAX {
            return None;
        }
        self.places.push((0, None));
        Some(Token::new(self.places.len() - 1, 0))
    }

    /// Puts the entry of a reserved name in.
    pub fn put(&mut self, token: Token, entry: T) {
        let place = &mut self.places[token.index()];
        debug_assert!(place.1.is_none() && place.0 & GENERATION_MASK == token.generation());
        place.1 = Some(entry);
    }

    /// The entry, `None` if it is gone or taken.
    pub fn entry(&mut self, token: Token) -> Option<&mut T> {
        let place = self.places.get_mut(token.index())?;
        (place.0 & GENERATION_MASK == token.generation()).then_some(place.1.as_mut())?
    }

    /// Takes the entry out for a while; its name stays reserved.
    pub fn take(&mut self, token: Token) -> Option<T> {
        let place = self.places.get_mut(token.index())?;
        (place.0 & GENERATION_MASK == token.generation()).then(|| place.1.take())?
    }

    /// Gives the name up. The entry was taken or never put in.
    pub fn release(&mut self, token: Token) {
        let place = &mut self.places[token.index()];
        debug_assert!(place.0 & GENERATION_MASK == token.generation());
        place.1 = None;
        place.0 = place.0.wrapping_add(1);
        self.free.push(token.index() as u32);
    }

    /// The names of all entries that are in, in no order. Allocates.
    pub fn tokens(&self) -> Vec<Token> {
        let used = self
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.1.is_some());
        used.map(|(index, place)| Token::new(index, place.0))
            .collect()
    }

    /// How many names are in use.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for WorkTable<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The most parts that one entry may have.
pub const PART_MAX: usize = (1 << 20) - 1;
const GENERATION_MASK: u32 = (1 << 20) - 1;
const INDEX_MAX: usize = (1 << 24) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_entries_until_released() {
        let mut table = WorkTable::new();
        let first = table.reserve().unwrap();
        table.put(first, "first");
        let part = first.with_part(77);
        assert_eq!(part.part(), 77);
        assert_eq!(
            table.entry(Token::from_bits(part.to_bits())),
            Some(&mut "first")
        );
        assert_eq!(table.take(part), Some("first"));
        assert_eq!(table.entry(part), None);
        table.put(first, "again");
        assert_eq!(table.take(first), Some("again"));
        table.release(first);
        let second = table.reserve().unwrap();
        table.put(second, "second");
        assert_eq!(
            table.entry(part),
            None,
            "the place is used again under a new generation"
        );
        assert_eq!(table.entry(Token::from_bits(u64::MAX)), None);
        assert_eq!(table.len(), 1);
    }
}
