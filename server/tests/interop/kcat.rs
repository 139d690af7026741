//! kcat 1.7 with librdkafka 2.0.2, Debian's: driven record shape by record shape, as its command
//! line wants it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::corpus::{self, Record};
use crate::{process, toolchains};

const TIMEOUT: Duration = Duration::from_secs(60);

/// An unpacked kcat.
pub struct Kcat {
    root: PathBuf,
    bootstrap: String,
    folder: PathBuf,
}

impl Kcat {
    /// The kcat below `root`, its scratch files in `folder`.
    pub fn new(root: PathBuf, bootstrap: &str, folder: PathBuf) -> Kcat {
        Kcat {
            root,
            bootstrap: bootstrap.to_owned(),
            folder,
        }
    }

    /// For example `1.7.1, librdkafka 2.0.2`.
    pub fn version(&self) -> Result<String, String> {
        let printed = process::run_ok(self.command().arg("-V"), &self.folder, TIMEOUT)?.stdout;
        let line = printed
            .lines()
            .find(|line| line.starts_with("Version"))
            .unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let library = words
            .iter()
            .skip_while(|word| **word != "librdkafka")
            .nth(1);
        Ok(format!(
            "{} librdkafka {}",
            words.get(1).unwrap_or(&"?"),
            library.unwrap_or(&"?")
        ))
    }

    /// Writes `records` to partition 0, one run of kcat per stretch of records that its options can
    /// express at once.
    pub fn produce(&self, topic: &str, codec: &str, records: &[Record]) -> Result<(), String> {
        for stretch in records.chunk_by(|a, b| Shape::of(a) == Shape::of(b)) {
            match Shape::of(&stretch[0]) {
                Shape::Large => {
                    for record in stretch {
                        self.produce_stretch(topic, codec, std::slice::from_ref(record), true)?;
                    }
                }
                Shape::Lines { .. } => self.produce_stretch(topic, codec, stretch, false)?,
            }
        }
        Ok(())
    }

    fn produce_stretch(
        &self,
        topic: &str,
        codec: &str,
        stretch: &[Record],
        whole_file: bool,
    ) -> Result<(), String> {
        let first = &stretch[0];
        let input = self.folder.join("input");
        let mut command = self.command();
        command.args(["-P", "-t", topic, "-p", "0", "-z", codec]);
        command.args(["-X", "message.max.bytes=4000000", "-X", "linger.ms=5"]);
        for (name, value) in &first.headers {
            let value = value
                .as_deref()
                .map(|bytes| format!("={}", String::from_utf8_lossy(bytes)));
            command
                .arg("-H")
                .arg(format!("{name}{}", value.unwrap_or_default()));
        }
        let key = |record: &Record| {
            String::from_utf8_lossy(record.key.as_deref().unwrap_or(b"")).into_owned()
        };
        let mut bytes = Vec::new();
        if whole_file {
            command.args(["-k", &key(first)]);
            bytes.extend_from_slice(first.value.as_deref().unwrap_or(b""));
        } else {
            command.args(["-l", "-D", "\\n"]);
            if first.key.is_some() {
                command.args(["-K", "|"]);
            }
            if first.value.is_none() {
                command.arg("-Z");
            }
            for record in stretch {
                if record.key.is_some() {
                    bytes.extend_from_slice(format!("{}|", key(record)).as_bytes());
                }
                bytes.extend_from_slice(record.value.as_deref().unwrap_or(b""));
                bytes.push(b'\n');
            }
        }
        fs::write(&input, bytes).map_err(|e| e.to_string())?;
        process::run_ok(command.arg(&input), &self.folder, TIMEOUT).map(|_| ())
    }

