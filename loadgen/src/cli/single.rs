//! Commands that make one kind of run: produce, consume, end-to-end.

use std::time::Duration;

use clap::Args;

use super::args::{ConsumerArgs, OutputArgs, ProducerArgs, RateArgs, RecordArgs, RunArgs};
use super::target::{Target, TargetArgs, Topic};
use super::{Outcome, host, is_interrupted, publish, publish_all, run_shown};
use crate::load::{LoadPlan, Pace};
use crate::producer::Acks;
use crate::quantity;
use crate::report::Report;

/// `loadgen produce`.
#[derive(Debug, Args)]
pub(super) struct ProduceArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    level: LevelArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    producer: ProducerArgs,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// `loadgen consume`.
#[derive(Debug, Args)]
pub(super) struct ConsumeArgs {
    #[command(flatten)]
    target: FilledArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// Wait for more at the end of the topic, until --duration is over
    #[arg(long)]
    follow: bool,
    /// How long to read at most
    #[arg(long, value_name = "TIME", value_parser = quantity::window, default_value = "1h")]
    duration: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is there already.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Broker and topic")]
struct FilledArgs {
    /// Brokers to begin with: HOST:PORT,HOST:PORT
    #[arg(long, value_name = "ADDRESSES")]
    bootstrap: String,
    /// How long brokers that do not answer are tried
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "10s")]
    connect_timeout: Duration,
    /// The topic to read, all of it
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// The process id of the broker, if it is on this host: its CPU is measured
    #[arg(long, value_name = "PID")]
    broker_pid: Option<u32>,
}

/// `loadgen end-to-end`.
#[derive(Debug, Args)]
pub(super) struct EndToEndArgs {
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
    #[command(flatten)]
    output: OutputArgs,
}

/// The level of acknowledgement.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Producer")]
pub(super) struct LevelArgs {
    /// 0, 1 or all
    #[arg(long, value_name = "LEVEL", default_value = "all")]
    pub(super) acks: Acks,
    /// Neither duplicates nor changes of order when batches are sent again (needs --acks all)
    #[arg(long)]
    pub(super) idempotence: bool,
}

/// Everything that a run is made of.
pub(super) struct Parts<'a> {
    pub(super) target: &'a TargetArgs,
    pub(super) level: &'a LevelArgs,
    pub(super) records: &'a RecordArgs,
    pub(super) producer: &'a ProducerArgs,
    pub(super) consumer: Option<&'a ConsumerArgs>,
    pub(super) run: &'a RunArgs,
}

impl Parts<'_> {
    /// The plan of a run against `target`, and its topic, which is made if the plan is sound.
    pub(super) fn prepare(
        &self,
        target: &Target,
        pace: Pace,
    ) -> Result<(LoadPlan, Topic), Box<dyn std::error::Error>> {
        let name = self.target.topic_name();
        let plan = self.plan(target, &name, pace)?;
        Ok((plan, target.topic(self.target, name)?))
    }

    /// The plan of a run against `target`.
    pub(super) fn plan(
        &self,
        target: &Target,
        topic: &str,
        pace: Pace,
    ) -> Result<LoadPlan, String> {
        let (source, sizes) = self.records.source(self.producer.compression)?;
        let producer = self
            .producer
            .config(self.level.acks, self.level.idempotence);
        producer.check().map_err(|error| error.to_string())?;
        Ok(LoadPlan {
            bootstrap: target.bootstrap.clone(),
            topic: topic.to_owned(),
            producer,
            consumer: self
                .consumer
                .map(|consumer| consumer.fetch.config())
                .unwrap_or_default(),
            group: None,
            trouble: None,
            producers: self.producer.producers.max(1),
            consumers: self.consumer.map_or(0, |consumer| consumer.consumers),
            follow: false,
            from_start: false,
            pace,
            source,
            sizes,
            keys: self.records.keys.clone(),
            warmup: self.run.warmup,
            duration: self.run.duration,
            drain: self.run.drain,
            bytes_max: self
                .run
                .max_bytes
                .unwrap_or(u64::MAX)
                .min(target.bytes_max()),
            seed: self.records.seed,
            broker_pid: target.broker_pid,
        })
    }
}

/// Produces only.
pub(super) fn produce(args: &ProduceArgs) -> Outcome {
    let parts = Parts {
        target: &args.target,
        level: &args.level,
        records: &args.records,
        producer: &args.producer,
        consumer: None,
        run: &args.run,
    };
    repeated(&parts, pace(&args.rate, None), "produce", &args.output)
}

/// Produces and consumes.
pub(super) fn end_to_end(args: &EndToEndArgs) -> Outcome {
    let parts = Parts {
        target: &args.target,
        level: &args.level,
        records: &args.records,
        producer: &args.producer,
        consumer: Some(&args.consumer),
        run: &args.run,
    };
    repeated(
        &parts,
        pace(&args.rate, Some(10_000)),
        "end-to-end",
        &args.output,
    )
}

