//! The coordinator: starts the workers, gathers what they report, closes the books.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::consume::{Starts, consume};
use super::group::{GroupFigures, run_groups};
use super::plan::{LoadPlan, LoadResult};
use super::produce::produce;
use super::shared::{Message, Report, Shared};
use super::trouble::{Trouble, TroubleFigures, run_trouble};
use crate::clock::{Clock, nanos, until};
use crate::history::{Findings, Ledger, Outcome, Run};
use crate::measure::{CpuMeter, CpuUse, Timeline};
use crate::net::{Admin, AdminError};
use crate::producer::{Acks, Counters};

/// Why a run could not be made.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The topic's offsets could not be asked.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// A worker could not connect.
    #[error("{0}")]
    Worker(String),
}

/// How a run is going, for a live line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Time since sending began.
    pub elapsed: Duration,
    /// How long it will take, without the end.
    pub planned: Duration,
    /// Records acknowledged.
    pub published: u64,
    /// Records read.
    pub consumed: u64,
    /// Requests that groups' coordinators answered.
    pub answered: u64,
    /// Violations found so far.
    pub violations: u64,
    /// What it is at.
    pub phase: Phase,
    /// How long nothing has been acknowledged, read or answered.
    pub idle: Duration,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Producers and consumers find their brokers.
    #[default]
    Connecting,
    /// Sending, not yet measured.
    WarmingUp,
    /// Sending, measured.
    Measuring,
    /// All is sent; answers are outstanding.
    Settling,
    /// All is answered; consumers read to the end.
    Reading,
}

/// What is to become of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steer {
    /// It goes on.
    GoOn,
    /// Nothing more is sent; the run ends in good order.
    Stop,
    /// It ends at once, as a failure for this reason.
    Abandon(String),
}

/// Makes a run; `progress` is called some ten times a second and says what is to become of it.
pub fn run(
    plan: &LoadPlan,
    progress: impl FnMut(&Progress) -> Steer,
) -> Result<LoadResult, LoadError> {
    run_noting(plan, progress, |_, _| {})
}

/// As [`run`]; `note` is told the fate of every run of records as soon as it is known.
pub fn run_noting(
    plan: &LoadPlan,
    mut progress: impl FnMut(&Progress) -> Steer,
    mut note: impl FnMut(&Run, Outcome),
) -> Result<LoadResult, LoadError> {
    let mut admin = Admin::new(&plan.bootstrap, &plan.topic, ADMIN_TIMEOUT);
    let starts = if plan.from_start {
        admin.start_offsets()?
    } else {
        admin.end_offsets()?
    };
    let (sender, receiver) = channel();
    let (warmup, window) = (nanos(plan.warmup), nanos(plan.duration));
    let shared = Arc::new(Shared::new(Clock::start(), warmup, window, plan.bytes_max));
    let threads = start_workers(plan, &starts, &shared, &sender)?;
    drop(sender);
    let workers = threads.len();
    let mut books = Books::new(plan, workers, &mut note);
    let mut outcome = books.keep(&shared, &receiver, &mut progress);
    if let Err(error) = &outcome {
        shared.abort();
        if shared.origin().is_some() {
            // What was found until then stands.
            books.failure.get_or_insert_with(|| error.to_string());
            outcome = Ok(());
        }
    }
    shared.stop();
    if shared.is_aborted() && shared.origin().is_none() && outcome.is_ok() {
        // Whoever is still connecting is left to it.
        return Err(LoadError::Worker(books.failure.unwrap_or_default()));
    }
    for thread in threads {
        if thread.join().is_err() {
            books
                .failure
                .get_or_insert_with(|| "a worker panicked".to_owned());
        }
    }
    outcome?;
    while let Ok(message) = receiver.try_recv() {
        books.take(message);
    }
    Ok(books.close(&shared))
}

