//! The report on the terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::groups::Grid;
use super::{Report, Row, groups, trouble};
use crate::history::Findings;
use crate::load::Rereading;
use crate::measure::Latency;
use crate::quantity::show_count;

/// The tables of a report's runs: of the loads, and of groups if there were any.
pub fn table(report: &Report) -> String {
    let loads = has_loads(report).then(|| loads(report));
    let grids = grids(report);
    let grids = grids
        .iter()
        .map(|grid| format!("{}\n{}", grid.title, drawn(grid)));
    loads
        .into_iter()
        .chain(grids)
        .collect::<Vec<_>>()
        .join("\n")
}

/// True if there are runs for the table of loads: beside groups in trouble, loads have another.
pub(super) fn has_loads(report: &Report) -> bool {
    let mut rows = report.rows.iter();
    rows.any(|row| row.has_load() && row.result.trouble.is_none())
}

/// The other tables, those without rows left out.
pub(super) fn grids(report: &Report) -> Vec<Grid> {
    let mut grids = vec![trouble::grid(report)];
    grids.extend(groups::grids(report));
    grids.retain(|grid| !grid.rows.is_empty());
    grids
}

fn drawn(grid: &Grid) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(grid.headings.iter().map(Cell::new));
    for row in &grid.rows {
        table.add_row(row.iter().enumerate().map(|(at, text)| {
            let words = ["run", "a member's", "errors", "checks"].contains(&grid.headings[at]);
            let side = if words {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            };
            Cell::new(text).set_alignment(side)
        }));
    }
    table.to_string()
}

fn loads(report: &Report) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(
            headings(report).map(|name| Cell::new(name).set_alignment(CellAlignment::Center)),
        );
    for row in &report.rows {
        let texts = headings(report).zip(cells(report, row));
        table.add_row(texts.map(|(heading, text)| {
            let words = heading == HEADINGS[0] || heading == SURVIVES;
            let side = if words {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            };
            Cell::new(text).set_alignment(side)
        }));
    }
    table.to_string()
}

/// The columns of a report's table of loads: those that apply to one of its runs.
pub(super) fn headings(report: &Report) -> impl Iterator<Item = &'static str> {
    HEADINGS.into_iter().filter(applies(report))
}

/// The cells of a run, under [`headings`].
pub(super) fn cells(report: &Report, row: &Row) -> Vec<String> {
    let applies = applies(report);
    let all = HEADINGS.into_iter().zip(all_cells(row));
    let shown = all.filter(|(heading, _)| applies(heading));
    shown.map(|(_, text)| text).collect()
}

/// Says which columns tell something of the report's runs.
fn applies(report: &Report) -> impl Fn(&&'static str) -> bool + use<> {
    let sends = report.rows.iter().any(|row| row.plan.producers > 0);
    let reads = report.rows.iter().any(|row| row.plan.consumers > 0);
    move |&heading| match heading {
        END_TO_END => sends && reads,
        SURVIVES => sends,
        _ => sends || !LATENCIES.contains(&heading),
    }
}

/// The cells of a run, under [`HEADINGS`].
fn all_cells(row: &Row) -> Vec<String> {
    let (result, total) = (&row.result, row.result.timeline.total());
    let cpu = |value: Option<f64>| value.map_or_else(unknown, |value| format!("{value:.2}"));
    let mut cells = vec![
        row.name.clone(),
        show_count(result.records_per_second().round() as u64),
        format!("{:.1}", result.bytes_per_second() / 1e6),
    ];
    cells.extend([0.5, 0.99, 0.999].map(|quantile| micros(total.publish.quantile_us(quantile))));
    cells.push(micros(total.publish.max_us()));
    cells.push(micros(p99(&total.end_to_end)));
    cells.push(cpu(result.cpu.broker_per_gb(result.bytes())));
    cells.push(cpu(result.cpu.generator_per_gb(result.bytes())));
    cells.push(check_text(row));
    cells.push(row.survives.clone());
    cells
}

/// What the checks of a run say, in a word or two.
pub(super) fn check_text(row: &Row) -> String {
    let result = &row.result;
    let again = row.again.as_ref();
    let is_clean = |findings: &Findings| findings.is_clean();
    if !is_clean(&result.findings) || !again.is_none_or(|again| is_clean(&again.findings)) {
        return "VIOLATED".to_owned();
    }
    if result.failure.is_some() || again.is_some_and(|again| again.failure.is_some()) {
        return "failed".to_owned();
    }
    let words = match result.checked {
        true if is_unknown(row) => "none",
        true => "ok",
        false => "not read",
    };
    words.to_owned()
}

