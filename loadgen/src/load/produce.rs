//! A thread that produces.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::plan::{LoadPlan, Pace};
use super::schedule::Schedule;
use super::shared::{Done, Message, Reporter, Shared};
use crate::clock::{nanos, until};
use crate::history::{Lane, Outcome, Run, SenderFacts};
use crate::payload::{Header, KEY_BYTES, Keys, STAMP_HEADER, Sizes, StampBytes};
use crate::producer::{Producer, ProducerError, Record, Settled};

/// Produces until the run is over, then waits until everything is settled.
pub(super) fn produce(
    plan: &LoadPlan,
    index: u32,
    stream: u32,
    shared: &Arc<Shared>,
    sender: Sender<Message>,
) {
    crate::sys::sharpen_timers();
    let mut reporter = Reporter::new(sender);
    let seed = plan.seed ^ u64::from(index);
    let (config, topic) = (plan.producer.clone(), &plan.topic);
    let connected = Producer::connect(config, &plan.bootstrap, topic, shared.clock, seed);
    let producer = match connected {
        Ok(producer) => producer,
        Err(error) => {
            let failure = Some(error.to_string());
            return reporter.done(
                Done {
                    producer: true,
                    failure,
                    ..Done::default()
                },
                0,
            );
        }
    };
    reporter.ready();
    let Some((start, end)) = wait_for_window(shared) else {
        return reporter.done(
            Done {
                producer: true,
                ..Done::default()
            },
            0,
        );
    };
    reporter.set_window((start, end));
    let mut worker = Worker {
        plan,
        stream,
        shared,
        producer,
        reporter,
        seed,
        keys: Keys::new(&plan.keys, seed),
        sizes: Sizes::new(plan.sizes.clone(), seed),
        turn: u64::from(index) * 7_919,
        sent: 0,
        pending: None,
        full_since: None,
        schedule: None,
        end,
        allowance: 0,
        late_until: None,
        is_spent: false,
    };
    let sent = worker.run();
    let ended = shared.clock.now();
    let outcome = sent.and_then(|()| worker.finish());
    worker.report(true);
    let done = Done {
        producer: true,
        unsent: worker.unsent(ended),
        unsettled: worker.sent - worker.reporter.settled,
        early: (ended < end).then_some(ended),
        failure: outcome.err().map(|error| error.to_string()),
        ..Done::default()
    };
    worker.reporter.done(done, shared.clock.now());
}

struct Worker<'a> {
    plan: &'a LoadPlan,
    stream: u32,
    shared: &'a Shared,
    producer: Producer,
    reporter: Reporter,
    seed: u64,
    keys: Keys,
    sizes: Sizes,
    /// Counts records, for choosing lines.
    turn: u64,
    /// Records appended.
    sent: u64,
    /// A record that is due and has found no room yet.
    pending: Option<Due>,
    /// Since when there has been no room; none once a record was appended.
    full_since: Option<u64>,
    schedule: Option<Schedule>,
    end: u64,
    /// Bytes of values that may be sent before the common sum has to be asked.
    allowance: u64,
    /// Until when what was due in the run may still be appended, once that is over.
    late_until: Option<u64>,
    /// There are no more.
    is_spent: bool,
}

/// A record with all but its bytes decided.
#[derive(Clone, Copy)]
struct Due {
    intended_ns: u64,
    partition: u32,
    length: usize,
    key: Option<[u8; KEY_BYTES]>,
}

