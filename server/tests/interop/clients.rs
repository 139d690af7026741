//! The stock clients: one program per library, all with the same commands.
//!
//! `produce BOOTSTRAP CORPUS PREFIX CODECS` writes the corpus file to `PREFIX-CODEC`, one topic for
//! each codec; `consume BOOTSTRAP TOPICS TIMES OUT` reads the topics twice (in large fetches to
//! OUT, in small ones to OUT.small) and looks times up (OUT.times). They print `version V`, then
//! `ok SCENARIO` or `fail SCENARIO WHY`. `group BOOTSTRAP TOPIC GROUP ASSIGNOR INSTANCE OUT
//! SESSION_MS` reads as a member of a group until SIGTERM and writes to OUT what happens to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::corpus::{self, Record};
use crate::kcat::Kcat;
use crate::results::{Outcome, Results};
use crate::{apache_kafka, process, toolchains};

const TIMEOUT: Duration = Duration::from_secs(480);
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/clients");

/// The codecs, in the order of their numbers in a batch's attributes.
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// A stock client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// kcat.
    Kcat,
    /// Apache Kafka's own.
    Java,
    /// confluent-kafka.
    ConfluentKafka,
    /// kafka-python.
    KafkaPython,
    /// aiokafka.
    Aiokafka,
    /// franz-go.
    FranzGo,
    /// sarama.
    Sarama,
    /// KafkaJS.
    KafkaJs,
    /// @platformatic/kafka.
    Platformatic,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 9] = [
        Client::Kcat,
        Client::Java,
        Client::ConfluentKafka,
        Client::KafkaPython,
        Client::Aiokafka,
        Client::FranzGo,
        Client::Sarama,
        Client::KafkaJs,
        Client::Platformatic,
    ];

    /// Its name in topics and results.
    pub fn name(self) -> &'static str {
        match self {
            Client::Kcat => "kcat",
            Client::Java => "java",
            Client::ConfluentKafka => "confluent-kafka",
            Client::KafkaPython => "kafka-python",
            Client::Aiokafka => "aiokafka",
            Client::FranzGo => "franz-go",
            Client::Sarama => "sarama",
            Client::KafkaJs => "kafkajs",
            Client::Platformatic => "platformatic-kafka",
        }
    }

    /// How members that keep their place across a restart (KIP-345) share partitions out; `None` if
    /// it has no such members. A leader of franz-go that comes back makes a plan of its own and has
    /// the group rebalanced if it differs from what the members have: with an assignor whose plan
    /// hangs on what was before, that is left to chance.
    pub fn static_assignor(self) -> Option<&'static str> {
        match self {
            Client::KafkaJs => None,
            Client::FranzGo => Some("range"),
            other => Some(other.assignors()[0]),
        }
    }

    /// Its ways to share partitions out, its default first.
    pub fn assignors(self) -> &'static [&'static str] {
        match self {
            Client::Java | Client::KafkaPython => {
                &["range", "cooperative-sticky", "roundrobin", "sticky"]
            }
            Client::FranzGo => &["cooperative-sticky", "range", "roundrobin", "sticky"],
            Client::Kcat | Client::ConfluentKafka => &["range", "cooperative-sticky", "roundrobin"],
            Client::Aiokafka => &["roundrobin", "range", "sticky"],
            Client::Sarama => &["range", "roundrobin", "sticky"],
            Client::KafkaJs | Client::Platformatic => &["roundrobin"],
        }
    }

    /// kcat prints no record that it gets while it is told to end, but its library commits it: such
    /// a record is lost with any broker.
    pub fn drops_what_comes_as_it_ends(self) -> bool {
        self == Client::Kcat
    }

    /// The codecs that it writes in, each at its default level; Java also at the ends of what Kafka
    /// allows, as `CODEC.LEVEL`. @platformatic/kafka leaves zstd to Node, which has it from 22.15
    /// on.
    pub fn codings(self) -> &'static [&'static str] {
        match self {
            Client::Platformatic => &["none", "gzip", "snappy", "lz4"],
            Client::Java => &[
                "none", "gzip", "snappy", "lz4", "zstd", "gzip.1", "gzip.9", "lz4.1", "lz4.17",
                "zstd.-5", "zstd.22",
            ],
            _ => &CODECS,
        }
    }

    /// Whether it can read what `writer` sends so: of snappy, @platformatic/kafka does not know the
    /// frames that the Java client and those that follow it put around blocks.
    pub fn reads(self, writer: Client, coding: &str) -> bool {
        let codec = coding.split('.').next().unwrap_or_default();
        let frames = matches!(
            writer,
            Client::Java
                | Client::KafkaPython
                | Client::Aiokafka
                | Client::FranzGo
                | Client::Sarama
        );
        self != Client::Platformatic
            || (self.codings().contains(&codec) && !(codec == "snappy" && frames))
    }

    /// Whether it lets its user say a record's timestamp.
    pub fn sets_timestamps(self) -> bool {
        self != Client::Kcat
    }

    /// What of the corpus it can send at all: some refuse a record of two nulls, or a null as a
    /// header's value.
    pub fn sendable(self, records: &[Record]) -> Vec<Record> {
        let two_nulls = !matches!(self, Client::KafkaPython | Client::Aiokafka | Client::Kcat);
        let null_headers = !matches!(self, Client::KafkaPython | Client::KafkaJs);
        let mut sendable = records.to_vec();
        sendable.retain(|record| two_nulls || !record.is_all_null());
        for record in &mut sendable {
            record
                .headers
                .retain(|(_, value)| null_headers || value.is_some());
        }
        sendable
    }

    /// Sets its toolchain up.
    pub fn set_up(self, bootstrap: &str, folder: PathBuf) -> Result<Ready, String> {
        let how = match self {
            Client::Kcat => How::Kcat(Kcat::new(toolchains::debian()?, bootstrap, folder.clone())),
            Client::Java => How::Java(toolchains::java()?),
            Client::ConfluentKafka | Client::KafkaPython | Client::Aiokafka => {
                How::Python(toolchains::python()?)
            }
            Client::FranzGo | Client::Sarama => How::Go(toolchains::go()?),
            Client::KafkaJs | Client::Platformatic => How::Node(toolchains::node()?),
        };
        Ok(Ready {
            client: self,
            how,
            bootstrap: bootstrap.to_owned(),
            folder,
        })
    }
}

