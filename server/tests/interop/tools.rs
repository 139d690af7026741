//! Apache Kafka's own command-line tools against the broker, several in one JVM, and its log dump
//! over our files.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::Broker;
use crate::results::{Outcome, Results};
use crate::{apache_kafka, process, toolchains};

const TIMEOUT: Duration = Duration::from_secs(300);
const VERSION: &str = "4.1.1";

/// What DumpLogSegments prints where a file is not as Kafka would have written it.
const COMPLAINTS: [&str; 4] = [
    "invalid bytes",
    "isvalid: false",
    "Mismatches",
    "Non-consecutive",
];

/// One run of a tool, and what must come of it.
#[derive(Clone, Copy)]
pub struct Run {
    /// The tool, as it is named in results.
    pub tool: &'static str,
    /// What it is run for.
    pub name: &'static str,
    /// Its class.
    pub main: &'static str,
    /// `BOOTSTRAP` becomes the broker's address, `FOLDER` that of the runs' files; each blank parts
    /// two arguments.
    pub arguments: &'static str,
    /// 0 for success.
    pub status: i32,
    /// All of these must be printed, on either output; a stretch of white space counts as a blank.
    pub prints: &'static [&'static str],
    /// None of these may be.
    pub lacks: &'static [&'static str],
}

const RUNS: &[Run] = &[
    topics(
        "create",
        "--create --topic tools --partitions 3 --replication-factor 1 \
        --config retention.ms=86400000 --config max.message.bytes=2000000",
        &["Created topic tools."],
    ),
    topics(
        "create with defaults",
        "--create --topic plain",
        &["Created topic plain."],
    ),
    topics(
        "create for tests",
        "--create --topic perf --partitions 2",
        &["Created topic perf."],
    ),
    topics("list", "--list", &["tools", "plain", "perf"]),
    topics(
        "describe",
        "--describe --topic tools",
        &[
            "PartitionCount: 3",
            "ReplicationFactor: 1",
            "retention.ms=86400000",
            "max.message.bytes=2000000",
            "Partition: 2",
            "Leader: 1",
            "Replicas: 1",
            "Isr: 1",
        ],
    ),
    topics("alter", "--alter --topic tools --partitions 5", &[]),
    topics(
        "describe altered",
        "--describe --topic tools",
        &["PartitionCount: 5", "Partition: 4"],
    ),
    topics(
        "describe unavailable",
        "--describe --unavailable-partitions",
        &[],
    ),
    fails(topics(
        "create again",
        "--create --topic tools",
        &["already exists"],
    )),
    fails(topics(
        "create with three replicas",
        "--create --topic many --replication-factor 3",
        &["InvalidReplicationFactorException"],
    )),
    fails(topics(
        "create a bad name",
        "--create --topic no/slash",
        &["slash"],
    )),
    fails(topics(
        "shrink",
        "--alter --topic tools --partitions 2",
        &["InvalidPartitionsException"],
    )),
    perf("acks 0", "0"),
    perf("acks 1", "1"),
    perf("acks all", "all"),
    offsets("latest", "--topic perf", &["perf:0:", "perf:1:"]),
    offsets(
        "earliest",
        "--topic perf --time earliest",
        &["perf:0:0", "perf:1:0"],
    ),
    offsets(
        "of the largest timestamp",
        "--topic perf --time max-timestamp",
        &["perf:0:", "perf:1:"],
    ),
    offsets("of all topics", "--time -1", &["tools:4:0", "plain:0:0"]),
    topics(
        "create to be cut",
        "--create --topic cut --partitions 1",
        &["Created topic cut."],
    ),
    Run {
        prints: &["500 records sent"],
        ..perf(
            "500 records",
            "--topic cut --num-records 500 --record-size 100 --throughput -1 \
            --producer-props bootstrap.servers=BOOTSTRAP acks=all",
        )
    },
    deletes(
        "before an offset",
        "FOLDER/before-an-offset",
        &["partition: cut-0 low_watermark: 120"],
    ),
    offsets(
        "earliest of the rest",
        "--topic cut --time earliest",
        &["cut:0:120"],
    ),
    Run {
        lacks: &["low_watermark"],
        ..deletes(
            "beyond the end",
            "FOLDER/beyond-the-end",
            &[
                "partition: cut-0 error: ",
                "not within the range of offsets",
            ],
        )
    },
    deletes(
        "up to the end, -1",
        "FOLDER/up-to-the-end",
        &["partition: cut-0 low_watermark: 500"],
    ),
    // The tool asks for the partition's leader until its time is up.
    Run {
        lacks: &["low_watermark"],
        ..deletes(
            "of an unknown partition",
            "FOLDER/of-an-unknown-partition --command-config FOLDER/impatient",
            &["partition: cut-7 error: "],
        )
    },
    offsets(
        "earliest of nothing",
        "--topic cut --time earliest",
        &["cut:0:500"],
    ),
    Run {
        tool: "kafka-broker-api-versions",
        name: "list",
        main: "org.apache.kafka.tools.BrokerApiVersionsCommand",
        arguments: "--bootstrap-server BOOTSTRAP",
        status: 0,
        prints: &[
            "Produce(0): 0 to 13",
            "Fetch(1): 4 to 18",
            "ListOffsets(2): 1 to 10",
            "Metadata(3): 0 to 13",
            "FindCoordinator(10): 0 to 6",
            "ApiVersions(18): 0 to 4",
            "CreateTopics(19): 2 to 7",
            "InitProducerId(22): 0 to 5",
            "DescribeTopicPartitions(75): 0",
        ],
        lacks: &["ERROR"],
    },
    configs(
        "topic",
        "--entity-type topics --entity-name tools",
        &[
            "retention.ms=86400000",
            "max.message.bytes=2000000",
            "DYNAMIC_TOPIC_CONFIG",
        ],
    ),
    configs(
        "all of a topic",
        "--entity-type topics --entity-name tools --all",
        &[
            "cleanup.policy=delete",
            "segment.bytes=1073741824",
            "min.insync.replicas=1",
            "DEFAULT_CONFIG",
        ],
    ),
    configs(
        "broker",
        "--entity-type brokers --entity-name 1",
        &["broker 1"],
    ),
    configs(
        "all of a broker",
        "--entity-type brokers --entity-name 1 --all",
        &[
            "log.dirs=",
            "listeners=",
            "message.max.bytes=1048588",
            "STATIC_BROKER_CONFIG",
        ],
    ),
    configs(
        "defaults of brokers",
        "--entity-type brokers --entity-default",
        &["Default configs"],
    ),
    alters(
        "topic",
        "--entity-type topics --entity-name tools \
        --add-config retention.ms=5000000,cleanup.policy=[compact,delete]",
        &["Completed updating config for topic tools."],
    ),
    configs(
        "altered topic",
        "--entity-type topics --entity-name tools",
        &["retention.ms=5000000", "cleanup.policy=compact,delete"],
    ),
    Run {
        lacks: &["cleanup.policy"],
        ..alters(
            "topic, values gone",
            "--entity-type topics --entity-name tools --delete-config cleanup.policy",
            &["Completed updating config for topic tools."],
        )
    },
    fails(Run {
        lacks: &[],
        ..alters(
            "topic, a wrong value",
            "--entity-type topics --entity-name tools --add-config retention.ms=soon",
            &["Not a number of type LONG"],
        )
    }),
    alters(
        "broker",
        "--entity-type brokers --entity-name 1 \
        --add-config message.max.bytes=3000000,log.retention.ms=9000000",
        &["Completed updating config for broker 1."],
    ),
    configs(
        "altered broker",
        "--entity-type brokers --entity-name 1",
        &["message.max.bytes=3000000", "DYNAMIC_BROKER_CONFIG"],
    ),
    alters(
        "defaults of brokers",
        "--entity-type brokers --entity-default --add-config message.max.bytes=2000000",
        &["Completed updating default config for brokers in the cluster."],
    ),
    configs(
        "altered defaults of brokers",
        "--entity-type brokers --entity-default",
        &["message.max.bytes=2000000", "DYNAMIC_DEFAULT_BROKER_CONFIG"],
    ),
    configs(
        "topic under an altered broker",
        "--entity-type topics --entity-name plain --all",
        &["max.message.bytes=3000000", "retention.ms=9000000"],
    ),
    alters(
        "broker, values gone",
        "--entity-type brokers --entity-name 1 --delete-config message.max.bytes,log.retention.ms",
        &["Completed updating config for broker 1."],
    ),
    alters(
        "defaults of brokers, values gone",
        "--entity-type brokers --entity-default --delete-config message.max.bytes",
        &["Completed updating default config for brokers in the cluster."],
    ),
    fails(Run {
        lacks: &[],
        ..alters(
            "broker, a key of the start",
            "--entity-type brokers --entity-name 1 --add-config num.partitions=3",
            &["Cannot update these configs dynamically"],
        )
    }),
    alters(
        "group",
        "--entity-type groups --entity-name tools --add-config consumer.session.timeout.ms=50000",
        &["Completed updating config for group tools."],
    ),
    configs(
        "group",
        "--entity-type groups --entity-name tools",
        &["consumer.session.timeout.ms=50000"],
    ),
    Run {
        lacks: &[],
        ..fails(alters(
            "group, a wrong value",
            "--entity-type groups --entity-name tools --add-config consumer.session.timeout.ms=5",
            &["must be greater than or equal to group.consumer.min.session.timeout.ms"],
        ))
    },
    alters(
        "client metrics",
        "--entity-type client-metrics --entity-name tools --add-config interval.ms=1000",
        &["Completed updating config for client-metric tools."],
    ),
    configs(
        "client metrics",
        "--entity-type client-metrics --entity-name tools",
        &["interval.ms=1000"],
    ),
    Run {
        tool: "kafka-cluster",
        name: "cluster-id",
        main: "org.apache.kafka.tools.ClusterTool",
        arguments: "cluster-id --bootstrap-server BOOTSTRAP",
        status: 0,
        prints: &["Cluster ID: "],
        lacks: &[],
    },
    topics("delete", "--delete --topic tools", &[]),
    Run {
        lacks: &["tools"],
        ..topics("list without the deleted", "--list", &["plain", "perf"])
    },
    fails(topics(
        "describe the deleted",
        "--describe --topic tools",
        &["does not exist"],
    )),
];

