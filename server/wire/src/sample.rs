//! Random values for tests: whatever a version can hold. Strings are leaked, which tests can
//! afford, so that a value needs no owner.

use crate::{Array, Records, Uuid};

/// A value that can be made up.
pub(crate) trait Sample {
    /// Makes one up that `version` can hold.
    fn sample(rng: &mut Rng, version: i16) -> Self;
}

/// SplitMix64: small, and the same everywhere for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// Zero, a small number, or any: fields that meet their defaults, and fields that do not.
    fn integer(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            2..5 => self.next() & 0x7f,
            _ => self.next(),
        }
    }

    /// Mostly short, at times long enough for a size of two bytes.
    fn length(&mut self) -> usize {
        match self.below(12) {
            0 => 100 + self.below(100),
            1..3 => 0,
            _ => self.below(9),
        }
    }
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Sample for $ty {
            fn sample(rng: &mut Rng, _: i16) -> Self {
                rng.integer() as $ty
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u16, u32);

impl Sample for bool {
    fn sample(rng: &mut Rng, _: i16) -> Self {
        rng.one_in(2)
    }
}

impl Sample for f64 {
    fn sample(rng: &mut Rng, version: i16) -> Self {
        f64::from(i32::sample(rng, version)) / 8.0
    }
}

impl Sample for Uuid {
    fn sample(rng: &mut Rng, _: i16) -> Self {
        if rng.one_in(6) {
            return Uuid::ZERO;
        }
        Uuid(std::array::from_fn(|_| rng.next() as u8))
    }
}

impl Sample for &str {
    fn sample(rng: &mut Rng, _: i16) -> Self {
        const CHARACTERS: [char; 8] = ['a', 'b', 'z', 'Z', '0', '-', '.', 'é'];
        let length = rng.length();
        let text: String = (0..length).map(|_| CHARACTERS[rng.below(8)]).collect();
        text.leak()
    }
}

impl Sample for &[u8] {
    fn sample(rng: &mut Rng, _: i16) -> Self {
        let length = rng.length();
        let bytes: Vec<u8> = (0..length).map(|_| rng.next() as u8).collect();
        bytes.leak()
    }
}

impl Sample for Records<'_> {
    fn sample(rng: &mut Rng, version: i16) -> Self {
        Records::Bytes(Sample::sample(rng, version))
    }
}

impl<T: Sample> Sample for Array<'_, T> {
    fn sample(rng: &mut Rng, version: i16) -> Self {
        let count = if rng.one_in(12) {
            130 / size_of::<T>().max(4)
        } else {
            rng.below(3)
        };
        (0..count).map(|_| T::sample(rng, version)).collect()
    }
}
