//! `loadgen curve`: latency against offered load.

use clap::Args;

use super::args::{ConsumerArgs, OutputArgs, ProducerArgs, RecordArgs, RunArgs};
use super::single::{LevelArgs, Parts, environment, level_name};
use super::target::{Target, TargetArgs};
use super::{Outcome, is_interrupted, publish_all, run_shown};
use crate::load::{Arrivals, Pace};
use crate::quantity;
use crate::report::{Report, Row};

/// `loadgen curve`.
#[derive(Debug, Args)]
pub(super) struct CurveArgs {
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
    /// Rates to offer, in records a second [default: 10 % to 95 % of the highest throughput]
    #[arg(long, value_name = "RATES", value_delimiter = ',', value_parser = quantity::rate)]
    rates: Vec<u64>,
    /// The arrivals: constant or poisson
    #[arg(long, value_name = "SHAPE", default_value = "poisson")]
    arrivals: Arrivals,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs at one rate after the other.
pub(super) fn curve(args: &CurveArgs) -> Outcome {
    let folder = args.output.folder()?;
    let mut target = args.target.open()?;
    let mut report = Report {
        title: "Latency against offered load".to_owned(),
        environment: environment(&parts(args), &target),
        rows: Vec::new(),
    };
    let runs = points(args, &mut target, &mut report);
    publish_all(&report, runs, folder)
}

fn points(
    args: &CurveArgs,
    target: &mut Target,
    report: &mut Report,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut rates = args.rates.clone();
    if rates.is_empty() {
        let peak = point(args, target, Pace::Closed)?;
        let highest = peak.result.records_per_second();
        report.rows.push(peak);
        rates = SHARES
            .iter()
            .map(|share| (highest * share) as u64)
            .collect();
    }
    for rate in rates {
        if is_interrupted() {
            break;
        }
        let pace = Pace::Open {
            rate: rate.max(1) as f64,
            arrivals: args.arrivals,
        };
        report.rows.push(point(args, target, pace)?);
    }
    Ok(())
}

fn parts(args: &CurveArgs) -> Parts<'_> {
    Parts {
        target: &args.target,
        level: &args.level,
        records: &args.records,
        producer: &args.producer,
        consumer: Some(&args.consumer),
        run: &args.run,
    }
}

fn point(
    args: &CurveArgs,
    target: &mut Target,
    pace: Pace,
) -> Result<Row, Box<dyn std::error::Error>> {
    let parts = parts(args);
    let (plan, topic) = parts.prepare(target, pace)?;
    let name = match pace {
        Pace::Closed => format!("{}, peak", level_name(&args.level)),
        Pace::Open { rate, .. } => format!("{}/s", quantity::show_count(rate as u64)),
    };
    let level = &args.level;
    let survives = args.target.survives(level.acks, level.idempotence);
    let row = run_shown(&name, plan, target, survives, |_, _| {})?;
    topic.remove(&row);
    Ok(row)
}

const SHARES: [f64; 6] = [0.1, 0.25, 0.5, 0.7, 0.85, 0.95];
