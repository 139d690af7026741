//! The broker under test.
//!
//! By default this is the binary that Cargo built. `LOGMILL_TEST_BROKER=kafka` runs the suite
//! against Apache Kafka 4.1.1 instead, which shows that the suite asks for nothing that Kafka does
//! not do; `LOGMILL_TEST_BOOTSTRAP=HOST:PORT` takes a broker that runs already.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::Running;
use crate::{apache_kafka, process, toolchains};

const READY_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// A running broker, stopped when it is dropped.
pub struct Broker {
    /// `host:port` for clients.
    pub bootstrap: String,
    /// The log directory; `None` for a broker that the suite did not start.
    data: Option<PathBuf>,
    process: Option<Running>,
    /// Its data, its logs and whatever the tests keep beside them.
    folder: TempDir,
    is_logmill: bool,
}

impl Broker {
    /// Starts the broker under test with `settings` beside its log directory and listener.
    pub fn start(settings: &[(&str, &str)]) -> Result<Broker, String> {
        match (
            env::var("LOGMILL_TEST_BOOTSTRAP"),
            env::var("LOGMILL_TEST_BROKER").as_deref(),
        ) {
            (Ok(bootstrap), _) => Ok(Broker {
                bootstrap,
                data: None,
                process: None,
                folder: scratch()?,
                is_logmill: false,
            }),
            (_, Ok("kafka")) => Broker::apache_kafka(settings),
            _ => Broker::logmill(settings),
        }
    }

    /// Starts Logmill.
    pub fn logmill(settings: &[(&str, &str)]) -> Result<Broker, String> {
        on_a_free_port(|folder| {
            let (port, child) = start_logmill(folder.path(), settings)?;
            Ok(Broker::of(port, folder, child, true))
        })
    }

    /// Starts Logmill again over what it left, on another port.
    pub fn restart(&mut self) -> Result<(), String> {
        self.stop()?;
        let (port, child) = start_logmill(self.folder.path(), &[])?;
        self.bootstrap = format!("127.0.0.1:{port}");
        self.process = Some(child);
        Ok(())
    }

    /// Starts Apache Kafka 4.1.1.
    pub fn apache_kafka(settings: &[(&str, &str)]) -> Result<Broker, String> {
        let java = toolchains::java()?;
        on_a_free_port(|folder| {
            let (port, controller) = (free_port()?, free_port()?);
            let child = apache_kafka::start(&java, folder.path(), port, controller, settings)?;
            Ok(Broker::of(port, folder, child, false))
        })
    }

    fn of(port: u16, folder: TempDir, process: Running, is_logmill: bool) -> Broker {
        Broker {
            bootstrap: format!("127.0.0.1:{port}"),
            data: Some(folder.path().join("data")),
            process: Some(process),
            folder,
            is_logmill,
        }
    }

    /// A folder for the test's own files, removed with the broker.
    pub fn scratch(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).expect("a folder below a temporary folder of ours can be made");
        path
    }

    /// The broker's log directory, for a look at its files after [`Broker::stop`].
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Whether this is Logmill, and not a stand-in.
    pub fn is_logmill(&self) -> bool {
        self.is_logmill
    }

    /// Stops the broker as an operator would, and checks that it called that a clean stop.
    pub fn stop(&mut self) -> Result<(), String> {
        let Some(mut child) = self.process.take() else {
            return Ok(());
        };
        child.terminate();
        let Some(status) = child.wait(STOP_TIMEOUT) else {
            return Err(format!(
                "the broker still ran {STOP_TIMEOUT:?} after SIGTERM"
            ));
        };
        // A JVM that SIGTERM ends reports the signal, 143.
        if self.is_logmill && !status.success() {
            let complaint = process::tail(&self.folder.path().join("log/stderr"));
            return Err(format!(
                "the broker's clean stop ended with {status}: {complaint}"
            ));
        }
        Ok(())
    }

    /// The end of the broker's log, for messages.
    pub fn log(&self) -> String {
        process::tail(&self.folder.path().join("log/stderr"))
    }
}

fn start_logmill(folder: &Path, settings: &[(&str, &str)]) -> Result<(u16, Running), String> {
    let port = free_port()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_logmill"));
    let mut set = |key: &str, value: &str| {
        command.arg("--set").arg(format!("{key}={value}"));
    };
    set("log.dirs", &folder.join("data").display().to_string());
    set("listeners", &format!("PLAINTEXT://127.0.0.1:{port}"));
    settings.iter().for_each(|(key, value)| set(key, value));
    let log = folder.join("log");
    let child = process::start(&mut command, &log).map_err(|e| e.to_string())?;
    Ok((port, wait_until_ready(child, &log)?))
}

fn wait_until_ready(mut child: Running, log: &Path) -> Result<Running, String> {
    let until = Instant::now() + READY_TIMEOUT;
    loop {
        let printed = fs::read_to_string(log.join("stdout")).unwrap_or_default();
        if printed.lines().any(|line| line.starts_with("ready")) && printed.ends_with('\n') {
            return Ok(child);
        }
        let ended = child.ended();
        if ended.is_some() || Instant::now() > until {
            let complaint = process::tail(&log.join("stderr"));
            return Err(format!(
                "the broker is not ready: {ended:?}\n{printed}\n{complaint}"
            ));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a broker; once more on another port if somebody else was quicker to take a free one.
fn on_a_free_port(start: impl Fn(TempDir) -> Result<Broker, String>) -> Result<Broker, String> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match start(scratch()?) {
            Err(why) if attempt < 4 && why.contains("in use") => {}
            result => return result,
        }
    }
}

fn scratch() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix(&toolchains::passing("run"))
        .tempdir_in(toolchains::cache())
        .map_err(|e| format!("no temporary folder: {e}"))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|e| e.to_string())
}
