//! A thread that consumes and checks.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::plan::LoadPlan;
use super::produce::wait_for_window;
use super::shared::{Done, Message, Reporter, Shared};
use crate::clock::{Clock, nanos};
use crate::consumer::{Consumer, ConsumerError, RecordView, Sink};
use crate::history::Reader;
use crate::payload::{Inspector, STAMP_HEADER, Verdict};

/// Where a consumer begins: partition and offset.
pub(super) type Starts = Vec<(u32, i64)>;

/// Consumes until the producers are done and everything they wrote was read. `share`: which
/// consumer it is, of how many.
pub(super) fn consume(
    plan: &LoadPlan,
    share: (u32, u32),
    starts: &Starts,
    shared: &Arc<Shared>,
    sender: Sender<Message>,
) {
    let reporter = Reporter::new(sender);
    let partitions: Vec<u32> = starts.iter().map(|&(index, _)| index).collect();
    let (config, topic) = (plan.consumer.clone(), &plan.topic);
    let connected = Consumer::connect(config, &plan.bootstrap, topic, &partitions, shared.clock);
    let mut consumer = match connected {
        Ok(consumer) => consumer,
        Err(error) => {
            let failure = Some(error.to_string());
            return reporter.done(
                Done {
                    failure,
                    ..Done::default()
                },
                0,
            );
        }
    };
    for &(index, offset) in starts {
        consumer.seek(index, offset);
    }
    consumer.set_share(share.0, share.1);
    let mut checker = Checker::new(plan, shared.clock, reporter);
    // One turn before the start, so that the fetch session stands when records come.
    let warm = consumer.poll(Duration::from_millis(1), &mut checker);
    checker.reporter.ready();
    let window = wait_for_window(shared);
    let outcome = match (warm, window) {
        (Ok(()), Some(window)) => {
            checker.reporter.set_window(window);
            run(plan, &mut consumer, &mut checker, shared)
        }
        (outcome, _) => outcome.map_err(|error| error.to_string()),
    };
    checker.report();
    let now = shared.clock.now();
    // Where nobody produces, reading is what is measured.
    let early = window.is_some_and(|(_, end)| plan.producers == 0 && now < end);
    let done = Done {
        early: early.then_some(now),
        positions: consumer.positions().collect(),
        failure: outcome.err(),
        ..Done::default()
    };
    checker.reporter.done(done, now);
}

fn run(
    plan: &LoadPlan,
    consumer: &mut Consumer,
    checker: &mut Checker,
    shared: &Shared,
) -> Result<(), String> {
    let mut give_up = u64::MAX;
    loop {
        let now = shared.clock.now();
        let polled = consumer.poll(IDLE, checker);
        polled.map_err(|error: ConsumerError| error.to_string())?;
        checker.tick(now);
        if let Some(ends) = shared.ends.get() {
            if consumer.is_at(ends) {
                return Ok(());
            }
            if give_up == u64::MAX {
                give_up = now + nanos(plan.drain);
            } else if now > give_up {
                let at: Vec<String> = consumer
                    .positions()
                    .map(|(index, at)| format!("{index}:{at}"))
                    .collect();
                return Err(format!(
                    "the end could not be read within {:?}: at {}, ends {ends:?}",
                    plan.drain,
                    at.join(" "),
                ));
            }
        }
        if shared.is_aborted() || (shared.is_stopped() && plan.producers == 0) {
            return Ok(());
        }
    }
}

/// Checks every record and takes its latency.
pub(super) struct Checker {
    clock: Clock,
    /// When the records at hand came.
    now: u64,
    inspector: Inspector,
    pub(super) reader: Reader,
    /// Records of the same intended time in a row.
    run: (u64, u64),
    last_foreign: u64,
    pub(super) reporter: Reporter,
}

impl Checker {
    pub(super) fn new(plan: &LoadPlan, clock: Clock, reporter: Reporter) -> Self {
        Self {
            clock,
            now: clock.now(),
            inspector: Inspector::new(Some(&plan.source)),
            reader: Reader::new(plan.producers > 0 || plan.from_start),
            run: (0, 0),
            last_foreign: 0,
            reporter,
        }
    }

    /// When the records at hand came.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn tick(&mut self, now: u64) {
        if self.reporter.is_due(now) {
            self.report();
        }
    }

    pub(super) fn report(&mut self) {
        self.take_run();
        self.reporter.report.seen = self.reader.take_runs();
        let found = self.reader.take_violations();
        self.reporter.report.violations.extend(found);
        let foreign = self.reader.counts().foreign;
        self.reporter.report.foreign = foreign - self.last_foreign;
        self.last_foreign = foreign;
        self.reporter.send(self.clock.now());
    }

    fn take_run(&mut self) {
        let (intended, count) = std::mem::take(&mut self.run);
        if count > 0 && self.reporter.in_window(intended) {
            let latency = self.now.saturating_sub(intended);
            self.reporter
                .report
                .figures
                .end_to_end
                .record(latency, count);
        }
    }
}

impl Sink for Checker {
    fn record(&mut self, partition: u32, offset: i64, _time: i64, record: &RecordView<'_>) {
        let value = record.value.unwrap_or_default();
        let header = record.header(STAMP_HEADER);
        let bytes = (value.len() + record.key.map_or(0, <[u8]>::len)) as u64;
        self.reporter.report.consumed += 1;
        if self.reporter.in_window(self.now) {
            self.reporter.report.figures.consumed += 1;
            self.reporter.report.figures.consumed_bytes += bytes;
        }
        match self.inspector.inspect(record.key, value, header) {
            Verdict::Intact(stamp) => {
                self.reader.record(partition, offset, &stamp);
                if stamp.intended_ns != self.run.0 {
                    self.take_run();
                    self.run.0 = stamp.intended_ns;
                }
                self.run.1 += 1;
            }
            Verdict::Corrupt(error) => self.reader.corrupt(partition, offset, error),
            Verdict::Foreign => self.reader.foreign(partition, offset),
        }
    }

    fn broken(&mut self, partition: u32, base_offset: i64, reason: String) {
        self.reader.broken_batch(partition, base_offset, reason);
    }

    fn watermarks(&mut self, partition: u32, high: i64, stable: i64) {
        self.take_run();
        self.now = self.clock.now();
        self.reader.watermarks(partition, high, stable);
    }
}

const IDLE: Duration = Duration::from_millis(50);