/// The threads that do it all: they connect, say that they are ready, and wait for the window.
fn start_workers(
    plan: &LoadPlan,
    starts: &[i64],
    shared: &Arc<Shared>,
    sender: &Sender<Message>,
) -> Result<Vec<thread::JoinHandle<()>>, LoadError> {
    let mut threads = Vec::new();
    if let Some(group) = &plan.group {
        let (plan, group, starts) = (plan.clone(), group.clone(), starts.to_vec());
        let (shared, sender) = (Arc::clone(shared), sender.clone());
        threads.push(spawn("groups".to_owned(), move || {
            run_groups(&plan, &group, &starts, &shared, sender);
        })?);
    } else {
        let consumers = plan.consumers.min(starts.len() as u32);
        for index in 0..consumers {
            let mine: Starts = (0..starts.len() as u32)
                .filter(|partition| partition % consumers == index)
                .map(|partition| (partition, starts[partition as usize]))
                .collect();
            let (plan, shared, sender) = (plan.clone(), Arc::clone(shared), sender.clone());
            threads.push(spawn(format!("consumer-{index}"), move || {
                consume(&plan, (index, consumers), &mine, &shared, sender);
            })?);
        }
    }
    for index in 0..plan.producers {
        let stream = (shared.run as u32)
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(index);
        let (plan, shared, sender) = (plan.clone(), Arc::clone(shared), sender.clone());
        threads.push(spawn(format!("producer-{index}"), move || {
            produce(&plan, index, stream, &shared, sender);
        })?);
    }
    if let Some(trouble) = plan.trouble.filter(|plan| plan.kind != Trouble::Calm) {
        let (plan, partitions) = (plan.clone(), starts.len() as u32);
        let (shared, sender) = (Arc::clone(shared), sender.clone());
        threads.push(spawn("trouble".to_owned(), move || {
            run_trouble(&plan, &trouble, partitions, &shared, sender);
        })?);
    }
    Ok(threads)
}

fn spawn(
    name: String,
    body: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, LoadError> {
    thread::Builder::new()
        .name(name)
        .spawn(body)
        .map_err(LoadError::Thread)
}

struct Books<'a> {
    plan: &'a LoadPlan,
    workers: usize,
    ready: usize,
    producing: u32,
    done: usize,
    ledger: Ledger,
    timeline: Timeline,
    senders: std::collections::HashMap<u32, Counters>,
    meter: Option<CpuMeter>,
    cpu: Option<CpuUse>,
    foreign: u64,
    unsent: u64,
    unsettled: u64,
    /// Where consumers ended, by partition.
    positions: std::collections::HashMap<u32, i64>,
    /// When the last worker ended that ended before its time.
    early: Option<u64>,
    progress: Progress,
    /// When something was acknowledged, read or answered last, and how much in all.
    last_counts: Option<(u64, [u64; 3])>,
    /// Behind the last acknowledged record, by partition.
    acknowledged_ends: Vec<i64>,
    group: Option<GroupFigures>,
    trouble: Option<TroubleFigures>,
    failure: Option<String>,
    note: &'a mut dyn FnMut(&Run, Outcome),
}

impl<'a> Books<'a> {
    fn new(plan: &'a LoadPlan, workers: usize, note: &'a mut dyn FnMut(&Run, Outcome)) -> Self {
        let planned = plan.warmup + plan.duration;
        Self {
            plan,
            workers,
            ready: 0,
            producing: plan.producers,
            done: 0,
            ledger: Ledger::default(),
            timeline: Timeline::default(),
            senders: std::collections::HashMap::new(),
            meter: None,
            cpu: None,
            foreign: 0,
            unsent: 0,
            unsettled: 0,
            positions: std::collections::HashMap::new(),
            early: None,
            progress: Progress {
                planned,
                ..Progress::default()
            },
            last_counts: None,
            acknowledged_ends: Vec::new(),
            group: None,
            trouble: plan.trouble.map(|_| TroubleFigures::default()),
            failure: None,
            note,
        }
    }

    /// Gathers reports until every worker is done.
    fn keep(
        &mut self,
        shared: &Shared,
        receiver: &Receiver<Message>,
        progress: &mut impl FnMut(&Progress) -> Steer,
    ) -> Result<(), LoadError> {
        while self.done < self.workers {
            match receiver.recv_timeout(self.wait(shared)) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if shared.origin().is_none() {
                if self.done > 0 {
                    let reason = self.failure.clone().unwrap_or_default();
                    return Err(LoadError::Worker(reason));
                }
                if self.ready == self.workers {
                    shared.begin(shared.clock.now());
                }
            }
            self.read_meters(shared);
            let elapsed = shared
                .origin()
                .map_or(0, |origin| shared.clock.now() - origin);
            self.progress.elapsed = Duration::from_nanos(elapsed);
            self.look_around(shared);
            let over = self.plan.producers == 0 && self.progress.elapsed >= self.progress.planned;
            match progress(&self.progress) {
                Steer::Abandon(reason) => {
                    self.failure = Some(reason);
                    shared.abort();
                    if shared.origin().is_none() {
                        return Ok(());
                    }
                }
                Steer::Stop => shared.stop(),
                Steer::GoOn if over => shared.stop(),
                Steer::GoOn => {}
            }
            if self.wants_ends(shared) {
                let ends = self.settled_ends()?;
                shared.ends.get_or_init(|| ends);
            }
        }
        Ok(())
    }

