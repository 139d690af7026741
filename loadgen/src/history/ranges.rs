//! A set of sequence numbers, kept as ranges because it is nearly always a few of them.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of `u64`. Its memory grows with the number of gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// Start to end (exclusive), disjoint and not touching.
    spans: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds a range; returns how many of its numbers were there before.
    pub fn insert(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        // The usual case: a run that continues the last one.
        if let Some(mut last) = self.spans.last_entry()
            && *last.get() == range.start
        {
            *last.get_mut() = range.end;
            return 0;
        }
        let (mut start, mut end, mut known) = (range.start, range.end, 0);
        let below = self.spans.range(..=range.end).rev();
        let touching: Vec<(u64, u64)> = below
            .map(|(&s, &e)| (s, e))
            .take_while(|&(_, e)| e >= range.start)
            .collect();
        for (s, e) in touching {
            known += e.min(range.end).saturating_sub(s.max(range.start));
            start = start.min(s);
            end = end.max(e);
            self.spans.remove(&s);
        }
        self.spans.insert(start, end);
        known
    }

    /// Removes a range; returns how many of its numbers were there.
    pub fn remove(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let below = self.spans.range(..range.end).rev();
        let hit: Vec<(u64, u64)> = below
            .map(|(&s, &e)| (s, e))
            .take_while(|&(_, e)| e > range.start)
            .collect();
        let mut removed = 0;
        for (s, e) in hit {
            self.spans.remove(&s);
            removed += e.min(range.end) - s.max(range.start);
            if s < range.start {
                self.spans.insert(s, range.start);
            }
            if e > range.end {
                self.spans.insert(range.end, e);
            }
        }
        removed
    }

    /// True if `number` is in the set.
    pub fn contains(&self, number: u64) -> bool {
        self.spans
            .range(..=number)
            .next_back()
            .is_some_and(|(_, &end)| number < end)
    }

    /// The numbers of this set that are not in `other`.
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = self.clone();
        for range in other.iter() {
            left.remove(range);
        }
        left
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.spans.iter().map(|(&start, &end)| start..end)
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    /// True if nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// One more than the highest number, 0 for the empty set.
    pub fn end(&self) -> u64 {
        self.spans.last_key_value().map_or(0, |(_, &end)| end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_set(
            steps in proptest::collection::vec((any::<bool>(), 0_u64..200, 0_u64..40), 0..60)
        ) {
            let mut ranges = Ranges::default();
            let mut model = BTreeSet::new();
            for (insert, start, length) in steps {
                let range = start..start + length;
                let there = range.clone().filter(|n| model.contains(n)).count() as u64;
                if insert {
                    prop_assert_eq!(ranges.insert(range.clone()), there);
                    model.extend(range);
                } else {
                    prop_assert_eq!(ranges.remove(range.clone()), there);
                    model.retain(|n| !range.contains(n));
                }
                prop_assert_eq!(ranges.count(), model.len() as u64);
                prop_assert!((0..260).all(|n| ranges.contains(n) == model.contains(&n)));
                let spans: Vec<_> = ranges.iter().collect();
                prop_assert!(spans.windows(2).all(|w| w[0].end < w[1].start), "{spans:?}");
                prop_assert_eq!(ranges.end(), model.last().map_or(0, |n| n + 1));
            }
            let mut half = Ranges::default();
            half.insert(0..100);
            let left = ranges.minus(&half);
            prop_assert!((0..260).all(|n| left.contains(n) == (n >= 100 && model.contains(&n))));
        }
    }
}
