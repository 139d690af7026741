//! Apache Kafka's own tools that read in groups, or look after groups.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::clients::{Client, Membership};
use crate::process;
use crate::results::Results;
use crate::tools::{self, Run};

/// Readers with and without groups. The console consumer counts its records in a static field: one
/// run of it for each JVM.
const READS: &[&[Run]] = &[
    &[
        topics(
            "--create --topic log --partitions 1",
            &["Created topic log."],
        ),
        Run {
            tool: "kafka-producer-perf-test",
            name: "3000 records",
            main: "org.apache.kafka.tools.ProducerPerformance",
            arguments: "--topic log --num-records 3000 --record-size 100 --throughput -1 \
                        --producer-props bootstrap.servers=BOOTSTRAP acks=all",
            status: 0,
            prints: &["3000 records sent"],
            lacks: &["Exception"],
        },
        console(
            "from the beginning",
            "--topic log --from-beginning --max-messages 3000 --timeout-ms 30000",
            &["Processed a total of 3000 messages"],
        ),
    ],
    &[console(
        "in a group",
        "--topic log --from-beginning --group readers --max-messages 1000 --timeout-ms 30000",
        &["Processed a total of 1000 messages"],
    )],
    &[
        describe("lag", "--group readers", &["readers log 0 1000 3000 2000"]),
        console(
            "in a group, from its commit on",
            "--topic log --group readers --max-messages 2000 --timeout-ms 30000",
            &["Processed a total of 2000 messages"],
        ),
        describe("no lag", "--group readers", &["readers log 0 3000 3000 0"]),
    ],
    &[
        console(
            "by partition and offset",
            "--topic log --partition 0 --offset 2990 --max-messages 10 --timeout-ms 30000",
            &["Processed a total of 10 messages"],
        ),
        Run {
            tool: "kafka-consumer-perf-test",
            name: "3000 records",
            main: "org.apache.kafka.tools.ConsumerPerformance",
            arguments: "--bootstrap-server BOOTSTRAP --topic log --messages 3000 --group perf",
            status: 0,
            prints: &["fetch.nMsg.sec", ", 3000, "],
            lacks: &["WARNING", "Exception"],
        },
        Run {
            tool: "kafka-e2e-latency",
            name: "100 records",
            main: "org.apache.kafka.tools.EndToEndLatency",
            arguments: "BOOTSTRAP latency 100 all 100",
            status: 0,
            prints: &["Avg latency:", "Percentiles:"],
            lacks: &["Exception"],
        },
        Run {
            tool: "kafka-verifiable-producer",
            name: "200 records",
            main: "org.apache.kafka.tools.VerifiableProducer",
            arguments: "--bootstrap-server BOOTSTRAP --topic verified --max-messages 200",
            status: 0,
            prints: &["producer_send_success"],
            lacks: &["producer_send_error"],
        },
        Run {
            tool: "kafka-verifiable-consumer",
            name: "200 records",
            main: "org.apache.kafka.tools.VerifiableConsumer",
            arguments: "--bootstrap-server BOOTSTRAP --topic verified --group-id verifiers \
                        --max-messages 200 --session-timeout 6000",
            status: 0,
            prints: &["partitions_assigned", "offsets_committed", "\"offset\":200"],
            lacks: &["\"success\":false"],
        },
    ],
];