/// True if nothing was read but what others had written.
fn is_unknown(row: &Row) -> bool {
    let result = &row.result;
    result.checked && row.plan.producers == 0 && result.findings.seen == 0 && result.foreign > 0
}

/// What a run's checks found, in sentences; several lines if something is wrong.
pub fn findings_text(row: &Row) -> String {
    let (result, findings) = (&row.result, &row.result.findings);
    let sent = findings.acknowledged + findings.unanswered;
    let mut text = format!("{}: ", row.name);
    if !row.has_load() {
        text += "nothing sent; commits and assignments checked";
    } else if is_unknown(row) {
        text += "no record of a load generator, nothing to check";
    } else if result.checked && row.plan.producers == 0 {
        text += &format!("{} records read, each checked", show_count(findings.seen));
    } else if result.checked {
        text += &format!(
            "{} records sent, {} read back, each compared byte for byte",
            show_count(sent),
            show_count(findings.seen)
        );
    } else if row.plan.consumers == 0 {
        text += &format!("{} records sent, not read back", show_count(sent));
    } else {
        let seen = show_count(findings.seen);
        text += &format!(
            "{} records sent, {seen} read and checked before the run failed",
            show_count(sent)
        );
    }
    let mut note = |count: u64, words: &str| {
        if count > 0 {
            text += &format!("; {} {words}", show_count(count));
        }
    };
    note(findings.lost, "LOST");
    note(
        findings.unchecked,
        "not read back and so UNCHECKED: they may be there or lost",
    );
    note(result.unsettled, "without an answer when it failed");
    note(findings.unknown, "of unknown fate");
    note(findings.refused, "refused or given up unsent");
    note(findings.unanswered_lost, "sent without acks and not found");
    note(result.counters.retries, "batches retried");
    note(result.counters.epoch_bumps, "producer epochs begun anew");
    note(
        result.unsent,
        "due at the end and not sent: the offered load was not reached",
    );
    note(result.foreign, "read that others had written");
    let redelivered = result.group.as_ref().map_or(0, |group| group.redelivered);
    note(redelivered, "delivered again after rebalances");
    if let Some(failure) = &result.failure {
        text += &format!("\n  FAILED: {failure}");
    }
    if let Some(error) = result.counters.last_error.filter(|_| findings.refused > 0) {
        text += &format!("\n  the broker's last error: {error}");
    }
    text += &violations(findings);
    if let Some(again) = &row.again {
        text += &again_text(again);
    }
    text
}

fn violations(findings: &Findings) -> String {
    let listed = findings.violations.iter();
    let mut text: String = listed.map(|found| format!("\n  {found}")).collect();
    if findings.not_kept > 0 {
        text += &format!("\n  and {} violations more", findings.not_kept);
    }
    text
}

/// What a second reading found, on a line of its own.
pub fn again_text(again: &Rereading) -> String {
    let findings = &again.findings;
    let mut text = format!(
        "\nread again from the beginning: {} records, {} acknowledged, {} lost, {} violations",
        show_count(findings.seen),
        show_count(findings.acknowledged),
        show_count(findings.lost),
        findings.violations.len() as u64 + findings.not_kept,
    );
    if let Some(failure) = &again.failure {
        text += &format!(
            "; {} UNCHECKED, since it could not be read to its end\n  FAILED: {failure}",
            show_count(findings.unchecked)
        );
    }
    text + &violations(findings)
}

fn p99(latency: &Latency) -> Option<u64> {
    latency.quantile_us(0.99)
}

fn micros(value: Option<u64>) -> String {
    value.map_or_else(unknown, show_count)
}

/// Withheld or not measurable.
fn unknown() -> String {
    "-".to_owned()
}

/// The columns.
const HEADINGS: [&str; 12] = [
    "run",
    "records/s",
    "MB/s",
    LATENCIES[0],
    LATENCIES[1],
    LATENCIES[2],
    LATENCIES[3],
    END_TO_END,
    "broker CPU s/GB",
    "generator CPU s/GB",
    "checks",
    SURVIVES,
];
const LATENCIES: [&str; 4] = ["p50 µs", "p99 µs", "p99.9 µs", "max µs"];
const END_TO_END: &str = "end-to-end p99 µs";
const SURVIVES: &str = "acknowledged survives";