    /// Reads partition 0 of `topic` to its end, as canonical lines.
    pub fn consume(&self, topic: &str, fetch_bytes_max: u32) -> Result<Vec<String>, String> {
        let mut command = self.command();
        command.args(["-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q"]);
        command.args(["-X", "check.crcs=true"]);
        command
            .arg("-X")
            .arg(format!("fetch.message.max.bytes={fetch_bytes_max}"));
        command.args(["-f", "%o\t%T\t%K\t%S\t%h\n%k%s\n"]);
        process::run_ok(&mut command, &self.folder, TIMEOUT)?;
        let printed = fs::read(self.folder.join("stdout")).map_err(|e| e.to_string())?;
        parse(topic, &printed)
    }

    /// The offset of the first record at or after `timestamp`; `None` when there is no such record.
    pub fn offset_for_time(&self, topic: &str, timestamp: i64) -> Result<Option<i64>, String> {
        let mut command = self.command();
        command
            .arg("-Q")
            .arg("-t")
            .arg(format!("{topic}:0:{timestamp}"));
        let printed = process::run_ok(&mut command, &self.folder, TIMEOUT)?.stdout;
        let offset = printed
            .split_whitespace()
            .last()
            .and_then(|word| word.parse::<i64>().ok());
        match offset {
            Some(offset) if offset >= 0 => Ok(Some(offset)),
            Some(_) => Ok(None),
            None => Err(format!("kcat -Q printed {printed:?}")),
        }
    }

    /// kcat with its libraries and the broker's address.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.root.join("usr/bin/kcat"));
        command.env("LD_LIBRARY_PATH", toolchains::debian_libraries(&self.root));
        command.args(["-b", &self.bootstrap]);
        command
    }

    /// The folder of its scratch files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What one run of kcat can send.
#[derive(PartialEq, Eq)]
enum Shape {
    /// One record per run: the file is the value.
    Large,
    /// Many records, a line each.
    Lines {
        key: bool,
        value: bool,
        headers: usize,
    },
}

impl Shape {
    fn of(record: &Record) -> Shape {
        if record
            .value
            .as_ref()
            .is_some_and(|value| value.len() >= corpus::LARGE_VALUE_BYTES)
        {
            return Shape::Large;
        }
        Shape::Lines {
            key: record.key.is_some(),
            value: record.value.is_some(),
            headers: record.headers.len(),
        }
    }
}

/// Canonical lines from kcat's output: a line of figures, then as many bytes as it says.
fn parse(topic: &str, mut printed: &[u8]) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    while !printed.is_empty() {
        let end = printed
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or("no line of figures")?;
        let figures = String::from_utf8_lossy(&printed[..end]).into_owned();
        let field: Vec<&str> = figures.split('\t').collect();
        let number = |at: usize| field.get(at).and_then(|text| text.parse::<i64>().ok());
        let (Some(offset), Some(timestamp), Some(key), Some(value)) =
            (number(0), number(1), number(2), number(3))
        else {
            return Err(format!("kcat printed {figures:?}"));
        };
        printed = &printed[end + 1..];
        let mut take = |len: i64| {
            let (taken, rest) = printed.split_at_checked(len.max(0) as usize)?;
            printed = rest;
            Some((len >= 0).then_some(taken))
        };
        let (Some(key), Some(value), Some(_)) = (take(key), take(value), take(1)) else {
            return Err(format!("kcat's output ends inside of a record at {offset}"));
        };
        lines.push(format!(
            "{topic}\t{offset}\t{}\t{}\t{timestamp}\t{}",
            corpus::shown(key),
            corpus::shown(value),
            headers(field.get(4).copied().unwrap_or_default())
        ));
    }
    Ok(lines)
}

/// kcat prints `name=value,...` with NULL for a null; none of the corpus's headers has a comma or
/// that word.
fn headers(printed: &str) -> String {
    let canonical = printed
        .split(',')
        .filter(|header| !header.is_empty())
        .map(|header| {
            let (name, value) = header.split_once('=').unwrap_or((header, "NULL"));
            let value = (value != "NULL").then_some(value.as_bytes());
            format!("{}={}", corpus::hex(name.as_bytes()), corpus::shown(value))
        });
    canonical.collect::<Vec<_>>().join(",")
}
