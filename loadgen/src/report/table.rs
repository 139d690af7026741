//! The report on the terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::groups::Grid;
use super::{Report, Row, groups, trouble};
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
        .set_header(HEADINGS.map(|name| Cell::new(name).set_alignment(CellAlignment::Center)));
    for row in &report.rows {
        table.add_row(cells(row).into_iter().enumerate().map(|(at, text)| {
            let words = at == 0 || at + 1 == HEADINGS.len();
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

/// The cells of a run, under [`HEADINGS`].
pub(super) fn cells(row: &Row) -> Vec<String> {
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
    if result.failure.is_some() {
        return "failed".to_owned();
    }
    if !result.findings.is_clean() {
        return "VIOLATED".to_owned();
    }
    if result.checked {
        "ok".to_owned()
    } else {
        "not read".to_owned()
    }
}

/// What a run's checks found, in sentences; several lines if something is wrong.
pub fn findings_text(row: &Row) -> String {
    let (result, findings) = (&row.result, &row.result.findings);
    let sent = findings.acknowledged + findings.unanswered;
    let mut text = format!("{}: ", row.name);
    if !row.has_load() {
        text += "nothing sent; commits and assignments checked";
    } else if result.checked && row.plan.producers == 0 {
        text += &format!("{} records read, each checked", show_count(findings.seen));
    } else if result.checked {
        text += &format!(
            "{} records sent, {} read back, each compared byte for byte",
            show_count(sent),
            show_count(findings.seen)
        );
    } else {
        text += &format!("{} records sent, not read back", show_count(sent));
    }
    let mut note = |count: u64, words: &str| {
        if count > 0 {
            text += &format!("; {} {words}", show_count(count));
        }
    };
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
    for violation in &findings.violations {
        text += &format!("\n  {violation}");
    }
    if findings.not_kept > 0 {
        text += &format!("\n  and {} violations more", findings.not_kept);
    }
    text
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
pub(super) const HEADINGS: [&str; 12] = [
    "run",
    "records/s",
    "MB/s",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "max µs",
    "end-to-end p99 µs",
    "broker CPU s/GB",
    "generator CPU s/GB",
    "checks",
    "acknowledged survives",
];