    /// What the run is at, and whether anything happens.
    fn look_around(&mut self, shared: &Shared) {
        let now = shared.clock.now();
        let ends = self.plan.producers > 0 || self.plan.group.is_some();
        let sent_all = ends && (shared.is_stopped() || self.is_over(now, shared));
        self.progress.phase = match shared.window() {
            None => Phase::Connecting,
            Some(_) if self.plan.producers > 0 && self.producing == 0 => Phase::Reading,
            Some(_) if sent_all => Phase::Settling,
            Some((start, _)) if now < start => Phase::WarmingUp,
            Some(_) => Phase::Measuring,
        };
        let progress = &self.progress;
        let counts = [progress.published, progress.consumed, progress.answered];
        let since = match self.last_counts {
            Some((since, last)) if last == counts => since,
            _ => now,
        };
        // Whoever connects has nothing to show yet.
        let is_on = self.progress.phase != Phase::Connecting;
        self.last_counts = is_on.then_some((since, counts));
        self.progress.idle = Duration::from_nanos(now.saturating_sub(since));
    }

    fn is_over(&self, now: u64, shared: &Shared) -> bool {
        shared.window().is_some_and(|(_, end)| now >= end)
    }

    /// True once the producers are done, and at once where there are none and nothing more is
    /// waited for.
    fn wants_ends(&self, shared: &Shared) -> bool {
        let all_sent = self.producing == 0 && (self.plan.producers > 0 || !self.plan.follow);
        let is_on = shared.origin().is_some() && !shared.is_aborted();
        all_sent && is_on && shared.ends.get().is_none()
    }

    /// Where the partitions end: behind what was acknowledged, even if readers do not see that far
    /// yet. What was sent without acknowledgements may still be on its way into the log: then the
    /// ends count once they have stood still for a while.
    fn settled_ends(&self) -> Result<Vec<i64>, LoadError> {
        // Producers that have failed have waited for the broker already.
        let limit = match self.failure {
            Some(_) => LAST_TIMEOUT,
            None => ADMIN_TIMEOUT,
        };
        let mut admin = Admin::new(&self.plan.bootstrap, &self.plan.topic, limit);
        let mut ends = admin.end_offsets()?;
        if self.plan.producers == 0 || self.plan.producer.acks != Acks::None {
            for (end, &acknowledged) in ends.iter_mut().zip(&self.acknowledged_ends) {
                *end = acknowledged.max(*end);
            }
            return Ok(ends);
        }
        loop {
            thread::sleep(STILL);
            let later = admin.end_offsets()?;
            if later == ends {
                return Ok(ends);
            }
            ends = later;
        }
    }

    /// Until the next thing to do: a meter to be read, or the live line.
    fn wait(&self, shared: &Shared) -> Duration {
        let now = shared.clock.now();
        let Some((start, end)) = shared.window() else {
            return LINE;
        };
        let next = if self.meter.is_none() { start } else { end };
        if next > now {
            until(now, next).min(LINE)
        } else {
            LINE
        }
    }

    fn read_meters(&mut self, shared: &Shared) {
        let now = shared.clock.now();
        let Some((start, end)) = shared.window() else {
            return;
        };
        if self.meter.is_none() && now >= start {
            self.meter = Some(CpuMeter::start(self.plan.broker_pid));
        }
        if self.cpu.is_none() && (now >= end || self.done == self.workers) {
            self.cpu = self.meter.map(|meter| meter.stop());
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Ready => self.ready += 1,
            Message::Report(report) => self.take_report(*report),
            Message::Groups(figures) => self.group = Some(*figures),
            Message::Trouble(figures) => self.trouble = Some(*figures),
            Message::Done(done) => {
                self.done += 1;
                self.unsent += done.unsent;
                self.unsettled += done.unsettled;
                self.positions.extend(done.positions);
                self.producing -= u32::from(done.producer);
                self.failure = self.failure.take().or(done.failure);
                self.early = self.early.max(done.early);
            }
        }
    }

