//! Reports of a small made-up run.

use std::time::Duration;

use super::*;
use crate::consumer::ConsumerConfig;
use crate::history::{Findings, Lane, Violation};
use crate::load::{Arrivals, GroupFigures, Rebalance, Step, TroubleFigures};
use crate::measure::{CpuUse, Second, Timeline};
use crate::payload::{Arena, Filler, KeyPlan, SizePlan, Source};
use crate::producer::{Counters, ProducerConfig};

fn row(name: &str, pace: Pace) -> Row {
    let mut timeline = Timeline::default();
    for index in 0..3 {
        let mut second = Second {
            published: 10_000,
            published_bytes: 10_240_000,
            consumed: 9_000,
            ..Second::default()
        };
        for at in 0..10_000_u64 {
            second.publish.record(1_000_000 + at * 500, 1);
            second.end_to_end.record(2_000_000 + at * 500, 1);
        }
        timeline.add(index, &second);
    }
    let plan = LoadPlan {
        bootstrap: Vec::new(),
        topic: "t".to_owned(),
        producer: ProducerConfig::default(),
        consumer: ConsumerConfig::default(),
        producers: 1,
        consumers: 1,
        group: None,
        trouble: None,
        follow: false,
        from_start: false,
        pace,
        source: Source::Synthetic(std::sync::Arc::new(Arena::new(Filler::Zero, 12))),
        sizes: SizePlan::Fixed(1_024),
        keys: KeyPlan::None,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(3),
        drain: Duration::from_secs(1),
        bytes_max: u64::MAX,
        seed: 1,
        broker_pid: None,
    };
    let cpu = CpuUse {
        broker: Some(Duration::from_millis(15)),
        ..CpuUse::default()
    };
    let result = LoadResult {
        timeline,
        window: Duration::from_secs(3),
        cpu,
        findings: Findings {
            acknowledged: 30_000,
            seen: 30_000,
            ..Findings::default()
        },
        checked: true,
        counters: Counters::default(),
        unsent: 0,
        unsettled: 0,
        foreign: 0,
        group: None,
        trouble: None,
        ledger: crate::history::Ledger::default(),
        failure: None,
    };
    Row {
        name: name.to_owned(),
        plan,
        result,
        survives: "power loss".to_owned(),
        again: None,
    }
}

fn sample() -> Report {
    let open = Pace::Open {
        rate: 1e4,
        arrivals: Arrivals::Poisson,
    };
    Report {
        title: "A <test>".to_owned(),
        environment: vec![("kernel".to_owned(), "6 & up".to_owned())],
        rows: vec![
            row("acks=all, peak", Pace::Closed),
            row("acks=all, 10k/s", open),
        ],
    }
}

#[test]
fn the_table_shows_rates_percentiles_and_cpu() {
    let text = table(&sample());
    for part in ["10,000", "10.2", "power loss", "0.49", "ok", "p99.9 µs"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_folder_holds_a_page_json_and_logs_that_tools_read() {
    let folder = tempfile::tempdir().unwrap();
    sample().write(folder.path()).unwrap();
    let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(html.matches("<svg").count(), 4);
    assert!(html.contains("A &lt;test&gt;") && html.contains("6 &amp; up"));
    assert!(
        !html.contains("http://") || !html.contains("src="),
        "the page stands alone"
    );
    let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let result = &json["results"][1];
    assert_eq!(result["publishRate"][2], 10_000.0);
    assert_eq!(result["backlog"][2], 3_000);
    let p99 = result["aggregatedPublishLatency99pct"].as_f64().unwrap();
    assert!((5.9..6.0).contains(&p99), "{p99}");
    assert!(
        result["aggregatedPublishLatencyQuantiles"]["100"]
            .as_f64()
            .unwrap()
            >= 5.99
    );
    assert!(
        result["publishLatency9999pct"][0].is_null(),
        "10,000 samples do not support p99.99"
    );
    assert_eq!(result["logmill"]["acks"], "all");
    let log = std::fs::read(folder.path().join("acks-all-10k-s.hlog")).unwrap();
    let entries = hdrhistogram::serialization::interval_log::IntervalLogIterator::new(&log);
    let histograms = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            use hdrhistogram::serialization::interval_log::LogEntry;
            matches!(entry, LogEntry::Interval(_))
        })
        .count();
    assert_eq!(histograms, 9);
}

#[test]
fn a_curve_is_drawn_from_three_rates_on() {
    let at = |rate| {
        row(
            "point",
            Pace::Open {
                rate,
                arrivals: Arrivals::Constant,
            },
        )
    };
    let rows = [at(1e3), at(1e4), at(1e5)];
    let few: Vec<&Row> = rows[..2].iter().collect();
    assert_eq!(plots::against_load(&few), None);
    let drawing = plots::against_load(&rows.iter().collect::<Vec<_>>()).unwrap();
    assert!(drawing.contains("p99.9") && drawing.contains("polyline"));
}

#[test]
fn what_is_wrong_is_said() {
    let mut report = sample();
    assert!(report.is_good());
    let lane = Lane {
        stream: 1,
        partition: 3,
    };
    let lost = Violation::Lost {
        lane,
        first: 7,
        count: 2,
    };
    report.rows[0].result.findings.violations.push(lost);
    assert!(!report.is_good());
    assert!(table(&report).contains("VIOLATED"));
    let text = findings_text(&report.rows[0]);
    assert!(
        text.contains("LOST: 2 acknowledged records of partition 3"),
        "{text}"
    );
}

