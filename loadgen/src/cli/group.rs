//! `loadgen group`: consumers in groups, and how they get over members that come and go.

use std::time::Duration;

use clap::Args;

use super::args::{FetchArgs, OutputArgs, ProducerArgs, RateArgs, RecordArgs, RunArgs};
use super::single::{LevelArgs, Parts, environment};
use super::target::{Target, TargetArgs};
use super::{Outcome, is_interrupted, publish_all, run_shown};
use crate::consumer::group::{Assignor, Lines};
use crate::load::{GroupPlan, LoadPlan, Pace, Step};
use crate::producer::PartitionPlan;
use crate::quantity;
use crate::report::{Report, Row};

/// `loadgen group`.
#[derive(Debug, Args)]
pub(super) struct GroupArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    members: MemberArgs,
    #[command(flatten)]
    fetch: FetchArgs,
    #[command(flatten)]
    level: LevelArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    producer: ProducerArgs,
    #[command(flatten)]
    rate: RateArgs,
    /// Send as fast as it goes, instead of 10k records a second
    #[arg(long, conflicts_with = "rate", help_heading = "Run")]
    peak: bool,
    /// How long is measured
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "20s",
        help_heading = "Run")]
    duration: Duration,
    /// How long is sent before that
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s",
        help_heading = "Run")]
    warmup: Duration,
    /// How long forming a group, and reading to the end, may take
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "60s",
        help_heading = "Run")]
    drain: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

/// The members.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Groups")]
struct MemberArgs {
    /// Members of a group; a run for each count. A topic that is made has a partition for each
    #[arg(
        long,
        value_name = "COUNTS",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=100_000),
        default_value = "1,10,50"
    )]
    members: Vec<u32>,
    /// What happens to members, one after the other, evenly over the run: join, leave, kill (gone
    /// without a word), restart (killed, and back at once), or none
    #[arg(long, value_name = "STEPS", default_value = "leave,join,kill")]
    steps: StepList,
    /// How partitions are shared out: range or cooperative-sticky
    #[arg(long, value_name = "HOW", default_value = "cooperative-sticky")]
    assignor: Assignor,
    /// Members are static: each has a group.instance.id
    #[arg(long = "static")]
    is_static: bool,
    /// How long the broker waits for a heartbeat before a member counts as gone
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "6s")]
    session_timeout: Duration,
    /// How often members say that they are there
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s")]
    heartbeat_interval: Duration,
    /// How often members commit what they have read; 0s: never
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "1s")]
    commit_interval: Duration,
    /// Send and read nothing: members only join, commit and keep their places
    #[arg(long)]
    heartbeats_only: bool,
    /// Groups, each of so many members
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        requires = "heartbeats_only"
    )]
    groups: u32,
    /// Connections that the members of --heartbeats-only share
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(1..=60_000),
        requires = "heartbeats_only"
    )]
    connections: u32,
    /// Members of --heartbeats-only that join at once, each over a connection of its own
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..=60_000),
        requires = "heartbeats_only"
    )]
    joining: u32,
}

/// Steps as they are given on the command line.
#[derive(Clone, Debug)]
struct StepList(Vec<Step>);

impl std::str::FromStr for StepList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let steps = text.split(',').map(str::parse);
        steps.collect::<Result<_, _>>().map(Self)
    }
}