/// A client that can run.
pub struct Ready {
    /// Which.
    pub client: Client,
    how: How,
    bootstrap: String,
    folder: PathBuf,
}

/// Which group to be a member of, and how.
pub struct Membership {
    /// The topic to read.
    pub topic: String,
    /// The group's id.
    pub group: String,
    /// One of the client's ways to share partitions out.
    pub assignor: &'static str,
    /// The instance id of a static member.
    pub instance: Option<&'static str>,
    /// The file that tells what happens.
    pub events: PathBuf,
    /// `session.timeout.ms`.
    pub session_ms: u32,
}

enum How {
    Kcat(Kcat),
    Java(String),
    Python(PathBuf),
    Go(PathBuf),
    Node(PathBuf),
}

/// What a consumer left.
pub struct Read {
    /// Canonical lines, in the order of delivery.
    pub lines: Vec<String>,
    /// The same, read in small fetches.
    pub small: Vec<String>,
    /// `topic, timestamp, offset or -`.
    pub times: Vec<String>,
}

impl Ready {
    /// Writes what of `records` it can to one topic for each codec.
    pub fn produce(&self, records: &[Record], results: &mut Results) -> Result<(), String> {
        let records = self.client.sendable(records);
        if let How::Kcat(kcat) = &self.how {
            let version = kcat.version()?;
            for codec in CODECS {
                let written = kcat.produce(&format!("kcat-{codec}"), codec, &records);
                let outcome = written.map_or_else(Outcome::Fail, |()| Outcome::Pass);
                results.add("kcat", &version, &format!("produce {codec}"), outcome);
            }
            return Ok(());
        }
        let file = self.folder.join("corpus");
        fs::write(&file, corpus::corpus_file(&records)).map_err(|e| e.to_string())?;
        let mut command = self.command();
        command.args(["produce", &self.bootstrap]).arg(&file);
        command
            .arg(self.client.name())
            .arg(self.client.codings().join(","));
        self.scenarios(&mut command, results)
    }

