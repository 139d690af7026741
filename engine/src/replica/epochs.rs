//! The cache of leader epochs (KIP-101, KIP-279; `LeaderEpochFileCache.java`).

use crate::base::{LeaderEpoch, Offset};

/// From which offset on each leader's term holds, oldest first; both rise strictly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochCache {
    starts: Vec<EpochState>,
}

/// From which offset on a leader's term holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct EpochState {
    /// The term.
    pub epoch: LeaderEpoch,
    /// Its first offset.
    pub start: Offset,
}

/// Where a term ends, as OffsetForLeaderEpoch answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest known term that is not above the one asked for; none if unknown.
    pub epoch: LeaderEpoch,
    /// The first offset behind it; -1 if unknown.
    pub end: Offset,
}

impl EpochEnd {
    /// Nothing is known of such a term.
    pub const UNKNOWN: Self = Self {
        epoch: LeaderEpoch::NONE,
        end: Offset(-1),
    };
}

impl EpochCache {
    /// The cache with these lines; those that do not rise are left out.
    pub fn restored(starts: impl IntoIterator<Item = EpochState>) -> Self {
        let mut cache = Self::default();
        for line in starts {
            cache.assign(line.epoch, line.start);
        }
        cache
    }

    /// The term `epoch` begins at `start`, if it is newer than all known; says whether it was.
    /// Lines that begin at or behind `start` had no records: they go.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        if epoch.0 < 0 || self.latest().is_some_and(|latest| epoch <= latest) {
            return false;
        }
        self.truncate_end(start);
        self.starts.push(EpochState { epoch, start });
        true
    }

    /// The log was cut to end at `end`.
    pub fn truncate_end(&mut self, end: Offset) {
        let kept = self.starts.partition_point(|line| line.start < end);
        self.starts.truncate(kept);
    }

    /// The log now begins at `start`: of the lines before it only the last is kept, from there.
    pub fn truncate_start(&mut self, start: Offset) {
        let before = self.starts.partition_point(|line| line.start <= start);
        if before > 0 {
            self.starts.drain(..before - 1);
            self.starts[0].start = start;
        }
    }

    /// Forgets everything: the log begins anew.
    pub fn clear(&mut self) {
        self.starts.clear();
    }

    /// The latest term.
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.starts.last().map(|line| line.epoch)
    }

    /// Where the term `epoch` ends in a log that ends at `log_end`.
    pub fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> EpochEnd {
        if epoch.0 < 0 {
            return EpochEnd::UNKNOWN;
        }
        if self.latest() == Some(epoch) {
            return EpochEnd {
                epoch,
                end: log_end,
            };
        }
        let above = self.starts.partition_point(|line| line.epoch <= epoch);
        let Some(next) = self.starts.get(above) else {
            return EpochEnd::UNKNOWN;
        };
        let floor = above
            .checked_sub(1)
            .map_or(epoch, |at| self.starts[at].epoch);
        EpochEnd {
            epoch: floor,
            end: next.start,
        }
    }

    /// The term of the record at `offset`; none if it is before all lines.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let above = self.starts.partition_point(|line| line.start <= offset);
        above.checked_sub(1).map(|at| self.starts[at].epoch)
    }

    /// The lines of the checkpoint file.
    pub fn starts(&self) -> &[EpochState] {
        &self.starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(lines: &[(i32, i64)]) -> EpochCache {
        let line = |&(epoch, start)| EpochState {
            epoch: LeaderEpoch(epoch),
            start: Offset(start),
        };
        EpochCache::restored(lines.iter().map(line))
    }

    fn end(cache: &EpochCache, epoch: i32) -> (i32, i64) {
        let end = cache.end_of(LeaderEpoch(epoch), Offset(100));
        (end.epoch.0, end.end.0)
    }

    #[test]
    fn ends_are_kafkas() {
        let cache = cache(&[(2, 10), (5, 40), (7, 60)]);
        assert_eq!(end(&cache, -1), (-1, -1));
        assert_eq!(
            end(&cache, 1),
            (1, 10),
            "before all: where the first begins"
        );
        assert_eq!(end(&cache, 2), (2, 40));
        assert_eq!(end(&cache, 3), (2, 40), "between: the floor");
        assert_eq!(end(&cache, 6), (5, 60));
        assert_eq!(end(&cache, 7), (7, 100), "the latest ends with the log");
        assert_eq!(end(&cache, 8), (-1, -1), "not known yet");
        assert_eq!(end(&EpochCache::default(), 0), (-1, -1));
    }

    #[test]
    fn terms_without_records_give_way() {
        let mut cache = cache(&[(1, 0), (2, 10), (3, 10)]);
        assert_eq!(cache.starts().len(), 2);
        assert!(!cache.assign(LeaderEpoch(3), Offset(50)), "known");
        assert!(!cache.assign(LeaderEpoch(2), Offset(50)), "old");
        assert!(cache.assign(LeaderEpoch(4), Offset(50)));
        assert_eq!(cache.epoch_at(Offset(49)), Some(LeaderEpoch(3)));
        assert_eq!(cache.epoch_at(Offset(50)), Some(LeaderEpoch(4)));
    }

    #[test]
    fn both_ends_are_cut() {
        let mut both = cache(&[(1, 0), (2, 10), (3, 20)]);
        both.truncate_end(Offset(20));
        assert_eq!(both, cache(&[(1, 0), (2, 10)]));
        both.truncate_start(Offset(15));
        assert_eq!(both, cache(&[(2, 15)]));
        both.truncate_start(Offset(5));
        assert_eq!(both, cache(&[(2, 15)]), "nothing is before it");
    }
}