/// A run for each number of members.
pub(super) fn group(args: &GroupArgs) -> Outcome {
    let mut args_with_partitions = args.target.clone();
    let most = args.members.members.iter().copied().max().unwrap_or(1);
    if !args.members.heartbeats_only {
        // Somebody may join, and should have something to read.
        args_with_partitions.partitions = args.target.partitions.max(most + 1);
    }
    let run = RunArgs {
        duration: args.duration,
        warmup: args.warmup,
        drain: args.drain,
        repeats: 1,
        max_bytes: None,
    };
    let mut producer = args.producer.clone();
    if producer.partitioner == PartitionPlan::Default {
        // A sticky choice would leave partitions without records for longer than a rebalance.
        producer.partitioner = PartitionPlan::RoundRobin;
    }
    let parts = Parts {
        target: &args_with_partitions,
        level: &args.level,
        records: &args.records,
        producer: &producer,
        consumer: None,
        run: &run,
    };
    let folder = args.output.folder()?;
    let mut target = parts.target.open()?;
    let mut report = Report {
        title: "Consumers in groups".to_owned(),
        environment: surroundings(args, &parts, &target),
        rows: Vec::new(),
    };
    let mut counts = args.members.members.iter();
    let runs = counts.try_for_each(|&members| {
        if !is_interrupted() {
            report.rows.push(one(args, &parts, &mut target, members)?);
        }
        Ok(())
    });
    publish_all(&report, runs, folder)
}

fn one(
    args: &GroupArgs,
    parts: &Parts<'_>,
    target: &mut Target,
    members: u32,
) -> Result<Row, Box<dyn std::error::Error>> {
    let pace = match args.rate.rate {
        _ if args.peak => Pace::Closed,
        rate => Pace::Open {
            rate: rate.unwrap_or(RATE) as f64,
            arrivals: args.rate.arrivals,
        },
    };
    let reading = !args.members.heartbeats_only;
    let (base, topic) = parts.prepare(target, pace)?;
    let plan = LoadPlan {
        consumer: args.fetch.config(),
        producers: if reading { base.producers } else { 0 },
        consumers: u32::from(reading),
        follow: !reading,
        group: Some(args.members.plan(members)),
        ..base
    };
    let (members, rate) = (
        plural(members, "member"),
        match plan.pace {
            Pace::Closed => "peak".to_owned(),
            Pace::Open { rate, .. } => format!("{}/s", quantity::show_count(rate as u64)),
        },
    );
    let name = if reading {
        format!("{members}, {rate}")
    } else {
        format!("{} of {members}", plural(args.members.groups, "group"))
    };
    let level = parts.level;
    let survives = parts.target.survives(level.acks, level.idempotence);
    let row = run_shown(&name, plan, target, survives, |_, _| {})?;
    topic.remove(&row);
    Ok(row)
}

impl MemberArgs {
    fn plan(&self, members: u32) -> GroupPlan {
        // The last one has nobody to take over from it, or to wait for.
        let steps = if members > 1 {
            self.steps.0.clone()
        } else {
            Vec::new()
        };
        let lines = if self.heartbeats_only {
            Lines::Shared {
                common: self.connections,
                joining: self.joining,
            }
        } else {
            Lines::Own
        };
        GroupPlan {
            groups: self.groups.max(1),
            members,
            reading: !self.heartbeats_only,
            assignor: self.assignor,
            is_static: self.is_static,
            session_timeout: self.session_timeout,
            heartbeat_interval: self.heartbeat_interval,
            commit_interval: Some(self.commit_interval).filter(|span| !span.is_zero()),
            lines,
            steps: if self.heartbeats_only {
                Vec::new()
            } else {
                steps
            },
            observer: None,
        }
    }
}

fn surroundings(args: &GroupArgs, parts: &Parts<'_>, target: &Target) -> Vec<(String, String)> {
    let mut facts = environment(parts, target);
    facts.retain(|(name, _)| !name.starts_with("consumers"));
    let members = &args.members;
    let kind = if members.is_static {
        "static"
    } else {
        "dynamic"
    };
    facts.push((
        "members".to_owned(),
        format!(
            "{kind}, {}, session.timeout.ms {}, heartbeat.interval.ms {}, \
             auto.commit.interval.ms {}",
            members.assignor.name(),
            members.session_timeout.as_millis(),
            members.heartbeat_interval.as_millis(),
            members.commit_interval.as_millis(),
        ),
    ));
    facts
}

fn plural(count: u32, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", quantity::show_count(u64::from(count)))
}

/// Records a second, unless another rate is given.
const RATE: u64 = 10_000;
