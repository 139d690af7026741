//! What was acknowledged, what was read, and whether they agree.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{Lane, Outcome, Ranges, Reader, Run, Violation};

/// Collects from all senders and readers of a run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    lanes: BTreeMap<Lane, Entry>,
    senders: HashMap<u32, SenderFacts>,
    violations: Vec<Violation>,
    not_kept: u64,
    /// What may come of batches that were sent twice, by stream, and how much more of it.
    resent: BTreeMap<u32, (Vec<Violation>, u64)>,
}

/// What a sender promises and did, which decides what counts as a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderFacts {
    /// It was idempotent: neither duplicates nor changes of order are allowed, retries or not.
    pub idempotent: bool,
    /// Batches that it sent again. Without idempotence these may come twice or late.
    pub retries: u64,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    acknowledged: Ranges,
    unanswered: Ranges,
    unknown: Ranges,
    refused: Ranges,
    seen: Ranges,
    /// Where acknowledgements and readers say that records are, until both have spoken.
    told: VecDeque<Run>,
    read: VecDeque<Run>,
}

/// The result of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Records sent with acks=0.
    pub unanswered: u64,
    /// Records given up on without knowing.
    pub unknown: u64,
    /// Records refused by the broker.
    pub refused: u64,
    /// Different records read.
    pub seen: u64,
    /// Acknowledged records that were not read: lost.
    pub lost: u64,
    /// Records sent of which nobody can tell whether they are there: reading ended before them.
    pub unchecked: u64,
    /// Records sent with acks=0 that were not read: lost without a promise broken.
    pub unanswered_lost: u64,
    /// Records of unknown fate that turned out to be in the log.
    pub unknown_seen: u64,
    /// What must not have happened, the first hundred or so.
    pub violations: Vec<Violation>,
    /// Violations beyond those.
    pub not_kept: u64,
}

impl Findings {
    /// True if nothing was violated.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.not_kept == 0
    }
}

impl Ledger {
    /// What a sender promises and has done so far; the last word counts.
    pub fn sender(&mut self, stream: u32, facts: SenderFacts) {
        self.senders.insert(stream, facts);
    }

    /// A sender learned the fate of a run.
    pub fn sent(&mut self, run: Run, outcome: Outcome) {
        let entry = self.lanes.entry(run.lane).or_default();
        let range = run.first..run.first + run.count;
        match outcome {
            Outcome::Acknowledged => {
                entry.acknowledged.insert(range);
                if run.offset.is_some() {
                    push_run(&mut entry.told, run);
                    self.compare_offsets(run.lane);
                }
            }
            Outcome::Unanswered => {
                entry.unanswered.insert(range);
            }
            Outcome::Unknown => {
                entry.unknown.insert(range);
            }
            Outcome::Refused => {
                entry.refused.insert(range);
            }
        }
    }

    /// A reader saw a run.
    pub fn seen(&mut self, run: Run) {
        let entry = self.lanes.entry(run.lane).or_default();
        entry.seen.insert(run.first..run.first + run.count);
        // Offsets are compared with acknowledgements that tell them; without any there is
        // nothing to wait for.
        if run.offset.is_some() && entry.unanswered.is_empty() {
            push_run(&mut entry.read, run);
            self.compare_offsets(run.lane);
        }
    }

    /// A reader found something wrong.
    pub fn violation(&mut self, violation: Violation) {
        let (kept, not_kept) = match violation.resent() {
            Some(lane) => {
                let (kept, more) = self.resent.entry(lane.stream).or_default();
                (kept, more)
            }
            None => (&mut self.violations, &mut self.not_kept),
        };
        if kept.len() < Reader::VIOLATIONS_MAX {
            kept.push(violation);
        } else {
            *not_kept += 1;
        }
    }

    /// Violations found so far, as [`Ledger::close`] would judge them by what senders have done.
    pub fn violations(&self) -> u64 {
        let facts = |stream| self.senders.get(&stream).copied();
        let resent = self.resent_in_vain(facts);
        let resent: u64 = resent.map(|(kept, more)| kept.len() as u64 + more).sum();
        self.violations.len() as u64 + self.not_kept + resent
    }

