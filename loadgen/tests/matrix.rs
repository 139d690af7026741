//! The program as a user runs it, in small.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use logmill_loadgen::broker::{Broker, BrokerPlan};

fn loadgen(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn the_matrix_runs_on_a_broker_of_its_own_and_leaves_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        "matrix --peak 400ms --steady 400ms --warmup 100ms --rate 2k --output out --data-dir .";
    let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for part in [
        "acks=0, peak",
        "acks=all idempotent, 2,000/s",
        "power loss",
        "records/s",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    for name in ["report.html", "report.json", "acks-1-peak.hlog"] {
        assert!(folder.path().join("out").join(name).is_file(), "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "the brokers' folders are removed: {left:?}");
}

#[test]
fn every_codec_and_lines_of_a_file_come_back_as_they_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..2_000)
        .map(|n| format!("line {n} of a log that repeats\n"))
        .collect();
    std::fs::write(folder.path().join("lines"), lines).unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let words = format!(
            "end-to-end --input lines --compression {codec} --rate 5k --duration 500ms \
             --warmup 0s --idempotence --no-report --data-dir . --keys uniform:50"
        );
        let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{codec}: {}", text(&output));
        assert!(
            text(&output).contains("each compared byte for byte"),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn producing_alone_starts_at_once_and_blocks_no_longer_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let words = "produce --duration 2s --warmup 0s --max-block 1500ms --no-report --data-dir .";
    let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("not read back"), "{said}");
}

#[test]
fn sending_ends_after_so_many_bytes_at_any_pace() {
    let folder = tempfile::tempdir().unwrap();
    for pace in ["", " --rate 20k"] {
        let words = format!(
            "produce --duration 20s --warmup 0s --max-bytes 1MiB --no-report --data-dir .{pace}"
        );
        let begun = std::time::Instant::now();
        let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
        let said = text(&output);
        assert!(output.status.success(), "{said}");
        let sent = ["1,024 records sent", "1,025 records sent"];
        assert!(sent.iter().any(|words| said.contains(words)), "{said}");
        assert!(begun.elapsed().as_secs() < 20, "it ends early");
    }
}

#[test]
fn a_partition_that_is_not_there_is_named_and_a_healthy_broker_not_blamed() {
    let folder = tempfile::tempdir().unwrap();
    let words = "produce --partitioner 9 --duration 1s --no-report --data-dir .";
    let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("partition 9 is not one of them"), "{said}");
    assert!(!said.contains("last words"), "{said}");
}

#[test]
fn mistakes_are_answered_with_2_and_failures_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let mistake = loadgen(folder.path(), &["produce", "--ack", "1"]);
    assert_eq!(mistake.status.code(), Some(2));
    assert!(text(&mistake).contains("--acks"), "{}", text(&mistake));
    let nowhere = [
        "consume",
        "--bootstrap",
        "nowhere.invalid:1",
        "--topic",
        "t",
    ];
    let incomplete = loadgen(folder.path(), &nowhere[..3]);
    assert_eq!(incomplete.status.code(), Some(2));
    assert!(
        text(&incomplete).contains("--topic"),
        "{}",
        text(&incomplete)
    );
    let failure = loadgen(folder.path(), &nowhere);
    assert_eq!(failure.status.code(), Some(1));
    assert!(
        text(&failure).contains("nowhere.invalid"),
        "{}",
        text(&failure)
    );
}

fn broker(folder: &Path) -> Broker {
    let (data, log) = (folder.join("data"), folder.join("log"));
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[]).unwrap()
    };
    Broker::start(plan).unwrap()
}

