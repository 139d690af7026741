//! The command line.

mod args;
mod curve;
mod folder;
mod group;
mod host;
mod matrix;
mod progress;
mod reach;
mod single;
mod target;
mod trouble;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::folder::Folder;
use self::progress::{Line, is_interrupted};
use self::target::Target;
use crate::broker;
use crate::history::{Outcome as Fate, Run};
use crate::load::{LoadPlan, run_noting};
use crate::report::{Report, Row, findings_text, table};

/// Drives a Kafka-compatible broker, measures it, and checks every record while it measures.
#[derive(Debug, Parser)]
#[command(
    name = "loadgen",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every acks level at its highest throughput, then at a fixed rate (the default)
    Matrix(Box<matrix::MatrixArgs>),
    /// Only produce: as fast as it goes, or at a rate
    Produce(Box<single::ProduceArgs>),
    /// Read a topic and check the records that a load generator wrote
    Consume(Box<single::ConsumeArgs>),
    /// Produce and consume at a rate: latency from the intended time until a consumer has it
    EndToEnd(Box<single::EndToEndArgs>),
    /// Consumers in groups: latency, commits, heartbeats, and how long partitions are not read when
    /// members come and go
    Group(Box<group::GroupArgs>),
    /// Produce and consume at a rate beside groups in trouble: rebalance storms, poisoned and slow
    /// members, phase by phase
    Trouble(Box<trouble::TroubleArgs>),
    /// Latency against offered load
    Curve(Box<curve::CurveArgs>),
    /// Produce and check for a long time, through restarts of the broker; nothing acknowledged
    /// may be lost
    Verify(Box<verify::VerifyArgs>),
}

/// Runs the program with these arguments (the first is its name). The exit code is 0 if all went
/// well, 1 if a run failed or violated what was promised, 2 for a mistake in the arguments.
pub fn main_from(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == broker::SUBCOMMAND) {
        // The broker of a load generator that is gone should go as well.
        crate::sys::die_with_parent();
        args.remove(1);
        return logmill::main_from(args);
    }
    if args.len() < 2 {
        args.push("matrix".into());
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let outcome = match cli.command {
        Command::Matrix(args) => matrix::matrix(&args),
        Command::Produce(args) => single::produce(&args),
        Command::Consume(args) => single::consume(&args),
        Command::EndToEnd(args) => single::end_to_end(&args),
        Command::Group(args) => group::group(&args),
        Command::Trouble(args) => trouble::trouble(&args),
        Command::Curve(args) => curve::curve(&args),
        Command::Verify(args) => verify::verify(&args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("loadgen: a run failed or violated what was promised; see above");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a command comes to: true if all went well.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

/// Makes a run on `target` with a live line under `name`; `note` is told the fate of every run of
/// records. A broker of its own that dies or stands still ends the run, and has the last word.
fn run_shown(
    name: &str,
    plan: LoadPlan,
    target: &mut Target,
    survives: String,
    note: impl FnMut(&Run, Fate),
) -> Result<Row, Box<dyn std::error::Error>> {
    let mut line = Line::new(name);
    let outcome = run_noting(
        &plan,
        |progress| {
            target
                .watch(progress)
                .unwrap_or_else(|| line.show(progress))
        },
        note,
    );
    let mut result = outcome.map_err(|error| target.explain(&error.to_string()))?;
    result.failure = result.failure.map(|failure| target.explain(&failure));
    let row = Row {
        name: name.to_owned(),
        plan,
        result,
        survives,
        again: None,
    };
    line.finish(&row);
    Ok(row)
}

/// Publishes what there is of a report, whatever ended its runs: an error counts after that.
fn publish_all(
    report: &Report,
    runs: Result<(), Box<dyn std::error::Error>>,
    folder: Option<Folder>,
) -> Outcome {
    match runs {
        Err(error) if report.rows.is_empty() => Err(error),
        runs => {
            let good = publish(report, folder)?;
            runs.map(|()| good)
        }
    }
}

/// Prints a report, writes its folder, and says how it went.
fn publish(report: &Report, folder: Option<Folder>) -> Outcome {
    println!("{}", table(report));
    for row in &report.rows {
        println!("{}", findings_text(row));
    }
    if let Some(folder) = folder {
        let written = report.write(folder.path());
        written.map_err(|error| folder.unusable(&error))?;
        println!("report: {}", folder.path().join("report.html").display());
    }
    Ok(report.is_good())
}

const EXAMPLES: &str = "\
Examples:
  loadgen                                        the matrix, on a broker of its own
  loadgen matrix --bootstrap 127.0.0.1:9092      the matrix on any Kafka-compatible broker
  loadgen produce --acks all --idempotence --record-size 100 --keys zipf:1M
  loadgen end-to-end --rate 10k --arrivals poisson --linger 0ms
  loadgen curve --rates 10k,50k,100k,200k --duration 10s
  loadgen produce --input /var/log/syslog.1 --compression zstd --compression-level 3
  loadgen group --members 1,10,50 --bootstrap 127.0.0.1:9092
  loadgen group --heartbeats-only --groups 1000 --members 10
  loadgen trouble --rate 10k --groups 50 --members 10
  loadgen verify --bootstrap 127.0.0.1:9092 --duration 1h --ledger acknowledged.txt
";

#[cfg(test)]
mod tests;