const fn topics(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-topics",
        name,
        main: "org.apache.kafka.tools.TopicCommand",
        arguments,
        status: 0,
        prints,
        lacks: &[],
    }
}

const fn offsets(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-get-offsets",
        main: "org.apache.kafka.tools.GetOffsetShell",
        lacks: &["Error"],
        ..topics(name, arguments, prints)
    }
}

const fn configs(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-configs --describe",
        main: "kafka.admin.ConfigCommand",
        ..offsets(name, arguments, prints)
    }
}

const fn alters(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-configs --alter",
        ..configs(name, arguments, prints)
    }
}

const fn deletes(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-delete-records",
        main: "org.apache.kafka.tools.DeleteRecordsCommand",
        lacks: &["error"],
        ..topics(name, arguments, prints)
    }
}

const fn perf(name: &'static str, acks: &'static str) -> Run {
    Run {
        tool: "kafka-producer-perf-test",
        main: "org.apache.kafka.tools.ProducerPerformance",
        lacks: &["Exception"],
        ..topics(name, acks, &["20000 records sent"])
    }
}

const fn fails(run: Run) -> Run {
    Run { status: 1, ..run }
}

/// Files that [`RUNS`] name: where kafka-delete-records is to delete up to, and how little time it
/// gets where it cannot.
const FILES: [(&str, &str); 5] = [
    (
        "before-an-offset",
        r#"{"version":1,"partitions":[{"topic":"cut","partition":0,"offset":120}]}"#,
    ),
    (
        "beyond-the-end",
        r#"{"version":1,"partitions":[{"topic":"cut","partition":0,"offset":501}]}"#,
    ),
    (
        "up-to-the-end",
        r#"{"version":1,"partitions":[{"topic":"cut","partition":0,"offset":-1}]}"#,
    ),
    (
        "of-an-unknown-partition",
        r#"{"version":1,"partitions":[{"topic":"cut","partition":7,"offset":1}]}"#,
    ),
    (
        "impatient",
        "request.timeout.ms=2000\ndefault.api.timeout.ms=3000\n",
    ),
];