impl Worker<'_> {
    fn run(&mut self) -> Result<(), ProducerError> {
        match self.plan.pace {
            Pace::Closed => self.closed(),
            Pace::Open { rate, arrivals } => {
                let share = rate / f64::from(self.plan.producers);
                let origin = self.shared.origin().expect("the run has begun");
                self.schedule = Some(Schedule::new(arrivals, share, origin, self.seed));
                self.open()
            }
        }
    }

    /// Sends as fast as there is room.
    fn closed(&mut self) -> Result<(), ProducerError> {
        loop {
            let now = self.shared.clock.now();
            if now >= self.end || self.shared.is_stopped() {
                return Ok(());
            }
            let mut full = false;
            for _ in 0..FILL_RECORDS {
                let due = self.pending.take().unwrap_or_else(|| self.prepare(now));
                if !self.append(
                    Due {
                        intended_ns: now,
                        ..due
                    },
                    now,
                ) {
                    full = true;
                    break;
                }
                if !self.spend(due.length as u64) {
                    return Ok(());
                }
            }
            let wait = if full { IDLE } else { Duration::ZERO };
            self.producer.poll(wait)?;
            self.check_block(full, now)?;
            self.report(false);
        }
    }

    /// Sends what the schedule says, as soon as there is room.
    fn open(&mut self) -> Result<(), ProducerError> {
        loop {
            let now = self.shared.clock.now();
            if self.shared.is_stopped() || self.is_spent || self.has_sent_all(now) {
                return Ok(());
            }
            let full = !self.send_due(now);
            let next = self.schedule.as_ref().map_or(now, Schedule::next_ns);
            let wait = if full {
                IDLE
            } else {
                // At high rates several records are taken at a time: a wake for each would cost
                // more than the record, and be lost in the time that it lingers anyway.
                let nap = self.plan.producer.linger / NAPS_IN_LINGER;
                until(self.shared.clock.now(), next).max(nap).min(IDLE)
            };
            self.producer.poll(wait)?;
            self.check_block(full, now)?;
            self.report(false);
        }
    }

    /// True once the run is over and everything that was due in it has been appended. What is not
    /// by then, because this thread had to wait for a processor or the buffer was full, has a
    /// little time left, counted from the first look at the clock after the end: whether a record
    /// is sent must not depend on how busy this host is.
    fn has_sent_all(&mut self, now: u64) -> bool {
        if now < self.end {
            return false;
        }
        let give_up = *self.late_until.get_or_insert(now + LATE_NS);
        let next = self.schedule.as_ref().map_or(now, Schedule::next_ns);
        let is_empty = self.pending.is_none() && next >= self.end;
        is_empty || now >= give_up
    }

    /// Whether the buffer has been full for `max.block.ms`.
    fn check_block(&mut self, full: bool, now: u64) -> Result<(), ProducerError> {
        if !full {
            return Ok(());
        }
        let since = *self.full_since.get_or_insert(now);
        let block = self.plan.producer.max_block;
        if now.saturating_sub(since) >= nanos(block) {
            return Err(ProducerError::BufferFull(block));
        }
        Ok(())
    }

    /// False if the producer has no room for a record that is due.
    fn send_due(&mut self, now: u64) -> bool {
        let mut sent = 0;
        while sent < FILL_RECORDS {
            let due = match self.pending.take() {
                Some(due) => due,
                None => {
                    let schedule = self.schedule.as_mut().expect("an open loop has one");
                    let Some(intended) = schedule.take_due(now.min(self.end - 1)) else {
                        return true;
                    };
                    let late = now.saturating_sub(intended);
                    if self.reporter.in_window(intended) {
                        self.reporter.report.figures.delay.record(late, 1);
                    }
                    self.prepare(intended)
                }
            };
            if !self.append(due, now) {
                return false;
            }
            if !self.spend(due.length as u64) {
                return true;
            }
            sent += 1;
        }
        true
    }

    /// Takes note that `bytes` of a value were sent; false if no more may be. They are taken off
    /// the common sum in large pieces: an atomic for each record would wait for its copy.
    fn spend(&mut self, bytes: u64) -> bool {
        if self.allowance < bytes {
            self.allowance += self.shared.take_bytes(ALLOWANCE.max(bytes));
        }
        self.is_spent = self.allowance < bytes;
        self.allowance = self.allowance.saturating_sub(bytes);
        !self.is_spent
    }

    fn prepare(&mut self, intended_ns: u64) -> Due {
        let length = self.sizes.draw();
        let key = self
            .keys
            .draw()
            .map(|key| key.try_into().expect("keys have one length"));
        let bytes = length + key.map_or(0, |key: [u8; KEY_BYTES]| key.len());
        let partition = self
            .producer
            .choose(key.as_ref().map(<[u8; KEY_BYTES]>::as_slice), bytes);
        Due {
            intended_ns,
            partition,
            length,
            key,
        }
    }

    /// Appends a record, or keeps it for later and says false.
    fn append(&mut self, due: Due, now: u64) -> bool {
        let sequence = self.producer.next_record(due.partition);
        let (stream, intended_ns) = (self.stream, due.intended_ns);
        let header = Header {
            stream,
            sequence,
            intended_ns,
        };
        let (stamp, body) = self.plan.source.record(&header, due.length, self.turn);
        let beside = self.plan.source.stamps_in_header();
        let key = due.key.as_ref().map(<[u8; KEY_BYTES]>::as_slice);
        let mut bytes = StampBytes::default();
        stamp.write(key, if beside { body } else { &[] }, &mut bytes);
        let mut record = Record {
            key,
            ..Record::default()
        };
        if beside {
            record.value = [body, &[]];
            record.header = Some((STAMP_HEADER, &bytes));
        } else {
            record.value = [&bytes, body];
        }
        if !self
            .producer
            .has_room(due.partition, record.encoded_bytes_max())
        {
            self.pending = Some(due);
            return false;
        }
        self.producer
            .append(due.partition, intended_ns, now, &record);
        self.turn += 1;
        self.sent += 1;
        self.full_since = None;
        true
    }

    fn finish(&mut self) -> Result<(), ProducerError> {
        let (drain, shared, stream) = (self.plan.drain, self.shared, self.stream);
        let give_up = shared.clock.now() + nanos(drain);
        loop {
            let reporter = &mut self.reporter;
            let flushed = self.producer.flush(FLUSH_SLICE.min(drain), |settled| {
                note(reporter, settled, stream, shared.clock.now());
            });
            let is_late = shared.clock.now() >= give_up;
            match flushed {
                Err(ProducerError::FlushTimedOut { .. }) if shared.is_aborted() => return Ok(()),
                Err(ProducerError::FlushTimedOut { .. }) if !is_late => self.report(false),
                Err(ProducerError::FlushTimedOut { refusal, .. }) => {
                    let after = drain;
                    return Err(ProducerError::FlushTimedOut { after, refusal });
                }
                other => return other,
            }
        }
    }

    fn report(&mut self, last: bool) {
        let now = self.shared.clock.now();
        let (reporter, stream) = (&mut self.reporter, self.stream);
        self.producer
            .drain_settled(|settled| note(reporter, settled, stream, now));
        if last || self.reporter.is_due(now) {
            let counters = *self.producer.counters();
            let idempotent = self.plan.producer.idempotent;
            let facts = SenderFacts {
                idempotent,
                retries: counters.retries,
            };
            self.reporter.report.sender = Some((self.stream, facts, counters));
            self.reporter.send(now);
        }
    }

    /// Records that were due when sending `ended` and were not appended: the offered load was more
    /// than could be sent. Of a run that was stopped, only those that had been due for some time.
    fn unsent(&self, ended: u64) -> u64 {
        let Some(schedule) = self.schedule.as_ref().filter(|_| !self.is_spent) else {
            return 0;
        };
        let end = if ended < self.end {
            ended.saturating_sub(UNSENT_GRACE_NS)
        } else {
            self.end
        };
        let pending = u64::from(self.pending.is_some_and(|due| due.intended_ns < end));
        pending + schedule.left_before(end)
    }
}

