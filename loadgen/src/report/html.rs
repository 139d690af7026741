//! The report as one page that needs nothing else.

use super::{Report, Row, plots, table};
use crate::load::GroupFigures;
use crate::measure::Latency;

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut body = String::new();
    body += &format!("<h1>{}</h1>\n", escape(&report.title));
    body += &verdict(report);
    if table::has_loads(report) {
        body += &runs_table(report);
    }
    for grid in table::grids(report) {
        body += &format!("<h2>{}</h2>\n", escape(grid.title));
        body += &table_of(grid.headings.into_iter(), grid.rows.into_iter());
    }
    body += "<p>Latencies run from the time a record was meant to be sent, so that a stalled \
             broker \
             cannot hide the records that it kept waiting; percentiles that the number of samples \
             does not support are left out. At the highest throughput, latency is what the \
             producer's own buffer makes it.</p>\n";
    for drawing in drawings(report) {
        body += &format!("<figure>{drawing}</figure>\n");
    }
    body += "<h2>What was checked</h2>\n<ul>\n";
    for row in &report.rows {
        let text = escape(&table::findings_text(row)).replace('\n', "<br>");
        body += &format!("<li>{text}</li>\n");
    }
    body += "</ul>\n<h2>Settings and host</h2>\n<table>\n";
    for (name, value) in &report.environment {
        body += &format!(
            "<tr><th>{}</th><td>{}</td></tr>\n",
            escape(name),
            escape(value)
        );
    }
    body += "</table>\n";
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title>\n<style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        escape(&report.title)
    )
}

/// The plots, those without anything to plot left out.
fn drawings(report: &Report) -> Vec<String> {
    let open: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| row.is_open_loop())
        .collect();
    let all: Vec<&Row> = report.rows.iter().collect();
    let measured = if open.is_empty() { &all } else { &open };
    let publish: fn(&Row) -> &Latency = |row| &row.result.timeline.total().publish;
    let end_to_end: fn(&Row) -> &Latency = |row| &row.result.timeline.total().end_to_end;
    let in_groups: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| row.result.group.is_some())
        .collect();
    let commits: fn(&Row) -> &Latency = |row| &figures(row).commits;
    let heartbeats: fn(&Row) -> &Latency = |row| &figures(row).heartbeats;
    let drawings = [
        plots::against_load(&open),
        plots::percentiles(measured, "Publish latency by percentile", publish),
        plots::percentiles(measured, "End-to-end latency by percentile", end_to_end),
        plots::over_time(&all, "Throughput over time", "MB/s", |second| {
            Some(second.published_bytes as f64 / 1e6)
        }),
        plots::over_time(measured, "Publish latency p99 over time", "ms", |second| {
            second.publish.quantile_us(0.99).map(|us| us as f64 / 1e3)
        }),
        plots::over_time(
            &in_groups,
            "Records read over time",
            "per second",
            |second| Some(second.consumed as f64),
        ),
        plots::over_time(
            &in_groups,
            "End-to-end latency p99 over time",
            "ms",
            |second| {
                second
                    .end_to_end
                    .quantile_us(0.99)
                    .map(|us| us as f64 / 1e3)
            },
        ),
        plots::percentiles(&in_groups, "Commit latency by percentile", commits),
        plots::percentiles(&in_groups, "Heartbeat latency by percentile", heartbeats),
    ];
    drawings.into_iter().flatten().collect()
}

fn figures(row: &Row) -> &GroupFigures {
    let group = row.result.group.as_ref();
    group.expect("only runs of groups are drawn so")
}

fn verdict(report: &Report) -> String {
    if report.is_good() {
        "<p class=\"good\">Every check passed.</p>\n".to_owned()
    } else {
        "<p class=\"bad\">A run failed or violated what was promised: see below.</p>\n".to_owned()
    }
}

fn runs_table(report: &Report) -> String {
    let rows = report.rows.iter().map(|row| table::cells(report, row));
    table_of(table::headings(report), rows)
}

fn table_of(
    headings: impl Iterator<Item = &'static str>,
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let mut out = String::from("<div class=\"wide\"><table>\n<tr>");
    for heading in headings {
        out += &format!("<th>{}</th>", escape(heading));
    }
    out += "</tr>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            out += &format!("<td>{}</td>", escape(&cell).replace('\n', "<br>"));
        }
        out += "</tr>\n";
    }
    out + "</table></div>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;\
padding:0 1em;color:#1a1a1a}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.3em .7em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\
th:first-child,td:first-child,td:last-child{text-align:left}.wide{overflow-x:auto}\
figure{margin:1.5em 0}svg{max-width:100%;height:auto}.good{color:#1a7f37}\
.bad{color:#b00020;font-weight:bold}";