/// Runs every tool against `broker`.
pub fn run(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let folder = broker.scratch("tools");
    for (name, text) in FILES {
        fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
    }
    run_all(broker, "tools", RUNS, results)
}

/// Runs these, one after the other, in one JVM; their files are in the scratch folder `name`.
pub fn run_all(
    broker: &Broker,
    name: &str,
    runs: &[Run],
    results: &mut Results,
) -> Result<(), String> {
    let class_path = match toolchains::java() {
        Ok(class_path) => class_path,
        Err(why) => {
            results.missing("Apache Kafka's tools", &why);
            return Ok(());
        }
    };
    let folder = broker.scratch(name);
    let script: Vec<String> = runs
        .iter()
        .enumerate()
        .map(|(i, run)| format!("{i}\t{}", run.line(&broker.bootstrap, &folder)))
        .collect();
    let printed = run_script(&class_path, &folder, &script)?;
    for (run, printed) in runs.iter().zip(&printed) {
        let outcome = run
            .judge(printed)
            .map_or_else(Outcome::Fail, |()| Outcome::Pass);
        results.add(run.tool, VERSION, run.name, outcome);
    }
    Ok(())
}

/// Dumps every file of a stopped broker's log directory with Kafka's DumpLogSegments, which must
/// not complain; it opens every batch and prints a line for each record.
pub fn dump(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let (Some(data), Ok(class_path)) = (broker.data(), toolchains::java()) else {
        return Ok(());
    };
    let (mut metadata, mut offsets, mut topics) = (Vec::new(), Vec::new(), Vec::new());
    for file in kafka_files(data)? {
        let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
        match folder.to_string_lossy().rsplit_once('-') {
            Some(("__cluster_metadata", _)) => metadata.push(file),
            Some(("__consumer_offsets", _)) => offsets.push(file),
            _ => topics.push(file),
        }
    }
    let mut dumps = vec![
        ("topics' files", topics, "--deep-iteration"),
        ("metadata log", metadata, "--cluster-metadata-decoder"),
    ];
    if !offsets.is_empty() {
        dumps.push(("groups' log", offsets, "--offsets-decoder"));
    }
    let mut script = Vec::new();
    for (place, (_, files, option)) in dumps.iter().enumerate() {
        let files: Vec<String> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let files = files.join(",");
        script.push(format!(
            "{place}\tkafka.tools.DumpLogSegments\t{option}\t--files\t{files}"
        ));
    }
    let printed = run_script(&class_path, &broker.scratch("dump"), &script)?;
    for ((name, files, _), printed) in dumps.iter().zip(&printed) {
        let outcome = judge_dump(files, printed).map_or_else(Outcome::Fail, |()| Outcome::Pass);
        results.add("kafka-dump-log", VERSION, name, outcome);
    }
    Ok(())
}

