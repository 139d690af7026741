//! `loadgen trouble`: does a steady load suffer from groups in trouble?

use std::time::Duration;

use clap::Args;

use super::args::{ConsumerArgs, OutputArgs, ProducerArgs, RecordArgs, RunArgs};
use super::single::{LevelArgs, Parts, environment};
use super::target::{Target, TargetArgs, Topic};
use super::{Outcome, is_interrupted, publish_all, run_shown};
use crate::load::{Arrivals, LoadPlan, Pace, Trouble, TroublePlan};
use crate::producer::Acks;
use crate::quantity;
use crate::report::{Report, Row};

/// `loadgen trouble`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TroubleArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    trouble: PhaseArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    producer: ProducerArgs,
    /// 0, 1 or all
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "1",
        help_heading = "Producer"
    )]
    acks: Acks,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// Records a second, whatever the broker does
    #[arg(long, value_name = "RATE", value_parser = quantity::rate, default_value = "10k",
        help_heading = "Run")]
    rate: u64,
    /// The arrivals: constant or poisson
    #[arg(
        long,
        value_name = "SHAPE",
        default_value = "constant",
        help_heading = "Run"
    )]
    arrivals: Arrivals,
    /// How long each phase is measured
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "10s",
        help_heading = "Run")]
    duration: Duration,
    /// How long is sent in each phase before that, the trouble being under way
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s",
        help_heading = "Run")]
    warmup: Duration,
    /// How long may pass until the trouble is under way, and until everything is read
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "60s",
        help_heading = "Run")]
    drain: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

/// The trouble.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Trouble")]
struct PhaseArgs {
    /// Phases, one after the other: calm, storm (members join and leave all the time), poisoned
    /// (unreadable, giant and over-long metadata), slow (members that do not sync, fall silent, or
    /// read nothing)
    #[arg(
        long,
        value_name = "PHASES",
        value_delimiter = ',',
        default_value = "calm,storm,poisoned,slow,calm"
    )]
    phases: Vec<Trouble>,
    /// Groups in trouble; a fifth of them where members are poisoned
    #[arg(long, value_name = "COUNT", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    groups: u32,
    /// Members of each, with a connection each
    #[arg(long, value_name = "COUNT", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
}

/// A run for each phase, all of them on one topic of one broker.
pub(super) fn trouble(args: &TroubleArgs) -> Outcome {
    let level = LevelArgs {
        acks: args.acks,
        idempotence: false,
    };
    let run = RunArgs {
        duration: args.duration,
        warmup: args.warmup,
        drain: args.drain,
        repeats: 1,
        max_bytes: None,
    };
    let parts = Parts {
        target: &args.target,
        level: &level,
        records: &args.records,
        producer: &args.producer,
        consumer: Some(&args.consumer),
        run: &run,
    };
    let folder = args.output.folder()?;
    let mut target = args.target.open()?;
    let mut environment = environment(&parts, &target);
    let PhaseArgs {
        groups, members, ..
    } = args.trouble;
    environment.push((
        "groups in trouble".to_owned(),
        format!("{groups} of {members} members, on a thread of the lowest priority"),
    ));
    let mut report = Report {
        title: "A steady load beside groups in trouble".to_owned(),
        environment,
        rows: Vec::new(),
    };
    let topic = target.topic(&args.target, args.target.topic_name())?;
    let runs = (0..args.trouble.phases.len()).try_for_each(|at| {
        if !is_interrupted() {
            let row = phase(args, at, &parts, &mut target, &topic)?;
            report.rows.push(row);
        }
        Ok(())
    });
    if let (Ok(()), Some(row)) = (&runs, report.rows.last()) {
        topic.remove(row);
    }
    publish_all(&report, runs, folder)
}

fn phase(
    args: &TroubleArgs,
    at: usize,
    parts: &Parts<'_>,
    target: &mut Target,
    topic: &Topic,
) -> Result<Row, Box<dyn std::error::Error>> {
    let pace = Pace::Open {
        rate: args.rate as f64,
        arrivals: args.arrivals,
    };
    let phases = &args.trouble.phases;
    let trouble = TroublePlan {
        kind: phases[at],
        groups: args.trouble.groups,
        members: args.trouble.members,
    };
    let plan = LoadPlan {
        trouble: Some(trouble),
        ..parts.plan(target, &topic.name, pace)?
    };
    let survives = args.target.survives(args.acks, false);
    run_shown(&name(phases, at), plan, target, survives, |_, _| {})
}

/// A phase's name in reports; no two phases have the same.
fn name(phases: &[Trouble], at: usize) -> String {
    let before = phases[..at].iter().filter(|&&kind| kind == phases[at]);
    match before.count() {
        0 => phases[at].to_string(),
        1 => format!("{} again", phases[at]),
        count => format!("{} #{}", phases[at], count + 1),
    }
}

const EXAMPLES: &str = "\
Examples:
  loadgen trouble                                      on a broker of its own, for a minute or so
  loadgen trouble --bootstrap 127.0.0.1:9092 --broker-pid 4711
  loadgen trouble --phases calm,storm --groups 200 --members 5 --rate 50k --acks all
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_of_a_kind_are_told_apart() {
        use Trouble::{Calm, Slow};
        let phases = [Calm, Slow, Calm, Calm];
        let names: Vec<String> = (0..4).map(|at| name(&phases, at)).collect();
        assert_eq!(names, ["calm", "slow members", "calm again", "calm #3"]);
    }
}
