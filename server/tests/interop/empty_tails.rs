//! Logs as compaction leaves them: batches whose last records are gone, and one without records.
//! A consumer must go on behind the batch's last offset, not behind the last record that it saw.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use logmill_wire::batch::compute_crc;

use crate::broker::Broker;
use crate::clients::Client;
use crate::frames::Frames;
use crate::kcat::Kcat;
use crate::matrix;
use crate::results::{Outcome, Results};
use crate::{process, toolchains};

const TOPIC: &str = "tails";
const BATCHES: usize = 4;
const BATCH_RECORDS: i32 = 4;

/// How many records each batch keeps.
const KEPT: [i32; BATCHES] = [4, 2, 0, 4];

/// Writes batches, takes records out of them where they lie, has every client read the topic.
pub fn run(broker: &mut Broker, results: &mut Results) -> Result<(), String> {
    let root = match toolchains::debian() {
        Ok(root) => root,
        Err(why) => {
            results.missing("kcat", &why);
            return Ok(());
        }
    };
    if !broker.is_logmill() {
        process::say("NOT RUN  empty tails: the files of another broker are not touched");
        return Ok(());
    }
    let kcat = Kcat::new(root, &broker.bootstrap, broker.scratch("kcat-writes"));
    Frames::connect(&broker.bootstrap)?.create_topics(&[TOPIC.to_owned()], &[])?;
    for batch in 0..BATCHES {
        write_batch(&kcat, batch)?;
    }
    let stored = Frames::connect(&broker.bootstrap)?.stored_batches(TOPIC)?;
    let counts: Vec<i32> = stored.iter().map(|batch| batch.records).collect();
    if counts != [BATCH_RECORDS; BATCHES] {
        return Err(format!("kcat's batches have {counts:?} records"));
    }
    broker.stop()?;
    compact(broker.data().ok_or("a broker of our own")?)?;
    broker.restart()?;
    let ready = matrix::set_up(broker, &Client::ALL, results);
    let topics = |_| vec![TOPIC.to_owned()];
    for (client, read) in matrix::consume(&ready, topics, &[0], results) {
        let name = client.client.name();
        let small = compare(&read.small).map_err(|why| format!("small fetches: {why}"));
        let outcome = compare(&read.lines).and(small);
        let outcome = outcome.map_or_else(Outcome::Fail, |()| Outcome::Pass);
        let version = results.version_of(name);
        results.add(name, &version, "pass over empty batch tails", outcome);
    }
    Ok(())
}

fn value(batch: usize, record: i32) -> String {
    format!("batch {batch} record {record}")
}

fn write_batch(kcat: &Kcat, batch: usize) -> Result<(), String> {
    let input = kcat.folder().join("lines");
    let lines: String = (0..BATCH_RECORDS)
        .map(|record| value(batch, record) + "\n")
        .collect();
    fs::create_dir_all(kcat.folder())
        .and_then(|()| fs::write(&input, lines))
        .map_err(|e| e.to_string())?;
    let mut command: Command = kcat.command();
    // Long enough for all lines to come into one batch on any machine.
    command.args(["-P", "-t", TOPIC, "-p", "0", "-X", "linger.ms=500", "-l"]);
    process::run_ok(command.arg(&input), kcat.folder(), Duration::from_secs(60)).map(|_| ())
}

/// Rewrites the topic's segment, and takes away all that knows how it was: the broker must read it
/// as after a crash.
fn compact(data: &Path) -> Result<(), String> {
    let folder = data.join(format!("{TOPIC}-0"));
    let segment = folder.join("00000000000000000000.log");
    let written = fs::read(&segment).map_err(|e| e.to_string())?;
    let mut rest = written.as_slice();
    let mut compacted = Vec::new();
    for keep in KEPT {
        let length = rest
            .get(8..12)
            .and_then(|bytes| bytes.first_chunk())
            .ok_or("a batch is missing")?;
        let (batch, behind) = rest.split_at(12 + u32::from_be_bytes(*length) as usize);
        compacted.extend(with_records(batch, keep));
        rest = behind;
    }
    fs::write(&segment, compacted).map_err(|e| e.to_string())?;
    let known = [".kafka_cleanshutdown", "logmill-snapshot"].map(|name| data.join(name));
    let indexes = ["index", "timeindex"].map(|name| segment.with_extension(name));
    for path in known.iter().chain(&indexes) {
        fs::remove_file(path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// The batch with its first `keep` records only; the last offset stays.
fn with_records(batch: &[u8], keep: i32) -> Vec<u8> {
    const HEAD: usize = 61;
    let mut end = HEAD;
    for _ in 0..keep {
        // All records are shorter than 64 bytes: the length is one byte, zigzag.
        end += 1 + usize::from(batch[end] / 2);
    }
    let mut kept = batch[..end].to_vec();
    kept[8..12].copy_from_slice(&((end - 12) as i32).to_be_bytes());
    kept[57..61].copy_from_slice(&keep.to_be_bytes());
    let crc = compute_crc(&kept).expect("it has a head");
    kept[17..21].copy_from_slice(&crc.to_be_bytes());
    kept
}

/// Offsets and values of what was kept, against canonical lines.
fn compare(read: &[String]) -> Result<(), String> {
    let mut expected = Vec::new();
    for (batch, keep) in KEPT.into_iter().enumerate() {
        for record in 0..keep {
            let offset = batch as i32 * BATCH_RECORDS + record;
            expected.push(format!("{offset} {}", value(batch, record)));
        }
    }
    let mut got = Vec::new();
    for line in read {
        let field: Vec<&str> = line.split('\t').collect();
        let [_, offset, _, value, ..] = field.as_slice() else {
            return Err(line.clone());
        };
        let byte = |at: usize| u8::from_str_radix(&value[at..at + 2], 16).unwrap_or(b'?');
        let bytes: Vec<u8> = (0..value.len()).step_by(2).map(byte).collect();
        got.push(format!("{offset} {}", String::from_utf8_lossy(&bytes)));
    }
    if got == expected {
        Ok(())
    } else {
        Err(format!("read {got:?}"))
    }
}