    fn take_report(&mut self, report: Report) {
        if let Some(second) = report.second {
            self.timeline.add(second, &report.figures);
        }
        if let Some((stream, facts, counters)) = report.sender {
            self.ledger.sender(stream, facts);
            self.senders.insert(stream, counters);
        }
        for (run, outcome) in report.sent {
            (self.note)(&run, outcome);
            self.note_end(&run, outcome);
            self.ledger.sent(run, outcome);
        }
        for run in report.seen {
            self.ledger.seen(run);
        }
        for violation in report.violations {
            self.ledger.violation(violation);
        }
        self.progress.violations = self.ledger.violations();
        self.foreign += report.foreign;
        self.progress.published += report.published;
        self.progress.consumed += report.consumed;
        self.progress.answered += report.answered;
    }

    /// Why nothing came of it all, if nothing did.
    fn in_vain(&self, findings: &Findings, counters: &Counters) -> Option<String> {
        let failed = findings.refused + findings.unknown;
        if failed == 0 || findings.acknowledged + findings.unanswered > 0 {
            return None;
        }
        let error = counters
            .last_error
            .map_or(String::new(), |error| format!(": {error}"));
        Some(format!("none of {failed} records was acknowledged{error}"))
    }

    fn note_end(&mut self, run: &Run, outcome: Outcome) {
        let at = run.lane.partition as usize;
        if outcome != Outcome::Acknowledged {
            return;
        }
        if self.acknowledged_ends.len() <= at {
            self.acknowledged_ends.resize(at + 1, 0);
        }
        let end = run.offset.map_or(0, |offset| offset + run.count as i64);
        self.acknowledged_ends[at] = self.acknowledged_ends[at].max(end);
    }

    /// The findings of a run that failed. If the broker answers once more, partitions that were
    /// read to the end that it tells are judged as ever: it may have lost their tails.
    fn close_partial(&self) -> Findings {
        let mut admin = Admin::new(&self.plan.bootstrap, &self.plan.topic, LAST_TIMEOUT);
        let asked = !self.positions.is_empty();
        let ends = asked.then(|| admin.end_offsets().ok()).flatten();
        let ends = ends.unwrap_or_default();
        let read_out = |partition: u32| {
            let end = ends.get(partition as usize);
            let position = self.positions.get(&partition);
            end.zip(position).is_some_and(|(end, at)| at >= end)
        };
        let told_all = self.done == self.workers && self.unsettled == 0;
        self.ledger.close_partial(read_out, told_all)
    }

    fn close(mut self, shared: &Shared) -> LoadResult {
        let checked = self.plan.consumers > 0 && self.failure.is_none();
        let findings = if checked {
            self.ledger.close()
        } else if self.plan.consumers > 0 {
            self.close_partial()
        } else {
            self.ledger.close_unread()
        };
        let counters = sum(self.senders.values());
        self.failure = self
            .failure
            .take()
            .or_else(|| self.in_vain(&findings, &counters));
        let start = shared.window().map_or(0, |(start, _)| start);
        let early = self
            .early
            .map(|ended| Duration::from_nanos(ended.saturating_sub(start)));
        LoadResult {
            timeline: self.timeline,
            window: early.unwrap_or(self.plan.duration).min(self.plan.duration),
            cpu: self.cpu.unwrap_or_default(),
            findings,
            checked,
            counters,
            unsent: self.unsent,
            unsettled: self.unsettled,
            foreign: self.foreign,
            group: self.group,
            trouble: self.trouble,
            ledger: self.ledger,
            failure: self.failure,
        }
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Counters>) -> Counters {
    all.fold(Counters::default(), |sum, one| Counters {
        batches: sum.batches + one.batches,
        requests: sum.requests + one.requests,
        batch_bytes: sum.batch_bytes + one.batch_bytes,
        retries: sum.retries + one.retries,
        epoch_bumps: sum.epoch_bumps + one.epoch_bumps,
        last_error: one.last_error.or(sum.last_error),
    })
}

const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);
/// For questions to a broker that has failed already.
const LAST_TIMEOUT: Duration = Duration::from_secs(2);
const STILL: Duration = Duration::from_millis(300);
const LINE: Duration = Duration::from_millis(100);
