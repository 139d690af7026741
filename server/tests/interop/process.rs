//! Child processes with a deadline: what they print goes to files, so no pipe can fill up and block
//! them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a finished process left.
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A child process; whoever forgets it kills it.
pub struct Running(Child);

impl Running {
    /// Its end, if it came already.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0
            .try_wait()
            .expect("a child of ours can be waited for")
    }

    /// Waits for the end; `None` when it still runs after `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + deadline;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= until {
                return ended;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as a crash would, with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.0.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `command` to its end, with both outputs in `folder`; kills it and answers an error after
/// `deadline`.
pub fn run(command: &mut Command, folder: &Path, deadline: Duration) -> Result<Finished, String> {
    let what = format!("{command:?}");
    let mut child = start(command, folder).map_err(|e| format!("{what}: {e}"))?;
    let Some(status) = child.wait(deadline) else {
        drop(child);
        let complaint = tail(&folder.join("stderr"));
        return Err(format!("{what}: killed after {deadline:?}\n{complaint}"));
    };
    let read = |name| {
        String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned()
    };
    Ok(Finished {
        status,
        stdout: read("stdout"),
        stderr: read("stderr"),
    })
}

/// As [`run`]; a status other than 0 is an error that quotes the end of what the process printed.
pub fn run_ok(
    command: &mut Command,
    folder: &Path,
    deadline: Duration,
) -> Result<Finished, String> {
    let what = format!("{command:?}");
    let finished = run(command, folder, deadline)?;
    if finished.status.success() {
        return Ok(finished);
    }
    let (out, err) = (tail(&folder.join("stdout")), tail(&folder.join("stderr")));
    Err(format!("{what}: {}\n{out}\n{err}", finished.status))
}

/// Starts `command` with its outputs in the files `stdout` and `stderr` of `folder`.
pub fn start(command: &mut Command, folder: &Path) -> io::Result<Running> {
    fs::create_dir_all(folder)?;
    let (out, err) = (
        File::create(folder.join("stdout"))?,
        File::create(folder.join("stderr"))?,
    );
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    command.spawn().map(Running)
}

/// Writes a line to standard error that also shows of a test that passes: the test harness keeps
/// what such a test prints with `eprintln!`.
pub fn say(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}

/// The last lines of a file, for a message.
pub fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