    /// Acknowledged runs, lane by lane, for keeping elsewhere.
    pub fn acknowledged(&self) -> impl Iterator<Item = Run> {
        self.lanes.iter().flat_map(|(&lane, entry)| {
            entry.acknowledged.iter().map(move |range| Run {
                lane,
                first: range.start,
                count: range.end - range.start,
                offset: None,
            })
        })
    }

    /// Acknowledged records that have not been read yet, over all lanes.
    pub fn outstanding(&self) -> u64 {
        self.lanes
            .values()
            .map(|entry| entry.acknowledged.minus(&entry.seen).count())
            .sum()
    }

    /// Closes the books: every reader has read to the end of its partitions, and every sender has
    /// told the fate of every record. Lanes of senders that were never introduced are only counted.
    pub fn close(&self) -> Findings {
        let mut findings = self.close_known(|stream| self.senders.get(&stream).copied());
        self.find_phantoms(&mut findings);
        findings
    }

    /// Closes the books of a run that failed, with what is certain all the same. Records that were
    /// not read are lost in partitions that were `read_out`, and before a record of their lane
    /// that was read, if its sender kept the order; the others are unchecked. `told_all`: senders
    /// have told the fate of every record.
    pub fn close_partial(&self, read_out: impl Fn(u32) -> bool, told_all: bool) -> Findings {
        let facts = |stream| self.senders.get(&stream).copied();
        let mut findings = self.tally(facts, Some(&read_out));
        if told_all {
            self.find_phantoms(&mut findings);
        }
        findings
    }

    fn find_phantoms(&self, findings: &mut Findings) {
        for (&lane, entry) in &self.lanes {
            if self.senders.contains_key(&lane.stream) {
                for range in entry.phantoms().iter() {
                    findings.keep(Violation::Phantom {
                        lane,
                        sequence: range.start,
                    });
                }
            }
        }
    }

    /// As [`Ledger::close`], where only acknowledgements are known and not what else was sent:
    /// `facts` tells what the sender of a stream promised.
    pub fn close_known(&self, facts: impl Fn(u32) -> Option<SenderFacts>) -> Findings {
        self.tally(facts, None)
    }

    /// As [`Ledger::close_known`], where reading failed; see [`Ledger::close_partial`].
    pub fn close_known_partial(
        &self,
        facts: impl Fn(u32) -> Option<SenderFacts>,
        read_out: impl Fn(u32) -> bool,
    ) -> Findings {
        self.tally(facts, Some(&read_out))
    }

    /// `read_out`: which partitions were read to their end; all of them if none is given.
    fn tally(
        &self,
        facts: impl Fn(u32) -> Option<SenderFacts>,
        read_out: Option<&dyn Fn(u32) -> bool>,
    ) -> Findings {
        let mut findings = Findings {
            not_kept: self.not_kept,
            ..Findings::default()
        };
        findings.violations.extend(self.violations.iter().cloned());
        for (kept, more) in self.resent_in_vain(&facts) {
            kept.iter().for_each(|found| findings.keep(found.clone()));
            findings.not_kept += more;
        }
        for (&lane, entry) in &self.lanes {
            entry.count(&mut findings);
            findings.seen += entry.seen.count();
            let is_final = read_out.is_none_or(|read_out| read_out(lane.partition));
            let unanswered_lost = entry.unanswered.minus(&entry.seen).count();
            if is_final {
                findings.unanswered_lost += unanswered_lost;
            } else {
                findings.unchecked += unanswered_lost;
            }
            let in_order = facts(lane.stream).is_some_and(|f| f.idempotent || f.retries == 0);
            let unknown = &entry.unknown;
            findings.unknown_seen += unknown.count() - unknown.minus(&entry.seen).count();
            for lost in entry.acknowledged.minus(&entry.seen).iter() {
                let count = lost.end - lost.start;
                let is_passed = in_order && lost.end <= entry.seen.end();
                if !is_final && !is_passed {
                    findings.unchecked += count;
                    continue;
                }
                findings.lost += count;
                findings.keep(Violation::Lost {
                    lane,
                    first: lost.start,
                    count,
                });
            }
        }
        findings
    }