/// What a run of a tool left: its exit status, and files of what it printed.
struct Printed {
    status: i32,
    out: PathBuf,
    err: PathBuf,
}

impl Printed {
    fn out(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.out).unwrap_or_default()).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.err).unwrap_or_default()).into_owned()
    }
}

impl Run {
    fn line(&self, bootstrap: &str, folder: &Path) -> String {
        let arguments = match self.tool {
            "kafka-producer-perf-test" if !self.arguments.contains("--topic") => format!(
                "--topic perf --num-records 20000 --record-size 1000 --throughput -1 \
                 --producer-props bootstrap.servers=BOOTSTRAP acks={}",
                self.arguments
            ),
            "kafka-configs --describe" => {
                format!("--describe --bootstrap-server BOOTSTRAP {}", self.arguments)
            }
            "kafka-configs --alter" => {
                format!("--alter --bootstrap-server BOOTSTRAP {}", self.arguments)
            }
            "kafka-topics"
            | "kafka-get-offsets"
            | "kafka-consumer-groups"
            | "kafka-console-consumer" => {
                format!("--bootstrap-server BOOTSTRAP {}", self.arguments)
            }
            "kafka-delete-records" => format!(
                "--bootstrap-server BOOTSTRAP --offset-json-file {}",
                self.arguments
            ),
            "kafka-consumer-groups --describe" => {
                format!("--bootstrap-server BOOTSTRAP --describe {}", self.arguments)
            }
            "kafka-consumer-groups --reset-offsets" => format!(
                "--bootstrap-server BOOTSTRAP --reset-offsets --group readers {}",
                self.arguments
            ),
            _ => self.arguments.to_owned(),
        };
        let mut words = vec![self.main];
        words.extend(arguments.split_whitespace());
        let folder = folder.display().to_string();
        words
            .join("\t")
            .replace("BOOTSTRAP", bootstrap)
            .replace("FOLDER", &folder)
    }

