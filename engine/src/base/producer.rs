//! Idempotent producers: ids, epochs, sequence numbers (KIP-98).

use std::fmt;

/// The id of an idempotent or transactional producer; -1 means "none".
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// A batch without idempotence.
    pub const NONE: Self = Self(-1);

    /// Whether this is the id of an idempotent producer.
    pub fn is_some(self) -> bool {
        self.0 >= 0
    }
}

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation of a producer id: a lower one is fenced.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct ProducerEpoch(pub i16);

impl ProducerEpoch {
    /// A batch without idempotence.
    pub const NONE: Self = Self(-1);
}

impl fmt::Display for ProducerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a record within a producer's stream to one partition: 0 to 2^31-1, then 0 again.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Sequence(pub i32);

impl Sequence {
    /// A batch without idempotence, and control batches.
    pub const NONE: Self = Self(-1);

    /// The sequence `count` records on, wrapping from 2^31-1 to 0.
    pub fn advance(self, count: u32) -> Self {
        Self(((i64::from(self.0) + i64::from(count)) % WRAP) as i32)
    }

    /// The sequence `count` records back, wrapping from 0 to 2^31-1.
    pub fn retreat(self, count: u32) -> Self {
        Self((i64::from(self.0) - i64::from(count)).rem_euclid(WRAP) as i32)
    }

    /// The sequence that must follow this one.
    pub fn next(self) -> Self {
        self.advance(1)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const WRAP: i64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_wrap_to_zero_and_back() {
        assert_eq!(Sequence(i32::MAX).next(), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 1).advance(3), Sequence(1));
        assert_eq!(Sequence(1).retreat(3), Sequence(i32::MAX - 1));
        assert_eq!(Sequence(7).advance(u32::MAX).retreat(u32::MAX), Sequence(7));
    }
}
