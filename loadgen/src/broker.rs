//! A broker of the load generator's own, in a process of its own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::sys;

/// The hidden subcommand with which a `loadgen` binary becomes a broker.
pub const SUBCOMMAND: &str = "__broker";

/// How a broker is started.
#[derive(Clone, Debug)]
pub struct BrokerPlan {
    /// The program: a `loadgen` binary, or a broker's own with the same options.
    pub program: PathBuf,
    /// True if `program` is `logmill` itself, which needs no subcommand.
    pub is_broker: bool,
    /// Where its data goes.
    pub data: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Further settings, `key=value`.
    pub settings: Vec<String>,
    /// Where its output is kept; appended to.
    pub log: PathBuf,
}

/// A running broker. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Broker {
    plan: BrokerPlan,
    child: Option<Child>,
    ready_after: Duration,
}

/// Why a broker does not run.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// The system failed.
    #[error("starting the broker {program}: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or said nothing, before it was ready.
    #[error("the broker {how}; its last words:\n{tail}")]
    NotReady {
        /// What it did instead.
        how: String,
        /// The last lines of its output.
        tail: String,
    },
}

impl BrokerPlan {
    /// A broker on a free port of the loopback interface, from this very program.
    pub fn own(data: &Path, log: &Path, settings: &[String]) -> io::Result<Self> {
        // The port is free again when the listener is dropped, and as good as ours.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Self {
            program: std::env::current_exe()?,
            is_broker: false,
            data: data.to_owned(),
            address,
            settings: settings.to_vec(),
            log: log.to_owned(),
        })
    }
}

impl Broker {
    /// Starts a broker and waits for its ready line.
    pub fn start(plan: BrokerPlan) -> Result<Self, BrokerError> {
        let mut broker = Self {
            plan,
            child: None,
            ready_after: Duration::ZERO,
        };
        broker.restart()?;
        Ok(broker)
    }

    /// Starts it again on the same data and address, after [`Broker::kill`] or [`Broker::stop`].
    pub fn restart(&mut self) -> Result<(), BrokerError> {
        assert!(
            self.child.is_none(),
            "a broker that runs is not started again"
        );
        let begun = Instant::now();
        let failed = |source| BrokerError::Start {
            program: self.plan.program.clone(),
            source,
        };
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.plan.log)
            .map_err(failed)?;
        let stderr = log.try_clone().map_err(failed)?;
        let mut command = Command::new(&self.plan.program);
        if !self.plan.is_broker {
            command.arg(SUBCOMMAND);
            // Ctrl-C on a terminal goes to a whole process group: this program ends its run in good
            // order first, for which it needs its broker, and then stops that. This very program as
            // a broker goes when its parent does; another one had better hear the Ctrl-C.
            command.process_group(0);
        }
        command
            .arg("--set")
            .arg(format!("log.dirs={}", self.plan.data.display()));
        command
            .arg("--set")
            .arg(format!("listeners=PLAINTEXT://{}", self.plan.address));
        for setting in &self.plan.settings {
            command.arg("--set").arg(setting);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take().expect("it was piped");
        self.child = Some(child);
        let ready = watch(BufReader::new(stdout), log);
        match ready.recv_timeout(START_TIMEOUT) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(self.not_ready(format!("was not ready in {START_TIMEOUT:?}")));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.as_mut().and_then(|child| child.wait().ok());
                let status = status.map_or_else(String::new, |status| status.to_string());
                return Err(self.not_ready(format!("ended before it was ready ({status})")));
            }
        }
        self.ready_after = begun.elapsed();
        Ok(())
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to stop and waits; kills it if it does not.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        let mut child = self.child.take()?;
        let _ = sys::signal(child.id(), libc::SIGTERM);
        let give_up = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < give_up {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        child.wait().ok()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.plan.address
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How long it took from its start to its ready line.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// How it ended, if it did of its own accord.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        child.try_wait().ok().flatten()
    }

    /// The last lines of its output.
    pub fn last_words(&self) -> String {
        let bytes = std::fs::read(&self.plan.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    fn not_ready(&mut self, how: String) -> BrokerError {
        self.kill();
        let tail = self.last_words();
        BrokerError::NotReady { how, tail }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Copies a broker's output to its log; sends when the ready line comes, hangs up when it ends.
fn watch(stdout: impl BufRead + Send + 'static, mut log: File) -> Receiver<()> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut sender = Some(sender);
        for line in stdout.lines().map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
            if line.starts_with("ready")
                && let Some(sender) = sender.as_ref()
            {
                let _ = sender.send(());
            }
        }
        sender.take();
    });
    receiver
}

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const TAIL_LINES: usize = 20;