/// A broker that refuses everything has not been measured; and whatever made a run fail, the topic
/// that was made for it is gone afterwards, and none was made if the arguments were wrong.
#[test]
fn runs_that_fail_say_why_and_leave_no_topic_behind() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path());
    let at = format!("--bootstrap {}", broker.address());
    for (words, why) in [
        ("--record-size 2MiB", "acknowledged: MESSAGE_TOO_LARGE"),
        ("--partitioner 9", "partition 9 is not one of them"),
        ("--idempotence --acks 1", "needs acks=all"),
        ("--topic no/name", "INVALID_TOPIC_EXCEPTION"),
        ("--output /proc/nowhere", "--output"),
        ("--input nowhere --topic mine", "nowhere"),
    ] {
        let report = if words.contains("--output") {
            ""
        } else {
            "--no-report"
        };
        let words = format!("produce --rate 100 --duration 1s --warmup 0s {words} {at} {report}");
        let begun = std::time::Instant::now();
        let output = loadgen(folder.path(), &words.split_whitespace().collect::<Vec<_>>());
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            begun.elapsed().as_secs() < 20,
            "it is not waited for: {said}"
        );
        assert!(said.contains(why), "{said}");
    }
    let left = topics(folder.path());
    assert!(left.is_empty(), "{left:?}");
}

/// What the broker says of itself is passed on.
#[test]
fn a_broker_without_room_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("broker.log"));
    let setting = format!("logmill.log.min.free.bytes={}", i64::MAX);
    let plan = BrokerPlan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_loadgen")),
        ..BrokerPlan::own(&data, &log, &[setting]).unwrap()
    };
    let broker = Broker::start(plan).unwrap();
    let words = format!(
        "produce --rate 100 --duration 1s --warmup 0s --drain 3s --no-report --bootstrap {}",
        broker.address()
    );
    let output = loadgen(folder.path(), &words.split_whitespace().collect::<Vec<_>>());
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = "a broker said last: KAFKA_STORAGE_ERROR: ";
    assert!(
        said.contains(why) && said.contains("bytes are free"),
        "{said}"
    );
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains("produce is refused"), "{told}");
}

/// The topics that have folders, but for those that are being deleted.
fn topics(folder: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(folder.join("data")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.contains("mine") || name.contains("loadgen"))
        .filter(|name| !name.ends_with("-delete"))
        .collect()
}

#[test]
fn a_seed_repeats_what_is_sent_and_keeps_runs_on_one_topic_apart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path());
    let words = format!(
        "verify --topic mine --seed 7 --rate 1k --arrivals poisson --duration 500ms --warmup 0s \
         --no-report --bootstrap {}",
        broker.address()
    );
    let words: Vec<&str> = words.split(' ').collect();
    let (first, second) = (
        loadgen(folder.path(), &words),
        loadgen(folder.path(), &words),
    );
    for output in [&first, &second] {
        assert!(output.status.success(), "{}", text(output));
    }
    let sent = |output: &Output| -> String {
        let said = text(output);
        let (before, _) = said.split_once(" records sent").unwrap();
        before.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(sent(&first), sent(&second));
}

#[test]
fn a_named_topic_is_made_if_need_be_kept_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path());
    let at = format!("--bootstrap {} --no-report", broker.address());
    let run = |words: &str| {
        let words = format!("{words} {at}");
        let output = loadgen(folder.path(), &words.split(' ').collect::<Vec<_>>());
        (output.status.code(), text(&output))
    };
    let begun = std::time::Instant::now();
    let (code, said) = run("consume --topic mine");
    assert!(
        code == Some(1) && said.contains("topic mine is not there"),
        "{said}"
    );
    assert!(begun.elapsed().as_secs() < 20, "it is not waited for");
    let send = "--topic mine --rate 2k --duration 1s --warmup 0s";
    let (code, said) = run(&format!("verify {send} --ledger acked"));
    assert!(code == Some(0) && said.contains("made, and kept"), "{said}");
    assert!(said.contains("2,000 acknowledged, 0 lost"), "{said}");
    let (code, said) = run("verify --topic mine --ledger acked --read-only");
    assert!(
        code == Some(0) && said.contains("2,000 acknowledged, 0 lost"),
        "{said}"
    );
    let (code, said) = run(&format!("produce {send}"));
    assert!(
        code == Some(0) && !said.contains("made, and kept"),
        "{said}"
    );
    let (code, said) = run("consume --topic mine");
    assert!(
        code == Some(0) && said.contains("4,000 records read"),
        "{said}"
    );
}
