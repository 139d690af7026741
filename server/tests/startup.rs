//! The binary as an operator meets it: start, refusal, clean stop, restart, kill.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

/// A running broker; killed when it is dropped.
struct Broker {
    process: Child,
    out: BufReader<ChildStdout>,
    /// What it printed until it was ready.
    screen: Vec<String>,
}

impl Broker {
    #[expect(
        clippy::zombie_processes,
        reason = "`signal` waits for it; a broker that never gets ready ends with the test"
    )]
    fn start(directory: &Path, more: &[&str]) -> Self {
        let mut process = command(directory)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut out = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut screen = Vec::new();
        loop {
            let mut line = String::new();
            let read = out.read_line(&mut line).expect("it can be read");
            assert_ne!(read, 0, "it ended before it was ready: {screen:?}");
            let is_ready = line.starts_with("ready");
            screen.push(line);
            if is_ready {
                return Self {
                    process,
                    out,
                    screen,
                };
            }
        }
    }

    fn says(&self, text: &str) -> bool {
        self.screen.iter().any(|line| line.contains(text))
    }

    fn signal(&mut self, name: &str) -> ExitStatus {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([name, &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        self.process.wait().expect("it can be waited for")
    }

    /// Asks it to stop; gives its status and last line.
    fn stop(mut self) -> (ExitStatus, String) {
        let status = self.signal("-TERM");
        let last = (&mut self.out).lines().map_while(Result::ok).last();
        (status, last.unwrap_or_default())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logmill"));
    command
        .arg("--set")
        .arg(format!("log.dirs={}", directory.display()));
    command.args([
        "--set",
        "listeners=PLAINTEXT://127.0.0.1:0",
        "--set",
        "logmill.shards=2",
    ]);
    command.args(["--set", "logmill.shards.pin=false"]);
    command
}

/// A start that is refused: its status and all that it said on standard error.
fn refused(directory: &Path, more: &[&str]) -> String {
    let Output { status, stderr, .. } = command(directory).args(more).output().expect("it runs");
    assert_eq!(status.code(), Some(1));
    let text = String::from_utf8(stderr).expect("it is text");
    assert_eq!(text.lines().count(), 1, "one clear line: {text}");
    text
}

#[test]
fn broker_starts_stops_and_starts_again() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let first = Broker::start(&data, &[]);
    for part in [
        "Logmill 0",
        "shards    2",
        "PLAINTEXT 127.0.0.1:",
        "at worst of",
        "cluster",
    ] {
        assert!(first.says(part), "{part}: {:?}", first.screen);
    }
    let cluster = first
        .screen
        .iter()
        .find(|line| line.contains("cluster"))
        .cloned()
        .unwrap();
    let second = refused(&data, &[]);
    assert!(second.contains("in use by another process"), "{second}");
    let (status, last) = first.stop();
    assert_eq!(status.code(), Some(0), "{last}");
    assert!(last.starts_with("stopped cleanly"), "{last}");

    let again = Broker::start(&data, &[]);
    assert!(again.says("after a clean stop"), "{:?}", again.screen);
    assert!(again.says(cluster.trim()), "the cluster keeps its id");
}

#[test]
fn killed_broker_starts_again_and_says_so() {
    let home = TempDir::new().unwrap();
    let mut killed = Broker::start(home.path(), &[]);
    killed.signal("-KILL");
    let again = Broker::start(home.path(), &[]);
    assert!(again.says("after an unclean stop"), "{:?}", again.screen);
    let (status, _) = again.stop();
    assert_eq!(status.code(), Some(0));
    assert!(Broker::start(home.path(), &[]).says("after a clean stop"));
}

#[test]
fn file_of_kafka_starts_with_notices() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("server.properties");
    let text = "process.roles=broker,controller\nnode.id=1\nnum.io.threads=8\n\
                controller.listener.names=CONTROLLER\nlog.retention.hours=168\n\
                listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n";
    std::fs::write(&file, text).unwrap();
    let data = home.path().join("data");
    let broker = Broker::start(&data, &["--config", file.to_str().unwrap()]);
    assert!(
        broker.says("note: num.io.threads: without effect"),
        "{:?}",
        broker.screen
    );
    assert!(broker.screen.last().unwrap().starts_with("ready"));
}

#[test]
fn mistakes_are_one_line_with_the_way_out() {
    let home = TempDir::new().unwrap();
    let refused = |set: &str| refused(home.path(), &["--set", set]);
    assert!(refused("log.segment.byte=1").contains("did you mean log.segment.bytes?"));
    assert!(refused("num.partitions=0").contains("at least 1"));
    assert!(refused("listeners=SSL://127.0.0.1:0").contains("use PLAINTEXT"));
    assert!(refused("authorizer.class.name=a.B").contains("refused"));
    assert!(refused("max.connections=100000000").contains("lower max.connections"));
}

#[test]
fn data_of_another_node_is_refused() {
    let home = TempDir::new().unwrap();
    Broker::start(home.path(), &[]).stop();
    let text = refused(home.path(), &["--set", "node.id=2"]);
    assert!(text.contains("belongs to node 1: set node.id=1"), "{text}");
}

#[test]
fn several_directories_are_all_used() {
    let home = TempDir::new().unwrap();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    let both = format!("log.dirs={},{}", a.display(), b.display());
    let broker = Broker::start(&a, &["--set", &both]);
    assert!(broker.says(&a.display().to_string()) && broker.says(&b.display().to_string()));
    assert!(a.join("meta.properties").exists() && b.join("meta.properties").exists());
    assert_eq!(broker.stop().0.code(), Some(0));
}
