//! Against whom: a broker of one's own or others', and a topic on it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tempfile::TempDir;

use super::reach::{reach, resolve};
use crate::broker::{Broker, BrokerPlan};
use crate::clock::Clock;
use crate::load::{Phase, Progress, Steer};
use crate::net::{Admin, TopicPlan};
use crate::producer::Acks;
use crate::quantity;
use crate::report::Row;
use crate::sys;

/// Against whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Broker and topic")]
pub(super) struct TargetArgs {
    /// Brokers to begin with: HOST:PORT,HOST:PORT. Without: a broker of its own is started
    #[arg(long, value_name = "ADDRESSES")]
    pub(super) bootstrap: Option<String>,
    /// How long brokers at --bootstrap that do not answer are tried
    #[arg(long, value_name = "TIME", value_parser = quantity::span, default_value = "10s")]
    pub(super) connect_timeout: Duration,
    /// The topic; one that is not there is made, and kept. Without: one is made and deleted again
    #[arg(long, value_name = "NAME")]
    pub(super) topic: Option<String>,
    /// Partitions of a topic that is made
    #[arg(long, value_name = "COUNT", default_value_t = 6,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) partitions: u32,
    /// Replicas of a topic that is made
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(super) replication_factor: i16,
    /// A setting of a topic that is made: key=value (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) topic_config: Vec<String>,
    /// A setting of a broker of its own: key=value (repeatable)
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "bootstrap")]
    pub(super) set: Vec<String>,
    /// Run this logmill binary as the broker of its own
    #[arg(long, value_name = "PROGRAM", conflicts_with = "bootstrap")]
    pub(super) broker: Option<PathBuf>,
    /// Where a broker of its own keeps its data, in a folder that is removed again
    #[arg(long, value_name = "FOLDER", conflicts_with = "bootstrap")]
    pub(super) data_dir: Option<PathBuf>,
    /// The process id of the broker at --bootstrap, if it is on this host: its CPU is measured
    #[arg(long, value_name = "PID", requires = "bootstrap")]
    pub(super) broker_pid: Option<u32>,
}

/// A broker to run against. A broker of its own is stopped and its data removed at the end.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) bootstrap: Vec<SocketAddr>,
    pub(super) broker_pid: Option<u32>,
    broker: Option<Broker>,
    folder: Option<TempDir>,
}

impl TargetArgs {
    /// Starts a broker, or finds the one that was named.
    pub(super) fn open(&self) -> Result<Target, Box<dyn std::error::Error>> {
        if let Some(addresses) = &self.bootstrap {
            return Target::of_others(addresses, self.connect_timeout, self.broker_pid);
        }
        let parent = self.data_dir.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("loadgen-broker-")
            .tempdir_in(parent)
            .map_err(|error| format!("no folder for a broker's data (--data-dir): {error}"))?;
        let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
        let mut plan = BrokerPlan::own(&data, &log, &self.set)?;
        if let Some(program) = &self.broker {
            plan.program.clone_from(program);
            plan.is_broker = true;
        }
        let broker = Broker::start(plan)?;
        Ok(Target {
            bootstrap: vec![broker.address()],
            broker_pid: broker.pid(),
            broker: Some(broker),
            folder: Some(folder),
        })
    }

    /// The name of a run's topic: the one that was given, or one that nobody has.
    pub(super) fn topic_name(&self) -> String {
        let fresh = || format!("loadgen-{:x}", Clock::start().now());
        self.topic.clone().unwrap_or_else(fresh)
    }

    /// True if a broker of its own is run.
    pub(super) fn is_own(&self) -> bool {
        self.bootstrap.is_none()
    }

    /// What an acknowledged record survives: known for a broker of its own only.
    pub(super) fn survives(&self, acks: Acks, idempotent: bool) -> String {
        let words = match (acks, self.is_own()) {
            (Acks::None, _) => "nothing is promised",
            (_, false) => "what that broker promises",
            (Acks::Leader, true) => "kill -9 of the broker",
            (Acks::All, true) if idempotent => "power loss; no duplicates",
            (Acks::All, true) => "power loss",
        };
        words.to_owned()
    }
}

impl Target {
    /// Others' brokers, once one of them has answered.
    pub(super) fn of_others(
        addresses: &str,
        connect_timeout: Duration,
        broker_pid: Option<u32>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let bootstrap = resolve(addresses)?;
        reach(&bootstrap, connect_timeout, |text| {
            eprintln!("loadgen: {text}")
        })?;
        Ok(Self {
            bootstrap,
            broker_pid,
            broker: None,
            folder: None,
        })
    }