/// Takes a settled batch into the figures and the books.
fn note(reporter: &mut Reporter, settled: &Settled, stream: u32, now: u64) {
    let batch = &settled.batch;
    let lane = Lane {
        stream,
        partition: settled.partition,
    };
    let count = u64::from(batch.count);
    let run = Run {
        lane,
        first: batch.first,
        count,
        offset: settled.offset,
    };
    reporter.report.sent.push((run, settled.outcome));
    reporter.settled += count;
    let arrived = matches!(settled.outcome, Outcome::Acknowledged | Outcome::Unanswered);
    if !arrived {
        reporter.report.figures.failed += count;
        return;
    }
    reporter.report.published += count;
    if reporter.in_window(now) {
        reporter.report.figures.published += count;
        reporter.report.figures.published_bytes += batch.payload_bytes;
    }
    for &(intended, count) in &batch.times {
        if reporter.in_window(intended) {
            let latency = now.saturating_sub(intended);
            reporter
                .report
                .figures
                .publish
                .record(latency, u64::from(count));
        }
    }
}

/// Waits until everybody is ready; `None` if the run is off.
pub(super) fn wait_for_window(shared: &Shared) -> Option<(u64, u64)> {
    loop {
        if shared.is_stopped() {
            return None;
        }
        if let Some(window) = shared.window() {
            return Some(window);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Records appended before the sockets have their turn.
const FILL_RECORDS: usize = 512;
/// Bytes of values that are taken off the common sum at once.
const ALLOWANCE: u64 = 256 << 10;
/// The shortest sleep between records, as a part of linger.
const NAPS_IN_LINGER: u32 = 20;
/// How long what is late may still be appended after the end of the run.
const LATE_NS: u64 = 500_000_000;
/// A record that is later than this when a run is stopped counts as unsent.
const UNSENT_GRACE_NS: u64 = 50_000_000;
/// How long answers are waited for before anything is reported.
const FLUSH_SLICE: Duration = Duration::from_millis(200);
/// The longest wait without looking at the clock.
const IDLE: Duration = Duration::from_millis(50);
