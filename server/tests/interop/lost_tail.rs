//! A log whose tail is lost, as in a power cut, and grows again: whoever had read beyond the cut
//! must hear of it (KIP-320), since the offsets that it knows are other records' by now.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::broker::Broker;
use crate::clients::Client;
use crate::frames::Frames;
use crate::kcat::Kcat;
use crate::results::Results;
use crate::{process, toolchains};

const TOPIC: &str = "lost-tail";

/// Lines of the first life, of which so many are left, and of the second.
const WRITTEN: usize = 10;
const LEFT: usize = 6;
const WRITTEN_AFTER: usize = 7;

/// Writes, cuts the log off, writes again, and has a Java consumer that had read all of it go on.
pub fn run(broker: &mut Broker, results: &mut Results) -> Result<(), String> {
    let (root, java) = match (toolchains::debian(), toolchains::java()) {
        (Ok(root), Ok(_)) => (root, Client::Java),
        (Err(why), _) | (_, Err(why)) => {
            results.missing("a lost tail", &why);
            return Ok(());
        }
    };
    Frames::connect(&broker.bootstrap)?.create_topics(&[TOPIC.to_owned()], &[])?;
    let kcat = Kcat::new(root.clone(), &broker.bootstrap, broker.scratch("before"));
    write(&kcat, "first", WRITTEN)?;
    if !broker.is_logmill() {
        process::say("NOT RUN  a lost tail: the files of another broker are not touched");
        return Ok(());
    }
    broker.stop()?;
    cut(broker.data().ok_or("a broker of our own")?)?;
    broker.restart()?;
    let kcat = Kcat::new(root, &broker.bootstrap, broker.scratch("after"));
    write(&kcat, "second", WRITTEN_AFTER)?;
    let java = java.set_up(&broker.bootstrap, broker.scratch("java"))?;
    let (written, left) = (WRITTEN.to_string(), LEFT.to_string());
    java.run("lost-tail", &[TOPIC, &written, &left], results)
}

/// A line a batch, so that a cut between batches leaves any number of them.
fn write(kcat: &Kcat, life: &str, lines: usize) -> Result<(), String> {
    fs::create_dir_all(kcat.folder()).map_err(|e| e.to_string())?;
    let input = kcat.folder().join("lines");
    let text: String = (0..lines).map(|i| format!("{life} {i}\n")).collect();
    fs::write(&input, text).map_err(|e| e.to_string())?;
    let mut command: Command = kcat.command();
    command.args(["-P", "-t", TOPIC, "-p", "0", "-l"]);
    command.args(["-X", "batch.num.messages=1"]).arg(&input);
    process::run_ok(&mut command, kcat.folder(), Duration::from_secs(60)).map(|_| ())
}

/// Cuts the topic's segment off, and takes away all that knows how it was.
fn cut(data: &Path) -> Result<(), String> {
    let segment = data.join(format!("{TOPIC}-0/00000000000000000000.log"));
    let bytes = fs::read(&segment).map_err(|e| e.to_string())?;
    let mut end = 0;
    for _ in 0..LEFT {
        let length = bytes
            .get(end + 8..end + 12)
            .and_then(|bytes| bytes.first_chunk())
            .ok_or("a batch is missing")?;
        end += 12 + u32::from_be_bytes(*length) as usize;
    }
    OpenOptions::new()
        .write(true)
        .open(&segment)
        .and_then(|file| file.set_len(end as u64))
        .map_err(|e| e.to_string())?;
    let known = [".kafka_cleanshutdown", "logmill-snapshot"].map(|name| data.join(name));
    let indexes = ["index", "timeindex"].map(|name| segment.with_extension(name));
    for path in known.iter().chain(&indexes) {
        fs::remove_file(path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
