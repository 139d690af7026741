//! What a report says of consumers in groups: two tables and a part of the JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Report, Row};
use crate::load::{GroupFigures, Rebalance};
use crate::measure::Latency;
use crate::quantity::show_count;

/// A table of text; the first column holds names.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    pub(super) title: &'static str,
    pub(super) headings: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The tables, which may be without rows.
pub(super) fn grids(report: &Report) -> Vec<Grid> {
    let with_groups = || {
        report
            .rows
            .iter()
            .filter_map(|row| Some((row, row.result.group.as_ref()?)))
    };
    let members = Grid {
        title: "Groups: commits and heartbeats are timed from the request to its answer",
        headings: MEMBERS.to_vec(),
        rows: with_groups()
            .map(|(row, group)| members(row, group))
            .collect(),
    };
    let rebalances = Grid {
        title: "Rebalances: resumed is when the last partition that changed hands was read again",
        headings: REBALANCES.to_vec(),
        rows: with_groups()
            .flat_map(|(row, group)| group.rebalances.iter().map(|one| rebalance(row, one)))
            .collect(),
    };
    vec![members, rebalances]
}

/// The groups' part of a run's JSON, null without groups.
pub(super) fn json(row: &Row) -> Value {
    let Some(group) = &row.result.group else {
        return Value::Null;
    };
    let seconds = row.result.window.as_secs_f64();
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    let latency = |latency: &Latency| {
        let at = |quantile| latency.quantile_us(quantile).map(|us| us as f64 / 1e3);
        json!({
            "count": latency.count(),
            "perSecond": per_second(latency.count(), seconds),
            "avgMs": latency.mean_us().map(|us| us / 1e3),
            "50pctMs": at(0.5),
            "99pctMs": at(0.99),
            "999pctMs": at(0.999),
            "maxMs": latency.max_us().map(|us| us as f64 / 1e3),
        })
    };
    let rebalances = group.rebalances.iter().map(|one| {
        json!({
            "step": one.step.to_string(),
            "atSeconds": one.at.as_secs_f64(),
            "partitionsMoved": one.moved,
            "noticedAfterMs": one.noticed_after.map(ms),
            "resumedAfterMs": one.resumed_after.map(ms),
            "longestPauseOfOthersMs": ms(one.longest_pause),
        })
    });
    json!({
        "groups": group.groups,
        "members": group.members,
        "formedAfterMs": ms(group.formed_after),
        "coordinatorConnections": group.connections,
        "commits": latency(&group.commits),
        "commitsRefused": group.commits_refused,
        "heartbeats": latency(&group.heartbeats),
        "joins": group.joins,
        "generations": group.generations,
        "fenced": group.fenced,
        "redelivered": group.redelivered,
        "brokerCpuShareOfACore": row.result.cpu.broker.map(|used| used.as_secs_f64() / seconds),
        "generatorCpuShareOfACore": row.result.cpu.generator.as_secs_f64() / seconds,
        "rebalances": rebalances.collect::<Vec<_>>(),
    })
}

fn members(row: &Row, group: &GroupFigures) -> Vec<String> {
    let seconds = row.result.window.as_secs_f64();
    let total = row.result.timeline.total();
    let cpu = |used: Duration| format!("{:.1}", used.as_secs_f64() / seconds * 100.0);
    let rate = |latency: &Latency| show_rate(per_second(latency.count(), seconds));
    let at = |latency: &Latency, quantile| {
        let micros = latency.quantile_us(quantile);
        micros.map_or_else(unknown, show_count)
    };
    vec![
        row.name.clone(),
        show_count(group.groups),
        show_count(group.members),
        millis(Some(group.formed_after)),
        show_count(per_second(total.consumed, seconds).round() as u64),
        at(&total.end_to_end, 0.5),
        at(&total.end_to_end, 0.99),
        rate(&group.commits),
        at(&group.commits, 0.5),
        at(&group.commits, 0.99),
        rate(&group.heartbeats),
        at(&group.heartbeats, 0.5),
        at(&group.heartbeats, 0.99),
        show_count(group.redelivered),
        row.result.cpu.broker.map_or_else(unknown, cpu),
        cpu(row.result.cpu.generator),
    ]
}

fn rebalance(row: &Row, one: &Rebalance) -> Vec<String> {
    vec![
        row.name.clone(),
        one.step.to_string(),
        format!("{:.1}", one.at.as_secs_f64()),
        show_count(u64::from(one.moved)),
        millis(one.noticed_after),
        millis(one.resumed_after),
        millis(Some(one.longest_pause)),
    ]
}

fn millis(span: Option<Duration>) -> String {
    let text = |span: Duration| format!("{:.1}", span.as_secs_f64() * 1e3);
    span.map_or_else(unknown, text)
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

fn show_rate(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.1}")
    } else {
        show_count(rate.round() as u64)
    }
}

fn unknown() -> String {
    "-".to_owned()
}

const MEMBERS: [&str; 16] = [
    "run",
    "groups",
    "members",
    "formed ms",
    "read/s",
    "e2e p50 µs",
    "e2e p99 µs",
    "commits/s",
    "p50 µs",
    "p99 µs",
    "heartbeats/s",
    "p50 µs",
    "p99 µs",
    "redelivered",
    "broker CPU %",
    "generator CPU %",
];
const REBALANCES: [&str; 7] = [
    "run",
    "a member's",
    "at s",
    "partitions moved",
    "noticed ms",
    "resumed ms",
    "longest pause of others ms",
];
