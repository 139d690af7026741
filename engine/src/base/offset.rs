//! Positions in a log and in its files.

use std::fmt;

/// The position of a record in its partition, from 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of every new partition.
    pub const ZERO: Self = Self(0);
    /// Beyond every record: the limit of a read that no watermark limits.
    pub const MAX: Self = Self(i64::MAX);

    /// The offset `count` records on; `None` where Kafka's signed 64 bits end.
    pub fn checked_add(self, count: i64) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }

    /// The offset that follows this one. Saturates, so that `MAX` stays a limit.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How far this offset is behind `base`, where that fits an index entry's signed 32 bits.
    pub fn relative_to(self, base: Self) -> Option<u32> {
        let distance = self.0.checked_sub(base.0)?;
        (0..=i64::from(i32::MAX))
            .contains(&distance)
            .then_some(distance as u32)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The term of a partition's leader (KIP-101): raised at each change of leader and after an
/// unclean stop; stamped into every batch.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// "No epoch" in the protocol and in batch headers.
    pub const NONE: Self = Self(-1);
}

impl fmt::Display for LeaderEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A byte position in a file.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct FilePosition(pub u64);

impl FilePosition {
    /// The beginning of a file.
    pub const ZERO: Self = Self(0);
}

impl fmt::Display for FilePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_offsets_fit_an_index_entry() {
        let base = Offset(100);
        assert_eq!(Offset(100).relative_to(base), Some(0));
        assert_eq!(Offset(99).relative_to(base), None);
        assert_eq!(
            Offset(100 + i64::from(i32::MAX)).relative_to(base),
            Some(i32::MAX as u32)
        );
        assert_eq!(Offset(101 + i64::from(i32::MAX)).relative_to(base), None);
        assert_eq!(Offset(i64::MAX).relative_to(Offset(-1)), None);
    }
}
