//! Entries of Kafka's sparse indexes (`OffsetIndex.java`, `TimeIndex.java`), big endian, offsets
//! relative to the segment's base.

/// `.index`: the batch at `position` ends with `offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffsetEntry {
    /// The last offset of a batch, relative.
    pub offset: u32,
    /// Where that batch begins in the segment.
    pub position: u32,
}

/// `.timeindex`: up to the batch that ends with `offset` no timestamp is above `timestamp`, and
/// that batch has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeEntry {
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// The last offset of the batch that has it, relative.
    pub offset: u32,
}

/// What both kinds of entries share: a fixed size, and an order in which they stand.
pub trait IndexEntry: Copy {
    /// Bytes of an entry.
    const SIZE: usize;

    /// Appends the entry's bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads an entry from exactly [`Self::SIZE`] bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// Whether `next` may stand behind this entry.
    fn precedes(&self, next: &Self) -> bool;
}

impl IndexEntry for OffsetEntry {
    const SIZE: usize = 8;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let position = u32::from_be_bytes(*rest.first_chunk()?);
        let offset = u32::from_be_bytes(*offset);
        (offset <= MAX && position <= MAX).then_some(Self { offset, position })
    }

    fn precedes(&self, next: &Self) -> bool {
        self.offset < next.offset && self.position < next.position
    }
}

impl IndexEntry for TimeEntry {
    const SIZE: usize = 12;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (timestamp, rest) = bytes.split_first_chunk()?;
        let offset = u32::from_be_bytes(*rest.first_chunk()?);
        let timestamp = i64::from_be_bytes(*timestamp);
        (offset <= MAX).then_some(Self { timestamp, offset })
    }

    fn precedes(&self, next: &Self) -> bool {
        self.timestamp < next.timestamp && self.offset <= next.offset
    }
}

/// Reads `count` entries; `None` if there are fewer, or they are not in order.
pub fn decode_entries<E: IndexEntry>(bytes: &[u8], count: usize) -> Option<Vec<E>> {
    let bytes = bytes.get(..count.checked_mul(E::SIZE)?)?;
    let mut entries: Vec<E> = Vec::with_capacity(count);
    for chunk in bytes.chunks_exact(E::SIZE) {
        let entry = E::decode(chunk)?;
        if entries.last().is_some_and(|last| !last.precedes(&entry)) {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}

/// Both numbers are Java's `int`s.
const MAX: u32 = i32::MAX as u32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_round_trip() {
        let mut bytes = Vec::new();
        OffsetEntry {
            offset: 5,
            position: 0x0102_0304,
        }
        .encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 5, 1, 2, 3, 4]);
        OffsetEntry {
            offset: 9,
            position: 0x0102_0305,
        }
        .encode(&mut bytes);
        let entries: Vec<OffsetEntry> = decode_entries(&bytes, 2).unwrap();
        assert_eq!(
            entries[1],
            OffsetEntry {
                offset: 9,
                position: 0x0102_0305
            }
        );
        let mut bytes = Vec::new();
        TimeEntry {
            timestamp: -1,
            offset: 7,
        }
        .encode(&mut bytes);
        assert_eq!(bytes, [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 7]);
        assert_eq!(
            TimeEntry::decode(&bytes),
            Some(TimeEntry {
                timestamp: -1,
                offset: 7
            })
        );
    }

    #[test]
    fn disorder_and_shortness_are_refused() {
        let mut bytes = Vec::new();
        OffsetEntry {
            offset: 5,
            position: 10,
        }
        .encode(&mut bytes);
        OffsetEntry {
            offset: 5,
            position: 20,
        }
        .encode(&mut bytes);
        assert_eq!(decode_entries::<OffsetEntry>(&bytes, 2), None);
        assert_eq!(decode_entries::<OffsetEntry>(&bytes, 3), None);
        assert_eq!(decode_entries::<OffsetEntry>(&bytes, usize::MAX), None);
        assert_eq!(OffsetEntry::decode(&[255; 8]), None, "negative in Java");
    }
}
