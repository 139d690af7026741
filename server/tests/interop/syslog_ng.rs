//! syslog-ng as an ordinary process with a configuration of its own: a followed file in, a topic
//! out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::frames::Frames;
use crate::{process, toolchains};

/// The topic that it ships to.
pub const TOPIC: &str = "shipped-by-syslog-ng";

const TIMEOUT: Duration = Duration::from_secs(180);

/// Ships the `lines` of the file that `write` makes.
pub fn ship(
    broker: &Broker,
    root: &Path,
    folder: &Path,
    lines: u64,
    write: impl FnOnce() -> Result<PathBuf, String>,
) -> Result<(), String> {
    let work = folder.join("syslog-ng");
    fs::create_dir_all(&work).map_err(|e| e.to_string())?;
    let text = write()?;
    let config = work.join("syslog-ng.conf");
    let format = said(root, folder, "Config version:")?;
    let settings = settings(&format, &text, &broker.bootstrap);
    fs::write(&config, settings).map_err(|e| e.to_string())?;
    let mut command = syslog_ng(root)?;
    command.args(["-F", "--no-caps", "-f"]).arg(&config);
    command.arg("-R").arg(work.join("persist"));
    command.arg("-p").arg(work.join("pid"));
    command.arg("-c").arg(work.join("control"));
    let mut child = process::start(&mut command, &work).map_err(|e| e.to_string())?;
    let mut frames = Frames::connect(&broker.bootstrap)?;
    let until = Instant::now() + TIMEOUT;
    let mut arrived = 0;
    while arrived < lines && Instant::now() < until {
        thread::sleep(Duration::from_millis(100));
        arrived = frames.high_watermark(TOPIC)? as u64;
        if let Some(status) = child.ended() {
            let complaint = process::tail(&work.join("stderr"));
            return Err(format!("syslog-ng ended, {status}: {complaint}"));
        }
    }
    child.terminate();
    child.wait(Duration::from_secs(30));
    if arrived == lines {
        return Ok(());
    }
    let complaint = process::tail(&work.join("stderr"));
    Err(format!("{arrived} of {lines} lines arrived: {complaint}"))
}

/// For example `3.38.1`.
pub fn version(root: &Path, folder: &Path) -> Result<String, String> {
    said(root, folder, "Installer-Version:")
}

/// What it says of itself after `name`.
fn said(root: &Path, folder: &Path, name: &str) -> Result<String, String> {
    let scratch = folder.join("version");
    let printed = process::run_ok(syslog_ng(root)?.arg("-V"), &scratch, TIMEOUT)?.stdout;
    let found = printed.lines().find_map(|line| line.strip_prefix(name));
    found
        .map(|value| value.trim().to_owned())
        .ok_or_else(|| format!("no {name} in {printed}"))
}

fn settings(format: &str, text: &Path, bootstrap: &str) -> String {
    let text = text.display();
    format!(
        r#"@version: {format}
@module kafka
options {{ log-msg-size(65536); stats-freq(0); }};
source text {{ file("{text}" follow-freq(1) flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); }};
destination topic {{
  kafka-c(bootstrap-servers("{bootstrap}") topic("{TOPIC}") message("$MSG")
          log-fifo-size(100000) flush-timeout-on-shutdown(30000)
          config("linger.ms" => "20" "compression.codec" => "lz4" "enable.idempotence" => "true"
                 "queue.buffering.max.messages" => "400000"));
}};
log {{ source(text); destination(topic); flags(flow-control); }};
"#
    )
}

fn syslog_ng(root: &Path) -> Result<Command, String> {
    let library = root.join("usr/lib/syslog-ng");
    // Its modules lie in a folder named by its version.
    let modules = fs::read_dir(&library).map_err(|e| format!("{}: {e}", library.display()))?;
    let modules = modules.filter_map(Result::ok).map(|entry| entry.path());
    let modules = modules
        .filter(|path| path.is_dir())
        .max()
        .unwrap_or_default();
    let shared = toolchains::debian_libraries(root);
    let mut command = Command::new(root.join("usr/sbin/syslog-ng"));
    // Some packages of the base system still go to /lib.
    let usr = root.join("usr");
    let base = root.join(shared.strip_prefix(usr).unwrap_or(&shared));
    let libraries = [&shared, &library, &base].map(|path| path.display().to_string());
    command.env("LD_LIBRARY_PATH", libraries.join(":"));
    command.arg(format!("--module-path={}", modules.display()));
    Ok(command)
}
