//! What the threads of a run share: when it begins, when it ends, and the way to report.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use super::group::GroupFigures;
use super::trouble::TroubleFigures;
use crate::clock::Clock;
use crate::history::{Outcome, Run, SenderFacts, Violation};
use crate::measure::Second;
use crate::producer::Counters;

/// Shared between the coordinator and its workers.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    /// Tells this run from every other, those with the same seed too: it names streams and groups.
    pub(super) run: u64,
    /// When sending begins, ns; 0 until every worker is connected.
    origin: AtomicU64,
    pub(super) warmup_ns: u64,
    pub(super) window_ns: u64,
    stop: AtomicBool,
    abort: AtomicBool,
    /// Bytes of values that may still be sent.
    pub(super) bytes_left: AtomicU64,
    /// Where consumers may stop, by partition; set once every producer is done.
    pub(super) ends: OnceLock<Vec<i64>>,
}

/// What a worker tells the coordinator.
#[derive(Debug)]
pub(super) enum Message {
    /// Connected; waits for the origin.
    Ready,
    /// What happened since the last report.
    Report(Box<Report>),
    /// What was measured of groups.
    Groups(Box<GroupFigures>),
    /// What was measured of groups in trouble.
    Trouble(Box<TroubleFigures>),
    /// A producer has settled everything, a consumer has read everything.
    Done(Done),
}

/// How a worker ended.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// True for a producer.
    pub(super) producer: bool,
    /// Records that were due and not sent.
    pub(super) unsent: u64,
    /// When it ended, ns, if that was before the measured window did.
    pub(super) early: Option<u64>,
    /// Records that it sent and whose fate it did not learn.
    pub(super) unsettled: u64,
    /// Where it stands in its partitions: what comes next.
    pub(super) positions: Vec<(u32, i64)>,
    /// Why it ended without having done its work.
    pub(super) failure: Option<String>,
}

/// What happened since the last report.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The second of the measured window that the figures are of, `None` outside of it.
    pub(super) second: Option<usize>,
    pub(super) figures: Second,
    pub(super) sent: Vec<(Run, Outcome)>,
    pub(super) seen: Vec<Run>,
    pub(super) violations: Vec<Violation>,
    /// What a sender has counted so far, and its stream.
    pub(super) sender: Option<(u32, SenderFacts, Counters)>,
    /// Records of others read so far, by worker.
    pub(super) foreign: u64,
    /// Records acknowledged and read in all, for the progress line.
    pub(super) published: u64,
    pub(super) consumed: u64,
    /// What coordinators answered, for the progress line.
    pub(super) answered: u64,
}

impl Shared {
    pub(super) fn new(clock: Clock, warmup_ns: u64, window_ns: u64, bytes_max: u64) -> Self {
        Self {
            clock,
            run: clock.now(),
            origin: AtomicU64::new(0),
            warmup_ns,
            window_ns,
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            bytes_left: AtomicU64::new(bytes_max),
            ends: OnceLock::new(),
        }
    }

    pub(super) fn begin(&self, origin: u64) {
        self.origin.store(origin, Ordering::Release);
    }

    pub(super) fn origin(&self) -> Option<u64> {
        Some(self.origin.load(Ordering::Acquire)).filter(|&origin| origin > 0)
    }

    /// When measuring begins and ends.
    pub(super) fn window(&self) -> Option<(u64, u64)> {
        let start = self.origin()? + self.warmup_ns;
        Some((start, start + self.window_ns))
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Nothing can come of the run any more: everybody leaves.
    pub(super) fn abort(&self) {
        self.abort.store(true, Ordering::Release);
        self.stop();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.abort.load(Ordering::Acquire)
    }

    /// Takes up to `bytes` off what may still be sent; how many there were.
    pub(super) fn take_bytes(&self, bytes: u64) -> u64 {
        let left = self
            .bytes_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(bytes))
            });
        left.unwrap_or(0).min(bytes)
    }
}

/// Keeps a worker's figures until the second is over, then reports them.
#[derive(Debug)]
pub(super) struct Reporter {
    sender: Sender<Message>,
    pub(super) report: Report,
    /// Records whose fate was learned, in all.
    pub(super) settled: u64,
    next_report: u64,
    window: (u64, u64),
}

impl Reporter {
    pub(super) fn new(sender: Sender<Message>) -> Self {
        Self {
            sender,
            report: Report::default(),
            settled: 0,
            next_report: 0,
            window: (u64::MAX, u64::MAX),
        }
    }

    pub(super) fn set_window(&mut self, window: (u64, u64)) {
        self.window = window;
    }

    pub(super) fn in_window(&self, time: u64) -> bool {
        self.window.0 <= time && time < self.window.1
    }

    /// True if it is time for [`Reporter::send`]: ten times a second, and at each new second.
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.next_report
    }

    /// Sends what has been gathered.
    pub(super) fn send(&mut self, now: u64) {
        let mut report = std::mem::take(&mut self.report);
        // Reports go out at the ends of quarter seconds: what they hold is a little older.
        report.second = self.second_of(now.saturating_sub(REPORT_NS / 2), now);
        let _ = self.sender.send(Message::Report(Box::new(report)));
        let into = now.saturating_sub(self.window.0) % REPORT_NS;
        self.next_report = now + REPORT_NS - into;
    }

    /// The last word: what is left of the figures, and how it ended.
    pub(super) fn done(mut self, done: Done, now: u64) {
        self.send(now);
        let _ = self.sender.send(Message::Done(done));
    }

    pub(super) fn ready(&self) {
        let _ = self.sender.send(Message::Ready);
    }

    /// The second of the window that `time` falls into; what comes after it counts to the last.
    fn second_of(&self, time: u64, now: u64) -> Option<usize> {
        if now < self.window.0 {
            return None;
        }
        let last = self.window.1.saturating_sub(self.window.0 + 1) / SECOND_NS;
        Some((time.saturating_sub(self.window.0) / SECOND_NS).min(last) as usize)
    }
}

const REPORT_NS: u64 = 250_000_000;
const SECOND_NS: u64 = 1_000_000_000;
