//! The command line: `logmill-tuning doctor` and `logmill-tuning probe`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use logmill_tuning::doctor::{self, Needs, Severity};
use logmill_tuning::host::Host;
use logmill_tuning::probe::{self, Plan, Step};
use logmill_tuning::report::Examination;
use logmill_tuning::volume::Volume;

/// What this host lacks for a Logmill broker, and what it can do.
#[derive(Parser)]
#[command(name = "logmill-tuning", version, arg_required_else_help = true)]
#[command(after_help = "Examples:
  logmill-tuning doctor --data-dir /var/lib/logmill
  logmill-tuning probe --quick")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Examine kernel, limits and disk: what is wrong, why it matters, what mends it.
    ///
    /// Exits with 0 when a broker can run here, with 1 when there is a failure.
    #[command(after_help = "Examples:
  logmill-tuning doctor
  logmill-tuning doctor --data-dir /data1 --data-dir /data2
  logmill-tuning doctor --json | jq '.findings[] | select(.severity != \"ok\")'")]
    Doctor(DoctorArguments),
    /// Measure disk, sync, journal tick, loopback and memory; 10 to 20 seconds.
    ///
    /// The scratch file has no name and vanishes with the process. Nothing else may run while you
    /// measure, if the figures are to mean something.
    #[command(after_help = "Examples:
  logmill-tuning probe --data-dir /var/lib/logmill
  logmill-tuning probe --quick
  logmill-tuning probe --json > host.json")]
    Probe(ProbeArguments),
}

#[derive(Args)]
struct DoctorArguments {
    /// A data directory (log.dirs), present or to come; may be given several times.
    #[arg(long = "data-dir", value_name = "DIR", default_value = ".")]
    data_dirs: Vec<PathBuf>,
    /// Print facts and findings as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ProbeArguments {
    /// The directory whose disk is measured.
    #[arg(long, value_name = "DIR", default_value = ".")]
    data_dir: PathBuf,
    /// Rough figures in about 2 seconds.
    #[arg(long)]
    quick: bool,
    /// Print facts and figures as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Doctor(arguments) => run_doctor(&arguments),
        Command::Probe(arguments) => run_probe(&arguments),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("logmill-tuning: {message}");
        ExitCode::FAILURE
    })
}

fn run_doctor(arguments: &DoctorArguments) -> Result<ExitCode, String> {
    let host = Host::inspect();
    let volumes: Vec<Volume> = arguments
        .data_dirs
        .iter()
        .map(|dir| Volume::inspect(dir))
        .collect();
    let findings = doctor::diagnose(&host, &volumes, &Needs::default());
    let worst = doctor::worst(&findings);
    let examination = Examination {
        host,
        volumes,
        findings,
    };
    print(&match arguments.json {
        true => examination.to_json().map_err(|error| error.to_string())?,
        false => examination.to_text(),
    })?;
    Ok(if worst >= Severity::Failure {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn run_probe(arguments: &ProbeArguments) -> Result<ExitCode, String> {
    let plan = match arguments.quick {
        true => Plan::quick(&arguments.data_dir),
        false => Plan::thorough(&arguments.data_dir),
    };
    let bar = progress_bar();
    let report = probe::run(&plan, &mut |step: Step<'_>| {
        bar.set_length(step.total as u64);
        bar.set_position(step.done as u64);
        bar.set_message(step.name.to_owned());
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| error.to_string())?;
    print(&match arguments.json {
        true => report.to_json().map_err(|error| error.to_string())?,
        false => report.to_text(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// On stderr, and only when that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {eta:>4} {wide_msg}");
    let bar = ProgressBar::new(1);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
