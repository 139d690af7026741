//! Log shippers with real text: the Kafka outputs of rsyslog and syslog-ng, and kcat, send the
//! changelogs that this machine's packages came with, 100 MB and more of them; what another client
//! and a consumer group read back must be the same bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use crate::broker::Broker;
use crate::frames::Frames;
use crate::kcat::Kcat;
use crate::process;
use crate::results::{Outcome, Results};
use crate::syslog_ng;
use crate::toolchains;

const TEXT_BYTES_MIN: u64 = 100_000_000;
/// What goes through syslog-ng, which takes its time.
const PART_BYTES_MAX: usize = 10_000_000;

const SHIPPING_TIMEOUT: Duration = Duration::from_secs(180);

/// rsyslog cuts lines at its `maxMessageSize`; the text has none that long.
const LINE_BYTES_MAX: usize = 8_000;

/// Ships and compares.
pub fn run(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let root = match toolchains::debian() {
        Ok(root) => root,
        Err(why) => {
            results.missing("rsyslog and kcat", &why);
            return Ok(());
        }
    };
    let folder = broker.scratch("real-input");
    let text = folder.join("text");
    let lines = write_text(&text)?;
    let mut frames = Frames::connect(&broker.bootstrap)?;
    frames.create_topics(
        &[
            "shipped-by-rsyslog".to_owned(),
            "shipped-by-kcat".to_owned(),
            syslog_ng::TOPIC.to_owned(),
        ],
        &[],
    )?;
    let kcat = Kcat::new(root.clone(), &broker.bootstrap, folder.join("kcat"));
    let shipped = ship_with_rsyslog(broker, &root, &folder, &text, lines)
        .and_then(|()| same_text(broker, &kcat, "shipped-by-rsyslog", &text, &folder));
    let read = shipped
        .clone()
        .and_then(|()| same_text_in_a_group(&kcat, "shipped-by-rsyslog", &text, lines));
    let version = rsyslog_version(&root, &folder).unwrap_or_default();
    results.add(
        "rsyslog omkafka",
        &version,
        "100 MB of text",
        outcome(shipped),
    );
    results.add(
        "rsyslog omkafka",
        &version,
        "read by a group",
        outcome(read),
    );
    ship_with_syslog_ng(broker, &root, &folder, &kcat, results)?;
    let shipped = ship_with_kcat(&kcat, &text)
        .and_then(|()| same_text(broker, &kcat, "shipped-by-kcat", &text, &folder));
    results.add("kcat", &kcat.version()?, "100 MB of text", outcome(shipped));
    Ok(())
}

fn outcome(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Fail, |()| Outcome::Pass)
}

/// Unpacks every changelog into one file, over and over until it is long enough; answers its lines.
fn write_text(path: &Path) -> Result<u64, String> {
    let mut text = Vec::new();
    for packed in changelogs() {
        let Ok(file) = File::open(&packed) else {
            continue;
        };
        let mut unpacked = Vec::new();
        if MultiGzDecoder::new(file).read_to_end(&mut unpacked).is_ok() {
            // rsyslog passes over empty lines; and a NUL ends its messages.
            for line in unpacked.split(|byte| *byte == b'\n') {
                if !line.is_empty() && line.len() < LINE_BYTES_MAX && !line.contains(&0) {
                    text.extend_from_slice(line);
                    text.push(b'\n');
                }
            }
        }
    }
    if text.is_empty() {
        return Err("no changelog below /usr/share/doc".to_owned());
    }
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    let times = TEXT_BYTES_MIN.div_ceil(text.len() as u64);
    let mut out = BufWriter::new(File::create(path).map_err(|e| e.to_string())?);
    for _ in 0..times {
        out.write_all(&text).map_err(|e| e.to_string())?;
    }
    out.flush().map_err(|e| e.to_string())?;
    Ok(lines * times)
}

