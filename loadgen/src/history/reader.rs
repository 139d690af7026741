//! The checks that a consumer makes while it reads.

use std::collections::HashMap;

use super::{Lane, Ranges, Run, Violation};
use crate::payload::{Stamp, StampError};

/// Judges what one consumer reads from its partitions, in the order of reading. In the usual case,
/// the next record of the same lane, a record costs two comparisons.
#[derive(Debug, Default)]
pub struct Reader {
    partitions: Vec<Option<Partition>>,
    runs: Vec<Run>,
    violations: Vec<Violation>,
    /// What may come of batches that were sent twice.
    resent: Vec<Violation>,
    counts: ReaderCounts,
    from_start: bool,
}

/// What a reader has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReaderCounts {
    /// Records of load generators.
    pub records: u64,
    /// Records of others.
    pub foreign: u64,
    /// Records that came again.
    pub duplicates: u64,
    /// Records that came after later ones of their lane.
    pub reordered: u64,
    /// Records with other bytes than were sent, and batches that could not be read.
    pub corrupt: u64,
    /// Violations beyond those that are kept in detail.
    pub not_kept: u64,
}

#[derive(Debug, Default)]
struct Partition {
    next_offset: i64,
    high_watermark: i64,
    /// A last stable offset above the high watermark that was told with it.
    stable_ahead: i64,
    /// The lane of the last record, at its next sequence number.
    current: Option<Current>,
    others: HashMap<u32, Progress>,
}

#[derive(Debug)]
struct Current {
    stream: u32,
    progress: Progress,
    run: Run,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    next: u64,
    /// Sequence numbers below `next` that have not been read.
    missing: Ranges,
}

impl Reader {
    /// Violations that are kept in detail; more are only counted.
    pub const VIOLATIONS_MAX: usize = 100;

    /// A reader. `from_start`: its positions are before every record of the streams it will meet,
    /// so that a lane's first sequence number has to be 0.
    pub fn new(from_start: bool) -> Self {
        Self {
            from_start,
            ..Self::default()
        }
    }

    /// A record of a load generator was read intact.
    pub fn record(&mut self, partition: u32, offset: i64, stamp: &Stamp) {
        let from_start = self.from_start;
        self.counts.records += 1;
        let entry = self.advance(partition, offset);
        let (stream, sequence) = (stamp.stream, stamp.sequence);
        if let Some(current) = &mut entry.current
            && current.stream == stream
            && current.progress.next == sequence
            && current
                .run
                .offset
                .is_some_and(|at| at + current.run.count as i64 == offset)
        {
            current.progress.next += 1;
            current.run.count += 1;
            return;
        }
        let finished = entry.switch_to(stream, if from_start { 0 } else { sequence });
        let lane = Lane { stream, partition };
        let verdict = entry.place(lane, sequence, offset);
        self.runs.extend(finished);
        match verdict {
            Some(violation @ Violation::Duplicate { .. }) => {
                self.counts.duplicates += 1;
                self.violate(violation);
            }
            Some(violation) => {
                self.counts.reordered += 1;
                self.violate(violation);
            }
            None => {}
        }
    }

    /// The partition is read from `offset` on by somebody else than before, who may have to read
    /// again what was read already: what follows is judged afresh.
    pub fn restart(&mut self, partition: u32, offset: i64) {
        let entry = self.partition(partition);
        let run = entry.current.as_mut().and_then(Current::cut);
        let high_watermark = entry.high_watermark;
        *entry = Partition {
            next_offset: offset,
            high_watermark,
            ..Partition::default()
        };
        self.runs.extend(run);
    }

    /// A record of somebody else was read.
    pub fn foreign(&mut self, partition: u32, offset: i64) {
        self.counts.foreign += 1;
        self.advance(partition, offset);
    }

    /// A record was read that is not what was sent.
    pub fn corrupt(&mut self, partition: u32, offset: i64, error: StampError) {
        self.counts.corrupt += 1;
        self.advance(partition, offset);
        self.violate(Violation::Corrupt {
            partition,
            offset,
            error,
        });
    }

    /// A batch could not be read.
    pub fn broken_batch(&mut self, partition: u32, offset: i64, reason: String) {
        self.counts.corrupt += 1;
        self.violate(Violation::BrokenBatch {
            partition,
            offset,
            reason,
        });
    }

