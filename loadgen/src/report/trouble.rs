//! What a report says of a load beside groups in trouble: a table and a part of the JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::groups::Grid;
use super::table::check_text;
use super::{Report, Row};
use crate::load::TroubleFigures;
use crate::measure::{Latency, Second};
use crate::quantity::show_count;

/// The table; without rows if nobody made trouble.
pub(super) fn grid(report: &Report) -> Grid {
    let troubled = report.rows.iter();
    let troubled = troubled.filter_map(|row| Some((row, row.result.trouble.as_ref()?)));
    Grid {
        title: "A load beside groups in trouble: latencies of records run from the intended send \
                time, those of groups' requests are of all but joins and syncs",
        headings: HEADINGS.to_vec(),
        rows: troubled.map(|(row, figures)| cells(row, figures)).collect(),
    }
}

/// The trouble's part of a run's JSON, null where that was not the question.
pub(super) fn json(row: &Row) -> Value {
    let Some(figures) = &row.result.trouble else {
        return Value::Null;
    };
    let seconds = row.result.window.as_secs_f64();
    let mut answers = Map::new();
    for (&(api, code), &count) in &figures.answers {
        let of_api = answers.entry(api.name()).or_insert_with(|| json!({}));
        of_api[code.to_string()] = json!(count);
    }
    let millis = |quantile| {
        let micros = figures.latency.quantile_us(quantile);
        micros.map(|us| us as f64 / 1e3)
    };
    let median = |of: fn(&Second) -> &Latency| {
        let micros = row.result.timeline.median_second_us(of, 0.99);
        micros.map(|us| us as f64 / 1e3)
    };
    json!({
        "publish99pctMsOfMedianSecond": median(|second| &second.publish),
        "endToEnd99pctMsOfMedianSecond": median(|second| &second.end_to_end),
        "trouble": row.plan.trouble.map(|trouble| trouble.kind.to_string()),
        "groups": row.plan.trouble.map(|trouble| trouble.groups),
        "membersPerGroup": row.plan.trouble.map(|trouble| trouble.members),
        "requestsPerSecond": per_second(figures.answered(), seconds),
        "answersByApiAndCode": answers,
        "50pctMs": millis(0.5),
        "99pctMs": millis(0.99),
        "requestsNotRead": figures.unread,
        "connectionsLost": figures.lost,
        "brokerCpuShareOfACore": row.result.cpu.broker.map(|used| used.as_secs_f64() / seconds),
        "generatorCpuShareOfACore": row.result.cpu.generator.as_secs_f64() / seconds,
    })
}

fn cells(row: &Row, figures: &TroubleFigures) -> Vec<String> {
    let (result, total) = (&row.result, row.result.timeline.total());
    let seconds = result.window.as_secs_f64();
    let cpu = |used: Duration| format!("{:.0}", used.as_secs_f64() / seconds * 100.0);
    let at = |latency: &Latency, quantile| {
        let micros = latency.quantile_us(quantile);
        micros.map_or_else(unknown, show_count)
    };
    let median = |of: fn(&Second) -> &Latency| {
        let micros = result.timeline.median_second_us(of, 0.99);
        micros.map_or_else(unknown, show_count)
    };
    vec![
        row.name.clone(),
        show_count(result.records_per_second().round() as u64),
        at(&total.publish, 0.5),
        at(&total.publish, 0.99),
        at(&total.publish, 0.999),
        median(|second| &second.publish),
        at(&total.end_to_end, 0.5),
        at(&total.end_to_end, 0.99),
        median(|second| &second.end_to_end),
        show_count(per_second(figures.answered(), seconds).round() as u64),
        at(&figures.latency, 0.5),
        at(&figures.latency, 0.99),
        errors(figures),
        result.cpu.broker.map_or_else(unknown, cpu),
        cpu(result.cpu.generator),
        check_text(row),
    ]
}

/// Codes and counts, a line each; what a client saw of its connections as well.
fn errors(figures: &TroubleFigures) -> String {
    let errors = figures.errors().into_iter();
    let mut lines: Vec<String> = errors
        .map(|(code, count)| format!("{code} {}", show_count(count)))
        .collect();
    for (count, words) in [
        (figures.unread, "answers not read"),
        (figures.lost, "connections lost"),
    ] {
        if count > 0 {
            lines.push(format!("{} {words}", show_count(count)));
        }
    }
    if lines.is_empty() {
        return unknown();
    }
    lines.join("\n")
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

fn unknown() -> String {
    "-".to_owned()
}

const HEADINGS: [&str; 16] = [
    "run",
    "records/s",
    "produce p50 µs",
    "p99 µs",
    "p99.9 µs",
    "p99 µs of the median second",
    "end-to-end p50 µs",
    "p99 µs",
    "p99 µs of the median second",
    "group requests/s",
    "p50 µs",
    "p99 µs",
    "errors",
    "broker CPU %",
    "generator CPU %",
    "checks",
];