fn changelogs() -> Vec<PathBuf> {
    let packages = fs::read_dir("/usr/share/doc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let files = packages.flat_map(|package| fs::read_dir(package.path()).into_iter().flatten());
    let mut found: Vec<PathBuf> = files
        .filter_map(Result::ok)
        .map(|file| file.path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.starts_with("changelog") && name.ends_with(".gz")
        })
        .collect();
    found.sort();
    found
}

fn ship_with_kcat(kcat: &Kcat, text: &Path) -> Result<(), String> {
    let mut command = kcat.command();
    command
        .args(["-P", "-t", "shipped-by-kcat", "-p", "0", "-z", "zstd", "-l"])
        .arg(text);
    process::run_ok(&mut command, kcat.folder(), SHIPPING_TIMEOUT).map(|_| ())
}

/// A part of the text goes through syslog-ng, and out of a group.
fn ship_with_syslog_ng(
    broker: &Broker,
    root: &Path,
    folder: &Path,
    kcat: &Kcat,
    results: &mut Results,
) -> Result<(), String> {
    let part = folder.join("part");
    let text = fs::read(folder.join("text")).map_err(|e| e.to_string())?;
    let end = text
        .iter()
        .take(PART_BYTES_MAX)
        .rposition(|byte| *byte == b'\n');
    let text = &text[..end.map_or(0, |end| end + 1)];
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    let version = syslog_ng::version(root, folder)?;
    let shipped = syslog_ng::ship(broker, root, folder, lines, || {
        fs::write(&part, text)
            .map_err(|e| e.to_string())
            .map(|()| part.clone())
    });
    let shipped = shipped.and_then(|()| same_text(broker, kcat, syslog_ng::TOPIC, &part, folder));
    let read = shipped
        .clone()
        .and_then(|()| same_text_in_a_group(kcat, syslog_ng::TOPIC, &part, lines));
    for (scenario, ended) in [("10 MB of text", shipped), ("read by a group", read)] {
        results.add("syslog-ng kafka-c", &version, scenario, outcome(ended));
    }
    Ok(())
}

/// rsyslogd as an ordinary process with a configuration of its own: a followed file in, the topic
/// out.
fn ship_with_rsyslog(
    broker: &Broker,
    root: &Path,
    folder: &Path,
    text: &Path,
    lines: u64,
) -> Result<(), String> {
    let work = folder.join("rsyslog");
    fs::create_dir_all(&work).map_err(|e| e.to_string())?;
    let config = work.join("rsyslog.conf");
    let settings = rsyslog_settings(&work, text, &broker.bootstrap);
    fs::write(&config, settings).map_err(|e| e.to_string())?;
    let mut command = rsyslogd(root);
    command
        .args(["-n", "-f"])
        .arg(&config)
        .arg("-i")
        .arg(work.join("pid"));
    let mut child = process::start(&mut command, &work).map_err(|e| e.to_string())?;
    let mut frames = Frames::connect(&broker.bootstrap)?;
    let until = Instant::now() + SHIPPING_TIMEOUT;
    let mut arrived = 0;
    while arrived < lines && Instant::now() < until {
        thread::sleep(Duration::from_millis(100));
        arrived = frames.high_watermark("shipped-by-rsyslog")? as u64;
        if let Some(status) = child.ended() {
            return Err(format!(
                "rsyslogd ended, {status}: {}",
                process::tail(&work.join("stderr"))
            ));
        }
    }
    child.terminate();
    child.wait(Duration::from_secs(30));
    if arrived == lines {
        return Ok(());
    }
    let complaint = process::tail(&work.join("messages"));
    Err(format!("{arrived} of {lines} lines arrived: {complaint}"))
}

