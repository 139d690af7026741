//! Histograms as HdrHistogram interval logs, version 2: what HdrHistogram's own tools plot.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::Row;
use crate::measure::{Latency, Second};

/// The log of a run: one line a second for each of publish, delay and end-to-end, in µs; with
/// groups, one line each for all commits and heartbeats; with groups in trouble, one for those of
/// their requests that wait for nobody.
pub(super) fn log(row: &Row) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment(&format!("loadgen: {}", row.name))
        .add_comment("values in microseconds, from the intended send time")
        .with_max_value_divisor(1_000.0)
        .with_start_time(UNIX_EPOCH + Duration::ZERO);
    let mut writer = builder.begin_log_with(&mut out, &mut serializer)?;
    for (index, second) in row.result.timeline.seconds().iter().enumerate() {
        let start = Duration::from_secs(index as u64);
        for (name, latency) in named(second) {
            let tag = Tag::new(name).expect("the names hold no separator");
            let written = writer.write_histogram(
                latency.histogram(),
                start,
                Duration::from_secs(1),
                Some(tag),
            );
            written.map_err(failed)?;
        }
    }
    for (name, latency) in of_groups(row) {
        let tag = Tag::new(name).expect("the names hold no separator");
        let (histogram, window) = (latency.histogram(), row.result.window);
        let written = writer.write_histogram(histogram, Duration::ZERO, window, Some(tag));
        written.map_err(failed)?;
    }
    Ok(out)
}

fn failed(error: impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("{error:?}"))
}

fn of_groups(row: &Row) -> impl Iterator<Item = (&'static str, &Latency)> {
    let group = row.result.group.iter();
    let own =
        group.flat_map(|group| [("commit", &group.commits), ("heartbeat", &group.heartbeats)]);
    let trouble = row.result.trouble.iter();
    own.chain(trouble.map(|trouble| ("groupRequest", &trouble.latency)))
}

fn named(second: &Second) -> [(&'static str, &Latency); 3] {
    [
        ("publish", &second.publish),
        ("delay", &second.delay),
        ("endToEnd", &second.end_to_end),
    ]
}
