//! A second reading of a topic, from its first record, against what was acknowledged.

use std::net::SocketAddr;
use std::time::Duration;

use crate::clock::{Clock, nanos};
use crate::consumer::{Consumer, ConsumerConfig, RecordView, Sink};
use crate::history::{Findings, Ledger, Outcome, Reader, Run, SenderFacts};
use crate::net::Admin;
use crate::payload::{Inspector, STAMP_HEADER, Source, Verdict};

/// Reads all of `topic` and checks it against the `acknowledged` runs and the senders' promises.
/// Records of lanes that are not named are counted and not judged.
pub fn reread(
    bootstrap: &[SocketAddr],
    topic: &str,
    source: Option<&Source>,
    acknowledged: &[Run],
    facts: SenderFacts,
    limit: Duration,
) -> Result<Findings, String> {
    let mut admin = Admin::new(bootstrap, topic, limit);
    let ends = admin.end_offsets().map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let config = ConsumerConfig {
        connect_timeout: limit,
        ..ConsumerConfig::default()
    };
    let mut consumer = Consumer::connect(config, bootstrap, topic, &[], clock)
        .map_err(|error| error.to_string())?;
    let mut check = Check {
        inspector: Inspector::new(source),
        reader: Reader::new(true),
    };
    let mut ledger = Ledger::default();
    let give_up = clock.now() + nanos(limit);
    while !consumer.is_at(&ends) {
        if clock.now() > give_up {
            return Err(format!(
                "topic {topic} could not be read to its end within {limit:?}"
            ));
        }
        consumer
            .poll(TURN, &mut check)
            .map_err(|error| error.to_string())?;
        check
            .reader
            .take_runs()
            .into_iter()
            .for_each(|run| ledger.seen(run));
        check
            .reader
            .take_violations()
            .into_iter()
            .for_each(|found| ledger.violation(found));
    }
    for &run in acknowledged {
        ledger.sent(run, Outcome::Acknowledged);
    }
    let findings = ledger.close_known(|_| Some(facts));
    Ok(findings)
}

struct Check {
    inspector: Inspector,
    reader: Reader,
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