/// A group without members.
const EMPTY: &[Run] = &[
    groups("list", "--list", &["readers", "perf", "verifiers"]),
    groups("list states", "--list --state", &["readers Empty"]),
    groups(
        "list those of a state",
        "--list --state Empty",
        &["readers Empty"],
    ),
    lacks(
        &["readers"],
        groups("list those of another state", "--list --state Stable", &[]),
    ),
    groups("list types", "--list --type classic", &["readers Classic"]),
    describe(
        "offsets",
        "--group readers --offsets",
        &["readers log 0 3000 3000 0"],
    ),
    describe(
        "state of an empty group",
        "--group readers --state",
        &["Empty 0"],
    ),
    describe(
        "members of an empty group",
        "--group readers --members",
        &["has no active members"],
    ),
    describe(
        "all groups",
        "--all-groups",
        &["readers log 0", "verifiers verified 0"],
    ),
    describe(
        "a group that is none",
        "--group nobody",
        &["Group nobody not found"],
    ),
    reset(
        "--to-earliest, dry run",
        "--topic log --to-earliest --dry-run",
        &["readers log 0 0"],
    ),
    describe(
        "after the dry run",
        "--group readers",
        &["readers log 0 3000 3000 0"],
    ),
    reset(
        "--to-earliest",
        "--topic log --to-earliest --execute",
        &["readers log 0 0"],
    ),
    reset(
        "--to-offset",
        "--topic log --to-offset 100 --execute",
        &["readers log 0 100"],
    ),
    reset(
        "--to-offset beyond the end",
        "--topic log --to-offset 9000 --dry-run",
        &["log 0 3000"],
    ),
    reset(
        "--shift-by",
        "--topic log:0 --shift-by 50 --execute",
        &["readers log 0 150"],
    ),
    reset(
        "--shift-by back",
        "--all-topics --shift-by -100 --execute",
        &["readers log 0 50"],
    ),
    describe(
        "lag after resets",
        "--group readers",
        &["readers log 0 50 3000 2950"],
    ),
    reset(
        "--to-current",
        "--topic log --to-current --execute",
        &["readers log 0 50"],
    ),
    reset(
        "--by-duration",
        "--topic log --by-duration P1D --execute",
        &["readers log 0 0"],
    ),
    reset(
        "--by-duration of nothing",
        "--topic log --by-duration PT0S --execute",
        &["log 0 3000"],
    ),
    reset(
        "--to-datetime",
        "--topic log --to-datetime 2000-01-01T00:00:00.000 --execute",
        &["readers log 0 0"],
    ),
    reset(
        "--to-latest",
        "--topic log --to-latest --execute",
        &["readers log 0 3000"],
    ),
    reset(
        "--export",
        "--topic log --to-offset 42 --export --dry-run",
        &["log,0,42"],
    ),
    reset(
        "--from-file",
        "--from-file FOLDER/offsets.csv --execute",
        &["readers log 0 42"],
    ),
    describe(
        "after --from-file",
        "--group readers",
        &["readers log 0 42 3000 2958"],
    ),
    groups(
        "--delete-offsets",
        "--delete-offsets --group readers --topic log",
        &[
            "Request succeeded for deleting offsets from group readers.",
            "log 0 Successful",
        ],
    ),
    groups(
        "--delete-offsets of a topic that is none",
        "--delete-offsets --group perf --topic nowhere",
        &["UnknownTopicOrPartitionException"],
    ),
    groups(
        "--delete",
        "--delete --group verifiers",
        &["Deletion of requested consumer groups ('verifiers') was successful."],
    ),
    groups(
        "--delete of a group that is none",
        "--delete --group verifiers",
        &["GroupIdNotFoundException"],
    ),
    lacks(
        &["verifiers"],
        groups("list without the deleted", "--list", &["perf"]),
    ),
];

/// The same group with one member.
const BUSY: &[Run] = &[
    groups(
        "list states with members",
        "--list --state",
        &["readers Stable"],
    ),
    describe("state", "--group readers --state", &["range Stable 1"]),
    describe(
        "members",
        "--group readers --members",
        &["/127.0.0.1", "consumer-readers-1 1"],
    ),
    describe(
        "members --verbose",
        "--group readers --members --verbose",
        &["1 - log:0"],
    ),
    describe(
        "offsets of members",
        "--group readers",
        &[
            "readers log 0 3000 3000 0 consumer-readers-1-",
            "/127.0.0.1 consumer-readers-1",
        ],
    ),
    reset(
        "refused beside members",
        "--topic log --to-earliest --execute",
        &["the current state is Stable"],
    ),
    groups(
        "--delete beside members",
        "--delete --group readers",
        &["GroupNotEmptyException"],
    ),
    groups(
        "--delete-offsets beside members",
        "--delete-offsets --group readers --topic log",
        &["GroupSubscribedToTopicException"],
    ),
];