    /// Makes a topic for a run, to be removed after it; or finds the one that was named, and makes
    /// it for good if it is not there.
    pub(super) fn topic(
        &self,
        args: &TargetArgs,
        name: String,
    ) -> Result<Topic, Box<dyn std::error::Error>> {
        let mut admin = Admin::new(&self.bootstrap, &name, ADMIN_TIMEOUT);
        let kept = args.topic.is_some();
        let topic = |name| Topic {
            name,
            bootstrap: self.bootstrap.clone(),
            kept,
        };
        if kept && admin.has_topic()? {
            admin.wait_topic()?;
            return Ok(topic(name));
        }
        let configs = args.topic_config.iter().map(|text| {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| format!("--topic-config '{text}' is not key=value"))?;
            Ok((key.to_owned(), value.to_owned()))
        });
        let plan = TopicPlan {
            name: name.clone(),
            partitions: args.partitions,
            replication_factor: args.replication_factor,
            configs: configs.collect::<Result<_, String>>()?,
        };
        let made = admin.create_topic(&plan);
        made.map_err(|error| self.explain(&error.to_string()))?;
        if kept {
            eprintln!("topic {name} was not there: it is made, and kept");
        }
        Ok(topic(name))
    }

    /// Finds a topic that is to be read only.
    pub(super) fn filled_topic(&self, name: &str) -> Result<(), Box<dyn std::error::Error>> {
        let mut admin = Admin::new(&self.bootstrap, name, ADMIN_TIMEOUT);
        if !admin.has_topic()? {
            let words = "not there; `loadgen produce --topic` makes and fills it";
            return Err(format!("topic {name} is {words}").into());
        }
        Ok(admin.wait_topic()?)
    }

    /// The most bytes that a run should write here: a third of what is free.
    pub(super) fn bytes_max(&self) -> u64 {
        let free = self
            .folder
            .as_ref()
            .and_then(|folder| sys::free_bytes(folder.path()).ok());
        free.map_or(u64::MAX, |free| free / 3)
    }

    /// Ends a run whose broker, one of its own, has ended or stands still.
    pub(super) fn watch(&mut self, progress: &Progress) -> Option<Steer> {
        let broker = self.broker.as_mut()?;
        if let Some(status) = broker.ended() {
            return Some(Steer::Abandon(format!("the broker has ended: {status}")));
        }
        let stalls = progress.idle >= STALL && progress.phase != Phase::Connecting;
        stalls.then(|| {
            let seconds = STALL.as_secs();
            Steer::Abandon(format!(
                "the broker runs and has neither acknowledged nor delivered a record for \
                 {seconds} s"
            ))
        })
    }

    /// Why no more questions need be asked, if there is a reason: a broker of its own has ended,
    /// or none of others' answers within `limit`.
    pub(super) fn is_gone(&mut self, limit: Duration) -> Option<String> {
        if let Some(status) = self.broker.as_mut().and_then(Broker::ended) {
            return Some(format!("the broker has ended: {status}"));
        }
        let tell = |text: &str| eprintln!("loadgen: {text}");
        reach(&self.bootstrap, limit, tell).err()
    }

    /// A failure, with what a broker of its own said since it was ready, if it said anything.
    pub(super) fn explain(&self, failure: &str) -> String {
        let words = self.broker.as_ref().map(Broker::last_words);
        let words = words.unwrap_or_default();
        let after_ready = words.rsplit_once("\nready ").map(|(_, tail)| {
            let (_, rest) = tail.split_once('\n').unwrap_or_default();
            rest
        });
        match after_ready.unwrap_or(&words).trim_end() {
            "" => failure.to_owned(),
            said => format!("{failure}\nthe broker's last words:\n{said}"),
        }
    }

    /// Where a broker of its own keeps its data.
    pub(super) fn data(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }

    /// How long a broker of its own took to be ready.
    pub(super) fn ready_after(&self) -> Option<Duration> {
        self.broker.as_ref().map(Broker::ready_after)
    }
}

/// A topic to run on. One that was made for the run alone goes with it, however the run ends.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: String,
    bootstrap: Vec<SocketAddr>,
    kept: bool,
}

impl Topic {
    /// Deletes the topic if it was made for the run alone, which came out as `row` says. A broker
    /// that failed is not waited for, and one that does not delete takes nothing from the report.
    pub(super) fn remove(mut self, row: &Row) {
        let limit = match row.result.failure {
            Some(_) => FAILED_REMOVE_TIMEOUT,
            None => ADMIN_TIMEOUT,
        };
        self.try_remove(limit);
    }

    /// Leaves the topic where it is.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    fn try_remove(&mut self, limit: Duration) {
        if !std::mem::replace(&mut self.kept, true)
            && let Err(error) = Admin::new(&self.bootstrap, &self.name, limit).delete_topic()
        {
            eprintln!("topic {} is left behind: {error}", self.name);
        }
    }
}

impl Drop for Topic {
    /// The run has failed: its broker may be what is missing, and is not waited for.
    fn drop(&mut self) {
        self.try_remove(FAILED_REMOVE_TIMEOUT);
    }
}

/// A broker of its own that does nothing for so long does nothing more.
const STALL: Duration = Duration::from_secs(15);
const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);
const FAILED_REMOVE_TIMEOUT: Duration = Duration::from_secs(2);
