//! The report as JSON, with the field names of the OpenMessaging Benchmark's results, so that
//! tools made for those read it: rates a second, latencies in ms, one element of a list a second.

use serde_json::{Map, Value, json};

use super::{Report, Row};
use crate::load::Rereading;
use crate::measure::{Latency, Second};

/// The whole report: `environment` and `results`, each of these an OMB result.
pub(super) fn document(report: &Report) -> Value {
    let environment: Map<String, Value> = report
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let results: Vec<Value> = report.rows.iter().map(result).collect();
    json!({
        "title": report.title,
        "loadgenVersion": env!("CARGO_PKG_VERSION"),
        "good": report.is_good(),
        "environment": environment,
        "results": results,
    })
}

fn result(row: &Row) -> Value {
    let (plan, result) = (&row.plan, &row.result);
    let mut out = Map::new();
    out.insert("workload".to_owned(), json!(row.name));
    out.insert("driver".to_owned(), json!("loadgen"));
    out.insert("messageSize".to_owned(), json!(plan.sizes.mean()));
    out.insert("topics".to_owned(), json!(1));
    out.insert("producersPerTopic".to_owned(), json!(plan.producers));
    out.insert("consumersPerTopic".to_owned(), json!(plan.consumers));
    rates(&mut out, result.timeline.seconds());
    let total = result.timeline.total();
    latencies(&mut out, "publishLatency", result.timeline.seconds(), |s| {
        &s.publish
    });
    latencies(
        &mut out,
        "publishDelayLatency",
        result.timeline.seconds(),
        |s| &s.delay,
    );
    latencies(
        &mut out,
        "endToEndLatency",
        result.timeline.seconds(),
        |s| &s.end_to_end,
    );
    aggregate(&mut out, "aggregatedPublishLatency", &total.publish);
    aggregate(&mut out, "aggregatedPublishDelayLatency", &total.delay);
    aggregate(&mut out, "aggregatedEndToEndLatency", &total.end_to_end);
    out.insert("logmill".to_owned(), own(row));
    out.insert("logmillGroups".to_owned(), super::groups::json(row));
    out.insert("logmillTrouble".to_owned(), super::trouble::json(row));
    Value::Object(out)
}

fn rates(out: &mut Map<String, Value>, seconds: &[Second]) {
    let mut list = |name: &str, value: fn(&Second) -> u64| {
        let values: Vec<f64> = seconds.iter().map(|second| value(second) as f64).collect();
        out.insert(name.to_owned(), json!(values));
    };
    list("publishRate", |second| second.published);
    list("publishErrorRate", |second| second.failed);
    list("consumeRate", |second| second.consumed);
    let mut behind = 0_i64;
    let backlog: Vec<i64> = seconds
        .iter()
        .map(|second| {
            behind += second.published as i64 - second.consumed as i64;
            behind.max(0)
        })
        .collect();
    out.insert("backlog".to_owned(), json!(backlog));
}

/// `NAMEAvg`, `NAME50pct` ... `NAMEMax`, a list each. Percentiles without support are null.
fn latencies(
    out: &mut Map<String, Value>,
    name: &str,
    seconds: &[Second],
    of: fn(&Second) -> &Latency,
) {
    let avg: Vec<_> = seconds
        .iter()
        .map(|s| of(s).mean_us().map(millis))
        .collect();
    out.insert(format!("{name}Avg"), json!(avg));
    for (label, quantile) in PERCENTILES {
        let values: Vec<_> = seconds
            .iter()
            .map(|s| percentile(of(s), quantile))
            .collect();
        out.insert(format!("{name}{label}"), json!(values));
    }
    let max: Vec<_> = seconds
        .iter()
        .map(|s| of(s).max_us().map(|us| millis(us as f64)))
        .collect();
    out.insert(format!("{name}Max"), json!(max));
}

fn aggregate(out: &mut Map<String, Value>, name: &str, latency: &Latency) {
    out.insert(format!("{name}Avg"), json!(latency.mean_us().map(millis)));
    for (label, quantile) in PERCENTILES {
        out.insert(
            format!("{name}{label}"),
            json!(percentile(latency, quantile)),
        );
    }
    let max = latency.max_us().map(|us| millis(us as f64));
    out.insert(format!("{name}Max"), json!(max));
    out.insert(
        format!("{name}Quantiles"),
        Value::Object(quantiles(latency)),
    );
}

/// Percentile (as text) to ms, at the steps of a percentile plot.
fn quantiles(latency: &Latency) -> Map<String, Value> {
    let histogram = latency.histogram();
    let mut out = Map::new();
    for step in histogram.iter_quantiles(5) {
        let percent = step.quantile_iterated_to() * 100.0;
        out.insert(
            format!("{percent}"),
            json!(millis(step.value_iterated_to() as f64)),
        );
    }
    out
}

fn own(row: &Row) -> Value {
    let (plan, result) = (&row.plan, &row.result);
    let bytes = result.bytes();
    let findings = &result.findings;
    json!({
        "acks": plan.producer.acks.name(),
        "idempotence": plan.producer.idempotent,
        "compression": plan.producer.codec.name(),
        "batchSize": plan.producer.batch_size,
        "lingerMs": plan.producer.linger.as_secs_f64() * 1e3,
        "openLoop": row.is_open_loop(),
        "windowSeconds": result.window.as_secs_f64(),
        "recordsPerSecond": result.records_per_second(),
        "bytesPerSecond": result.bytes_per_second(),
        "brokerCpuSecondsPerGB": result.cpu.broker_per_gb(bytes),
        "generatorCpuSecondsPerGB": result.cpu.generator_per_gb(bytes),
        "survives": row.survives,
        "checked": result.checked,
        "good": row.is_good(),
        "failure": result.failure,
        "acknowledged": findings.acknowledged,
        "unanswered": findings.unanswered,
        "unknown": findings.unknown,
        "refused": findings.refused,
        "read": findings.seen,
        "lost": findings.lost,
        "unchecked": findings.unchecked,
        "unsettled": result.unsettled,
        "unansweredLost": findings.unanswered_lost,
        "violations": findings.violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "violationsNotListed": findings.not_kept,
        "retries": result.counters.retries,
        "epochBumps": result.counters.epoch_bumps,
        "requests": result.counters.requests,
        "batches": result.counters.batches,
        "dueAndUnsent": result.unsent,
        "readAgain": row.again.as_ref().map(again),
    })
}

fn again(again: &Rereading) -> Value {
    let findings = &again.findings;
    json!({
        "good": again.is_good(),
        "failure": again.failure,
        "acknowledged": findings.acknowledged,
        "read": findings.seen,
        "lost": findings.lost,
        "unchecked": findings.unchecked,
        "violations": findings.violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "violationsNotListed": findings.not_kept,
    })
}

fn percentile(latency: &Latency, quantile: f64) -> Option<f64> {
    latency.quantile_us(quantile).map(|us| millis(us as f64))
}

fn millis(micros: f64) -> f64 {
    micros / 1e3
}

const PERCENTILES: [(&str, f64); 6] = [
    ("50pct", 0.5),
    ("75pct", 0.75),
    ("95pct", 0.95),
    ("99pct", 0.99),
    ("999pct", 0.999),
    ("9999pct", 0.9999),
];