    /// Reads partition 0 of every topic, twice, and looks `times` up.
    pub fn consume(
        &self,
        topics: &[String],
        times: &[i64],
        results: &mut Results,
    ) -> Result<Read, String> {
        if let How::Kcat(kcat) = &self.how {
            return consume_with_kcat(kcat, topics, times);
        }
        let out = self.folder.join("read");
        let times: Vec<String> = times.iter().map(i64::to_string).collect();
        let mut command = self.command();
        command
            .args([
                "consume",
                &self.bootstrap,
                &topics.join(","),
                &times.join(","),
            ])
            .arg(&out);
        self.scenarios(&mut command, results)?;
        let lines = |suffix: &str| -> Vec<String> {
            let text = fs::read_to_string(format!("{}{suffix}", out.display())).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        Ok(Read {
            lines: lines(""),
            small: lines(".small"),
            times: lines(".times"),
        })
    }

    /// Runs another of the program's commands.
    pub fn run(
        &self,
        command: &str,
        arguments: &[&str],
        results: &mut Results,
    ) -> Result<(), String> {
        let mut program = self.command();
        program.args([command, &self.bootstrap]).args(arguments);
        self.scenarios(&mut program, results)
    }

    /// The version that it says it has.
    pub fn version(&self) -> Result<String, String> {
        if let How::Kcat(kcat) = &self.how {
            return kcat.version();
        }
        let mut command = self.command();
        command.args(["version", &self.bootstrap]);
        let printed = process::run_ok(&mut command, &self.folder.join("version"), TIMEOUT)?.stdout;
        let version = printed
            .lines()
            .find_map(|line| line.strip_prefix("version\t"));
        version.map(str::to_owned).ok_or(printed)
    }

    /// Its program, for one member of a group; what happens to it is told in `membership.events`,
    /// but for kcat, which prints it.
    pub fn member(&self, membership: &Membership) -> Command {
        let mut command = self.command();
        let session = membership.session_ms.to_string();
        if let How::Kcat(_) = self.how {
            let instance = membership
                .instance
                .map(|name| format!("group.instance.id={name}"));
            let settings = [
                format!("partition.assignment.strategy={}", membership.assignor),
                format!("session.timeout.ms={session}"),
                "heartbeat.interval.ms=500".to_owned(),
                "auto.offset.reset=earliest".to_owned(),
                "auto.commit.interval.ms=100".to_owned(),
            ];
            command.args(["-G", &membership.group, "-u", "-f", "%p\t%o\t%s\n"]);
            for setting in settings.iter().chain(&instance) {
                command.args(["-X", setting]);
            }
            command.arg(&membership.topic);
            return command;
        }
        command.args(["group", &self.bootstrap]);
        command.args([&membership.topic, &membership.group, membership.assignor]);
        command.arg(membership.instance.unwrap_or("-"));
        command.arg(&membership.events).arg(session);
        command
    }

    fn command(&self) -> Command {
        let source = |path: &str| Path::new(SOURCES).join(path);
        match &self.how {
            How::Kcat(kcat) => kcat.command(),
            How::Java(class_path) => {
                let mut java = apache_kafka::java(class_path, "512M");
                java.arg("InteropClient");
                java
            }
            How::Python(packages) => {
                let mut python = Command::new("python3");
                python
                    .env("PYTHONPATH", packages)
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                python
                    .arg(source("python/client.py"))
                    .arg(self.client.name());
                python
            }
            How::Go(program) => {
                let mut go = Command::new(program);
                go.arg(self.client.name());
                go
            }
            How::Node(packages) => {
                let mut node = Command::new("node");
                node.env("NODE_PATH", packages)
                    .arg(source("node/client.js"))
                    .arg(self.client.name());
                node
            }
        }
    }

    /// Runs the program and notes what it says of its scenarios; its own death is one more failure.
    fn scenarios(&self, command: &mut Command, results: &mut Results) -> Result<(), String> {
        let finished = process::run(command, &self.folder, TIMEOUT)?;
        let name = self.client.name();
        let mut version = "unknown";
        for line in finished.stdout.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                ["version", printed] => version = printed,
                ["ok", scenario] => results.add(name, version, scenario, Outcome::Pass),
                ["fail", scenario, why] => {
                    results.add(name, version, scenario, Outcome::Fail((*why).to_owned()));
                }
                _ => {}
            }
        }
        if finished.status.success() {
            return Ok(());
        }
        Err(format!(
            "{}: {}",
            finished.status,
            process::tail(&self.folder.join("stderr"))
        ))
    }
}

fn consume_with_kcat(kcat: &Kcat, topics: &[String], times: &[i64]) -> Result<Read, String> {
    let mut read = Read {
        lines: Vec::new(),
        small: Vec::new(),
        times: Vec::new(),
    };
    for topic in topics {
        read.lines.extend(kcat.consume(topic, 8 << 20)?);
        read.small.extend(kcat.consume(topic, 4096)?);
    }
    // One process per look-up: a few topics are enough here.
    for topic in topics.iter().step_by(7) {
        for time in times {
            let found = kcat.offset_for_time(topic, *time)?;
            let found = found.map_or("-".to_owned(), |offset| offset.to_string());
            read.times.push(format!("{topic}\t{time}\t{found}"));
        }
    }
    Ok(read)
}
