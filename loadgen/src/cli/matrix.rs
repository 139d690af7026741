//! `loadgen matrix`: every level of acknowledgement, at its highest throughput and at a fixed rate.

use std::time::Duration;

use clap::Args;

use super::args::{ConsumerArgs, OutputArgs, ProducerArgs, RecordArgs, RunArgs};
use super::single::{LevelArgs, Parts, environment, level_name};
use super::target::TargetArgs;
use super::{Outcome, is_interrupted, publish_all, run_shown};
use crate::load::Pace;
use crate::producer::Acks;
use crate::quantity;
use crate::report::Report;

/// `loadgen matrix`.
#[derive(Debug, Args)]
pub(super) struct MatrixArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    producer: ProducerArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// Levels to run: 0, 1, all, idempotent
    #[arg(
        long,
        value_name = "LEVELS",
        value_delimiter = ',',
        value_parser = level,
        default_value = "0,1,all,idempotent"
    )]
    levels: Vec<LevelArgs>,
    /// The rate of the latency runs, in records a second
    #[arg(long, value_name = "RATE", value_parser = quantity::rate, default_value = "10k")]
    rate: u64,
    /// How long each run for throughput is measured
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "4s")]
    peak: Duration,
    /// How long each run for latency is measured
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "5s")]
    steady: Duration,
    /// How long is sent before measuring begins
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s")]
    warmup: Duration,
    /// How long the end of a run may take: answers, and reading what was sent
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "60s")]
    drain: Duration,
    /// How often the matrix is run
    #[arg(long, value_name = "COUNT", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// The arrivals of the latency runs: constant or poisson
    #[arg(long, value_name = "SHAPE", default_value = "constant")]
    arrivals: crate::load::Arrivals,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the matrix. A broker of its own is a fresh one for each run, so that none pays for what
/// the one before it left to be written behind.
pub(super) fn matrix(args: &MatrixArgs) -> Outcome {
    let title = "Acknowledgement levels: throughput and latency".to_owned();
    let mut report = Report {
        title,
        ..Report::default()
    };
    let steady = Pace::Open {
        rate: args.rate as f64,
        arrivals: args.arrivals,
    };
    let paces = [(Pace::Closed, args.peak), (steady, args.steady)];
    let turns = (0..args.repeats).flat_map(|turn| paces.map(|pace| (turn, pace)));
    let cells: Vec<_> = turns
        .flat_map(|turn| args.levels.iter().map(move |level| (turn, level)))
        .collect();
    let folder = args.output.folder()?;
    let mut all = cells.iter();
    let runs = all.try_for_each(|((turn, (pace, duration)), level)| {
        if is_interrupted() {
            return Ok(());
        }
        let at = format!("[{}/{}]", report.rows.len() + 1, cells.len());
        cell(args, level, *pace, *duration, *turn, &at, &mut report)
    });
    publish_all(&report, runs, folder)
}

fn cell(
    args: &MatrixArgs,
    level: &LevelArgs,
    pace: Pace,
    duration: Duration,
    turn: u32,
    at: &str,
    report: &mut Report,
) -> Result<(), Box<dyn std::error::Error>> {
    let run = RunArgs {
        duration,
        warmup: args.warmup,
        drain: args.drain,
        repeats: 1,
        max_bytes: None,
    };
    let parts = Parts {
        target: &args.target,
        level,
        records: &args.records,
        producer: &args.producer,
        consumer: Some(&args.consumer),
        run: &run,
    };
    let mut target = args.target.open()?;
    if report.environment.is_empty() {
        report.environment = environment(&parts, &target);
    }
    let (plan, topic) = parts.prepare(&target, pace)?;
    let mut name = match pace {
        Pace::Closed => format!("{}, peak", level_name(level)),
        Pace::Open { rate, .. } => {
            format!(
                "{}, {}/s",
                level_name(level),
                quantity::show_count(rate as u64)
            )
        }
    };
    if args.repeats > 1 {
        name += &format!(" #{}", turn + 1);
    }
    let survives = args.target.survives(level.acks, level.idempotence);
    let shown = format!("{at} {name}");
    let mut row = run_shown(&shown, plan, &mut target, survives, |_, _| {})?;
    row.name = name;
    if args.target.is_own() {
        topic.keep();
    } else {
        topic.remove(&row);
    }
    report.rows.push(row);
    Ok(())
}

fn level(text: &str) -> Result<LevelArgs, String> {
    if text == "idempotent" {
        return Ok(LevelArgs {
            acks: Acks::All,
            idempotence: true,
        });
    }
    let acks = text
        .parse()
        .map_err(|_| format!("'{text}' is no level; use 0, 1, all or idempotent"))?;
    Ok(LevelArgs {
        acks,
        idempotence: false,
    })
}
