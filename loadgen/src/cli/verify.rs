//! `loadgen verify`: produce and check for a long time, through restarts of the broker.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{ConsumerArgs, OutputArgs, ProducerArgs, RateArgs, RecordArgs, RunArgs};
use super::single::{LevelArgs, Parts, environment, level_name};
use super::target::{Target, TargetArgs};
use super::{publish, run_shown};
use crate::history::{Lane, Outcome, Run, SenderFacts};
use crate::load::{Pace, Rereading, reread};
use crate::report::{Report, Row, again_text};

/// `loadgen verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    level: LevelArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    producer: ProducerArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Keep what was acknowledged in this file, a run of records a line, written at once
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Send nothing: read the topic and check it against the ledger of an earlier run
    #[arg(long, requires_all = ["ledger", "topic", "bootstrap"])]
    read_only: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Sends, reads along, then reads everything once more from the beginning. What was found is
/// reported, whatever became of the broker.
pub(super) fn verify(args: &VerifyArgs) -> super::Outcome {
    if args.read_only {
        return read_only(args);
    }
    let folder = args.output.folder()?;
    let mut ledger = args.ledger.as_deref().map(LedgerFile::create).transpose()?;
    let mut target = args.target.open()?;
    let parts = Parts {
        target: &args.target,
        level: &args.level,
        records: &args.records,
        producer: &args.producer,
        consumer: Some(&args.consumer),
        run: &args.run,
    };
    let pace = args.rate.rate.map_or(Pace::Closed, |rate| Pace::Open {
        rate: rate as f64,
        arrivals: args.rate.arrivals,
    });
    let (plan, topic) = parts.prepare(&target, pace)?;
    let name = format!("verify {}", level_name(&args.level));
    let (acks, idempotence) = (args.level.acks, args.level.idempotence);
    let survives = args.target.survives(acks, idempotence);
    let mut row = run_shown(&name, plan, &mut target, survives, |run, outcome| {
        if let Some(ledger) = &mut ledger {
            ledger.note(run, outcome);
        }
    })?;
    row.again = Some(second_reading(args, &row, &mut target));
    let good = row.is_good();
    let report = Report {
        title: "Verification".to_owned(),
        environment: environment(&parts, &target),
        rows: vec![row],
    };
    // A topic that did not pass is kept, for whoever looks into it.
    if good {
        topic.remove(&report.rows[0]);
    } else {
        println!("topic {} is kept", topic.name);
        topic.keep();
    }
    let published = publish(&report, folder);
    ledger.map_or(Ok(()), LedgerFile::finish)?;
    published
}

fn read_only(args: &VerifyArgs) -> super::Outcome {
    let path = args.ledger.as_deref().expect("clap requires it");
    let acknowledged = read_ledger(path)?;
    let target = args.target.open()?;
    let topic = args.target.topic.as_deref().expect("clap requires it");
    target.filled_topic(topic)?;
    // Whether a batch was sent twice is not in the ledger: only idempotence forbids duplicates.
    let facts = SenderFacts {
        idempotent: args.level.idempotence,
        retries: 1,
    };
    let limit = args.run.drain;
    let again = reread(&target.bootstrap, topic, None, &acknowledged, facts, limit);
    println!("{}", again_text(&again).trim_start());
    Ok(again.is_good())
}

fn second_reading(args: &VerifyArgs, row: &Row, target: &mut Target) -> Rereading {
    let acknowledged: Vec<Run> = row.result.ledger.acknowledged().collect();
    let facts = SenderFacts {
        idempotent: args.level.idempotence,
        retries: row.result.counters.retries,
    };
    if let Some(reason) = target.is_gone(args.target.connect_timeout) {
        return Rereading::failed(&acknowledged, facts, reason);
    }
    let plan = &row.plan;
    let source = Some(&plan.source);
    let (bootstrap, topic, limit) = (&plan.bootstrap, &plan.topic, args.run.drain);
    reread(bootstrap, topic, source, &acknowledged, facts, limit)
}

/// Acknowledged runs as text: stream, partition, first sequence number, count.
struct LedgerFile {
    file: File,
    error: Option<std::io::Error>,
}

impl LedgerFile {
    fn create(path: &Path) -> Result<Self, String> {
        let begin = || {
            let mut file = File::create(path)?;
            writeln!(file, "# stream partition first count")?;
            Ok(Self { file, error: None })
        };
        begin().map_err(|error: std::io::Error| format!("--ledger {}: {error}", path.display()))
    }

    fn note(&mut self, run: &Run, outcome: Outcome) {
        if outcome == Outcome::Acknowledged {
            let Run {
                lane, first, count, ..
            } = run;
            let written = writeln!(
                self.file,
                "{} {} {first} {count}",
                lane.stream, lane.partition
            );
            self.error = self.error.take().or(written.err());
        }
    }

    fn finish(self) -> std::io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}

fn read_ledger(path: &Path) -> Result<Vec<Run>, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut runs = Vec::new();
    for (at, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| format!("{}: {error}", path.display()))?;
        if line.starts_with('#') {
            continue;
        }
        let numbers: Vec<u64> = line
            .split_whitespace()
            .filter_map(|n| n.parse().ok())
            .collect();
        let [stream, partition, first, count] = numbers[..] else {
            return Err(format!(
                "{} line {}: not four numbers",
                path.display(),
                at + 1
            ));
        };
        let lane = Lane {
            stream: stream as u32,
            partition: partition as u32,
        };
        runs.push(Run {
            lane,
            first,
            count,
            offset: None,
        });
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let lane = Lane {
            stream: u32::MAX,
            partition: 3,
        };
        let run = Run {
            lane,
            first: 10,
            count: 5,
            offset: Some(7),
        };
        let mut file = LedgerFile::create(&path).unwrap();
        file.note(&run, Outcome::Acknowledged);
        file.note(&run, Outcome::Unknown);
        file.finish().unwrap();
        assert_eq!(
            read_ledger(&path).unwrap(),
            [Run {
                offset: None,
                ..run
            }]
        );
        std::fs::write(&path, "1 2 x 4\n").unwrap();
        assert!(read_ledger(&path).unwrap_err().contains("line 1"));
    }
}