/// Consumes only.
pub(super) fn consume(args: &ConsumeArgs) -> Outcome {
    let folder = args.output.folder()?;
    let topic = &args.target.topic;
    let FilledArgs {
        bootstrap,
        connect_timeout,
        broker_pid,
        ..
    } = &args.target;
    let mut target = Target::of_others(bootstrap, *connect_timeout, *broker_pid)?;
    target.filled_topic(topic)?;
    let plan = LoadPlan {
        bootstrap: target.bootstrap.clone(),
        topic: topic.to_owned(),
        producer: crate::producer::ProducerConfig::default(),
        consumer: args.consumer.fetch.config(),
        producers: 0,
        consumers: args.consumer.consumers,
        group: None,
        trouble: None,
        follow: args.follow,
        from_start: true,
        pace: Pace::Closed,
        source: crate::payload::Source::Synthetic(std::sync::Arc::new(crate::payload::Arena::new(
            crate::payload::Filler::Random,
            18,
        ))),
        sizes: crate::payload::SizePlan::Fixed(0),
        keys: crate::payload::KeyPlan::None,
        warmup: Duration::ZERO,
        duration: args.duration,
        drain: args.duration,
        bytes_max: u64::MAX,
        seed: 0,
        broker_pid: target.broker_pid,
    };
    let name = format!("consume {topic}");
    let row = run_shown(&name, plan, &mut target, String::new(), |_, _| {})?;
    let report = Report {
        title: "Consume".to_owned(),
        environment: consume_environment(args, &target),
        rows: vec![row],
    };
    publish(&report, folder)
}

fn consume_environment(args: &ConsumeArgs, target: &Target) -> Vec<(String, String)> {
    let mut facts = host::facts(None);
    facts.push(("broker".to_owned(), addresses(target)));
    facts.push(consumers(args.consumer.consumers));
    facts
}

fn pace(args: &RateArgs, default: Option<u64>) -> Pace {
    match args.rate.or(default) {
        Some(rate) => Pace::Open {
            rate: rate as f64,
            arrivals: args.arrivals,
        },
        None => Pace::Closed,
    }
}

fn repeated(parts: &Parts<'_>, pace: Pace, title: &str, output: &OutputArgs) -> Outcome {
    let folder = output.folder()?;
    let mut target = parts.target.open()?;
    let mut report = Report {
        title: format!("loadgen {title}"),
        environment: environment(parts, &target),
        rows: Vec::new(),
    };
    let runs = repeat(parts, pace, &mut target, &mut report);
    publish_all(&report, runs, folder)
}

fn repeat(
    parts: &Parts<'_>,
    pace: Pace,
    target: &mut Target,
    report: &mut Report,
) -> Result<(), Box<dyn std::error::Error>> {
    for turn in 0..parts.run.repeats {
        if is_interrupted() {
            break;
        }
        let (plan, topic) = parts.prepare(target, pace)?;
        let mut name = level_name(parts.level);
        if parts.run.repeats > 1 {
            name += &format!(" #{}", turn + 1);
        }
        let level = parts.level;
        let survives = parts.target.survives(level.acks, level.idempotence);
        let row = run_shown(&name, plan, target, survives, |_, _| {})?;
        topic.remove(&row);
        report.rows.push(row);
    }
    Ok(())
}

/// A level's name in reports.
pub(super) fn level_name(level: &LevelArgs) -> String {
    let suffix = if level.idempotence { " idempotent" } else { "" };
    format!("acks={}{suffix}", level.acks.name())
}

/// What bears on the figures of a run.
pub(super) fn environment(parts: &Parts<'_>, target: &Target) -> Vec<(String, String)> {
    let mut facts = host::facts(target.data());
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(ready) = target.ready_after() {
        add(
            "broker ready after",
            format!("{:.0} ms", ready.as_secs_f64() * 1e3),
        );
    }
    add("broker", addresses(target));
    add("partitions", parts.target.partitions.to_string());
    let values = match &parts.records.input {
        Some(path) => format!("lines of {}", path.display()),
        None => format!(
            "{:?}, {:?}",
            parts.records.record_size, parts.records.payload
        ),
    };
    add("values", values);
    add("keys", format!("{:?}", parts.records.keys));
    add("seed", parts.records.seed.to_string());
    let producer = parts.producer;
    add(
        "producers",
        format!(
            "{} with batch.size {}, linger {:?}, compression {}, {} requests in flight",
            producer.producers,
            crate::quantity::show_bytes(producer.batch_size),
            producer.linger,
            producer.compression,
            producer.max_in_flight
        ),
    );
    facts.push(consumers(
        parts.consumer.map_or(0, |consumer| consumer.consumers),
    ));
    facts
}

fn addresses(target: &Target) -> String {
    let addresses: Vec<String> = target.bootstrap.iter().map(ToString::to_string).collect();
    addresses.join(",")
}

fn consumers(count: u32) -> (String, String) {
    (
        "consumers, reading in parallel".to_owned(),
        count.to_string(),
    )
}
