//! Apache Kafka 4.1.1 as one KRaft node on loopback: the reference, and a stand-in that proves the
//! suite itself.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{self, Running};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// Formats `folder` and starts the node; `settings` are further lines of its server.properties.
pub fn start(
    class_path: &str,
    folder: &Path,
    port: u16,
    controller_port: u16,
    settings: &[(&str, &str)],
) -> Result<Running, String> {
    let data = folder.join("data");
    let properties = folder.join("server.properties");
    fs::create_dir_all(&data).map_err(|e| e.to_string())?;
    fs::write(
        &properties,
        server_properties(&data, port, controller_port, settings),
    )
    .map_err(|e| e.to_string())?;
    let mut format = java(class_path, "256M");
    format.args([
        "kafka.tools.StorageTool",
        "format",
        "--standalone",
        "-t",
        CLUSTER_ID,
        "-c",
    ]);
    process::run_ok(
        format.arg(&properties),
        &folder.join("format"),
        START_TIMEOUT,
    )?;
    let mut broker = java(class_path, "1G");
    let child = process::start(
        broker.arg("kafka.Kafka").arg(&properties),
        &folder.join("log"),
    )
    .map_err(|e| e.to_string())?;
    wait_until_ready(child, folder, port)
}

/// `java` with what every start of ours has in common.
pub fn java(class_path: &str, heap: &str) -> Command {
    let mut java = Command::new("java");
    java.arg(format!("-Xmx{heap}"));
    java.args([
        "-XX:+UseG1GC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseStringDeduplication",
    ]);
    java.args([
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        "-cp",
        class_path,
    ]);
    java
}

fn wait_until_ready(mut child: Running, folder: &Path, port: u16) -> Result<Running, String> {
    let until = Instant::now() + START_TIMEOUT;
    // The broker's listener is bound early and accepts only when the node is unfenced and ready to
    // serve.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if child.ended().is_some() || Instant::now() > until {
            let log = process::tail(&folder.join("log/stderr"));
            return Err(format!("Apache Kafka does not start: {log}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(child)
}

fn server_properties(
    data: &Path,
    port: u16,
    controller_port: u16,
    settings: &[(&str, &str)],
) -> String {
    let mut text = format!(
        "node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
         log.dirs={}\n",
        data.display()
    );
    for (key, value) in SETTINGS.iter().chain(settings) {
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}

/// What a node of its own needs beside its addresses and folders.
pub const SETTINGS: [(&str, &str); 9] = [
    ("process.roles", "broker,controller"),
    ("inter.broker.listener.name", "PLAINTEXT"),
    ("controller.listener.names", "CONTROLLER"),
    (
        "listener.security.protocol.map",
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    ),
    ("offsets.topic.replication.factor", "1"),
    ("offsets.topic.num.partitions", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("group.initial.rebalance.delay.ms", "0"),
];

const CLUSTER_ID: &str = "bG9nbWlsbC1pbnRlcm9wLQ";
