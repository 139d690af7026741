//! The offsets that say what a partition's records have reached.

use super::Offset;

/// Two chains, asserted at every change:
///
/// - this replica's own: `synced <= written <= appended`;
/// - the log's: `log start <= last stable offset <= high watermark <= appended`.
///
/// A failed assertion is a bug of the caller, never the fault of an input: it stops the shard
/// before a wrong offset can be acknowledged or served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    log_start: Offset,
    last_stable: Offset,
    high: Offset,
    appended: Offset,
    written: Offset,
    synced: Offset,
}

impl Watermarks {
    /// A log restored from durable files: all of `log_start..end` is synced and visible.
    pub fn restored(log_start: Offset, end: Offset) -> Self {
        let marks = Self {
            log_start,
            last_stable: end,
            high: end,
            appended: end,
            written: end,
            synced: end,
        };
        marks.check();
        marks
    }

    /// The first offset that may be read.
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// Where a reader of committed records stops.
    pub fn last_stable(&self) -> Offset {
        self.last_stable
    }

    /// Where a consumer stops.
    pub fn high(&self) -> Offset {
        self.high
    }

    /// The log end offset: the offset of the next record.
    pub fn appended(&self) -> Offset {
        self.appended
    }

    /// Below it every record survives the death of this process.
    pub fn written(&self) -> Offset {
        self.written
    }

    /// Below it every record survives the loss of power.
    pub fn synced(&self) -> Offset {
        self.synced
    }

    /// Records were appended up to `end`.
    pub fn set_appended(&mut self, end: Offset) {
        assert!(
            end >= self.appended,
            "log end may not go back: {self:?} to {end}"
        );
        self.appended = end;
        self.check();
    }

    /// The journal (or the bypass) has written every record below `to`.
    pub fn set_written(&mut self, to: Offset) {
        assert!(
            to >= self.written,
            "written may not go back: {self:?} to {to}"
        );
        self.written = to;
        self.check();
    }

    /// A sync submitted after those writes has completed for every record below `to`.
    pub fn set_synced(&mut self, to: Offset) {
        assert!(
            to >= self.synced,
            "synced may not go back: {self:?} to {to}"
        );
        self.synced = to;
        self.check();
    }

    /// Consumers may read up to `to`. The last stable offset follows unless it was held back:
    /// give it with [`Self::set_last_stable`] where transactions are open.
    pub fn set_high(&mut self, to: Offset) {
        assert!(
            to >= self.high,
            "the high watermark may not go back: {self:?} to {to}"
        );
        if self.last_stable == self.high {
            self.last_stable = to;
        }
        self.high = to;
        self.check();
    }

    /// Readers of committed records may read up to `to`.
    pub fn set_last_stable(&mut self, to: Offset) {
        self.last_stable = to;
        self.check();
    }

    /// Records below `to` are gone (retention, DeleteRecords). Only moves on.
    pub fn set_log_start(&mut self, to: Offset) {
        assert!(
            to >= self.log_start,
            "log start may not go back: {self:?} to {to}"
        );
        self.log_start = to;
        self.last_stable = self.last_stable.max(to);
        self.check();
    }

    /// A follower's log was cut to end at `to`, which may be below any mark but the log start.
    pub fn truncate_to(&mut self, to: Offset) {
        assert!(
            to >= self.log_start,
            "cut below the log start: {self:?} to {to}"
        );
        self.appended = self.appended.min(to);
        self.written = self.written.min(to);
        self.synced = self.synced.min(to);
        self.high = self.high.min(to);
        self.last_stable = self.last_stable.min(to);
        self.check();
    }

    /// The log was emptied and begins anew at `at`.
    pub fn restart_at(&mut self, at: Offset) {
        *self = Self::restored(at, at);
    }

    fn check(&self) {
        assert!(
            self.synced <= self.written && self.written <= self.appended,
            "synced <= written <= appended is broken: {self:?}"
        );
        assert!(
            self.log_start <= self.last_stable
                && self.last_stable <= self.high
                && self.high <= self.appended,
            "log start <= last stable <= high watermark <= appended is broken: {self:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_chains_move_in_order() {
        let mut marks = Watermarks::restored(Offset(5), Offset(10));
        marks.set_appended(Offset(20));
        marks.set_written(Offset(15));
        marks.set_synced(Offset(15));
        marks.set_high(Offset(15));
        assert_eq!(marks.last_stable(), Offset(15), "nothing holds it back");
        marks.truncate_to(Offset(12));
        assert_eq!((marks.appended(), marks.high()), (Offset(12), Offset(12)));
        marks.restart_at(Offset(100));
        assert_eq!(marks, Watermarks::restored(Offset(100), Offset(100)));
    }

    #[test]
    fn an_open_transaction_holds_the_last_stable_offset() {
        let mut marks = Watermarks::restored(Offset(0), Offset(0));
        marks.set_appended(Offset(9));
        marks.set_high(Offset(4));
        marks.set_last_stable(Offset(2));
        marks.set_high(Offset(9));
        assert_eq!(marks.last_stable(), Offset(2));
        marks.set_log_start(Offset(3));
        assert_eq!(marks.last_stable(), Offset(3));
    }

    #[test]
    #[should_panic(expected = "synced <= written <= appended is broken")]
    fn a_sync_beyond_what_was_written_is_a_bug() {
        let mut marks = Watermarks::restored(Offset(0), Offset(0));
        marks.set_appended(Offset(1));
        marks.set_synced(Offset(1));
    }

    #[test]
    #[should_panic(expected = "is broken")]
    fn a_high_watermark_beyond_the_log_is_a_bug() {
        let mut marks = Watermarks::restored(Offset(0), Offset(0));
        marks.set_high(Offset(1));
    }
}
