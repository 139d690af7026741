//! A second reading of a topic, from its first record, against what was acknowledged.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::clock::{Clock, nanos};
use crate::consumer::{Consumer, ConsumerConfig, RecordView, Sink};
use crate::history::{Findings, Ledger, Outcome, Reader, Run, SenderFacts};
use crate::net::Admin;
use crate::payload::{Inspector, STAMP_HEADER, Source, Verdict};

/// What came of a second reading.
#[derive(Clone, Debug, Default)]
pub struct Rereading {
    /// What the checks found; without the end of the topic, records are told as unchecked.
    pub findings: Findings,
    /// Why the end of the topic was not reached, if it was not.
    pub failure: Option<String>,
}

impl Rereading {
    /// A reading that did not begin.
    pub fn failed(acknowledged: &[Run], facts: SenderFacts, failure: String) -> Self {
        let ledger = acknowledged_only(acknowledged);
        Self {
            findings: ledger.close_known_partial(|_| Some(facts), |_| false),
            failure: Some(failure),
        }
    }

    /// True if everything was read and nothing was violated.
    pub fn is_good(&self) -> bool {
        self.failure.is_none() && self.findings.is_clean()
    }
}

/// Reads all of `topic` and checks it against the `acknowledged` runs and the senders' promises.
/// Records of lanes that are not named are counted and not judged. A topic that cannot be read to
/// its end within `limit` is checked as far as it was read.
pub fn reread(
    bootstrap: &[SocketAddr],
    topic: &str,
    source: Option<&Source>,
    acknowledged: &[Run],
    facts: SenderFacts,
    limit: Duration,
) -> Rereading {
    let begun = begin(bootstrap, topic, limit);
    let (ends, mut consumer, clock) = match begun {
        Ok(begun) => begun,
        Err(failure) => return Rereading::failed(acknowledged, facts, failure),
    };
    let mut check = Check {
        inspector: Inspector::new(source),
        reader: Reader::new(true),
    };
    let mut ledger = acknowledged_only(acknowledged);
    let give_up = clock.now() + nanos(limit);
    let mut failure = None;
    while failure.is_none() && !consumer.is_at(&ends) {
        if clock.now() > give_up {
            failure = Some(format!(
                "topic {topic} could not be read to its end within {limit:?}"
            ));
        }
        if let Err(error) = consumer.poll(TURN, &mut check) {
            failure = Some(error.to_string());
        }
        check.hand_over(&mut ledger);
    }
    let facts = |_| Some(facts);
    let findings = if failure.is_none() {
        ledger.close_known(facts)
    } else {
        let positions: HashMap<u32, i64> = consumer.positions().collect();
        ledger.close_known_partial(facts, |partition| {
            let end = ends.get(partition as usize);
            end.zip(positions.get(&partition))
                .is_some_and(|(end, at)| at >= end)
        })
    };
    Rereading { findings, failure }
}

fn begin(
    bootstrap: &[SocketAddr],
    topic: &str,
    limit: Duration,
) -> Result<(Vec<i64>, Consumer, Clock), String> {
    let mut admin = Admin::new(bootstrap, topic, limit);
    let ends = admin.end_offsets().map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let config = ConsumerConfig {
        connect_timeout: limit,
        ..ConsumerConfig::default()
    };
    let consumer = Consumer::connect(config, bootstrap, topic, &[], clock);
    Ok((ends, consumer.map_err(|error| error.to_string())?, clock))
}

fn acknowledged_only(acknowledged: &[Run]) -> Ledger {
    let mut ledger = Ledger::default();
    for &run in acknowledged {
        ledger.sent(run, Outcome::Acknowledged);
    }
    ledger
}

struct Check {
    inspector: Inspector,
    reader: Reader,
}

impl Check {
    fn hand_over(&mut self, ledger: &mut Ledger) {
        let (runs, found) = (self.reader.take_runs(), self.reader.take_violations());
        runs.into_iter().for_each(|run| ledger.seen(run));
        found.into_iter().for_each(|found| ledger.violation(found));
    }
}

impl Sink for Check {
    fn record(&mut self, partition: u32, offset: i64, _time: i64, record: &RecordView<'_>) {
        let value = record.value.unwrap_or_default();
        match self
            .inspector
            .inspect(record.key, value, record.header(STAMP_HEADER))
        {
            Verdict::Intact(stamp) => self.reader.record(partition, offset, &stamp),
            Verdict::Corrupt(error) => self.reader.corrupt(partition, offset, error),
            Verdict::Foreign => self.reader.foreign(partition, offset),
        }
    }

    fn broken(&mut self, partition: u32, base_offset: i64, reason: String) {
        self.reader.broken_batch(partition, base_offset, reason);
    }

    fn watermarks(&mut self, partition: u32, high: i64, stable: i64) {
        self.reader.watermarks(partition, high, stable);
    }
}

const TURN: Duration = Duration::from_millis(50);