    /// A fetch told the partition's watermarks. Negative values mean unknown. Apache Kafka reads
    /// the high watermark first and the last stable offset a moment later, so the latter may be
    /// ahead within one answer; the high watermark that is told next must have reached it.
    pub fn watermarks(&mut self, partition: u32, high: i64, stable: i64) {
        let entry = self.partition(partition);
        let from = entry.high_watermark;
        if high >= 0 {
            entry.high_watermark = high;
        }
        if high >= 0 && high < from {
            self.violate(Violation::HighWatermarkBackwards {
                partition,
                from,
                to: high,
            });
        }
        if high < 0 {
            return;
        }
        let entry = self.partition(partition);
        let before = std::mem::replace(&mut entry.stable_ahead, 0);
        if stable > high {
            entry.stable_ahead = stable;
        }
        if before > high {
            self.violate(Violation::StableAboveHigh {
                partition,
                stable: before,
                high,
            });
        }
    }

    /// What was seen since the last call, for the ledger.
    pub fn take_runs(&mut self) -> Vec<Run> {
        for entry in self.partitions.iter_mut().flatten() {
            let run = entry.current.as_mut().and_then(Current::cut);
            self.runs.extend(run);
        }
        std::mem::take(&mut self.runs)
    }

    /// The violations found since the last call.
    pub fn take_violations(&mut self) -> Vec<Violation> {
        let mut found = std::mem::take(&mut self.violations);
        found.append(&mut self.resent);
        found
    }

    /// What was counted so far.
    pub fn counts(&self) -> ReaderCounts {
        self.counts
    }

    fn advance(&mut self, partition: u32, offset: i64) -> &mut Partition {
        let expected = self.partition(partition).next_offset;
        if offset < expected {
            self.violate(Violation::OffsetBackwards {
                partition,
                expected,
                got: offset,
            });
        }
        let entry = self.partition(partition);
        entry.next_offset = offset + 1;
        entry
    }

    fn partition(&mut self, partition: u32) -> &mut Partition {
        let index = partition as usize;
        if self.partitions.len() <= index {
            self.partitions.resize_with(index + 1, || None);
        }
        self.partitions[index].get_or_insert_default()
    }

    fn violate(&mut self, violation: Violation) {
        let kept = match violation.resent() {
            Some(_) => &mut self.resent,
            None => &mut self.violations,
        };
        if kept.len() < Self::VIOLATIONS_MAX {
            kept.push(violation);
        } else {
            self.counts.not_kept += 1;
        }
    }
}

impl Partition {
    /// Makes `stream` the current lane; returns the run that ends with that.
    fn switch_to(&mut self, stream: u32, begin: u64) -> Option<Run> {
        let mut finished = None;
        if let Some(mut current) = self.current.take() {
            finished = current.cut();
            self.others.insert(current.stream, current.progress);
        }
        let fresh = || Progress {
            next: begin,
            missing: Ranges::default(),
        };
        let progress = self.others.remove(&stream).unwrap_or_else(fresh);
        let lane = Lane {
            stream,
            partition: 0,
        };
        let run = Run {
            lane,
            first: 0,
            count: 0,
            offset: None,
        };
        self.current = Some(Current {
            stream,
            progress,
            run,
        });
        finished
    }

    /// Takes note of a record of the current lane that begins a new run.
    fn place(&mut self, lane: Lane, sequence: u64, offset: i64) -> Option<Violation> {
        let current = self.current.as_mut().expect("switched to it just before");
        current.run = Run {
            lane,
            first: sequence,
            count: 1,
            offset: Some(offset),
        };
        let progress = &mut current.progress;
        if sequence >= progress.next {
            progress.missing.insert(progress.next..sequence);
            progress.next = sequence + 1;
            return None;
        }
        if progress.missing.remove(sequence..sequence + 1) == 1 {
            return Some(Violation::Reordered {
                lane,
                sequence,
                offset,
            });
        }
        // A duplicate is no sighting: the first one counts.
        current.run.count = 0;
        current.run.offset = None;
        Some(Violation::Duplicate {
            lane,
            sequence,
            offset,
        })
    }
}

impl Current {
    /// Ends the run at hand; what follows in the lane begins the next.
    fn cut(&mut self) -> Option<Run> {
        let run = self.run;
        self.run.first += run.count;
        self.run.offset = run.offset.map(|at| at + run.count as i64);
        self.run.count = 0;
        (run.count > 0).then_some(run)
    }
}