/// Kafka's own eyes on the records in `__consumer_offsets`; each ends when no more come, which the
/// tool calls an error.
const RECORDS: &[&[Run]] = &[
    &[lacks(
        &[],
        console(
            "OffsetsMessageFormatter",
            "--topic __consumer_offsets --from-beginning --timeout-ms 15000 \
         --formatter org.apache.kafka.tools.consumer.OffsetsMessageFormatter",
            &[
                "\"group\":\"readers\",\"topic\":\"log\",\"partition\":0",
                "\"offset\":1000",
            ],
        ),
    )],
    &[lacks(
        &[],
        console(
            "GroupMetadataMessageFormatter",
            "--topic __consumer_offsets --from-beginning --timeout-ms 15000 \
         --formatter org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter",
            &[
                "\"group\":\"readers\"",
                "\"protocolType\":\"consumer\"",
                "\"protocol\":\"range\"",
            ],
        ),
    )],
];

const fn groups(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-consumer-groups",
        name,
        main: "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        arguments,
        status: 0,
        prints,
        lacks: &["Exception in thread"],
    }
}

const fn describe(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-consumer-groups --describe",
        ..groups(name, arguments, prints)
    }
}

const fn reset(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-consumer-groups --reset-offsets",
        ..groups(name, arguments, prints)
    }
}

const fn console(
    name: &'static str,
    arguments: &'static str,
    prints: &'static [&'static str],
) -> Run {
    Run {
        tool: "kafka-console-consumer",
        main: "org.apache.kafka.tools.consumer.ConsoleConsumer",
        lacks: &["ERROR"],
        ..groups(name, arguments, prints)
    }
}

const fn topics(arguments: &'static str, prints: &'static [&'static str]) -> Run {
    Run {
        tool: "kafka-topics",
        main: "org.apache.kafka.tools.TopicCommand",
        ..groups("create", arguments, prints)
    }
}

const fn lacks(lacks: &'static [&'static str], run: Run) -> Run {
    Run { lacks, ..run }
}

/// Runs every tool against `broker`.
pub fn run(broker: &Broker, results: &mut Results) -> Result<(), String> {
    for (place, reads) in READS.iter().enumerate() {
        tools::run_all(broker, &format!("reads-{place}"), reads, results)?;
    }
    fs::write(
        broker.scratch("empty").join("offsets.csv"),
        "\"log\",0,42\n",
    )
    .map_err(|e| e.to_string())?;
    tools::run_all(broker, "empty", EMPTY, results)?;
    beside_a_member(broker, results)?;
    for (place, reads) in RECORDS.iter().enumerate() {
        tools::run_all(broker, &format!("records-{place}"), reads, results)?;
    }
    Ok(())
}

/// With a member that reads the log.
fn beside_a_member(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let folder = broker.scratch("member");
    let ready = match Client::Java.set_up(&broker.bootstrap, folder.clone()) {
        Ok(ready) => ready,
        Err(why) => {
            results.missing("Apache Kafka's tools", &why);
            return Ok(());
        }
    };
    let membership = Membership {
        topic: "log".to_owned(),
        group: "readers".to_owned(),
        assignor: "range",
        instance: None,
        events: folder.join("events"),
        session_ms: 20_000,
    };
    let member = process::start(&mut ready.member(&membership), &folder);
    let mut member = member.map_err(|e| e.to_string())?;
    await_commit(&membership.events)?;
    tools::run_all(broker, "busy", BUSY, results)?;
    member.terminate();
    match member.wait(Duration::from_secs(30)) {
        Some(_) => Ok(()),
        None => Err("the member still runs after SIGTERM".to_owned()),
    }
}

/// Waits until the member committed the end of the log.
fn await_commit(events: &PathBuf) -> Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(60);
    let until = Instant::now() + TIMEOUT;
    loop {
        let text = fs::read_to_string(events).unwrap_or_default();
        if text.contains("\tcommitted\t0\t3000\n") {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("no commit after {TIMEOUT:?}: {text}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
