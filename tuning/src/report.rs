//! Findings and figures as people read them (tables) and as programs do (JSON).

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table, TableComponent, Width, presets,
};
use serde::Serialize;

use crate::doctor::{self, Finding, Severity};
use crate::host::Host;
use crate::probe::{Group, Measurement, Report};
use crate::quantity::Bytes;
use crate::volume::Volume;

/// The facts and findings of one examination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Examination {
    /// The machine.
    pub host: Host,
    /// One per data directory.
    pub volumes: Vec<Volume>,
    /// What was found, one per check and volume.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// The facts in two lines or more, the findings as a table, a sum at the end.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.host);
        for volume in &self.volumes {
            text += &format!("{volume}\n");
        }
        let mut table = table();
        table.set_header(["", "check", "found", "why, and what to do"]);
        for finding in &self.findings {
            let check = match &finding.subject {
                Some(subject) if self.volumes.len() > 1 => format!("{}\n{subject}", finding.check),
                _ => finding.check.to_owned(),
            };
            let mark = finding.severity.to_string();
            table.add_row([mark, check, finding.found.clone(), advice(finding)]);
        }
        table.set_constraints([
            ColumnConstraint::ContentWidth,
            ColumnConstraint::ContentWidth,
            ColumnConstraint::UpperBoundary(Width::Percentage(35)),
            ColumnConstraint::UpperBoundary(Width::Percentage(50)),
        ]);
        text + &format!("{}\n{}\n", table.trim_fmt(), self.summary())
    }

    /// `schema` names this shape; it counts up when a field changes its meaning or goes.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let worst = doctor::worst(&self.findings);
        to_json("doctor", serde_json::json!({ "worst": worst }), self)
    }

    fn summary(&self) -> String {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        };
        let say = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        format!(
            "{}, {}, {}",
            say(count(Severity::Failure), "failure"),
            say(count(Severity::Warning), "warning"),
            say(count(Severity::Note), "note"),
        )
    }
}

impl Report {
    /// The facts in two lines, the figures as a table, how they were taken.
    pub fn to_text(&self) -> String {
        let mut table = table();
        table.set_header([
            "",
            "case",
            "p50 us",
            "p99 us",
            "per second",
            "operations",
            "spread",
        ]);
        let mut last = None;
        for one in &self.measurements {
            let group = if last == Some(one.group) {
                ""
            } else {
                one.group.name()
            };
            last = Some(one.group);
            table.add_row([
                group.to_owned(),
                one.name.clone(),
                micros(one.p50_us),
                one.p99_us.map_or("-".to_owned(), micros),
                rate(one),
                one.operations.to_string(),
                format!("{:.0} %", one.spread * 100.0),
            ]);
        }
        for column in 2..7 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let direct = if self.direct_io { "around" } else { "through" };
        format!(
            "{}\n{}\n{}\nmedians of {} rounds, {:.1} s in all; the disk {direct} the page \
             cache, into a pre-zeroed file;\nspread: (largest - smallest) / median of the \
             rounds' p50; p99 needs 100 operations a round\n",
            self.host,
            self.volume,
            table.trim_fmt(),
            self.rounds,
            self.seconds
        )
    }

    /// `schema` names this shape; it counts up when a field changes its meaning or goes.
    pub fn to_json(&self) -> serde_json::Result<String> {
        to_json("probe", serde_json::json!({}), self)
    }
}

/// The body with `schema` and `command` in front of it.
fn to_json(
    command: &str,
    mut head: serde_json::Value,
    body: &impl Serialize,
) -> serde_json::Result<String> {
    let mut body = serde_json::to_value(body)?;
    if let (Some(head), Some(body)) = (head.as_object_mut(), body.as_object_mut()) {
        head.insert("schema".to_owned(), SCHEMA.into());
        head.insert("command".to_owned(), command.into());
        head.append(body);
    }
    serde_json::to_string_pretty(&head).map(|text| text + "\n")
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    // No lines between rows.
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.remove_style(TableComponent::LeftBorderIntersections);
    table.remove_style(TableComponent::RightBorderIntersections);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH_OF_FILES);
    }
    table
}

fn advice(finding: &Finding) -> String {
    let mut lines = Vec::new();
    if !finding.reason.is_empty() {
        lines.push(finding.reason.to_owned());
    }
    if let Some(mend) = &finding.mend {
        lines.push(format!("mend: {mend}"));
    }
    if let Some(gain) = finding.gain {
        lines.push(format!("gain: {gain}"));
    }
    lines.join("\n")
}

/// Three digits or more, and no more decimals than that takes.
fn micros(micros: f64) -> String {
    match micros {
        0.0..10.0 => format!("{micros:.2}"),
        10.0..100.0 => format!("{micros:.1}"),
        _ => format!("{micros:.0}"),
    }
}

/// Ticks and syncs by number, the rest by bytes.
fn rate(one: &Measurement) -> String {
    match one.group {
        Group::JournalTick | Group::Sync => {
            format!("{:.0}", one.bytes_per_second / one.bytes.max(1) as f64)
        }
        _ => Bytes(one.bytes_per_second as u64).to_string(),
    }
}

const SCHEMA: u32 = 1;

/// Columns when the output is no terminal.
const WIDTH_OF_FILES: u16 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_keep_three_digits() {
        let texts: Vec<String> = [0.031, 5.0, 42.46, 999.9].map(micros).into();
        assert_eq!(texts, ["0.03", "5.00", "42.5", "1000"]);
    }

    #[test]
    fn advice_has_a_line_for_each_part() {
        let folder = tempfile::tempdir().unwrap();
        let mut findings = doctor::examine(folder.path());
        let finding = &mut findings[0];
        finding.reason = "it matters";
        finding.mend = Some("mend it".to_owned());
        finding.gain = Some("speed");
        assert_eq!(advice(finding), "it matters\nmend: mend it\ngain: speed");
        finding.mend = None;
        finding.gain = None;
        assert_eq!(advice(finding), "it matters");
    }
}