#[test]
fn a_run_that_failed_tells_what_was_found_and_what_could_not_be_checked() {
    let mut report = sample();
    report.rows.truncate(1);
    let result = &mut report.rows[0].result;
    result.checked = false;
    result.failure = Some("the broker is gone".to_owned());
    (result.findings.seen, result.findings.unchecked) = (29_000, 1_000);
    result.unsettled = 17;
    let findings = result.findings.clone();
    report.rows[0].again = Some(Rereading {
        findings,
        failure: Some("nobody answers".to_owned()),
    });
    assert!(table(&report).contains("failed"), "{}", table(&report));
    let text = findings_text(&report.rows[0]);
    for part in [
        "30,000 records sent, 29,000 read and checked before the run failed",
        "1,000 not read back and so UNCHECKED",
        "17 without an answer",
        "FAILED: the broker is gone",
        "read again from the beginning: 29,000 records, 30,000 acknowledged, 0 lost",
        "FAILED: nobody answers",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let lost = Violation::Lost {
        lane: Lane {
            stream: 1,
            partition: 3,
        },
        first: 7,
        count: 2,
    };
    report.rows[0].result.findings.violations.push(lost);
    assert!(table(&report).contains("VIOLATED"), "a failure hides none");
    let own = &omb::document(&report)["results"][0]["logmill"];
    assert_eq!(own["unchecked"], 1_000);
    assert_eq!(own["unsettled"], 17);
    assert_eq!(own["failure"], "the broker is gone");
    assert_eq!(own["violations"].as_array().unwrap().len(), 1);
    assert_eq!(own["readAgain"]["failure"], "nobody answers");
}

#[test]
fn what_was_only_read_has_no_latency_and_what_others_wrote_is_not_checked() {
    let mut report = sample();
    report.rows.truncate(1);
    report.rows[0].plan.producers = 0;
    let text = table(&report);
    for part in ["p99", "end-to-end", "survives"] {
        assert!(!text.contains(part), "{part} is in\n{text}");
    }
    assert!(text.contains("MB/s") && text.contains(" ok "), "{text}");
    let result = &mut report.rows[0].result;
    (result.findings.seen, result.foreign) = (0, 3);
    assert!(!table(&report).contains(" ok "), "{}", table(&report));
    let text = findings_text(&report.rows[0]);
    let words = "nothing to check; 3 read that others had written";
    assert!(text.contains(words), "{text}");
}

/// The sample, its second run with a group.
fn with_group() -> Report {
    let mut report = sample();
    let mut group = GroupFigures {
        groups: 1,
        members: 10,
        formed_after: Duration::from_millis(320),
        redelivered: 4_321,
        ..GroupFigures::default()
    };
    group.commits.record(1_500_000, 15);
    for at in 1..=15 {
        group.commits.record(1_500_000 + at * 100_000, 1);
    }
    group.heartbeats.record(700_000, 15);
    group.rebalances.push(Rebalance {
        step: Step::Kill,
        at: Duration::from_secs(9),
        moved: 5,
        noticed_after: Some(Duration::from_millis(6_010)),
        resumed_after: None,
        longest_pause: Duration::from_millis(31),
    });
    report.rows[1].result.group = Some(group);
    report
}

#[test]
fn groups_have_their_tables_plots_and_json() {
    let report = with_group();
    let text = table(&report);
    for part in ["320.0", "10.0", "1,500", "kill", "6010.0", "31.0", "4,321"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    // Thirty commits say nothing about p99, fifteen heartbeats nothing about p50 either; and what
    // did not resume has no time.
    assert_eq!(text.matches(" - ").count(), 4, "{text}");
    let folder = tempfile::tempdir().unwrap();
    report.write(folder.path()).unwrap();
    let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("Records read over time") && html.contains("Commit latency"));
    let log = folder.path().join("acks-all-10k-s.hlog");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("Tag=commit,0.000") && log.contains("Tag=heartbeat,0.000"),
        "{log}"
    );
    let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["results"][0]["logmillGroups"].is_null());
    let group = &json["results"][1]["logmillGroups"];
    assert_eq!(group["commits"]["perSecond"], 10.0);
    assert_eq!(group["heartbeats"]["50pctMs"], serde_json::Value::Null);
    assert_eq!(group["rebalances"][0]["noticedAfterMs"], 6_010.0);
}

#[test]
fn groups_that_read_nothing_have_no_table_of_loads() {
    let mut report = with_group();
    report.rows.remove(0);
    (report.rows[0].plan.producers, report.rows[0].plan.consumers) = (0, 0);
    let text = table(&report);
    assert!(
        !text.contains("records/s") && text.contains("heartbeats/s"),
        "{text}"
    );
    assert!(findings_text(&report.rows[0]).contains("nothing sent"));
}

#[test]
fn a_load_beside_groups_in_trouble_has_one_table_and_its_json() {
    use logmill_wire::{ApiKey, ErrorCode};
    let mut report = sample();
    for row in &mut report.rows {
        row.result.trouble = Some(TroubleFigures::default());
    }
    let figures = report.rows[1].result.trouble.as_mut().unwrap();
    figures.lost = 2;
    let commit = ApiKey::OffsetCommit;
    let too_large = ErrorCode::OFFSET_METADATA_TOO_LARGE;
    figures.answers.insert((commit, ErrorCode::NONE), 2_999);
    figures.answers.insert((commit, too_large), 3_001);
    let text = table(&report);
    for part in [
        "OFFSET_METADATA_TOO_LARGE 3,001",
        "2 connections lost",
        "2,000",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("acknowledged survives"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    report.write(folder.path()).unwrap();
    let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("OFFSET_METADATA_TOO_LARGE 3,001<br>2 connections lost"));
    let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let trouble = &json["results"][1]["logmillTrouble"];
    assert_eq!(trouble["requestsPerSecond"], 2_000.0);
    let answers = &trouble["answersByApiAndCode"]["OffsetCommit"];
    assert_eq!(answers["OFFSET_METADATA_TOO_LARGE"], 3_001);
}