    /// Counts what was sent where nobody read it: nothing is judged.
    pub fn close_unread(&self) -> Findings {
        let mut findings = Findings::default();
        self.lanes
            .values()
            .for_each(|entry| entry.count(&mut findings));
        findings
    }

    /// What only batches that were sent twice may come to, of senders that may not do so or did
    /// not.
    fn resent_in_vain(
        &self,
        facts: impl Fn(u32) -> Option<SenderFacts>,
    ) -> impl Iterator<Item = &(Vec<Violation>, u64)> {
        let may_repeat = |facts: SenderFacts| !facts.idempotent && facts.retries > 0;
        let in_vain = move |stream: u32| !facts(stream).is_some_and(may_repeat);
        let found = self.resent.iter();
        found.filter_map(move |(&stream, found)| in_vain(stream).then_some(found))
    }

    fn compare_offsets(&mut self, lane: Lane) {
        let entry = self
            .lanes
            .get_mut(&lane)
            .expect("the caller has just touched it");
        let mut wrong = Vec::new();
        while let (Some(told), Some(read)) = (entry.told.front(), entry.read.front()) {
            let (told, read) = (*told, *read);
            let start = told.first.max(read.first);
            let end = (told.first + told.count).min(read.first + read.count);
            if start < end {
                let acknowledged = offset_at(told, start);
                let seen = offset_at(read, start);
                if acknowledged != seen {
                    let (sequence, read) = (start, seen);
                    wrong.push(Violation::OffsetMismatch {
                        lane,
                        sequence,
                        acknowledged,
                        read,
                    });
                }
            }
            // What lies before the end of the overlap, or before the other's start, is settled.
            let settled = if start < end { end } else { start };
            drop_before(&mut entry.told, settled);
            drop_before(&mut entry.read, settled);
        }
        for violation in wrong {
            self.violation(violation);
        }
    }
}

impl Findings {
    fn keep(&mut self, violation: Violation) {
        if self.violations.len() < 2 * Reader::VIOLATIONS_MAX {
            self.violations.push(violation);
        } else {
            self.not_kept += 1;
        }
    }
}

impl Entry {
    fn count(&self, findings: &mut Findings) {
        findings.acknowledged += self.acknowledged.count();
        findings.unanswered += self.unanswered.count();
        findings.unknown += self.unknown.count();
        findings.refused += self.refused.count();
    }

    fn phantoms(&self) -> Ranges {
        self.seen
            .minus(&self.acknowledged)
            .minus(&self.unanswered)
            .minus(&self.unknown)
    }
}

/// Adds a run in the order of sequence numbers, joined to its neighbour where offsets go on.
fn push_run(runs: &mut VecDeque<Run>, run: Run) {
    if let Some(last) = runs.back_mut()
        && last.first + last.count == run.first
        && last.offset.map(|at| at + last.count as i64) == run.offset
    {
        last.count += run.count;
        return;
    }
    let at = runs.partition_point(|other| other.first < run.first);
    runs.insert(at, run);
}

fn drop_before(runs: &mut VecDeque<Run>, sequence: u64) {
    while let Some(front) = runs.front_mut() {
        if front.first + front.count <= sequence {
            runs.pop_front();
            continue;
        }
        if front.first < sequence {
            let gone = sequence - front.first;
            front.first += gone;
            front.count -= gone;
            front.offset = front.offset.map(|at| at + gone as i64);
        }
        return;
    }
}

fn offset_at(run: Run, sequence: u64) -> i64 {
    run.offset.expect("only runs with offsets are compared") + (sequence - run.first) as i64
}