fn rsyslog_settings(work: &Path, text: &Path, bootstrap: &str) -> String {
    let (work, text) = (work.display(), text.display());
    format!(
        r#"global(workDirectory="{work}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
main_queue(queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096"
           queue.workerThreads="1" queue.lightDelayMark="0" queue.timeoutEnqueue="60000"
           queue.timeoutShutdown="30000")
module(load="imfile")
module(load="omkafka")
template(name="line" type="string" string="%msg%")
input(type="imfile" file="{text}" tag="text" ruleset="ship" reopenOnTruncate="off")
ruleset(name="ship" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096"
        queue.workerThreads="1" queue.timeoutEnqueue="60000" queue.discardMark="0") {{
  action(type="omkafka" topic="shipped-by-rsyslog" broker=["{bootstrap}"] template="line"
         partitions.useFixed="0" resubmitOnFailure="on" closeTimeout="30000"
         action.resumeRetryCount="-1"
         confParam=["queue.buffering.max.messages=400000", "linger.ms=20", "compression.codec=lz4",
                    "enable.idempotence=true"])
}}
syslog.* action(type="omfile" file="{work}/messages")
"#
    )
}

fn rsyslog_version(root: &Path, folder: &Path) -> Result<String, String> {
    let scratch = folder.join("version");
    let printed = process::run_ok(rsyslogd(root).arg("-v"), &scratch, SHIPPING_TIMEOUT)?.stdout;
    Ok(printed.split_whitespace().nth(1).unwrap_or("?").to_owned())
}

fn rsyslogd(root: &Path) -> Command {
    let libraries = toolchains::debian_libraries(root);
    let mut command = Command::new(root.join("usr/sbin/rsyslogd"));
    command.env("LD_LIBRARY_PATH", &libraries);
    command.env("RSYSLOG_MODDIR", libraries.join("rsyslog"));
    command
}

/// Reads the topic back with another client than the one that wrote it, where there is one, and
/// compares every byte.
fn same_text(
    broker: &Broker,
    kcat: &Kcat,
    topic: &str,
    text: &Path,
    folder: &Path,
) -> Result<(), String> {
    let back = folder.join("back");
    match toolchains::go() {
        Ok(program) => {
            let mut command = Command::new(program);
            command
                .args(["franz-go", "cat", &broker.bootstrap, topic])
                .arg(&back);
            process::run_ok(&mut command, &folder.join("cat"), SHIPPING_TIMEOUT)?;
        }
        Err(_) => {
            let mut command = kcat.command();
            command.args(["-C", "-q", "-e", "-o", "beginning", "-t", topic]);
            process::run_ok(&mut command, kcat.folder(), SHIPPING_TIMEOUT)?;
            fs::rename(kcat.folder().join("stdout"), &back).map_err(|e| e.to_string())?;
        }
    }
    same_bytes(text, &back)
}

/// The same by a consumer group's only member.
fn same_text_in_a_group(kcat: &Kcat, topic: &str, text: &Path, lines: u64) -> Result<(), String> {
    let mut command = kcat.command();
    command.args(["-G", topic, "-q", "-X", "auto.offset.reset=earliest", "-c"]);
    command.arg(lines.to_string()).arg(topic);
    process::run_ok(&mut command, kcat.folder(), SHIPPING_TIMEOUT)?;
    same_bytes(text, &kcat.folder().join("stdout"))
}

fn same_bytes(text: &Path, back: &Path) -> Result<(), String> {
    let (sent, read) = (fs::read(text), fs::read(back));
    let (sent, read) = (
        sent.map_err(|e| e.to_string())?,
        read.map_err(|e| e.to_string())?,
    );
    if sent == read {
        return Ok(());
    }
    let same = sent.iter().zip(&read).take_while(|(a, b)| a == b).count();
    let around = |bytes: &[u8]| {
        let from = same.saturating_sub(60);
        String::from_utf8_lossy(&bytes[from.min(bytes.len())..(same + 60).min(bytes.len())])
            .into_owned()
    };
    let (sent_at, read_at) = (around(&sent), around(&read));
    let (sent, read) = (sent.len(), read.len());
    Err(format!(
        "{sent} bytes sent, {read} read, other from {same}:\n{sent_at:?}\n{read_at:?}"
    ))
}