    fn judge(&self, printed: &Printed) -> Result<(), String> {
        let all = format!("{}{}", printed.out(), printed.err());
        let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = || all.chars().take(1500).collect::<String>();
        if printed.status != self.status {
            return Err(format!(
                "exit status {}, not {}: {}",
                printed.status,
                self.status,
                said()
            ));
        }
        if let Some(missing) = self.prints.iter().find(|text| !all.contains(**text)) {
            return Err(format!("{missing:?} is not in: {}", said()));
        }
        match self.lacks.iter().find(|text| all.contains(**text)) {
            Some(unwanted) => Err(format!("{unwanted:?} is in: {}", said())),
            None => Ok(()),
        }
    }
}

fn run_script(class_path: &str, folder: &Path, script: &[String]) -> Result<Vec<Printed>, String> {
    let file = folder.join("script");
    fs::write(&file, script.join("\n") + "\n").map_err(|e| e.to_string())?;
    let mut java = apache_kafka::java(class_path, "512M");
    java.arg("KafkaTools").arg(&file).arg(folder);
    let finished = process::run_ok(&mut java, folder, TIMEOUT)?;
    let mut printed = Vec::new();
    for line in finished.stdout.lines() {
        let (name, status) = line.split_once('\t').ok_or_else(|| line.to_owned())?;
        let status = status.parse().map_err(|_| line.to_owned())?;
        printed.push(Printed {
            status,
            out: folder.join(format!("{name}.out")),
            err: folder.join(format!("{name}.err")),
        });
    }
    if printed.len() == script.len() {
        return Ok(printed);
    }
    Err(format!(
        "{} of {} tools ran: {}",
        printed.len(),
        script.len(),
        finished.stderr
    ))
}

fn judge_dump(files: &[PathBuf], printed: &Printed) -> Result<(), String> {
    if files.is_empty() {
        return Err("no files".to_owned());
    }
    let complaint = printed.err();
    if !complaint.is_empty() || printed.status != 0 {
        let said: String = complaint.chars().take(2000).collect();
        return Err(format!("exit status {}: {said}", printed.status));
    }
    let broken = |e: io::Error| e.to_string();
    let (mut file, mut dumped, mut records) = (String::new(), 0, 0);
    // A line for each of millions of records.
    for line in BufReader::new(File::open(&printed.out).map_err(broken)?).lines() {
        let line = line.map_err(broken)?;
        if let Some(name) = line.strip_prefix("Dumping ") {
            name.clone_into(&mut file);
            dumped += 1;
        }
        if COMPLAINTS.iter().any(|complaint| line.contains(complaint)) {
            let said: String = line.chars().take(300).collect();
            return Err(format!("{file}: {said}"));
        }
        records += u64::from(line.contains("ffset: "));
    }
    if dumped != files.len() || records == 0 {
        return Err(format!(
            "{dumped} of {} files dumped, {records} lines of offsets",
            files.len()
        ));
    }
    Ok(())
}

/// Every file of a kind that DumpLogSegments reads; not those of deleted topics, whose indexes
/// nobody trims.
fn kafka_files(data: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let list =
        |folder: &Path| fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()));
    for partition in list(data)?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
    {
        if partition.file_name().to_string_lossy().ends_with("-delete") {
            continue;
        }
        for file in list(&partition.path())?.filter_map(Result::ok) {
            let extension = file
                .path()
                .extension()
                .map(|e| e.to_string_lossy().into_owned());
            if matches!(
                extension.as_deref(),
                Some("log" | "index" | "timeindex" | "snapshot")
            ) {
                files.push(file.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
